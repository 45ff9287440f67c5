"""Latest readings, their age and trend, and smoking status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Build = Callable[..., Any]


def test_latest_age_and_change(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    rows = [
        {"person": 1, "event_date": ago(366), "code": "z.systolic_bp.1", "value": 150.0},
        {"person": 1, "event_date": ago(1), "code": "z.systolic_bp.2", "value": 140.0},
        {"person": 1, "event_date": ago(40), "code": "z.hba1c.1", "value": 48.0},
        {"person": 1, "event_date": ago(4), "code": "z.weight.1", "value": 80.0},
    ]
    nobody, row = build(
        "features/measurements", {"core/person": persons(2), "core/measurement": core_table("core/measurement", rows)}, night()
    ).to_pylist()
    assert (row["latest_systolic_bp"], row["days_since_systolic_bp"]) == (140.0, 1)
    assert round(row["systolic_bp_change_per_year"], 6) == round(-10 * 365.25 / 365, 6)
    assert (row["latest_hba1c"], row["days_since_hba1c"], row["hba1c_change_per_year"]) == (48.0, 40, None)
    assert {value for name, value in nobody.items() if name not in ("as_of", "person_id")} == {None}  # not read is not normal


def test_smoking_goes_by_the_latest_code_and_who_gave_up_was_one(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    said = [
        ((("current", 900), ("former", 10)), "former", 10),
        ((("former", 900), ("current", 10)), "current", 10),
        ((("never", 30),), "never", 30),
        ((("current", 900), ("never", 10)), "former", 10),
        ((("never", 900), ("current", 10)), "current", 10),
        ((("former", 10), ("current", 10)), "current", 10),
        ((("never", 10), ("former", 10)), "former", 10),
        ((), None, None),
    ]
    rows = [{"person": n, "event_date": ago(d), "code": f"z.smoker_{status}.1"} for n, (codes, _, _) in enumerate(said) for status, d in codes]
    made = build("features/measurements", {"core/person": persons(len(said)), "core/event": core_table("core/event", rows)}, night()).to_pylist()
    assert [(row["smoking_status"], row["days_since_smoking"]) for row in made] == [case[1:] for case in said]
