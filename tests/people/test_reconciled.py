"""List sizes against the published counts: who agrees, who differs, who sent nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fuller_popheath.arrival.plausible_people import list_sizes_agree, nothing_lost
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.people import reconciled
from fuller_popheath.site import ArrivalLimits


@pytest.fixture
def build(table: Any, night: Any) -> Any:
    """Practices by (people with a regular registration, published people, state of the list); None: nothing of it."""

    def built(**practices: tuple[int, int | None, str]) -> Any:
        listed = {code: of for code, of in practices.items() if of[2] != "never"}
        inputs = {
            "core/person": table(
                "core/person", *({"person_id": f"p{n}", "practice_code": code} for code, of in listed.items() for n in range(of[0]))
            ),
            "core/registered_count": table(
                "core/registered_count",
                *({"practice_code": code, "registered_count": of[1]} for code, of in practices.items() if of[1] is not None),
                {"practice_code": "B99999", "registered_count": 5000},  # of another ICB
            ),
            "core/neighbourhood_practice": table("core/neighbourhood_practice", *({"practice_code": code} for code in (*practices, "A09999"))),
            "core/practice_extract": table(
                "core/practice_extract",
                *({"practice_code": code, "state": of[2], **({"extract_date": None} if of[2] == "never" else {})} for code, of in practices.items()),
                {"practice_code": "A00001", "contract_id": "inbound/appointment", "state": "stale"},
            ),
        }
        return refuse_if_broken(reconciled.build(inputs, night()), load_contract("core/list_size_check"))

    return built


def test_each_practice_has_a_verdict(build: Any, rows_of: Any) -> None:
    made = build(A00001=(100, 100, "new"), A00002=(99, 100, "new"), A00003=(101, 102, "stale"), A00004=(0, 80, "never"), A00005=(7, None, "new"))
    assert rows_of(made, "practice_code", "verdict", "list_state", "counted_count", "published_count") == [
        ("A00001", "agrees", "new", 100, 100),
        ("A00002", "differs", "new", 99, 100),  # 1 % is not below 1 %
        ("A00003", "agrees", "stale", 101, 102),
        ("A00004", "not_sent", "never", 0, 80),
        ("A00005", "not_published", "new", 7, None),
    ]
    assert made["relative_difference"].to_pylist() == pytest.approx([0.0, -1.0, -100 / 102, None, None])


def test_published_figures_hold_regular_registrations_only(table: Any, night: Any) -> None:
    kinds = ("regular", "regular", "temporary", "other")
    inputs = {
        "core/person": table("core/person", *({"person_id": f"p{n}", "registration_type": kind} for n, kind in enumerate(kinds))),
        "core/registered_count": table("core/registered_count", {"registered_count": 1}, {"registered_count": 1, "lsoa_code": "E01000002"}),
        "core/neighbourhood_practice": table("core/neighbourhood_practice", {"practice_code": "A00001"}),
        "core/practice_extract": table("core/practice_extract", {"extract_date": date(2024, 6, 1), "age_days": 30}),
    }
    (row,) = reconciled.build(inputs, night()).to_pylist()
    assert (row["counted_count"], row["published_count"], row["verdict"], row["extract_age_days"]) == (2, 2, "agrees", 30)


def test_the_finding_counts_practices_and_people(build: Any) -> None:
    limits = ArrivalLimits()
    good = list_sizes_agree(build(A00001=(100, 100, "new"), A00004=(0, 80, "never")), limits)
    assert good.is_as_expected
    assert good.numbers["practices without a list"] == 1
    assert not list_sizes_agree(build(A00001=(98, 100, "new")), limits).is_as_expected
    stale = list_sizes_agree(build(A00001=(100, 100, "stale")), limits)
    assert not stale.is_as_expected
    assert "1 stand on an old list" in stale.sentence
    assert list_sizes_agree(build(A00004=(0, 80, "never")), limits).is_as_expected, "published counts alone are no fault"


def test_registrations_and_persons_add_up(table: Any) -> None:
    outcomes = table(
        "core/registration_outcome",
        {"practice_code": "A00001", "outcome": "person", "registration_count": 3},
        {"practice_code": "A00001", "outcome": "left", "registration_count": 2},
    )
    assert nothing_lost(outcomes, 5, 3).is_as_expected
    assert not nothing_lost(outcomes, 6, 3).is_as_expected
    assert not nothing_lost(outcomes, 5, 2).is_as_expected
