"""Admissions, nights, readmissions and emergency attendances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fuller_popheath.contracts import load_contract

GROUP, SPELL, ED, PERSON = "features/hospital", "core/spell", "core/ed_attendance", "core/person"
Of = Callable[..., dict[str, Any]]
Ago = Callable[[int], Any]


@pytest.fixture
def of(core_table: Callable[..., Any], persons: Callable[..., Any], night: Callable[..., Any], build: Callable[..., Any], ago: Ago) -> Of:
    """The features of one person from stays (days before: admitted, discharged, method) and attendances (days before, department type)."""

    def made(stays: list[tuple[int, int | None, str]] = [], attended: list[tuple[int, str | None]] = [], **every: Any) -> dict[str, Any]:  # noqa: B006
        spells = [
            {
                "person": 0,
                "admission_date": ago(admitted),
                "discharge_date": None if left is None else ago(left),
                "admission_method": method,
                "is_emergency": method.startswith("2"),
                "recorded_date": ago(admitted),
                **every,
            }
            for admitted, left, method in stays
        ]
        arrivals = [{"person": 0, "arrival_date": ago(days), "department_type": kind} for days, kind in attended]
        tables = {PERSON: persons(2), SPELL: core_table(SPELL, spells), ED: core_table(ED, arrivals)}
        person, other = build(GROUP, tables, night()).to_pylist()
        assert other["admission_count_365"] == 0
        return person

    return made


def test_admissions_by_method_and_window(of: Of) -> None:
    person = of(
        [(1, 1, "21"), (90, 80, "2A"), (91, 91, "28"), (366, 360, "22"), (731, 730, "23"), (1096, 1090, "21"), (10, 10, "11"), (400, 399, "13")]
    )
    assert [person[f"emergency_admission_count_{days}"] for days in (90, 365, 730, 1095)] == [2, 3, 4, 5]
    assert [person[f"elective_admission_count_{days}"] for days in (365, 730)] == [1, 2]
    assert person["admission_count_365"] == 4
    assert (person["days_since_last_admission"], person["days_since_last_emergency_admission"], person["days_since_last_discharge"]) == (1, 1, 1)


def test_a_birth_or_transfer_is_neither_emergency_nor_elective(of: Of) -> None:
    person = of([(20, 18, "82"), (15, 12, "31")])
    assert (person["emergency_admission_count_365"], person["elective_admission_count_365"], person["admission_count_365"]) == (0, 0, 2)
    assert person["days_since_last_emergency_admission"] is None


@pytest.mark.parametrize(
    ("stays", "nights"),
    [
        ([(10, 7, "21")], 3),
        ([(10, 10, "21")], 0),  # a day case
        ([(400, 360, "21")], 5),  # reaches into the window
        ([(10, None, "21")], 10),  # still open
        ([(90, None, "21")], 90),
        ([(100, None, "21")], 90),  # not heard of for more than 90 days: counted no longer
        ([(400, None, "21")], 55),
        ([(5000, None, "21")], 0),  # never closed
        ([(400, 366, "21")], 0),
        ([(10, 7, "21"), (9, 8, "11")], 4),
    ],
)
def test_nights_within_the_year(of: Of, stays: list[tuple[int, int | None, str]], nights: int) -> None:
    assert of(stays)["bed_day_count_365"] == nights


def test_emergency_nights_are_those_of_emergency_stays(of: Of) -> None:
    person = of([(10, 7, "21"), (30, 20, "11")])
    assert (person["bed_day_count_365"], person["emergency_bed_day_count_365"]) == (13, 3)


def test_a_discharge_that_lies_ahead_is_not_known(of: Of) -> None:
    """What is written in advance is emptied: the stay is open, and as long as it has lasted."""
    for left in (0, -3, None):
        person = of([(4, left, "21")])
        assert (person["is_in_hospital"], person["last_admission_length_days"], person["days_since_last_discharge"]) == (True, 4, None)
    assert of([(4, 1, "21")])["is_in_hospital"] is False


def test_an_open_stay_goes_on_for_90_days_after_it_was_last_known_to_be_open(of: Of, ago: Ago) -> None:
    for admitted, recorded, is_in_hospital, length in ((90, 90, True, 90), (91, 91, False, 90), (500, 90, True, 500), (500, 91, False, 499)):
        person = of([(admitted, None, "21")], recorded_date=ago(recorded))
        assert (person["is_in_hospital"], person["last_admission_length_days"]) == (is_in_hospital, length)


@pytest.fixture
def of_records(core_table: Callable[..., Any], persons: Callable[..., Any], night: Callable[..., Any], build: Callable[..., Any], ago: Ago) -> Of:
    """The features of one person from records of emergency stays (days before: admitted, discharged, recorded; provider)."""

    def made(*records: tuple[int, int | None, int, str]) -> dict[str, Any]:
        rows = [
            {
                "person": 0,
                "admission_date": ago(admitted),
                "discharge_date": None if left is None else ago(left),
                "recorded_date": ago(recorded),
                "provider_code": provider,
                "admission_method": "21",
                "is_emergency": True,
            }
            for admitted, left, recorded, provider in records
        ]
        person: dict[str, Any] = build(GROUP, {PERSON: persons(1), SPELL: core_table(SPELL, rows)}, night()).to_pylist()[0]
        return person

    return made


def test_a_stay_in_the_files_of_two_years_is_one(of_records: Of) -> None:
    """Open in the file of the first year, ended in that of the second: one admission, out of hospital, 20 nights."""
    both = ((60, None, 50, "RXN"), (60, 40, 40, "RXN"))
    for records in (both, both[::-1]):
        person = of_records(*records)
        assert (person["admission_count_365"], person["is_in_hospital"], person["bed_day_count_365"]) == (1, False, 20)
    # Before the second file is known the stay is open; open in both, it is one stay, last known by the newer.
    assert of_records((60, None, 50, "RXN"), (60, 0, 0, "RXN"))["is_in_hospital"] is True
    person = of_records((500, None, 400, "RXN"), (500, None, 35, "RXN"))
    assert (person["is_in_hospital"], person["bed_day_count_365"], person["last_admission_length_days"]) == (True, 365, 500)


def test_two_stays_are_not_taken_for_one(of_records: Of) -> None:
    """At another provider; and of one day, where the first ended on it."""
    for other in ((60, 40, 40, "RTX"), (60, 60, 60, "RXN"), (60, 60, 59, "RXN")):
        person = of_records((60, None, 60, "RXN"), other)
        assert (person["admission_count_365"], person["is_in_hospital"]) == (2, True)


def test_a_stay_that_is_recorded_at_its_end_is_unknown_until_then(of: Of, ago: Ago) -> None:
    assert of([(4, 0, "21")], recorded_date=ago(0))["admission_count_365"] == 0
    assert of([(4, 1, "21")], recorded_date=ago(1))["admission_count_365"] == 1


def test_the_last_stay_is_the_one_that_began_last_and_of_those_the_longest(of: Of) -> None:
    assert of([(50, 10, "11"), (20, 15, "21"), (20, 18, "21")])["last_admission_length_days"] == 5


@pytest.mark.parametrize(
    ("stays", "readmissions"),
    [
        ([(60, 50, "11"), (50, 45, "21")], 1),  # the same day
        ([(60, 50, "11"), (21, 20, "21")], 1),  # 29 days later
        ([(60, 50, "11"), (20, 19, "21")], 0),  # 30 days later
        ([(60, 50, "21"), (40, 30, "11")], 0),  # planned
        ([(60, 30, "11"), (45, 44, "21")], 0),  # while the first goes on: no discharge before it
        ([(400, 390, "11"), (370, 368, "21")], 0),  # before the year
        ([(40, 30, "21"), (25, 20, "21"), (10, 5, "21")], 2),
        ([(40, None, "21"), (30, 29, "21")], 0),
    ],
)
def test_emergency_readmissions(of: Of, stays: list[tuple[int, int | None, str]], readmissions: int) -> None:
    assert of(stays)["emergency_readmission_count_365"] == readmissions


def test_attendances(of: Of) -> None:
    person = of(attended=[(1, "1"), (90, "3"), (91, "1"), (365, None), (730, "1"), (731, "1")])
    assert [person[f"ed_attendance_count_{days}"] for days in (90, 365, 730)] == [2, 4, 5]
    assert (person["ed_major_attendance_count_365"], person["days_since_last_ed_attendance"]) == (2, 1)
    # Nobody who was only attended has a stay, and the other way round.
    assert (person["admission_count_365"], person["is_in_hospital"], person["days_since_last_admission"]) == (0, False, None)
    assert of([(4, 2, "21")])["ed_attendance_count_90"] == 0


def test_a_person_without_records_has_zeros_and_no_days(of: Of) -> None:
    person = of()
    for column in load_contract(GROUP).columns[2:]:
        assert person[column.name] == column.absent, column.name
