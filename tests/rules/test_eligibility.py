"""Who is a registered person on 1 July 2024, and why not: a table of people, their registrations and the expected answer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.contracts import load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.people import eligibility
from fuller_popheath.people.eligibility import OUTCOMES, ROW, SETTLED_BY
from fuller_popheath.periods import completed_years

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2024, 7, 1)
EVE, NEXT = date(2024, 6, 30), date(2024, 7, 2)
NEW, OLD = date(2024, 7, 1), date(2024, 1, 1)
"""Extract dates: a practice that sent tonight, and one whose last extract is half a year old."""


def reg(practice: str = "A", start: date = date(2015, 4, 1), **more: Any) -> dict[str, Any]:
    """One registration; only what matters to the case is said."""
    usual = {"extract_date": NEW, "date_of_birth": date(1950, 1, 1), "is_linked": True, "person_id": "aaaaaaaaaaaa"}
    return {**usual, "practice_code": f"{practice}00001", "registration_start_date": start, **more}


TEMPORARY = {"registration_type": "temporary"}

CASES: dict[str, tuple[list[dict[str, Any]], list[str], str | None]] = {
    # one registration
    "registered": ([reg()], ["person"], "only_registration"),
    "registered today": ([reg(start=DAY)], ["person"], "only_registration"),
    "registers tomorrow": ([reg(start=NEXT)], ["not_yet_started"], None),
    "ends tomorrow": ([reg(registration_end_date=NEXT)], ["person"], "only_registration"),
    "ended today: the end day is outside": ([reg(registration_end_date=DAY)], ["left"], None),
    "dies tomorrow": ([reg(death_date=NEXT)], ["person"], "only_registration"),
    "died today: alive is before the day of death": ([reg(death_date=DAY)], ["died"], None),
    "died, and the registration ended with it": ([reg(death_date=EVE, registration_end_date=EVE)], ["died"], None),
    "born tomorrow": ([reg(date_of_birth=NEXT)], ["not_yet_born"], None),
    "only a temporary stay": ([reg(**TEMPORARY)], ["person"], "only_registration"),
    "no NHS number": ([reg(is_linked=False)], ["person"], "only_registration"),
    # two registrations of one person
    "moved, properly": ([reg("A", registration_end_date=date(2020, 1, 1)), reg("B", date(2020, 1, 1))], ["left", "person"], "only_registration"),
    "double: the later start": ([reg("A", date(2015, 1, 1)), reg("B", date(2024, 2, 1))], ["double_registration", "person"], "later_start"),
    "double, same start: the newer extract": ([reg("A", extract_date=EVE), reg("B")], ["double_registration", "person"], "newer_extract"),
    "double, all the same: the practice's code": ([reg("B"), reg("A")], ["double_registration", "person"], "practice_code"),
    "twice in one practice": ([reg("A"), reg("A")], ["person", "double_registration"], "order_in_extract"),
    "temporary elsewhere, though later": (
        [reg("A"), reg("B", date(2024, 6, 1), **TEMPORARY)],
        ["person", "temporary_elsewhere"],
        "regular_before_temporary",
    ),
    "a private patient elsewhere": ([reg("A"), reg("B", registration_type="other")], ["person", "temporary_elsewhere"], "regular_before_temporary"),
    "two temporary stays": ([reg("A", **TEMPORARY), reg("B", date(2024, 6, 1), **TEMPORARY)], ["double_registration", "person"], "later_start"),
    "temporary, and a regular one that has ended": (
        [reg("A", registration_end_date=EVE), reg("B", **TEMPORARY)],
        ["left", "person"],
        "only_registration",
    ),
    # what one practice's extract does not know yet
    "a death that only the new practice tells": (
        [reg("A", extract_date=OLD), reg("B", date(2024, 2, 1), death_date=date(2024, 5, 1))],
        ["died_told_by_another_practice", "died"],
        None,
    ),
    "a death that only the old practice tells": (
        [reg("A", registration_end_date=EVE, death_date=EVE), reg("B", date(2024, 2, 1))],
        ["died", "died_told_by_another_practice"],
        None,
    ),
    "a death after the day": ([reg("A", registration_end_date=EVE, death_date=NEXT), reg("B", EVE)], ["left", "person"], "only_registration"),
    "moved since the extract": ([reg("A", extract_date=OLD), reg("B", date(2024, 2, 1))], ["moved_since_the_extract", "person"], "later_start"),
    "moved since the extract, and left again": (
        [reg("A", extract_date=OLD), reg("B", date(2024, 2, 1), registration_end_date=date(2024, 5, 1))],
        ["moved_since_the_extract", "left"],
        None,
    ),
    "left elsewhere before this extract, which says the person is here": (
        [reg("A"), reg("B", date(2024, 2, 1), registration_end_date=date(2024, 5, 1))],
        ["person", "left"],
        "only_registration",
    ),
    "moved since the extract, then only a temporary stay": (
        [reg("A", extract_date=OLD), reg("B", date(2024, 2, 1), registration_end_date=EVE), reg("C", EVE, **TEMPORARY)],
        ["moved_since_the_extract", "left", "person"],
        "newer_extract",
    ),
    "a move that is only planned": ([reg("A", extract_date=OLD), reg("B", NEXT)], ["person", "not_yet_started"], "only_registration"),
    "a temporary stay does not end an old regular registration": (
        [reg("A", extract_date=OLD), reg("B", date(2024, 6, 1), **TEMPORARY)],
        ["person", "temporary_elsewhere"],
        "regular_before_temporary",
    ),
}


def settled(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows in the order given, with outcome and settled_by."""
    import pyarrow as pa

    schema = load_contract("core/registration").schema
    table = pa.table({f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in schema})
    with Engine.duckdb() as engine:
        given_rows = engine.table("registration", table.append_column(ROW, pa.array(range(len(rows)), pa.int64())))
        return engine.collect(eligibility.settle(given_rows, DAY).order_by(ROW))


