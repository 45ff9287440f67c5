"""Nothing that happens or is written down on the day or later changes any fact or feature: whatever the registry finds, a new file too.

Arbitrary records, dated or recorded from the day on, are added to every core table; a record of the day before shows that the test would see it.
Exempt are facts that protect people and say so (`FactSpec.sees_all`), on which no other fact and no feature may rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath import registry
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.feature_store import build_fact, build_feature

if TYPE_CHECKING:
    import pyarrow as pa

PERSON = "core/person"
PEOPLE = 3
STRANGER = 99
SPECS: dict[str, Any] = {**registry.facts(), **registry.features()}
SEES_ALL = {name for name, spec in registry.facts().items() if spec.sees_all}
RECORDS = tuple(sorted({name for spec in SPECS.values() for name in spec.inputs if load_contract(name).known_by}))
CODES = {(row["code_system"], row["code"]): row["kind"] for row in codelist().to_pylist()}
TEXTS = {
    "clinician_id": ("G1000000", "G1000001", "G1000002", None),
    "admission_method": ("11", "21", "2A", "82"),
    "primary_diagnosis_code": ("I50.0", "J45.9", "K02.1", None),
    "diagnosis_codes": ("I50.0;N18.5", "J44.9", "C34.9;C78.0", None),
}
Rows = Mapping[str, list[dict[str, Any]]]


def cells(contract_id: str, own: date | None = None) -> dict[str, Any]:
    """A strategy for every column but the person and the dates by which a row is known."""
    contract = load_contract(contract_id)
    found: dict[str, Any] = {}
    for column in contract.columns:
        if column.name in (*contract.known_by, "person_id", "practice_code", "provider_code", "code_system", "code"):
            continue
        if column.name in TEXTS:
            found[column.name] = st.sampled_from(TEXTS[column.name])
        elif column.allowed:
            found[column.name] = st.sampled_from([*column.allowed, *([] if column.required else [None])])
        elif column.logical_type == "date":
            found[column.name] = st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1))
        elif column.logical_type != "string":
            found[column.name] = {"boolean": st.booleans(), "number": st.integers(1, 300).map(float), "integer": st.integers(0, 1439)}[
                column.logical_type
            ]
    return found


def dates_ahead(day: date) -> st.SearchStrategy[tuple[date, date]]:
    """The day of the thing itself, and the day it was recorded: one of them, or both, from `day` on."""
    before, after = (lambda low, high: st.integers(low, high).map(lambda d: day + timedelta(days=d)))(-1500, -1), st.integers(0, 500)
    ahead = after.map(lambda d: day + timedelta(days=d))
    return st.tuples(ahead, before) | st.tuples(before, ahead) | st.tuples(ahead, ahead)


def records(contract_id: str, dates: st.SearchStrategy[tuple[date, date]]) -> st.SearchStrategy[dict[str, Any]]:
    contract = load_contract(contract_id)
    coded = {"code": st.sampled_from(sorted(CODES))} if "code" in contract.column_names else {}

    def row(parts: tuple[dict[str, Any], tuple[date, date], int]) -> dict[str, Any]:
        values, (own, recorded), person = parts
        made = {**values, "person": person, contract.known_by[0]: own, **dict.fromkeys(contract.known_by[1:], recorded)}
        if coded:
            made["code_system"], made["code"] = values["code"]
        return made

    people = st.sampled_from([*range(PEOPLE), STRANGER])
    return st.tuples(st.fixed_dictionaries({**cells(contract_id), **coded}), dates, people).map(row)


def control(contract_id: str, day: date) -> list[dict[str, Any]]:
    """Records of the day before the night: of coded tables one for every code there is, of the others one that counts."""
    contract = load_contract(contract_id)
    dates = dict.fromkeys(contract.known_by, day - timedelta(days=1))
    plain = {"status": "attended", "clinician_type": "gp", "clinician_id": "G1000001", "admission_method": "21", "is_emergency": True, "value": 55.0}
    # Stays that have ended: open ones of one day and provider are one stay.
    days = dict.fromkeys(("discharge_date", "booked_date"), day - timedelta(days=1))
    row = {name: value for name, value in {**plain, **days}.items() if name in contract.column_names}
    if "code" in contract.column_names:
        return [{**row, **dates, "person": 0, "code_system": system, "code": code} for system, code in sorted(CODES)]
    # Stays of one day for one reason are one; `known` has the first.
    reasons = [{"primary_diagnosis_code": code} if "primary_diagnosis_code" in contract.column_names else {} for code in ("J45.9", "K02.1", "G40.9")]
    return [{**row, **reason, **dates, "person": 0} for reason in reasons]


@pytest.fixture(scope="module")
def everything(core_table: Callable[..., Any], night: Callable[..., Any]) -> Callable[[Rows], dict[str, pa.Table]]:
    """Every fact and feature group about three people from these records."""
    tonight = night()
    people = core_table(PERSON, [{"person": n, "usual_gp_code": "G1000001", "age_years": 30 * n} for n in range(PEOPLE)])

    def build(rows: Rows) -> dict[str, pa.Table]:
        sources: dict[str, Any] = {PERSON: people, **{name: core_table(name, rows.get(name, [])) for name in RECORDS}}
        made: dict[str, pa.Table] = {}
        with Engine.duckdb(threads=1) as engine:
            for name, spec in registry.facts().items():
                made[name] = build_fact(spec, engine, sources, tonight)
            for name in _in_order(registry.features()):
                made[name] = build_feature(SPECS[name], engine, {**sources, **made}, tonight)
        return made

    return build


def _in_order(features: Mapping[str, Any]) -> Iterable[str]:
    """A feature group after those it rests on."""
    done: list[str] = []
    while len(done) < len(features):
        ready = [n for n in features if n not in done and all(i in done or i not in features for i in features[n].inputs)]
        assert ready, "feature groups rest on each other in a circle"
        done += ready
    return done


@pytest.fixture(scope="module")
def known(ago: Callable[[int], date]) -> Rows:
    """What was known before the day: for each person and table a few records, some of them of the last days; most codes nobody has."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in RECORDS:
        contract, full = load_contract(name), control(name, ago(0))
        some = [(place, row) for place, row in enumerate(full) if place % 7 == 0]
        rows[name] = [
            {**row, "person": place % PEOPLE, **dict.fromkeys(contract.known_by, ago(1 + 37 * copy + place % 11))}
            for copy in range(4)
            for place, row in some
        ]
    return rows


