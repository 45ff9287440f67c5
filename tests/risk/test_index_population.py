"""The people of an earlier day: as they stood then, those who died or left since among them, and nothing of what came later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.feature_store import build_feature
from fuller_popheath.risk.given_tables import each_part, whole
from fuller_popheath.risk.index_population import IndexPopulation, beside, build
from fuller_popheath.risk.look_back import within_look_back
from fuller_popheath.site import Training
from fuller_popheath.specs import FeatureSpec, Night

if TYPE_CHECKING:
    import pyarrow as pa

EMERGENCY = "emergency_admission_12m"
SPECS: Mapping[str, Any] = {**registry.facts(), **registry.features()}
RECORDS = tuple(sorted({name for spec in SPECS.values() for name in spec.inputs if load_contract(name).known_by}))
SourceOf = Callable[[str], Any]


@pytest.fixture(scope="module")
def validation(risk_ics: Any) -> IndexPopulation:
    return risk_ics.validation


def around(risk_ics: Any, **tables: pa.Table) -> SourceOf:
    """The store with other tables in some places: `core_spell=...` stands for core/spell."""
    own = {name.replace("_", "/", 1): table for name, table in tables.items()}
    return lambda name: own[name] if name in own else risk_ics.source_of(name)


def again(risk_ics: Any, source_of: SourceOf, at: IndexPopulation, most: int | None = None, night: Night | None = None) -> IndexPopulation:
    return build(risk_ics.engine_factory, source_of, night or risk_ics.night, at.index_date, most)


def ids(table: pa.Table) -> list[str]:
    return list(table["person_id"].to_pylist())


def test_everybody_who_was_registered_then_and_does_not_object(risk_ics: Any, validation: IndexPopulation) -> None:
    tonight = set(ids(risk_ics.source_of("core/person")))
    gone = set(ids(validation.people)) - tonight
    assert len(gone) > 100
    assert set(ids(validation.people)) & set(ids(validation.objected)) == set()
    assert set(validation.people["as_of"].to_pylist()) == {validation.index_date}
    assert validation.share == 1.0
    # Who has died since was alive then, and is told as dead by the same lists.
    died = validation.labels["death_12m"].filter(validation.labels["death_12m"]["has_outcome"])
    assert set(ids(died)) <= gone
    assert died.num_rows > 50


def test_tables_stand_side_by_side(validation: IndexPopulation) -> None:
    assert validation.features["person_id"].equals(validation.people["person_id"])
    assert all(table["person_id"].equals(validation.people["person_id"]) for table in validation.labels.values())
    assert set(validation.labels) == set(registry.outcomes())
    schema = {field.name: field.type for name in registry.features() for field in load_contract(name).schema}
    assert {name: validation.features.schema.field(name).type for name in validation.features.column_names if name != "person_id"} == {
        name: kind for name, kind in schema.items() if name not in ("as_of", "person_id")
    }


def test_features_are_those_of_the_nightly_job_on_that_day(risk_ics: Any, validation: IndexPopulation) -> None:
    at = replace(risk_ics.night, as_of=validation.index_date)
    for name in ("features/hospital", "features/contacts"):
        with risk_ics.engine_factory() as engine:
            spec = registry.features()[name]
            sources = {i: risk_ics.source_of(i) for i in spec.inputs} | {"core/person": validation.people}
            alone = build_feature(spec, engine, sources, at)
        own = [column for column in alone.column_names if column != "as_of"]
        assert within_look_back(alone).select(own).equals(validation.features.select(own))


def test_what_happened_is_what_the_make_believe_place_meant_to_happen(risk_ics: Any, validation: IndexPopulation) -> None:
    """The truth file's probabilities on the index date add up to the outcomes that were found: within four standard errors."""
    truth = {r["person_id"]: r for r in risk_ics.truth.filter(_equals(risk_ics.truth["index_date"], validation.index_date)).to_pylist()}
    for outcome, column in ((EMERGENCY, "emergency_admission"), ("ed_attendance_12m", "ed_attendance"), ("death_12m", "death")):
        pairs = [
            (truth[row["person_id"]][f"{column}_probability"], row["has_outcome"])
            for row in validation.labels[outcome].to_pylist()
            if row["person_id"] in truth and row["ended_by"] != "left"
        ]
        expected, had = np.array(pairs, dtype=float).T
        assert len(pairs) > 8_000
        assert abs(had.sum() - expected.sum()) < 4 * np.sqrt((expected * (1 - expected)).sum())


