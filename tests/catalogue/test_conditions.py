"""Registers by code and by the rules of the Quality and Outcomes Framework: a small table of people and what they are on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Build = Callable[..., Any]
DAY = date(2026, 8, 1)
Record = tuple[str, int]


Case = dict[str, Any]


@pytest.fixture
def registers(core_table: Build, build: Build, night: Build, ago: Build) -> Callable[[list[Case]], list[dict[str, Any]]]:
    """The row of each person of some cases: age, codes and issues (cluster, days ago), readings (measure, days ago, value), ethnic category."""

    def rows(cases: list[Case]) -> list[dict[str, Any]]:
        def every(name: str, make: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
            return [{"person": n, **make(*record)} for n, case in enumerate(cases) for record in case.get(name, ())]

        people = [{"person": n, "age_years": case["age"], "ethnic_category": case.get("ethnic", "A")} for n, case in enumerate(cases)]
        tables = {
            "core/person": core_table("core/person", people),
            "core/event": core_table("core/event", every("codes", lambda name, d: {"event_date": ago(d), "code": f"z.{name}.1"})),
            "core/medication_issue": core_table(
                "core/medication_issue", every("issues", lambda name, d: {"issue_date": ago(d), "code": f"z.{name}.1"})
            ),
            "core/measurement": core_table(
                "core/measurement", every("readings", lambda name, d, value: {"event_date": ago(d), "code": f"z.{name}.1", "value": value})
            ),
        }
        return build("features/conditions", tables, night()).to_pylist()

    return rows


def days_since(day: date) -> int:
    return (DAY - day).days


def on(row: dict[str, Any]) -> set[str]:
    return {name.removeprefix("has_") for name, value in row.items() if value is True}


WHO: list[tuple[int, tuple[Record, ...], tuple[Record, ...], set[str]]] = [
    (50, (("hypertension", 900),), (), {"hypertension"}),
    (50, (("hypertension", 900), ("hypertension_resolved", 30)), (), set()),
    (50, (("hypertension", 900), ("hypertension_resolved", 30), ("hypertension", 5)), (), {"hypertension"}),
    # AST: unresolved, and a prescription in twelve months; age 6 and over
    (50, (("asthma", 900),), (), set()),
    (50, (("asthma", 900),), (("bronchodilator_saba", 365),), {"asthma"}),
    (50, (("asthma", 900),), (("inhaled_corticosteroid", 366),), set()),
    (5, (("asthma", 900),), (("inhaled_corticosteroid", 3),), set()),
    (6, (("asthma", 900),), (("inhaled_corticosteroid", 3),), {"asthma"}),
    (50, (), (("inhaled_corticosteroid", 3),), set()),
    # EP: unresolved, and an anti-epileptic in six months; 18 and over
    (18, (("epilepsy", 900),), (("antiepileptic", 183),), {"epilepsy"}),
    (18, (("epilepsy", 900),), (("antiepileptic", 184),), set()),
    (17, (("epilepsy", 900),), (("antiepileptic", 1),), set()),
    # DM: 17 and over. Type 1 is diabetes too; non-diabetic hyperglycaemia is not for people with diabetes
    (16, (("diabetes", 900),), (), set()),
    (17, (("diabetes", 900),), (), {"diabetes"}),
    (40, (("diabetes_type_1", 900),), (), {"diabetes", "diabetes_type_1"}),
    (40, (("non_diabetic_hyperglycaemia", 900),), (), {"non_diabetic_hyperglycaemia"}),
    (40, (("non_diabetic_hyperglycaemia", 900), ("diabetes", 10)), (), {"diabetes"}),
    # MH: a code, or lithium in six months
    (40, (), (("lithium", 183),), {"severe_mental_illness"}),
    (40, (), (("lithium", 184),), set()),
    (40, (("severe_mental_illness", 800),), (("lithium", 3),), {"severe_mental_illness"}),
    # CAN first code from 1 April 2003 on, DEP latest from 1 April 2006, PC latest from 1 April 2008
    (70, (("cancer", days_since(date(2003, 4, 1))),), (), {"cancer"}),
    (70, (("cancer", days_since(date(2003, 3, 31))), ("cancer", 3)), (), set()),
    (70, (("depression", days_since(date(2006, 4, 1))),), (), {"depression"}),
    (70, (("depression", days_since(date(2006, 3, 31))),), (), set()),
    (70, (("depression", days_since(date(2000, 1, 1))), ("depression", 800)), (), {"depression"}),
    (17, (("depression", 30),), (), set()),
    (70, (("palliative_care", days_since(date(2008, 3, 31))),), (), set()),
    (70, (("palliative_care", 100),), (), {"palliative_care"}),
    # Pregnancy: the latest code within 308 days
    (30, (("pregnancy", 308),), (), {"pregnancy"}),
    (30, (("pregnancy", 309),), (), set()),
    (30, (("pregnancy", 900), ("pregnancy", 20)), (), {"pregnancy"}),
    (70, (("rheumatoid_arthritis", 100), ("dementia", 100), ("housebound", 4)), (), {"rheumatoid_arthritis", "dementia", "housebound"}),
]


def test_who_is_on_which_register(registers: Build) -> None:
    rows = registers([{"age": age, "codes": codes, "issues": issues} for age, codes, issues, _ in WHO])
    assert [(case[:3], on(row)) for case, row in zip(WHO, rows, strict=True)] == [(case[:3], case[3]) for case in WHO]


OBESE = [
    (18, "A", 30.0, 365, True),
    (18, "A", 29.9, 10, False),
    (18, "A", 45.0, 366, False),
    (17, "A", 45.0, 10, False),
    (60, "J", 27.5, 10, True),
    (60, "R", 27.4, 10, False),
    (60, "D", 28.0, 10, False),
    (60, None, 28.0, 10, False),
    (60, None, 31.0, 10, True),
]


def test_obesity_goes_by_the_latest_value_and_ethnic_category(registers: Build) -> None:
    cases = [{"age": age, "ethnic": ethnic, "readings": (("bmi", 800, 50.0), ("bmi", days, bmi))} for age, ethnic, bmi, days, _ in OBESE]
    assert ["obesity" in on(row) for row in registers(cases)] == [case[-1] for case in OBESE]


def test_days_since_the_first_code_for_those_on_the_register(registers: Build) -> None:
    [row] = registers([{"age": 60, "codes": (("dementia", 400), ("dementia", 20), ("asthma", 700)), "issues": (("lithium", 5),)}])
    assert row["days_since_first_dementia"] == 400
    assert row["days_since_first_asthma"] is None  # no prescription: not on the register
    assert row["days_since_first_severe_mental_illness"] is None  # on it by lithium alone
    assert row["has_severe_mental_illness"] is True
    assert row["days_since_first_copd"] is None


def test_somebody_without_a_record_is_on_no_register_and_nothing_is_unknown(persons: Build, build: Build, night: Build) -> None:
    rows = build("features/conditions", {"core/person": persons(3)}, night()).to_pylist()
    assert len(rows) == 3
    assert {row[name] for row in rows for name in row if name.startswith("has_")} == {False}