@pytest.fixture(scope="module")
def before(everything: Callable[[Rows], dict[str, pa.Table]], known: Rows) -> dict[str, pa.Table]:
    return everything(known)


def changed(one: Mapping[str, pa.Table], other: Mapping[str, pa.Table], exempt: Collection[str] = frozenset(SEES_ALL)) -> list[str]:
    return [name for name in one if name not in exempt and not one[name].equals(other[name])]


def test_only_objections_are_seen_from_any_day_and_nothing_here_rests_on_them() -> None:
    assert {"core/coded_objection"} == SEES_ALL
    assert not [name for name, spec in SPECS.items() if SEES_ALL & set(spec.inputs)]


def test_what_is_exempt_would_be_found(
    everything: Callable[[Rows], dict[str, pa.Table]], known: Rows, before: dict[str, pa.Table], ago: Callable[[int], date]
) -> None:
    later = [{"person": 2, "event_date": ago(-40), "recorded_date": ago(-40), "code_system": "synthetic", "code": "z.type_1_dissent.1"}]
    assert changed(before, everything({**known, "core/event": [*known["core/event"], *later]}), exempt=()) == ["core/coded_objection"]


def test_records_dated_or_recorded_from_the_day_on_change_nothing(
    everything: Callable[[Rows], dict[str, pa.Table]], known: Rows, before: dict[str, pa.Table], ago: Callable[[int], date]
) -> None:
    ahead = st.fixed_dictionaries({name: st.lists(records(name, dates_ahead(ago(0))), min_size=1, max_size=12) for name in RECORDS})

    @settings(max_examples=6)
    @given(ahead)
    def holds(added: Rows) -> None:
        assert changed(before, everything({name: [*known[name], *added[name]] for name in RECORDS})) == []

    holds()


@pytest.mark.parametrize("own_days_ago", [1, 0])
def test_the_day_itself_is_ahead_and_of_two_dates_the_later_decides(
    everything: Callable[[Rows], dict[str, pa.Table]], known: Rows, before: dict[str, pa.Table], ago: Callable[[int], date], own_days_ago: int
) -> None:
    added = {}
    for name in RECORDS:
        own, *others = load_contract(name).known_by
        # An own date of yesterday with a recorded date of today, then the other way round.
        added[name] = [{**row, own: ago(own_days_ago), **dict.fromkeys(others, ago(1 - own_days_ago))} for row in control(name, ago(0))]
        assert others, f"{name} says only when things happened, not when they were written down"
    assert changed(before, everything({name: [*known[name], *added[name]] for name in RECORDS})) == []


def test_a_date_that_lies_ahead_in_a_known_record_changes_nothing(
    everything: Callable[[Rows], dict[str, pa.Table]], known: Rows, ago: Callable[[int], date]
) -> None:
    """Written in advance: a planned discharge."""
    tables = []
    for later in (None, ago(0), ago(-40)):
        rows = {}
        for name in RECORDS:
            contract = load_contract(name)
            other = [c.name for c in contract.columns if c.logical_type == "date" and c.name not in contract.known_by and not c.required]
            rows[name] = [{**row, **dict.fromkeys(other, later)} for row in known[name]]
        tables.append(everything(rows))
    assert changed(tables[0], tables[1]) == changed(tables[0], tables[2]) == []


def test_a_record_of_the_day_before_is_seen(
    everything: Callable[[Rows], dict[str, pa.Table]], known: Rows, before: dict[str, pa.Table], ago: Callable[[int], date]
) -> None:
    seen = {name: changed(before, everything({**known, name: [*known[name], *control(name, ago(0))]}), exempt=()) for name in RECORDS}
    assert {name: bool(groups) for name, groups in seen.items()} == dict.fromkeys(RECORDS, True)

    def rests_on_records(name: str) -> bool:
        return name in RECORDS or any(rests_on_records(i) for i in (SPECS[name].inputs if name in SPECS else ()))

    assert {group for groups in seen.values() for group in groups} == {name for name in SPECS if rests_on_records(name)}