def _equals(column: pa.ChunkedArray, value: Any) -> Any:
    import pyarrow.compute as pc

    return pc.equal(column, value)


def added_later(risk_ics: Any, index_date: date, name: str) -> pa.Table:
    """A table with copies of many of its rows, dated or recorded from the index date on, but before tonight."""
    import pyarrow as pa

    contract = load_contract(name)
    rows = whole(risk_ics.source_of(name), name)
    rng = np.random.default_rng(5)
    copies = rows.take(pa.array(rng.choice(rows.num_rows, min(rows.num_rows, 3_000), replace=False)))
    ahead = [index_date + timedelta(days=int(days)) for days in rng.integers(0, 300, copies.num_rows)]
    before = [index_date - timedelta(days=int(days)) for days in rng.integers(1, 300, copies.num_rows)]
    # A third happened and was told later; a third was told before it happened; a third happened before and was told later.
    kind = rng.integers(0, 3, copies.num_rows)
    own = [early if k == 2 else late for k, early, late in zip(kind, before, ahead, strict=True)]
    told = [early if k == 1 else late for k, early, late in zip(kind, before, ahead, strict=True)]
    for column, days in ((contract.known_by[0], own), *((other, told) for other in contract.known_by[1:])):
        copies = copies.set_column(copies.column_names.index(column), column, pa.array(days, pa.date32()))
    return pa.concat_tables([rows, copies])


def test_records_from_the_index_date_on_change_no_feature_and_may_change_what_became_of_people(risk_ics: Any, validation: IndexPopulation) -> None:
    added = {name: added_later(risk_ics, validation.index_date, name) for name in RECORDS}
    assert {"core/event", "core/measurement", "core/medication_issue", "core/spell", "core/ed_attendance", "core/contact"} <= set(added)
    made = again(risk_ics, lambda name: added[name] if name in added else risk_ics.source_of(name), validation)
    here = np.isin(ids(validation.people), ids(made.people))
    # Copied objections may take people out; nobody comes.
    assert here.sum() == made.people.num_rows > 0.9 * validation.people.num_rows
    assert made.features.equals(validation.features.filter(here))
    before, after = (int(np.sum(table["has_outcome"].to_numpy())) for table in (validation.labels[EMERGENCY].filter(here), made.labels[EMERGENCY]))
    assert after > before + 100


def test_a_record_of_the_day_before_would_be_seen(risk_ics: Any, validation: IndexPopulation) -> None:
    import pyarrow as pa

    spells = whole(risk_ics.source_of("core/spell"), "core/spell")
    one = spells.slice(0, 1)
    yesterday = pa.array([validation.index_date - timedelta(days=1)], pa.date32())
    for name in ("admission_date", "recorded_date"):
        one = one.set_column(one.column_names.index(name), name, yesterday)
    person = pa.array([ids(validation.people)[0]])
    one = one.set_column(one.column_names.index("person_id"), "person_id", person)
    made = again(risk_ics, around(risk_ics, core_spell=pa.concat_tables([spells, one])), validation)
    assert made.features["admission_count_365"][0].as_py() == validation.features["admission_count_365"][0].as_py() + 1
    assert made.features.slice(1).equals(validation.features.slice(1))


