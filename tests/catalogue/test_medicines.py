"""Medicines and issues in windows, polypharmacy and flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Build = Callable[..., Any]


def test_medicines_and_issues_in_90_and_365_days(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    issued = [("statin", 1), ("statin", 90), ("opioid", 91), ("opioid", 365), ("ppi", 366), ("antihistamine", 5), ("antipsychotic", 200)]
    rows = [{"person": 0, "issue_date": ago(d), "code": f"z.{name}.1"} for name, d in issued]
    issues = core_table("core/medication_issue", rows)
    row, nobody = build("features/medicines", {"core/person": persons(2), "core/medication_issue": issues}, night()).to_pylist()
    counts = {name: row[name] for name in ("medicine_count_90", "medicine_count_365", "issue_count_90", "issue_count_365")}
    assert counts == {"medicine_count_90": 2, "medicine_count_365": 4, "issue_count_90": 3, "issue_count_365": 6}
    assert (row["opioid_issue_count_365"], row["antibiotic_issue_count_365"], row["anticholinergic_group_count_365"]) == (2, 0, 2)
    assert [name for name, value in row.items() if value is True] == ["has_opioid_365", "has_statin_365", "has_antipsychotic_365"]
    assert {value for name, value in nobody.items() if name not in ("as_of", "person_id")} == {0}


def test_polypharmacy_is_five_medicines_in_a_year(core_table: Build, persons: Build, build: Build, night: Build, ago: Build) -> None:
    names = ("statin", "opioid", "ppi", "laxative", "antibiotic")
    rows = [{"person": n, "issue_date": ago(365), "code": f"z.{name}.1"} for n, count in enumerate((4, 5)) for name in names[:count]]
    rows.append({"person": 0, "issue_date": ago(366), "code": "z.insulin.1"})
    made = build("features/medicines", {"core/person": persons(2), "core/medication_issue": core_table("core/medication_issue", rows)}, night())
    assert made["has_polypharmacy"].to_pylist() == [False, True]
