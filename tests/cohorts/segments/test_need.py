"""core/continuity_need: what of several tables goes into the rule, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fuller_popheath.cohorts import continuity_need
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

NEED = "core/continuity_need"


def test_reasons_points_level_and_words_of_everybody(make: Callable[..., Any]) -> None:
    people = [
        {"name": "a", "age_years": 82, "efi_category": "severe", "efi_deficit_count": 14, "condition_count": 5, "has_copd": True},
        {"name": "b", "age_years": 8, "contact_count_365": 11},
        {"name": "c"},
    ]
    rows = make(people, NEED)[NEED].drop_columns(["as_of", "person_id"]).to_pylist()
    assert rows == [
        {
            "points": 7,
            "level": "high",
            "reason_codes": "severe_frailty,four_or_more_conditions",
            "reasons": "severe frailty (14 of 36 deficits); 5 long-term conditions (COPD and 4 more)",
            "is_risk_known": False,
        },
        {
            "points": 2,
            "level": "some",
            "reason_codes": "child_high_use",
            "reasons": "11 contacts and ED attendances in a year",
            "is_risk_known": False,
        },
        {"points": 0, "level": "none", "reason_codes": None, "reasons": None, "is_risk_known": False},
    ]


def test_a_risk_is_a_reason_but_never_of_somebody_who_objects_to_lists_made_from_scores(make: Callable[..., Any]) -> None:
    people = [
        {"name": "a", "risk": 0.6},
        {"name": "b", "risk": 0.6, "excluded_from_score_list": True},
        {"name": "c"},
        {"name": "d", "risk": 0.1},
    ]
    rows = make(people, NEED)[NEED].to_pylist()
    assert [(row["reason_codes"], row["is_risk_known"]) for row in rows] == [("high_risk", True), (None, False), (None, False), (None, True)]


def test_risks_of_other_outcomes_and_of_people_who_left_do_not_count(table: Callable[..., Any], inputs: Callable[..., Any]) -> None:
    given = inputs([{"name": "a"}, {"name": "b"}])
    score = {"age_group": "adult", "is_demonstration": True, "probability": 0.9, "band": "very high"}
    given["risk/score"] = table(
        "risk/score",
        [
            {**score, "person_id": "a".ljust(12, "a"), "outcome": "death_12m"},
            {**score, "person_id": "z".ljust(12, "a"), "outcome": "emergency_admission_12m"},
        ],
    )
    made = continuity_need.build(given, Night(as_of=given["core/person"]["as_of"][0].as_py(), site=Site()))
    assert made["is_risk_known"].to_pylist() == [False, False]


def test_the_rule_is_the_sites_and_an_unknown_reason_is_refused(make: Callable[..., Any]) -> None:
    people = [{"name": "a", "has_housebound": True}]
    made = make(people, NEED, continuity_need={"points": {"housebound": 1}, "some_from": 1, "high_from": 2})[NEED]
    assert made["level"].to_pylist() == ["some"]
    with pytest.raises(SettingsWrong, match="there is no reason loneliness; there are end_of_life"):
        make(people, NEED, continuity_need={"points": {"loneliness": 1}})


def test_features_about_other_people_are_refused(inputs: Callable[..., Any]) -> None:
    given, other = inputs([{"name": "a"}, {"name": "b"}]), inputs([{"name": "a"}, {"name": "c"}])
    given["features/frailty"] = other["features/frailty"]
    with pytest.raises(ContractBroken, match="features/frailty is not about the same people"):
        continuity_need.build(given, Night(as_of=given["core/person"]["as_of"][0].as_py(), site=Site()))


def test_nobody_at_all_is_no_error(make: Callable[..., Any]) -> None:
    assert make([], NEED)[NEED].num_rows == 0
