"""Long facts: what a record says about clusters, medicines and measures as at a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

Build = Callable[..., Any]
DAY = date(2026, 8, 1)


def one(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    [row] = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


def test_a_cluster_has_its_first_and_last_day_and_counts(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    days = (4000, 365, 365, 1)
    rows = [{"person": 1, "event_date": ago(d), "code": f"z.asthma.{1 + n % 2}"} for n, d in enumerate(days)]
    rows += [{"person": 1, "event_date": ago(366), "code": "z.asthma.1"}, {"person": 9, "event_date": ago(5), "code": "z.asthma.1"}]
    rows += [{"person": 1, "event_date": ago(5), "code": "z.of_no_list.1"}, {"person": 0, "event_date": ago(5), "code": "z.copd.1"}]
    facts = build("core/person_cluster", {"core/person": persons(2), "core/event": core_table("core/event", rows)}, night())
    assert facts["cluster"].to_pylist() == ["copd", "asthma"]  # in the order of people; nobody but them
    assert facts.to_pylist()[1] == {
        "as_of": DAY,
        "person_id": facts["person_id"][1].as_py(),
        "cluster": "asthma",
        "first_date": ago(4000),
        "last_date": ago(1),
        "event_count": 5,
        "count_365": 3,
        "is_current": True,
        "last_resolved_date": None,
    }


def test_a_code_counts_in_each_of_its_clusters_and_with_a_value_too(
    core_table: Build, persons: Build, build: Build, night: Build, ago: Build
) -> None:
    with_value = core_table("core/measurement", [{"person": 0, "event_date": ago(8), "code": "z.diabetes_type_1.1", "value": 3.0}])
    facts = build("core/person_cluster", {"core/person": persons(1), "core/measurement": with_value}, night())
    assert facts["cluster"].to_pylist() == ["diabetes", "diabetes_type_1"]


@pytest.mark.parametrize(
    ("coded", "resolved", "holds"),
    [
        ((100,), (), True),
        ((100,), (99,), False),
        ((100,), (100,), False),
        ((100,), (101,), True),
        ((100, 50), (60,), True),
        ((100, 50), (60, 50), False),
    ],
)
def test_the_latest_code_decides_and_on_one_day_the_resolution(
    coded: tuple[int, ...], resolved: tuple[int, ...], holds: bool, core_table: Build, persons: Build, build: Build, night: Build, ago: Build
) -> None:
    rows = [{"person": 0, "event_date": ago(d), "code": "z.asthma.1"} for d in coded]
    rows += [{"person": 0, "event_date": ago(d), "code": "z.asthma_resolved.1"} for d in resolved]
    [fact] = build("core/person_cluster", {"core/person": persons(1), "core/event": core_table("core/event", rows)}, night()).to_pylist()
    assert fact["is_current"] is holds
    assert fact["event_count"] == len(coded)
    assert fact["last_resolved_date"] == (ago(min(resolved)) if resolved else None)


def test_what_was_resolved_and_never_coded_is_no_fact(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    rows = core_table("core/event", [{"person": 0, "event_date": ago(9), "code": "z.asthma_resolved.1"}])
    assert build("core/person_cluster", {"core/person": persons(1), "core/event": rows}, night()).num_rows == 0


def test_medicines_are_counted_in_half_open_windows(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    rows = [{"person": 0, "issue_date": ago(d), "code": "z.statin.1"} for d in (1, 90, 91, 365, 366, 900)]
    rows += [{"person": 0, "issue_date": ago(0), "code": "z.statin.1"}, {"person": 0, "issue_date": ago(3), "code": "z.asthma.1"}]
    issues = core_table("core/medication_issue", rows)
    [fact] = build("core/person_medicine", {"core/person": persons(1), "core/medication_issue": issues}, night()).to_pylist()
    assert (fact["medicine"], fact["issue_count"], fact["count_365"], fact["count_90"]) == ("statin", 6, 4, 2)
    assert (fact["first_date"], fact["last_date"]) == (ago(900), ago(1))


def readings(*values: tuple[int, float], ago: Build, code: str = "z.egfr.1", person: int = 0) -> list[dict[str, Any]]:
    return [{"person": person, "event_date": ago(d), "code": code, "value": value} for d, value in values]


def test_the_last_two_days_with_a_reading(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    rows = readings((10, 50.0), (10, 55.0), (30, 61.25), (400, 90.0), ago=ago)
    [fact] = build(
        "core/person_measurement", {"core/person": persons(1), "core/measurement": core_table("core/measurement", rows)}, night()
    ).to_pylist()
    assert (fact["latest_value"], fact["latest_date"]) == (52.5, ago(10))  # the mean of the day
    assert (fact["previous_value"], fact["previous_date"]) == (61.25, ago(30))
    assert fact["highest_of_last_two"] == 61.25
    assert fact["count_365"] == 3


def test_one_day_of_reading_has_no_previous_and_no_trend(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    rows = core_table("core/measurement", readings((10, 50.0), (10, 60.0), (1096, 10.0), ago=ago))
    [fact] = build("core/person_measurement", {"core/person": persons(1), "core/measurement": rows}, night()).to_pylist()
    assert fact["slope_per_year"] is None and fact["previous_value"] == 10.0
    alone = core_table("core/measurement", readings((10, 50.0), ago=ago))
    [fact] = build("core/person_measurement", {"core/person": persons(1), "core/measurement": alone}, night()).to_pylist()
    assert fact["previous_value"] is None and fact["previous_date"] is None and fact["highest_of_last_two"] == 50.0


def test_filtration_rates_that_are_none_are_left_out(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    """Readings 0 < x <= 250: the definition of kidney disease in HFAnalyticsLab/CMD_multimorbidity."""
    rows = readings((1, 0.0), (2, 250.1), (3, 250.0), (4, -3.0), ago=ago) + readings((1, 0.0), ago=ago, code="z.weight.1")
    facts = build(
        "core/person_measurement", {"core/person": persons(1), "core/measurement": core_table("core/measurement", rows)}, night()
    ).to_pylist()
    assert one(facts, measure="egfr")["latest_value"] == 250.0 and one(facts, measure="egfr")["previous_value"] is None
    assert one(facts, measure="weight")["latest_value"] == 0.0


def test_the_trend_is_the_least_squares_slope(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    """Against numpy's fit, for two hundred people with two to twelve days of reading within three years, and older readings that do not count."""
    rng = np.random.default_rng(7)
    days = [rng.choice(np.arange(1, 1096), rng.integers(2, 13), replace=False).tolist() for _ in range(200)]
    values = [(rng.integers(300, 2500, len(own)) / 10).tolist() for own in days]
    pairs = [list(zip(*person, strict=True)) for person in zip(days, values, strict=True)]
    rows = [row for n, own in enumerate(pairs) for row in readings(*own, (1096, 240.0), (2000, 10.0), ago=ago, person=n, code="z.bmi.1")]
    facts = build("core/person_measurement", {"core/person": persons(200), "core/measurement": core_table("core/measurement", rows)}, night())
    expected = [np.polyfit([-day / 365.25 for day in own], value, 1)[0] for own, value in zip(days, values, strict=True)]
    assert facts["slope_per_year"].to_pylist() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_contacts_are_told_by_whether_they_were_booked_on_their_own_day(
    core_table: Build, persons: Build, build: Build, night: Build, ago: Build
) -> None:
    days = [(1, 1), (1, 2), (365, 365), (365, 400), (366, 366), (20, None), (20, 19)]  # the last was entered afterwards
    rows = [{"person": 0, "contact_date": ago(day), "booked_date": ago(booked) if booked else None, "status": "attended"} for day, booked in days]
    rows += [{"person": 0, "contact_date": ago(3), "booked_date": ago(3), "status": status} for status in ("did_not_attend", "cancelled", "booked")]
    rows += [{"person": 1, "contact_date": ago(9), "booked_date": None, "status": "attended"}]
    facts = build("core/person_booking", {"core/person": persons(2), "core/contact": core_table("core/contact", rows)}, night()).to_pylist()
    assert {row["booked"]: row["contact_count_365"] for row in facts} == {"earlier": 2, "same_day": 2}
    assert len({row["person_id"] for row in facts}) == 1
