"""Who gets how many points for what, by the rule that is shipped as an example: a table of people and the expected answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fuller_popheath.cohorts.first_list import COLUMNS, need_of, reasons_in
from fuller_popheath.cohorts.reason_words import reasons_in_words
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import FirstList

PEOPLE: dict[str, tuple[dict[str, Any], tuple[str, ...], int]] = {
    "nothing known": ({}, (), 0),
    "end of life": ({"has_palliative_care": True}, ("end_of_life",), 4),
    "mild frailty is no reason": ({"efi_category": "mild"}, (), 0),
    "moderate frailty": ({"efi_category": "moderate"}, ("moderate_frailty",), 2),
    "severe frailty": ({"efi_category": "severe"}, ("severe_frailty",), 3),
    "nobody below 65 has a category": ({"efi_category": ""}, (), 0),
    "one condition": ({"condition_count": 1}, (), 0),
    "two conditions": ({"condition_count": 2}, ("two_or_three_conditions",), 1),
    "four conditions": ({"condition_count": 4}, ("four_or_more_conditions",), 2),
    "half of the contacts with one clinician is not low": ({"continuity_upc": 0.5}, (), 0),
    "less than half is": ({"continuity_upc": 0.49}, ("low_continuity",), 2),
    "too few contacts to tell is not low continuity": ({"continuity_upc": None}, (), 0),
    "a child can be on it": ({"has_learning_disability": True, "continuity_upc": 0.2}, ("learning_disability", "low_continuity"), 4),
    "reasons add up, the weightiest is told first": (
        {"efi_category": "severe", "has_dementia": True, "has_housebound": True, "condition_count": 5, "continuity_upc": 0.25},
        ("severe_frailty", "dementia", "housebound", "four_or_more_conditions", "low_continuity"),
        12,
    ),
    "severe mental illness": ({"has_severe_mental_illness": True}, ("severe_mental_illness",), 3),
}


def values_of(person: dict[str, Any]) -> dict[str, np.ndarray]:
    usual: dict[str, Any] = {name: False if name.startswith("has_") else 0 for name in COLUMNS}
    full = {**usual, "efi_category": "fit", "continuity_upc": None, **person}
    return {name: np.array([np.nan if full[name] is None else full[name]]) for name in COLUMNS}


@pytest.mark.parametrize("who", PEOPLE)
def test_the_example_rule(who: str) -> None:
    person, reasons, points = PEOPLE[who]
    need = need_of(values_of(person), FirstList())
    assert reasons_in(int(need.held[0]), need.reasons) == reasons
    assert need.points.tolist() == [points]


def test_a_reason_without_points_is_no_reason() -> None:
    need = need_of(values_of({"has_dementia": True, "has_housebound": True}), FirstList(points={"dementia": 0, "housebound": 1}))
    assert (need.reasons, need.points.tolist()) == (("housebound",), [1])


@pytest.mark.parametrize(
    ("points", "said"), [({"loneliness": 2}, "there is no reason loneliness"), ({"dementia": -1}, "dementia has less than 0 points")]
)
def test_points_for_what_does_not_exist_are_refused(points: dict[str, int], said: str) -> None:
    with pytest.raises(SettingsWrong, match=said):
        need_of(values_of({}), FirstList(points=points))


WORDS = {
    "efi_deficit_count": 14,
    "condition_count": 9,
    "continuity_upc": 0.25,
    "continuity_contact_count": 8,
    "continuity_clinician_count": 5,
}


@pytest.mark.parametrize(
    ("reasons", "conditions", "words"),
    [
        (("severe_frailty",), (), "severe frailty (14 of 36 deficits)"),
        (("end_of_life", "housebound"), (), "on the end of life care register; housebound"),
        (("low_continuity",), (), "has seen 5 different GPs in 8 contacts, the same one at most 2 times"),
        (("four_or_more_conditions",), ("copd", "stroke_tia"), "9 long-term conditions (stroke or TIA, COPD and 7 more)"),
        # What is a reason by itself is not named twice; what people expect to be told to nobody is only counted.
        (("dementia", "four_or_more_conditions"), ("dementia", "hiv", "alcohol_problems"), "dementia; 9 long-term conditions"),
    ],
)
def test_reasons_are_said_with_the_numbers_behind_them(reasons: tuple[str, ...], conditions: tuple[str, ...], words: str) -> None:
    assert reasons_in_words(reasons, WORDS, conditions, ("gp",)) == words


def test_other_clinicians_are_not_called_gps() -> None:
    assert "different clinicians" in reasons_in_words(("low_continuity",), WORDS, (), ("gp", "nurse"))
