"""Reasons for stays in hospital, from their primary diagnoses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Build = Callable[..., Any]


def test_stays_are_counted_by_their_primary_diagnosis(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    def stay(person: int, days: int, code: str | None, emergency: bool, **more: Any) -> dict[str, Any]:
        return {"person": person, "admission_date": ago(days), "primary_diagnosis_code": code, "is_emergency": emergency, **more}

    stays = [
        stay(0, 366, "J45.9", True),
        stay(0, 365, "J46", True),
        stay(0, 365, "J46", True, discharge_date=ago(360)),
        stay(0, 10, "J450", False),
        stay(1, 5, "K021", False),
        stay(1, 4, "J44.1", True),
        stay(1, 3, None, True),
        stay(9, 3, "K021", True),
    ]
    made = build("core/person_admission_reason", {"core/person": persons(2), "core/spell": core_table("core/spell", stays)}, night())
    told = [{name: row[name] for name in ("reason", "first_date", "last_date", "count_365", "emergency_count_365")} for row in made.to_pylist()]
    assert told == [
        {"reason": "asthma", "first_date": ago(366), "last_date": ago(10), "count_365": 2, "emergency_count_365": 1},
        {"reason": "dental_caries", "first_date": ago(5), "last_date": ago(5), "count_365": 1, "emergency_count_365": 0},
    ]
