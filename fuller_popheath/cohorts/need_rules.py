"""The rule of who needs continuity of care: reasons give points, points give a level. Arrays in, arrays out.

No published source gives a scored rule for who needs continuity: reasons, points and limits are a local choice ([continuity_need] in site.toml),
printed beside every result and never called validated. The categories of frailty are published and stand in `catalogue/features/frailty.py`.
What does not belong here: sentences (`reason_words.py`), tables, and how much continuity somebody receives (`continuity_gap.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import SettingsWrong

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site_lists import ContinuityNeed

Values = Mapping[str, "np.ndarray"]
"""One array a column, one entry a person: a missing number is NaN, a missing text empty. `probability` is the risk that may be used, NaN: none."""

HIGH, SOME, NONE = "high", "some", "none"
LEVELS = (HIGH, SOME, NONE)
"""How much continuity somebody needs, from the most."""
ADULT_FROM = 18


def _has(cluster: str) -> Callable[[Values, ContinuityNeed], Any]:
    return lambda values, rules: values[f"has_{cluster}"]


def _frailty(values: Values, degree: str) -> Any:
    """By the index or as a clinician coded it last: neither is proof that the other is wrong."""
    return (values["efi_category"] == degree) | (values["coded_frailty"] == degree)


def _is_child(values: Values) -> Any:
    return values["age_years"] < ADULT_FROM


def use_in_a_year(values: Values) -> Any:
    """Contacts of any sort and ED attendances of the last 365 days, together."""
    return values["contact_count_365"] + values["ed_attendance_count_365"]


REASONS: Mapping[str, Callable[[Values, ContinuityNeed], Any]] = MappingProxyType(
    {
        "end_of_life": _has("palliative_care"),
        "severe_frailty": lambda values, rules: _frailty(values, "severe"),
        "moderate_frailty": lambda values, rules: _frailty(values, "moderate") & ~_frailty(values, "severe"),
        "dementia": _has("dementia"),
        "severe_mental_illness": _has("severe_mental_illness"),
        "learning_disability": _has("learning_disability"),
        "housebound": _has("housebound"),
        "care_home": _has("care_home"),
        "four_or_more_conditions": lambda values, rules: values["condition_count"] >= 4,
        "two_or_three_conditions": lambda values, rules: (values["condition_count"] >= 2) & (values["condition_count"] <= 3),
        # NaN, where there is no risk that may be used, is at least nothing.
        "high_risk": lambda values, rules: values["probability"] >= rules.high_risk_from,
        "child_high_use": lambda values, rules: _is_child(values) & (use_in_a_year(values) >= rules.child_high_use_from),
        "looked_after_child": lambda values, rules: _is_child(values) & values["has_looked_after_child"],
        "pregnancy": _has("pregnancy"),
    }
)
"""Every reason that site.toml can give points for."""

COLUMNS = (
    *("age_years", "efi_category", "coded_frailty", "condition_count", "contact_count_365", "ed_attendance_count_365", "probability"),
    *(f"has_{name}" for name in ("palliative_care", "dementia", "severe_mental_illness", "learning_disability", "housebound", "care_home")),
    *(f"has_{name}" for name in ("looked_after_child", "pregnancy")),
)
"""What the reasons read."""


@dataclass(frozen=True)
class Need:
    """Which reasons hold for each person, as bits of one number in the order of `reasons`, their points together, and a position in LEVELS."""

    reasons: tuple[str, ...]
    held: np.ndarray
    points: np.ndarray
    level: np.ndarray


def reasons_with_points(rules: ContinuityNeed) -> tuple[str, ...]:
    """The reasons that the site gives points for, in the site's order, which is the order in which they are told.

    Raises SettingsWrong where it gives points for a reason that does not exist.
    """
    if unknown := sorted(set(rules.points) - set(REASONS)):
        raise SettingsWrong(f"continuity_need.points: there is no reason {', '.join(unknown)}; there are {', '.join(REASONS)}")
    return tuple(name for name, points in rules.points.items() if points > 0)


def need_of(values: Values, rules: ContinuityNeed) -> Need:
    """Reasons, points and level of everybody. Raises SettingsWrong as `reasons_with_points` does."""
    import numpy as np

    reasons = reasons_with_points(rules)
    people = len(values["age_years"])
    held, points = np.zeros(people, np.int32), np.zeros(people, np.int64)
    for number, name in enumerate(reasons):
        is_there = np.asarray(REASONS[name](values, rules), dtype=bool)
        held |= is_there.astype(np.int32) << number
        points += is_there * np.int64(rules.points[name])
    level = np.where(points >= rules.high_from, LEVELS.index(HIGH), np.where(points >= rules.some_from, LEVELS.index(SOME), LEVELS.index(NONE)))
    return Need(reasons, held, points, level.astype(np.int8))


def holds(need: Need, reason: str) -> np.ndarray:
    """For whom one of `need.reasons` holds: true or false, one entry a person."""
    return (need.held >> need.reasons.index(reason) & 1).astype(bool)


def reasons_in(held: int, reasons: Sequence[str]) -> tuple[str, ...]:
    """The reasons that a number of `Need.held` stands for."""
    return tuple(name for number, name in enumerate(reasons) if held >> number & 1)
