"""Who needs continuity of care by the rule that is shipped as an example: a table of people and the expected reasons, points and level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fuller_popheath.cohorts import need_rules, reason_words
from fuller_popheath.cohorts.need_rules import LEVELS, Need, need_of, reasons_in
from fuller_popheath.cohorts.reason_words import reason_codes, reasons_in_words, rule_in_words
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site_lists import ContinuityNeed

CHILD = {"age_years": 9}
PEOPLE: dict[str, tuple[dict[str, Any], tuple[str, ...], int, str]] = {
    "nothing known": ({}, (), 0, "none"),
    "end of life": ({"has_palliative_care": True}, ("end_of_life",), 4, "high"),
    "mild frailty is no reason": ({"efi_category": "mild"}, (), 0, "none"),
    "moderate frailty": ({"efi_category": "moderate"}, ("moderate_frailty",), 2, "some"),
    "severe frailty": ({"efi_category": "severe"}, ("severe_frailty",), 4, "high"),
    "severe frailty coded by a clinician": ({"efi_category": "fit", "coded_frailty": "severe"}, ("severe_frailty",), 4, "high"),
    "of index and code the worse counts, once": ({"efi_category": "moderate", "coded_frailty": "severe"}, ("severe_frailty",), 4, "high"),
    "dementia": ({"has_dementia": True}, ("dementia",), 4, "high"),
    "severe mental illness": ({"has_severe_mental_illness": True}, ("severe_mental_illness",), 4, "high"),
    "learning disability": ({"has_learning_disability": True}, ("learning_disability",), 3, "some"),
    "housebound": ({"has_housebound": True}, ("housebound",), 3, "some"),
    "care home": ({"has_care_home": True}, ("care_home",), 3, "some"),
    "one condition": ({"condition_count": 1}, (), 0, "none"),
    "two conditions": ({"condition_count": 2}, ("two_or_three_conditions",), 1, "none"),
    "three conditions": ({"condition_count": 3}, ("two_or_three_conditions",), 1, "none"),
    "four conditions": ({"condition_count": 4}, ("four_or_more_conditions",), 3, "some"),
    "a risk at the limit": ({"probability": 0.3}, ("high_risk",), 3, "some"),
    "a risk below it": ({"probability": 0.299}, (), 0, "none"),
    "no risk that may be used": ({"probability": None}, (), 0, "none"),
    "a child seen ten times, here and there": (
        {**CHILD, "contact_count_365": 7, "ed_attendance_count_365": 3},
        ("child_high_use",),
        2,
        "some",
    ),
    "a child seen nine times": ({**CHILD, "contact_count_365": 9}, (), 0, "none"),
    "an adult seen thirty times": ({"contact_count_365": 30}, (), 0, "none"),
    "a looked-after child": ({**CHILD, "has_looked_after_child": True}, ("looked_after_child",), 2, "some"),
    "an adult who was one": ({"age_years": 18, "has_looked_after_child": True}, (), 0, "none"),
    "pregnancy": ({"age_years": 31, "has_pregnancy": True}, ("pregnancy",), 2, "some"),
    "reasons add up, in the order of site.toml": (
        {"efi_category": "severe", "has_dementia": True, "has_housebound": True, "condition_count": 5},
        ("severe_frailty", "dementia", "housebound", "four_or_more_conditions"),
        14,
        "high",
    ),
    "three points and one are high": ({"has_housebound": True, "condition_count": 2}, ("housebound", "two_or_three_conditions"), 4, "high"),
}


def values_of(*people: dict[str, Any]) -> dict[str, np.ndarray]:
    names = dict.fromkeys((*need_rules.COLUMNS, *reason_words.COLUMNS))
    usual: dict[str, Any] = {name: False if name.startswith("has_") else 0 for name in names}
    usual |= {"efi_category": "fit", "coded_frailty": "", "probability": None, "age_years": 70}
    full = [{**usual, **person} for person in people]
    return {name: np.array([np.nan if person[name] is None else person[name] for person in full]) for name in names}


def told(need: Need, place: int = 0) -> tuple[tuple[str, ...], int, str]:
    return reasons_in(int(need.held[place]), need.reasons), int(need.points[place]), LEVELS[need.level[place]]


@pytest.mark.parametrize("who", PEOPLE)
def test_the_example_rule(who: str) -> None:
    person, reasons, points, level = PEOPLE[who]
    assert told(need_of(values_of(person), ContinuityNeed())) == (reasons, points, level)


def test_everybody_at_once_is_judged_as_alone() -> None:
    need = need_of(values_of(*(person for person, *_ in PEOPLE.values())), ContinuityNeed())
    assert [told(need, place) for place in range(len(PEOPLE))] == [tuple(expected) for _, *expected in PEOPLE.values()]


def test_every_reason_that_can_have_points_is_tested_and_has_a_name() -> None:
    assert {reason for _, reasons, _, _ in PEOPLE.values() for reason in reasons} == set(need_rules.REASONS)
    assert set(reason_words.NAMES) == set(need_rules.REASONS) == set(ContinuityNeed().points)


def test_a_reason_without_points_is_no_reason_and_limits_are_the_sites() -> None:
    rules = ContinuityNeed(points={"housebound": 1, "dementia": 0, "care_home": 2}, some_from=1, high_from=3)
    need = need_of(values_of({"has_dementia": True, "has_housebound": True}, {"has_care_home": True, "has_housebound": True}), rules)
    assert [told(need, place) for place in (0, 1)] == [(("housebound",), 1, "some"), (("housebound", "care_home"), 3, "high")]


def test_points_for_what_does_not_exist_are_refused_naming_what_does() -> None:
    with pytest.raises(SettingsWrong, match=r"there is no reason loneliness; there are end_of_life, severe_frailty, .*pregnancy"):
        need_of(values_of({}), ContinuityNeed(points={"loneliness": 2, "dementia": 3}))


def with_conditions(*names: str, count: int) -> dict[str, Any]:
    return {**{f"has_{name}": True for name in names}, "condition_count": count}


WORDS = {
    "severe frailty (14 of 36 deficits)": {"efi_category": "severe", "efi_deficit_count": 14},
    "severe frailty (coded by a clinician)": {"efi_category": "mild", "efi_deficit_count": 6, "coded_frailty": "severe"},
    "on the end of life care register; housebound": {"has_palliative_care": True, "has_housebound": True},
    "9 long-term conditions (stroke or TIA, COPD and 7 more)": with_conditions("copd", "stroke_tia", count=9),
    "2 long-term conditions (asthma, depression)": with_conditions("asthma", "depression", count=2),
    "7 long-term conditions (diabetes, hypertension, COPD, asthma, cancer, epilepsy and 1 more)": with_conditions(
        "diabetes", "hypertension", "copd", "asthma", "cancer", "epilepsy", "anxiety", count=7
    ),
    # What is a reason by itself is not named twice.
    "dementia; 9 long-term conditions": with_conditions("dementia", count=9),
    "12 contacts and ED attendances in a year": {**CHILD, "contact_count_365": 11, "ed_attendance_count_365": 1},
    "lives in a care home; high risk of an emergency admission": {"has_care_home": True, "probability": 0.7},
    None: {"age_years": 40},
}


def test_reasons_are_said_with_the_numbers_behind_them() -> None:
    values = values_of(*WORDS.values())
    assert reasons_in_words(need_of(values, ContinuityNeed()), values).to_pylist() == list(WORDS)


def test_codes_stand_in_the_order_of_the_site() -> None:
    values = values_of({"has_dementia": True, "has_housebound": True}, {})
    need = need_of(values, ContinuityNeed(points={"housebound": 1, "dementia": 1}))
    assert reason_codes(need).to_pylist() == ["housebound,dementia", None]
    assert reasons_in_words(need, values).to_pylist() == ["housebound; dementia", None]


def test_a_site_that_gives_no_points_needs_no_words() -> None:
    values = values_of({"has_dementia": True})
    need = need_of(values, ContinuityNeed(points={}))
    assert (reason_codes(need).to_pylist(), reasons_in_words(need, values).to_pylist()) == ([None], [None])


def test_the_rule_can_be_printed_and_says_that_it_is_a_local_choice() -> None:
    points, levels, limits, caveat = rule_in_words(ContinuityNeed(points={"dementia": 1, "housebound": 3, "pregnancy": 0}))
    assert points == "Points: housebound 3; dementia 1."
    assert "high from 4 points on, some from 2 on" in levels
    assert "30 % or more" in limits and "10 or more contacts" in limits
    assert "local choice" in caveat and "not validated" in caveat
