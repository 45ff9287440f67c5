"""Why a person needs continuity, in plain English with the numbers behind it. What does not belong here: whether a reason holds.

Words are what a clinician could read out to the person: no jargon, no score, no word of blame. Conditions that people expect to be told to nobody
(HIV, addiction, homelessness) may be counted and are never named. Each different wording is written once, however many people it is said of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from fuller_popheath.codelists.weights import efi_36
from fuller_popheath.cohorts.need_rules import Need, Values, holds, reasons_with_points, use_in_a_year

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.site_lists import ContinuityNeed

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "end_of_life": "end of life care",
        "severe_frailty": "severe frailty",
        "moderate_frailty": "moderate frailty",
        "dementia": "dementia",
        "severe_mental_illness": "severe mental illness",
        "learning_disability": "learning disability",
        "housebound": "housebound",
        "care_home": "lives in a care home",
        "four_or_more_conditions": "four or more long-term conditions",
        "two_or_three_conditions": "two or three long-term conditions",
        "high_risk": "high risk of an emergency admission",
        "child_high_use": "a child who is seen often",
        "looked_after_child": "looked-after child",
        "pregnancy": "pregnancy",
    }
)
"""The reasons as a rule names them."""

LONG_TERM = (
    *("diabetes", "hypertension", "coronary_heart_disease", "heart_failure", "atrial_fibrillation", "stroke_tia", "peripheral_arterial_disease"),
    *("chronic_kidney_disease", "copd", "asthma", "bronchiectasis", "cancer", "dementia", "parkinsons_disease", "multiple_sclerosis", "epilepsy"),
    *("severe_mental_illness", "depression", "anxiety", "learning_disability", "rheumatoid_arthritis", "chronic_liver_disease"),
    *("inflammatory_bowel_disease", "thyroid_disease", "hearing_loss", "visual_impairment"),
)
"""Of the conditions that are counted (Payne and others, CMAJ 2020) those that a sentence may name, in the order in which it does."""

SHORT: Mapping[str, str] = MappingProxyType(
    {
        "copd": "COPD",
        "stroke_tia": "stroke or TIA",
        "parkinsons_disease": "Parkinson's disease",
    }
)
MOST_NAMED = 6
FRAILTY = ("severe_frailty", "moderate_frailty")
COUNTED = ("four_or_more_conditions", "two_or_three_conditions")
COLUMNS = (
    *(f"has_{name}" for name in LONG_TERM),
    "efi_category",
    "efi_deficit_count",
    "condition_count",
    "contact_count_365",
    "ed_attendance_count_365",
)
"""What the words read of each person."""


def reasons_in_words(need: Need, values: Values) -> pa.ChunkedArray:
    """For each person one fragment of a sentence a reason, in the order of `need.reasons`, between semicolons; null where no reason holds.

    `values`: COLUMNS. A condition that is a reason by itself is not named twice.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = np.flatnonzero(need.held)
    some = {name: values[name][rows] for name in COLUMNS}
    there = Need(need.reasons, need.held[rows], need.points[rows], need.level[rows])
    told = [_fragments(reason, there, some) for reason in need.reasons]
    joined = pc.binary_join_element_wise(*told, "; ", null_handling="skip") if told else pa.nulls(len(rows), pa.string())
    places = np.full(len(need.held), -1)
    places[rows] = np.arange(len(rows))
    return pa.chunked_array([joined.take(pa.array(places, mask=places < 0))])


def reason_codes(need: Need) -> pa.Array:
    """The reasons of each person by their codes, with commas; null where none holds. There are few combinations: each is written once."""
    import numpy as np
    import pyarrow as pa

    combinations, which = np.unique(need.held, return_inverse=True)
    texts = [",".join(name for place, name in enumerate(need.reasons) if held >> place & 1) or None for held in combinations.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(which))


def rule_in_words(rules: ContinuityNeed) -> tuple[str, ...]:
    """The rule as it is printed beside every result: one line a thing to know. Raises SettingsWrong for a reason that does not exist."""
    given = sorted(reasons_with_points(rules), key=lambda name: -rules.points[name])
    points = "; ".join(f"{NAMES[name]} {rules.points[name]}" for name in given)
    return (
        f"Points: {points}.",
        f"Need for continuity is high from {rules.high_from} points on, some from {rules.some_from} on, else none.",
        f"High risk: a predicted risk of an emergency admission within a year of {100 * rules.high_risk_from:g} % or more, of those who do not "
        f"object. A child who is seen often: {rules.child_high_use_from} or more contacts and ED attendances in a year.",
        "This rule is a local choice (site.toml, [continuity_need]). It is not validated, and no published source gives one.",
    )


def conditions_in_words(conditions: Collection[str], count: int) -> str:
    """Of `count` conditions those that may be named, at most six, and that there are more: "asthma, COPD and 2 more"; empty where none may be."""
    named = [SHORT.get(name, name.replace("_", " ")) for name in LONG_TERM if name in conditions]
    shown = named[: min(MOST_NAMED, count)]
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else ""


def _fragments(reason: str, need: Need, values: Values) -> pa.Array:
    """What is said of each person about one reason; null for those for whom it does not hold."""
    import numpy as np
    import pyarrow as pa

    said_of = holds(need, reason)
    if reason in FRAILTY:
        texts, which = _frailty(reason, values)
    elif reason in COUNTED:
        texts, which = _conditions(said_of, need, values)
    elif reason == "child_high_use":
        uses, which = np.unique(use_in_a_year(values), return_inverse=True)
        texts = [f"{use:g} contacts and ED attendances in a year" for use in uses.tolist()]
    else:
        texts, which = [{"end_of_life": "on the end of life care register"}.get(reason, NAMES[reason])], np.zeros(len(said_of), np.int64)
    return pa.array(texts, pa.string()).take(pa.array(which, mask=~said_of))


def _frailty(reason: str, values: Values) -> tuple[list[str], np.ndarray]:
    """With the deficits, where the index says it; else that a clinician coded it."""
    import numpy as np

    by_index = values["efi_category"] == reason.removesuffix("_frailty")
    deficits, which = np.unique(np.where(by_index, values["efi_deficit_count"], -1), return_inverse=True)
    of = len(efi_36())
    return [f"{NAMES[reason]} ({f'{n:g} of {of} deficits' if n >= 0 else 'coded by a clinician'})" for n in deficits.tolist()], which


def _conditions(said_of: np.ndarray, need: Need, values: Values) -> tuple[list[str], np.ndarray]:
    """How many, and which of them may be named: every combination that is there, written once. For people who are not told of, the first."""
    import numpy as np

    count = np.nan_to_num(values["condition_count"]).astype(np.int64)
    combination = count << len(LONG_TERM)
    for place, name in enumerate(LONG_TERM):
        told_already = holds(need, name) if name in need.reasons else False
        combination |= (np.asarray(values[f"has_{name}"], bool) & ~np.asarray(told_already)).astype(np.int64) << place
    found, which = np.unique(np.where(said_of, combination, 0), return_inverse=True)
    texts = []
    for number in found.tolist():
        those = [name for place, name in enumerate(LONG_TERM) if number >> place & 1]
        named = conditions_in_words(those, number >> len(LONG_TERM))
        texts.append(f"{number >> len(LONG_TERM)} long-term conditions" + (f" ({named})" if named else ""))
    return texts, which