def test_a_sample_is_the_same_people_with_the_same_features_whatever_the_order(risk_ics: Any, validation: IndexPopulation) -> None:
    import pyarrow as pa

    lists = whole(risk_ics.source_of("core/registration"), "core/registration")
    shuffled = lists.take(pa.array(np.random.default_rng(1).permutation(lists.num_rows)))
    few = again(risk_ics, around(risk_ics, core_registration=shuffled), validation, 2_000)
    kept = few.people.num_rows + few.objected.num_rows
    assert kept == pytest.approx(2_000, abs=5 * np.sqrt(2_000))
    here = np.isin(ids(validation.people), ids(few.people))
    assert here.sum() == few.people.num_rows
    assert few.features.equals(validation.features.filter(here))
    for outcome, table in few.labels.items():
        assert table.equals(validation.labels[outcome].filter(here))
    fewer = again(risk_ics, risk_ics.source_of, risk_ics.development, 1_000)
    then = set(ids(fewer.people)) & set(ids(validation.people))
    assert len(then) > 700
    assert then <= set(ids(few.people))


def test_who_objects_tonight_is_left_out_of_every_date_registered_or_not(risk_ics: Any, validation: IndexPopulation) -> None:
    import pyarrow as pa

    tonight = risk_ics.source_of("core/person_objection")
    at_home = set(ids(tonight))
    gone = next(person for person in ids(validation.people) if person not in at_home)
    stayed = [person for person in ids(validation.people) if person in at_home]
    # One who left objects by a file, another who stayed by a code; of a third only tonight's table knows.
    files = whole(risk_ics.source_of("core/objection"), "core/objection")
    days = pa.array([risk_ics.night.as_of], pa.date32())
    one = pa.table({"person_id": [gone], "objection": ["national_data_opt_out"], "state": ["dissent"], "recorded_date": days}, schema=files.schema)
    events = whole(risk_ics.source_of("core/event"), "core/event")
    code = events.slice(0, 1)
    for name, value in (("person_id", stayed[0]), ("code_system", "synthetic"), ("code", "z.type_1_dissent.1")):
        code = code.set_column(code.column_names.index(name), name, pa.array([value]))
    judged = pa.array([person == stayed[1] or out for person, out in zip(ids(tonight), tonight["excluded_from_training"].to_pylist(), strict=True)])
    judged = tonight.set_column(tonight.column_names.index("excluded_from_training"), "excluded_from_training", judged)
    own = {"core/objection": pa.concat_tables([files, one]), "core/event": pa.concat_tables([events, code]), "core/person_objection": judged}
    made = again(risk_ics, lambda name: own[name] if name in own else risk_ics.source_of(name), validation)
    assert set(ids(made.objected)) - set(ids(validation.objected)) == {gone, stayed[0], stayed[1]}
    assert made.people.num_rows + made.objected.num_rows == validation.people.num_rows + validation.objected.num_rows


def test_where_objections_cannot_be_read_nobody_is_trained_on(risk_ics: Any, validation: IndexPopulation) -> None:
    """A practice without records shows no objections; its people count as objecting, those who have left since too."""
    import pyarrow.compute as pc

    silent = validation.people["practice_code"][0].as_py()
    events = whole(risk_ics.source_of("core/event"), "core/event")
    made = again(risk_ics, around(risk_ics, core_event=events.filter(pc.not_equal(events["practice_code"], silent))), validation)
    assert silent not in made.people["practice_code"].to_pylist()
    assert made.objected.num_rows > validation.objected.num_rows


def test_features_of_another_day_or_other_people_are_refused(validation: IndexPopulation) -> None:
    import pyarrow as pa

    def groups() -> dict[str, pa.Table]:
        made = {}
        for name in registry.features():
            contract = load_contract(name)
            day = pa.repeat(pa.scalar(validation.index_date, pa.date32()), validation.people.num_rows)
            own = [column for column in contract.column_names if column not in ("as_of", "person_id")]
            made[name] = validation.features.select(["person_id", *own]).append_column("as_of", day)
        return made

    assert beside(groups(), validation.people, validation.index_date).equals(validation.features)
    day_before = validation.index_date - timedelta(days=1)
    with pytest.raises(ContractBroken, match=rf"of {validation.people.num_rows} rows are not as at the index date, {day_before}"):
        beside(groups(), validation.people, day_before)
    fewer = groups() | {"features/frailty": groups()["features/frailty"].slice(1)}
    with pytest.raises(ContractBroken, match=r"features/frailty: its \d+ rows are not about the"):
        beside(fewer, validation.people, validation.index_date)
    missing = groups()
    del missing["features/hospital"]
    with pytest.raises(ContractBroken, match="features/hospital is not there"):
        beside(missing, validation.people, validation.index_date)


