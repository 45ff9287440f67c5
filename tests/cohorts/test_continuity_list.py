"""The list of each neighbourhood: who is on it, in which order, who is left out and that everybody is accounted for."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.cohorts.continuity_need import issue_of
from fuller_popheath.cohorts.first_list import LISTED, VERDICTS, choose, draw
from fuller_popheath.errors import ContractBroken
from fuller_popheath.site import FirstList

ISSUE = issue_of(date(2024, 7, 1))
NEEDY = {"has_dementia": True}  # 3 points
NEEDIER = {"has_palliative_care": True}  # 4 points


def ranked(table: Any, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_most_points_first_then_the_draw(make: Any) -> None:
    people = [{"name": n, **NEEDY} for n in "abcd"] + [{"name": "e", **NEEDIER}, {"name": "f", "has_housebound": True}]
    made = make(people, people_per_neighbourhood=3)
    drawn = sorted("abcd", key=lambda name: draw(ISSUE, name.ljust(12, "a")))
    assert [person[0] for person in made["products/continuity_list"]["person_id"].to_pylist()] == ["e", *drawn[:2]]
    need = {row["person_id"][0]: row for row in made["core/continuity_need"].to_pylist()}
    assert {name: need[name]["verdict"] for name in "abcdef"} == {
        "e": "listed",
        "f": "below_points",
        **{name: "listed" if name in drawn[:2] else "beyond_capacity" for name in "abcd"},
    }
    assert [need[name]["rank"] for name in ("e", *drawn, "f")] == [1, 2, 3, 4, 5, None]
    assert all((need[name]["draw"] is None) == (name == "f") for name in need)
    assert all((need[name]["reasons"] is not None) == (need[name]["verdict"] == "listed") for name in need)
    (account,) = (row for row in made["products/continuity_list_account"].to_pylist() if row["neighbourhood_code"] == "U00001")
    assert (account["last_listed_points"], account["equal_points_not_listed_count"], account["listed_count"]) == (3, 2, 3)


def test_frailty_is_the_category_of_the_features_and_its_deficits_are_told(make: Any) -> None:
    people = [
        {"name": "a", "efi_category": "severe", "efi_deficit_count": 14},
        {"name": "b", "efi_category": "moderate", "efi_deficit_count": 9},
        {"name": "c", "efi_category": None, "efi_deficit_count": 14, "age_years": 64},
        {"name": "d", "efi_category": "mild", "efi_deficit_count": 8},
    ]
    need = make(people, minimum_points=2)["core/continuity_need"]
    assert need["reason_codes"].to_pylist() == ["severe_frailty", "moderate_frailty", None, None]
    assert need["reasons"].to_pylist() == ["severe frailty (14 of 36 deficits)", "moderate frailty (9 of 36 deficits)", None, None]


def test_each_neighbourhood_has_its_own_list(make: Any) -> None:
    people = [{"name": "a", **NEEDY}, {"name": "b", **NEEDY, "practice_code": "A00003", "neighbourhood_code": "U00002"}]
    listed = make(people)["products/continuity_list"]
    assert ranked(listed, "neighbourhood_code", "rank", "practice_name") == [("U00001", 1, "GREEN LANE SURGERY"), ("U00002", 1, "THE QUAY")]


LEFT_OUT: dict[str, dict[str, Any]] = {
    "type_1_objection": {"excluded_from_rule_list": True, "has_type_1_objection": True, "type_1_reason": "dissent"},
    "type_1_unknown": {"excluded_from_rule_list": True, "has_type_1_objection": True, "type_1_reason": "unknown"},
    "national_objection": {"excluded_from_rule_list": True, "has_national_objection": True},
    "sensitive_record": {"is_sensitive": True},
    "no_team": {"neighbourhood_code": "U", "pcn_code": "U"},
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_who_is_left_out_is_on_no_list_and_is_counted_by_reason(make: Any, reason: str) -> None:
    made = make([{"name": "a", **NEEDIER, **LEFT_OUT[reason]}, {"name": "b", **NEEDY}])
    assert [person[0] for person in made["products/continuity_list"]["person_id"].to_pylist()] == ["b"]
    assert made["core/continuity_need"]["verdict"].to_pylist() == [reason, "listed"]
    accounts = made["products/continuity_list_account"].to_pylist()
    assert sum(row[f"{reason}_count"] for row in accounts) == 1
    assert sum(row["registered_count"] for row in accounts) == 2


def test_an_objection_that_excludes_from_no_rule_list_keeps_nobody_off_it(make: Any) -> None:
    made = make([{"name": "a", **NEEDY, "has_type_1_objection": True, "type_1_reason": "dissent", "excluded_from_rule_list": False}])
    assert made["core/continuity_need"]["verdict"].to_pylist() == ["listed"]


def test_a_risk_stands_beside_those_who_have_one_and_do_not_object_to_lists_of_scores(make: Any) -> None:
    scored = {"risk_words": "about 1 in 6"}
    people = [{"name": "a", **NEEDY, **scored}, {"name": "b", **NEEDY, **scored, "excluded_from_score_list": True}, {"name": "c", **NEEDY}]
    listed = make(people)["products/continuity_list"].sort_by("person_id").to_pylist()
    assert [(row["risk_words"], row["risk_is_demonstration"]) for row in listed] == [("about 1 in 6", True), (None, None), (None, None)]


def test_practices_that_sent_nothing_or_something_old_are_said_by_name(make: Any) -> None:
    accounts = make([{"name": "a", **NEEDY}], {"A00001": "stale", "A00002": "never"})["products/continuity_list_account"].to_pylist()
    assert [row["coverage"] for row in accounts] == [
        "1 of 2 practices have sent a list. None from MILL HOUSE (A00002): their people cannot be listed. Old: GREEN LANE SURGERY (A00001), 12 days.",
        "1 of 1 practices have sent a list. All are up to date.",
    ]
    assert [(row["registered_count"], row["stale_practice_count"], row["missing_practice_count"]) for row in accounts] == [(1, 1, 1), (0, 0, 0)]


def test_nobody_registered_gives_no_list(make: Any) -> None:
    made = make([])
    assert (made["core/continuity_need"].num_rows, made["products/continuity_list"].num_rows) == (0, 0)
    assert [row["listed_count"] for row in made["products/continuity_list_account"].to_pylist()] == [0, 0]


def test_features_of_other_people_are_refused(make: Any) -> None:
    from fuller_popheath.cohorts import continuity_need
    from fuller_popheath.site import Site
    from fuller_popheath.specs import Night

    made = make([{"name": "a"}, {"name": "b"}])
    inputs = {name: made[name] for name in continuity_need.TABLE.inputs}
    inputs["features/frailty"] = inputs["features/frailty"].take([1, 0])
    with pytest.raises(ContractBroken, match="features/frailty is not about the same people"):
        continuity_need.build(inputs, Night(as_of=date(2024, 7, 1), site=Site()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3), st.integers(0, 12)), max_size=60), st.integers(1, 8), st.integers(0, 6))
def test_every_list_is_the_top_of_its_neighbourhood(people: list[tuple[int, int, int]], length: int, least: int) -> None:
    left_out, area, points = (np.array([person[n] for person in people], dtype=np.int64) for n in range(3))
    ids = np.array([f"p{n:011d}" for n in range(len(people))], dtype=object)
    rules = FirstList(people_per_neighbourhood=length, minimum_points=least)
    made = choose(left_out, area, points, ids, ISSUE, rules)
    listed = made.verdict == VERDICTS.index(LISTED)
    could = (left_out < 0) & (points >= max(least, 1))
    for code in set(area.tolist()):
        here = could & (area == code)
        assert (listed & here).sum() == min(length, here.sum()) == (listed & (area == code)).sum()
        assert sorted(made.rank[here]) == list(range(1, here.sum() + 1))
        assert points[listed & here].min(initial=99) >= points[here & ~listed].max(initial=-1)
    # In whatever order people come, the same ones are chosen.
    turned = choose(left_out[::-1], area[::-1], points[::-1], ids[::-1], ISSUE, rules)
    assert turned.rank[::-1].tolist() == made.rank.tolist()


def test_the_draw_is_even_and_changes_with_the_issue() -> None:
    draws = np.array([draw(ISSUE, f"p{n:011d}") for n in range(20_000)])
    # Mean and variance of a uniform number, within four standard errors.
    assert abs(draws.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(draws))
    assert abs(draws.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / len(draws))
    assert draw(ISSUE, "p") != draw("continuity-2024-07-08", "p")
