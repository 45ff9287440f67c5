"""The runner: what a builder may see, in which order people come out, what nobody's record says, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.errors import ContractBroken, FullerError, InputMissing, SettingsWrong
from fuller_popheath.feature_store import build_fact, build_feature, tables_known
from fuller_popheath.specs import FactSpec, FeatureSpec, Night, Parts, Pivot

Build = Callable[..., Any]
DAY = date(2026, 8, 1)
COUNTS = "features/medicines"


def seen(sources: Mapping[str, Any], night: Night, name: str) -> list[dict[str, Any]]:
    with Engine.duckdb() as engine:
        table = tables_known((name,), engine, sources, night)[name]
        return engine.collect(table.order_by(table.columns)).to_pylist()


@pytest.mark.parametrize(
    ("happened", "recorded", "known"),
    [(-1, -1, True), (-1, 0, False), (0, -1, False), (0, 0, False), (-900, -1, True), (-900, 30, False), (5, 5, False)],
)
def test_a_row_is_known_when_it_happened_and_was_recorded_before_the_day(
    happened: int, recorded: int, known: bool, core_table: Build, persons: Build, night: Build
) -> None:
    row = {"person": 0, "event_date": DAY + timedelta(days=happened), "recorded_date": DAY + timedelta(days=recorded), "code": "z.asthma.1"}
    sources = {"core/person": persons(1), "core/event": core_table("core/event", [row])}
    assert bool(seen(sources, night(), "core/event")) is known


def test_dates_that_still_lie_ahead_are_emptied(core_table: Build, persons: Build, night: Build, ago: Build) -> None:
    rows = [{"person": 0, "admission_date": ago(9), "discharge_date": ago(-days), "recorded_date": ago(9)} for days in (-1, 0, 3)]
    sources = {"core/person": persons(1), "core/spell": core_table("core/spell", rows)}
    discharged = [row["discharge_date"] for row in seen(sources, night(), "core/spell")]
    assert sorted(discharged, key=str) == [ago(1), None, None]


def test_rows_of_anybody_else_are_left_out_and_no_pseudonym_is_shown(core_table: Build, persons: Build, night: Build, ago: Build) -> None:
    rows = [{"person": n, "event_date": ago(1), "code": "z.asthma.1"} for n in (7, 1)]
    [row] = seen({"core/person": persons(3), "core/event": core_table("core/event", rows)}, night(), "core/event")
    assert row["person_row"] == 1 and "person_id" not in row


def test_facts_of_another_day_are_not_seen(core_table: Build, persons: Build, night: Build, ago: Build) -> None:
    fact = {"person": 0, "medicine": "statin", "first_date": ago(9), "last_date": ago(9), "issue_count": 1, "count_365": 1, "count_90": 1}
    facts = core_table("core/person_medicine", [fact, {**fact, "as_of": ago(1), "medicine": "ppi"}])
    assert [row["medicine"] for row in seen({"core/person": persons(1), "core/person_medicine": facts}, night(), "core/person_medicine")] == [
        "statin"
    ]


def test_files_and_arrow_tables_give_the_same(core_table: Build, persons: Build, night: Build, ago: Build, tmp_path: Path) -> None:
    table = core_table("core/event", [{"person": n % 3, "event_date": ago(n), "code": "z.asthma.1"} for n in range(1, 9)])
    paths = (tmp_path / "a.parquet", tmp_path / "b.parquet")
    for path, part in zip(paths, (table.slice(0, 3), table.slice(3)), strict=True):
        pq.write_table(part.set_column(1, "person_id", part["person_id"].dictionary_encode()), path)
    people = tmp_path / "people.parquet"
    pq.write_table(persons(3), people)
    in_files = {"core/person": Parts("core/person", (people,)), "core/event": Parts("core/event", paths)}
    assert seen(in_files, night(), "core/event") == seen({"core/person": persons(3), "core/event": table}, night(), "core/event")


def test_features_come_in_the_order_of_people_whatever_the_engine_returns(core_table: Build, night: Build) -> None:
    people = core_table("core/person", [{"person": n, "age_years": n} for n in (3, 0, 2, 1)])
    spec = FeatureSpec("features/frailty", (), lambda tables, night: _frailty(tables["core/person"]).order_by(ibis.desc("efi_deficit_count")))
    with Engine.duckdb() as engine:
        made = build_feature(spec, engine, {"core/person": people}, night())
    assert made["person_id"].to_pylist() == people["person_id"].to_pylist()
    assert made["efi_deficit_count"].to_pylist() == [3, 0, 2, 1]
    assert made.schema == load_contract("features/frailty").schema


def _frailty(person: Any) -> Any:
    nothing = ibis.null("string")
    return person.select("person_row", efi_deficit_count="age_years", efi_category=nothing, coded_frailty=nothing)


def test_persons_without_a_row_get_what_the_contract_says(persons: Build, night: Build) -> None:
    spec = FeatureSpec("features/frailty", (), lambda tables, night: _frailty(tables["core/person"]).filter(ibis._.person_row == 1))
    with Engine.duckdb() as engine:
        made = build_feature(spec, engine, {"core/person": persons(3, age_years=9)}, night())
    assert made["efi_deficit_count"].to_pylist() == [0, 9, 0]
    assert made["efi_category"].to_pylist() == [None] * 3


def test_a_pivot_places_every_cell(persons: Build, night: Build) -> None:
    """The long table has one column a value; cells that it does not name are absent, subjects that the pivot does not name are left."""
    cells = [(2, "bmi", 27.5, 3), (0, "bmi", 31.0, 90), (2, "egfr", 61.0, 8), (1, "shoe_size", 43.0, 1)]
    long = pa.table({"person_row": pa.array([c[0] for c in cells], pa.int32()), "measure": [c[1] for c in cells], "latest": [c[2] for c in cells]})
    full = long.append_column("days_since", pa.array([c[3] for c in cells]))
    contract = load_contract("features/measurements")
    columns = {}
    for name in contract.column_names[2:]:
        value, subject = ("days_since", name[11:]) if name.startswith("days_since_") else ("latest", name.removeprefix("latest_"))
        columns[(value, subject)] = name
    numbers = {"smoking_status"}
    spec = FeatureSpec("features/measurements", (), lambda tables, night: tables_long, pivot=Pivot("measure", columns))
    with Engine.duckdb() as engine:
        tables_long = engine.table("long", full)
        made = build_feature(spec, engine, {"core/person": persons(3)}, night())
    assert made["latest_bmi"].to_pylist() == [31.0, None, 27.5]
    assert made["days_since_bmi"].to_pylist() == [90, None, 3]
    assert made["latest_egfr"].to_pylist() == [None, None, 61.0]
    empty = [name for name in contract.column_names[2:] if name not in ("latest_bmi", "days_since_bmi", "latest_egfr", "days_since_egfr", *numbers)]
    assert all(made[name].null_count == 3 for name in empty)


def test_two_rows_about_one_person_are_refused_with_a_count(persons: Build, night: Build) -> None:
    def twice(tables: Any, night: Night) -> Any:
        return ibis.union(_frailty(tables["core/person"]), _frailty(tables["core/person"]))

    with Engine.duckdb() as engine, pytest.raises(ContractBroken, match="features/frailty: 3 of 6 rows are about a person who has a row already"):
        build_feature(FeatureSpec("features/frailty", (), twice), engine, {"core/person": persons(3)}, night())


def test_two_facts_about_one_person_and_subject_are_refused_with_a_count(persons: Build, night: Build, ago: Build) -> None:
    def twice(tables: Any, night: Night) -> Any:
        day, one = ibis.date(ago(3).isoformat()), ibis.literal(1)
        fact = tables["core/person"].select(
            "person_row", medicine=ibis.literal("statin"), first_date=day, last_date=day, issue_count=one, count_365=one, count_90=one
        )
        return ibis.union(fact, fact)

    with Engine.duckdb() as engine, pytest.raises(ContractBroken, match="core/person_medicine: 2 of 4 rows are about a person and medicine"):
        build_fact(FactSpec("core/person_medicine", (), twice), engine, {"core/person": persons(2)}, night())


def test_somebody_who_stands_twice_in_core_person_is_refused(core_table: Build, night: Build) -> None:
    people = core_table("core/person", [{"person": 1}, {"person": 1, "practice_code": "P81002"}])
    spec = FeatureSpec("features/frailty", (), lambda tables, night: _frailty(tables["core/person"]))
    with Engine.duckdb() as engine, pytest.raises(ContractBroken, match="core/person: 1 of 2 rows"):
        build_feature(spec, engine, {"core/person": people}, night())


@pytest.mark.parametrize(
    ("inputs", "build", "error", "words"),
    [
        (("core/event",), _frailty, InputMissing, "core/event"),
        (("core/registration",), _frailty, SettingsWrong, "known_by"),
        ((), lambda person: person.select("person_row"), SettingsWrong, "efi_deficit_count"),
    ],
)
def test_what_cannot_be_built_is_said(
    inputs: tuple[str, ...], build: Build, error: type[FullerError], words: str, core_table: Build, persons: Build, night: Build
) -> None:
    spec = FeatureSpec("features/frailty", inputs, lambda tables, night: build(tables["core/person"]))
    sources = {"core/person": persons(1), "core/registration": core_table("core/registration", [])}
    with Engine.duckdb() as engine, pytest.raises(error, match=words):
        build_feature(spec, engine, sources, night())


def test_the_site_s_own_code_lists_are_used(core_table: Build, persons: Build, night: Build, ago: Build) -> None:
    own = pa.table({"cluster": ["ours"], "kind": ["condition"], "code_system": ["snomed"], "code": ["195967001"]})
    events = core_table("core/event", [{"person": 0, "event_date": ago(3), "code_system": "snomed", "code": "195967001"}])
    from fuller_popheath.registry import facts

    sources = {"core/person": persons(1), "core/event": events, "core/measurement": core_table("core/measurement", []), "codelists": own}
    with Engine.duckdb() as engine:
        made = build_fact(facts()["core/person_cluster"], engine, sources, night())
    assert made["cluster"].to_pylist() == ["ours"]