@pytest.mark.parametrize("case", CASES)
def test_a_registration_ends_in(case: str) -> None:
    rows, outcomes, settled_by = CASES[case]
    answer = settled(rows)
    assert answer["outcome"].to_pylist() == outcomes
    assert [reason for reason in answer["settled_by"].to_pylist() if reason] == ([settled_by] if settled_by else [])


def test_every_outcome_and_reason_has_a_case() -> None:
    assert {outcome for _, outcomes, _ in CASES.values() for outcome in outcomes} == set(OUTCOMES)
    assert {reason for _, _, reason in CASES.values() if reason} == set(SETTLED_BY)


def test_people_without_an_nhs_number_are_each_somebody_else() -> None:
    rows = [reg("A", is_linked=False, person_id="bbbbbbbbbbbb"), reg("B", is_linked=False, person_id="cccccccccccc")]
    assert settled(rows)["outcome"].to_pylist() == ["person", "person"]


DAYS = st.sampled_from([date(2010, 1, 1), OLD, date(2024, 3, 1), EVE, DAY, NEXT])
REGISTRATIONS = st.builds(
    lambda person, practice, start, end, death, extract, kind: reg(
        practice, start, person_id=person, registration_end_date=end, death_date=death, extract_date=extract, registration_type=kind
    ),
    st.sampled_from(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]),
    st.sampled_from("ABC"),
    DAYS,
    st.none() | DAYS,
    st.none() | st.none() | DAYS,
    st.sampled_from([OLD, EVE, NEW]),
    st.sampled_from([None, "regular", "temporary", "other"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REGISTRATIONS, min_size=1, max_size=6))
def test_nothing_is_lost_nobody_counts_twice_and_no_dead_person_counts(rows: list[dict[str, Any]]) -> None:
    answer = settled(rows).to_pylist()
    assert len(answer) == len(rows)
    assert {row["outcome"] for row in answer} <= set(OUTCOMES)
    for person in {row["person_id"] for row in rows}:
        own = [row for row in answer if row["person_id"] == person]
        counted = [row for row in own if row["outcome"] == "person"]
        dead = any(row["death_date"] is not None and row["death_date"] <= DAY for row in own)
        assert len(counted) <= (0 if dead else 1)
        assert all(row["registration_start_date"] <= DAY for row in counted)
        contended = any(row["outcome"] in ("double_registration", "temporary_elsewhere") for row in own)
        assert not contended or len(counted) == 1, "whoever gives way gives way to somebody"


@settings(max_examples=60, deadline=None)
@given(st.dates(date(1900, 3, 1), DAY), st.dates(date(2023, 1, 1), date(2024, 12, 31)))
def test_age_in_completed_years_is_the_plain_python_one(born: date, day: date) -> None:
    import pyarrow as pa

    with Engine.duckdb() as engine:
        people = engine.table("people", pa.table({"born": pa.array([born], pa.date32())}))
        assert engine.collect(people.select(age=eligibility.completed_years(people.born, day)))["age"].to_pylist() == [completed_years(born, day)]


@pytest.mark.parametrize(("day", "age"), [(date(2023, 2, 28), 22), (date(2023, 3, 1), 23), (date(2024, 2, 28), 23), (date(2024, 2, 29), 24)])
def test_a_birthday_on_29_february_falls_on_1_march_in_other_years(day: date, age: int) -> None:
    import pyarrow as pa

    with Engine.duckdb() as engine:
        people = engine.table("people", pa.table({"born": pa.array([date(2000, 2, 29)], pa.date32())}))
        assert engine.collect(people.select(age=eligibility.completed_years(people.born, day)))["age"].to_pylist() == [age]