def test_records_that_leave_out_the_dead_and_the_departed_are_refused(risk_ics: Any, validation: IndexPopulation) -> None:
    """Extracts of people who are registered now: that somebody of then has no record tells that they are gone."""
    import pyarrow.compute as pc

    now = risk_ics.source_of("core/person")["person_id"].combine_chunks()
    present = {}
    for name in RECORDS:
        rows = whole(risk_ics.source_of(name), name)
        present[name] = rows.filter(pc.is_in(rows["person_id"], value_set=now))
    with pytest.raises(InputMissing, match=r"people who have died since have no coded record, but most of those who stayed do"):
        again(risk_ics, lambda name: present[name] if name in present else risk_ics.source_of(name), validation)


def test_lists_without_the_departed_are_refused(risk_ics: Any, validation: IndexPopulation) -> None:
    import pyarrow.compute as pc

    lists = whole(risk_ics.source_of("core/registration"), "core/registration")
    still = lists.filter(pc.and_(lists["registration_end_date"].is_null(), lists["death_date"].is_null()))
    with pytest.raises(InputMissing, match="hold only people who are still registered"):
        again(risk_ics, around(risk_ics, core_registration=still), validation)


def test_an_index_date_too_late_too_early_or_an_unknown_outcome_is_refused(risk_ics: Any, validation: IndexPopulation) -> None:
    with pytest.raises(SettingsWrong, match="follow-up from 2025-08-02 ends on 2026-08-02, and records go to 2026-08-01"):
        again(risk_ics, risk_ics.source_of, replace(validation, index_date=date(2025, 8, 2)))
    with pytest.raises(InputMissing, match="nobody was registered on 1890-01-01"):
        again(risk_ics, risk_ics.source_of, replace(validation, index_date=date(1890, 1, 1)))
    site = risk_ics.night.site.model_copy(update={"training": Training(outcomes=("fractures",))})
    with pytest.raises(SettingsWrong, match=r"training\.outcomes names fractures; there are death_12m"):
        again(risk_ics, risk_ics.source_of, validation, night=replace(risk_ics.night, site=site))


def test_only_the_outcomes_the_site_wants_are_looked_for_and_what_happens_is_told(risk_ics: Any, validation: IndexPopulation) -> None:
    heard: list[str] = []
    site = risk_ics.night.site.model_copy(update={"training": Training(outcomes=("death_12m",))})
    night = replace(risk_ics.night, site=site)
    made = build(risk_ics.engine_factory, risk_ics.source_of, night, validation.index_date, 2_000, heard.append)
    assert list(made.labels) == ["death_12m"]
    assert all(any(name in line for line in heard) for name in registry.features())


def test_no_feature_may_rest_on_what_sees_every_day(risk_ics: Any, validation: IndexPopulation, monkeypatch: pytest.MonkeyPatch) -> None:
    sly = FeatureSpec("features/hospital", ("core/coded_objection",), lambda tables, night: tables["core/coded_objection"])
    monkeypatch.setattr(registry, "features", lambda: {"features/hospital": sly})
    with pytest.raises(SettingsWrong, match="core/coded_objection sees records of any day"):
        again(risk_ics, risk_ics.source_of, validation, 1_000)


def test_a_table_is_read_part_by_part_as_its_contract_has_it(risk_ics: Any) -> None:
    given = risk_ics.source_of("core/registration")
    parts = list(each_part(given, "core/registration", ("person_id", "death_date")))
    assert len(parts) == len(given.paths) > 1
    assert whole(given, "core/registration", ("person_id", "death_date")).num_rows == sum(part.num_rows for part in parts)
    assert whole(replace(given, paths=()), "core/registration").schema.equals(load_contract("core/registration").schema)
