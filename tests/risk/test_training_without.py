"""The next training leaves out whoever told the house that they object, and knows nothing of whoever was forgotten, at every index date."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.people.objection_register import NO_LISTS, TYPE_1, ObjectionRegister
from fuller_popheath.people.person_rows import People
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.risk.given_tables import whole
from fuller_popheath.risk.index_population import IndexPopulation, build
from fuller_popheath.risk.training import train
from fuller_popheath.risk.training_sets import ADULT, training_sets
from fuller_popheath.site import Training

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from fuller_popheath.specs import Parts

KEY = PseudonymKey(b"a key of the tests, long enough")
OUTCOME, FILES = "emergency_admission_12m", "core/objection"
SETTINGS = Training(fit_people=2_000, check_people=800, trial_people=800, trials=1, minimum_events=60, stability_seeds=2, outcome_lag_days=0)
BY_PERSON = ("core/registration", "core/event", "core/measurement", "core/medication_issue", "core/contact", "core/spell", "core/ed_attendance")


def ids(table: pa.Table) -> list[str]:
    return list(table["person_id"].to_pylist())


@pytest.fixture(scope="module")
def chosen(risk_populations: tuple[IndexPopulation, IndexPopulation]) -> dict[str, str]:
    """Three grown-ups who are at both dates and object to nothing so far."""
    development, validation = risk_populations
    there = set(ids(validation.people))
    ages = zip(ids(development.people), development.people["age_years"].to_pylist(), strict=True)
    people = [person for person, age in ages if person in there and age >= 40]
    return dict(zip(("objects", "wants_no_lists", "forgotten"), people, strict=False))


@pytest.fixture(scope="module")
def populations(
    risk_ics: Any, risk_populations: tuple[IndexPopulation, IndexPopulation], chosen: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[IndexPopulation, IndexPopulation]:
    import pyarrow as pa

    register, day = ObjectionRegister(tmp_path_factory.mktemp("vault")), risk_ics.night.as_of
    register.add(People(frozenset([chosen["objects"]])), TYPE_1, day, KEY)
    register.add(People(frozenset([chosen["wants_no_lists"]])), NO_LISTS, day, KEY)
    files = whole(risk_ics.source_of(FILES), FILES)
    gone = People(frozenset([chosen["forgotten"]]))
    own: dict[str, pa.Table] = {FILES: pa.concat_tables([files, register.rows(KEY, day).cast(files.schema)])}
    own |= {name: gone.taken_out(whole(risk_ics.source_of(name), name)) for name in BY_PERSON}

    def source_of(name: str) -> Parts | pa.Table:
        return own[name] if name in own else risk_ics.source_of(name)

    night = replace(risk_ics.night, site=risk_ics.night.site.model_copy(update={"training": SETTINGS.model_copy(update={"outcomes": (OUTCOME,)})}))
    development, validation = (build(risk_ics.engine_factory, source_of, night, each.index_date) for each in risk_populations)
    return development, validation


def test_they_are_in_no_population(
    populations: tuple[IndexPopulation, IndexPopulation], risk_populations: tuple[IndexPopulation, IndexPopulation], chosen: Mapping[str, str]
) -> None:
    for now, before in zip(populations, risk_populations, strict=True):
        assert set(ids(before.people)) - set(ids(now.people)) == {chosen["objects"], chosen["forgotten"]}
        assert set(ids(now.objected)) - set(ids(before.objected)) == {chosen["objects"]}, "who was forgotten is in no account either"
        assert chosen["wants_no_lists"] in ids(now.people), "who wants no lists is trained on"


def test_no_model_is_made_of_them(
    risk_ics: Any, populations: tuple[IndexPopulation, IndexPopulation], chosen: Mapping[str, str], tmp_path: Path
) -> None:
    night = replace(risk_ics.night, site=risk_ics.night.site.model_copy(update={"training": SETTINGS}))
    made = train(*populations, night, tmp_path / "models", is_synthetic=True)
    assert made.stored
    out = [chosen["objects"], chosen["forgotten"]]
    files = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]
    assert files and not [path.name for path in files for person in out if person.encode() in path.read_bytes()]
    sets = training_sets(*populations, OUTCOME, ADULT, night.site, night.as_of)
    assert not set(out) & {person for each in vars(sets).values() for person in _people(each)}


def _people(part: Any) -> list[str]:
    """The person ids of a part of a training set."""
    table = getattr(part, "features", part)
    return ids(table) if "person_id" in getattr(table, "column_names", ()) else []
