"""A scorecard of scores that were stored a year ago, from a small store: each person's own probability against what has happened since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath import registry
from fuller_popheath.arrival.landing import plan, survey
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.risk.fitting import fit
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.scoring import ScoringModel, score
from fuller_popheath.risk.training_sets import judging_rows
from pipelines.scores import scorecard_of_tonight
from pipelines.stores import Store, write_parquet
from pipelines.tonight import Tonight

if TYPE_CHECKING:
    from tests.risk.conftest import RiskIcs

EMERGENCY, READMISSION = "emergency_admission_12m", "readmission_12m"
PLACES = ("core/neighbourhood_practice", "core/registered_count", "core/area_deprivation")
OBJECTION, SCORE = "core/person_objection", "risk/score"
NEWLY_OBJECTING = 40


@dataclass(frozen=True)
class YearOldStore:
    """A store with the scores of a year ago and with tonight's records; `objecting`: ids of those scored then who object to being scored by now."""

    tonight: Tonight
    population: IndexPopulation
    scores: pa.Table
    objecting: set[str]


@pytest.fixture(scope="module")
def year_old(risk_ics: RiskIcs) -> YearOldStore:
    site, population = risk_ics.night.site, risk_ics.validation
    store = Store(risk_ics.extracts.folder, site.folder("products"))
    landing = site.folder("landing")
    arrival = plan(survey(landing, registry.sources(), site.arrival), risk_ics.night.as_of)
    tonight = Tonight(risk_ics.night, arrival, landing, site.folder("quarantine"), store, "both")
    then = population.index_date
    scores = scores_then(risk_ics)
    for contract_id, table in {"core/person": population.people, **groups_of(population), SCORE: scores}.items():
        write(store, contract_id, then, table)
    judged: Any = risk_ics.source_of(OBJECTION)
    may = pc.and_(
        pc.invert(judged["excluded_from_scoring"]), pc.is_in(judged["person_id"], value_set=population.people["person_id"].combine_chunks())
    )
    some = judged["person_id"].filter(may).slice(0, NEWLY_OBJECTING).combine_chunks()
    objects = pc.or_(judged["excluded_from_scoring"], pc.is_in(judged["person_id"], value_set=some))
    judged = judged.set_column(judged.column_names.index("excluded_from_scoring"), "excluded_from_scoring", objects)
    given = {name: risk_ics.source_of(name) for name in (*PLACES, registry.PRACTICE_EXTRACT)}
    for contract_id, table in {**given, OBJECTION: judged}.items():
        write(store, contract_id, tonight.as_of, table)
    return YearOldStore(tonight, population, scores, set(some.to_pylist()))


def write(store: Store, contract_id: str, day: date, table: Any) -> None:
    """As a night writes it, but not held against its rules: features as models see them are not as far back as those of a night."""
    path = store.path(contract_id, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(conform(table, load_contract(contract_id)), path)


def groups_of(population: IndexPopulation) -> dict[str, pa.Table]:
    """Every feature group of the day, as a night stores it."""
    made = {}
    for name in registry.features():
        day = pa.repeat(pa.scalar(population.index_date, pa.date32()), population.people.num_rows)
        own = [column for column in load_contract(name).column_names if column not in ("as_of", "person_id")]
        made[name] = population.features.select(["person_id", *own]).append_column("as_of", day)
    return made


def scores_then(risk_ics: RiskIcs) -> pa.Table:
    """What models of age and sex say of the adults of a year ago: of an outcome that everybody can have, and of one that few can."""
    population, training = risk_ics.validation, risk_ics.night.site.training
    models = []
    for outcome in (EMERGENCY, READMISSION):
        people, _ = judging_rows(risk_ics.development, outcome, "adult", training)
        model = fit(registry.models()["age_sex"], people, {}, 1, training, outcome=outcome, age_group="adult")
        models.append(ScoringModel(f"{outcome}.adult.age_sex.2025-08-01.0123abcd01234567", model, True))
    nobody = pa.array(np.zeros(population.people.num_rows, bool))
    objection = pa.table({"person_id": population.people["person_id"], "excluded_from_scoring": nobody})
    can = {READMISSION: population.labels[READMISSION]["is_at_risk"].to_numpy()}
    return score(models, population.features, objection, can, risk_ics.night.site, population.index_date).score


def test_the_scores_of_a_year_ago_are_held_against_what_happened(year_old: YearOldStore) -> None:
    card = scorecard_of_tonight(year_old.tonight, True, lambda _: None)
    assert card is not None
    refuse_if_broken(card, load_contract("products/risk_scorecard"))
    rows = card.to_pylist()
    assert {(row["as_of"], row["scored_as_of"], row["is_scored_then"]) for row in rows} == {
        (year_old.tonight.as_of, year_old.population.index_date, True)
    }
    told = {(row["person_id"], row["outcome"]): row["probability"] for row in year_old.scores.to_pylist()}
    for outcome in (EMERGENCY, READMISSION):
        (everybody,) = [row for row in rows if (row["outcome"], row["subgroup_kind"]) == (outcome, "all")]
        followed = [
            row
            for row in year_old.population.labels[outcome].to_pylist()
            if (row["person_id"], outcome) in told and row["is_at_risk"] and row["ended_by"] != "left" and row["person_id"] not in year_old.objecting
        ]
        assert len(followed) > 200, outcome
        assert everybody["people_count"] == int(rounded(len(followed))), outcome
        assert everybody["observed_count"] == int(rounded(sum(row["has_outcome"] for row in followed))), outcome
        assert everybody["expected_count"] == round(sum(told[row["person_id"], outcome] for row in followed)), outcome


def test_groups_are_those_of_the_day_of_scoring(year_old: YearOldStore) -> None:
    card = scorecard_of_tonight(year_old.tonight, True, lambda _: None)
    assert card is not None
    of_age = {row["subgroup"]: row for row in card.to_pylist() if (row["outcome"], row["subgroup_kind"]) == (EMERGENCY, "age_band")}
    age = dict(zip(year_old.population.people["person_id"].to_pylist(), year_old.population.people["age_years"].to_pylist(), strict=True))
    labels = year_old.population.labels[EMERGENCY].to_pylist()
    in_forties = [row for row in labels if 40 <= age[row["person_id"]] < 50 and row["ended_by"] != "left"]
    kept = [row for row in in_forties if row["person_id"] not in year_old.objecting]
    assert of_age["40-49"]["people_count"] == int(rounded(len(kept)))
    assert not {"0-4", "5-9", "10-14", "15-17"} & set(of_age), "only adults were scored"


def test_scores_whose_outcomes_may_not_all_have_been_told_are_not_judged(year_old: YearOldStore, tmp_path: Path) -> None:
    """With a lag they are a year old, but not long enough; no model is in use that could be asked instead."""
    night = year_old.tonight.night
    training = night.site.training.model_copy(update={"outcome_lag_days": 1})
    folders = night.site.folders.model_copy(update={"models": str(tmp_path)})
    site = night.site.model_copy(update={"training": training, "folders": folders})
    given = year_old.tonight
    later = Tonight(type(night)(night.as_of, site), given.arrival, given.landing, given.quarantine, given.store, given.edition)
    assert scorecard_of_tonight(later, True, lambda _: None) is None
