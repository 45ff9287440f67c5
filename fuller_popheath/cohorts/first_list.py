"""The rules of the first continuity list: points for each reason, who is left out and why, who comes first. Arrays in, arrays out.

No published source gives a scored rule for who needs continuity of care: the points, the least number of points and the length of the list are a
local choice ([first_list] in site.toml), printed on every list and never called validated. The categories of frailty are published and stand in
`catalogue/features/frailty.py`. What does not belong here: sentences
(`reason_words.py`), tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import SettingsWrong

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import FirstList

Values = Mapping[str, "np.ndarray"]
"""One array a column, one entry a person: the columns of core/person and of feature groups; a missing number is NaN, a missing text empty."""

LISTED, BEYOND_CAPACITY, BELOW_POINTS = "listed", "beyond_capacity", "below_points"
NO_TEAM, SENSITIVE = "no_team", "sensitive_record"
TYPE_1, TYPE_1_UNKNOWN, NATIONAL = "type_1_objection", "type_1_unknown", "national_objection"
LEFT_OUT = (NO_TEAM, TYPE_1, TYPE_1_UNKNOWN, NATIONAL, SENSITIVE)
VERDICTS = (LISTED, BEYOND_CAPACITY, BELOW_POINTS, *LEFT_OUT)
"""What becomes of a person: exactly one of these; of the reasons to leave somebody out, the first that is true."""


def _has(cluster: str) -> Callable[[Values, FirstList], Any]:
    return lambda values, rules: values[f"has_{cluster}"]


def _frailty(category: str) -> Callable[[Values, FirstList], Any]:
    return lambda values, rules: values["efi_category"] == category


REASONS: Mapping[str, Callable[[Values, FirstList], Any]] = MappingProxyType(
    {
        "end_of_life": _has("palliative_care"),
        "severe_frailty": _frailty("severe"),
        "dementia": _has("dementia"),
        "severe_mental_illness": _has("severe_mental_illness"),
        "moderate_frailty": _frailty("moderate"),
        "learning_disability": _has("learning_disability"),
        "housebound": _has("housebound"),
        "four_or_more_conditions": lambda values, rules: values["condition_count"] >= 4,
        "two_or_three_conditions": lambda values, rules: (values["condition_count"] >= 2) & (values["condition_count"] <= 3),
        # NaN, where there were too few contacts to tell, is below nothing.
        "low_continuity": lambda values, rules: values["continuity_upc"] < rules.low_continuity_below,
    }
)
"""Every reason that site.toml can give points for, in the order in which reasons are told."""

COLUMNS = (
    *("efi_category", "condition_count", "continuity_upc"),
    *(f"has_{cluster}" for cluster in ("palliative_care", "dementia", "severe_mental_illness", "learning_disability", "housebound")),
)
"""What the reasons read."""


@dataclass(frozen=True)
class Need:
    """Which reasons hold for each person, as bits of one number in the order of `reasons`, and the points they add up to."""

    reasons: tuple[str, ...]
    held: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Choice:
    """What became of each person: an index into VERDICTS, the rank among those who could be listed (0: could not), and the draw (NaN: none)."""

    verdict: np.ndarray
    rank: np.ndarray
    draw: np.ndarray


def need_of(values: Values, rules: FirstList) -> Need:
    """Reasons and points of everybody. Raises SettingsWrong where site.toml gives points for a reason that does not exist, or negative ones."""
    import numpy as np

    unknown = sorted(set(rules.points) - set(REASONS))
    if unknown:
        raise SettingsWrong(f"first_list.points: there is no reason {', '.join(unknown)}; there are {', '.join(REASONS)}")
    if negative := sorted(name for name, points in rules.points.items() if points < 0):
        raise SettingsWrong(f"first_list.points: {', '.join(negative)} has less than 0 points; give 0 to leave a reason out")
    reasons = tuple(name for name in REASONS if rules.points.get(name, 0) > 0)
    people = len(values["condition_count"])
    held, points = np.zeros(people, np.int32), np.zeros(people, np.int64)
    for number, name in enumerate(reasons):
        holds = np.asarray(REASONS[name](values, rules), dtype=bool)
        held |= holds.astype(np.int32) << number
        points += np.where(holds, rules.points[name], 0)
    return Need(reasons, held, points)


def reasons_in(held: int, reasons: Sequence[str]) -> tuple[str, ...]:
    """The reasons that a number of `Need.held` stands for."""
    return tuple(name for number, name in enumerate(reasons) if held >> number & 1)


def choose(left_out: np.ndarray, neighbourhood: np.ndarray, points: np.ndarray, person_id: np.ndarray, issue_id: str, rules: FirstList) -> Choice:
    """Who is on the list of each neighbourhood: most points first; among equal points a draw decides, recorded and the same on every run.

    One entry a person: `left_out` the reason as an index into LEFT_OUT (-1: none), `neighbourhood` any number that stands for it. Somebody below
    `minimum_points` is on no list, however short. Nothing but points and the draw counts: no name, no practice, no order of arrival.
    """
    import numpy as np

    first_left_out = VERDICTS.index(LEFT_OUT[0])
    verdict = np.where(left_out >= 0, left_out + first_left_out, VERDICTS.index(BELOW_POINTS)).astype(np.int8)
    candidates = np.flatnonzero((left_out < 0) & (points >= max(rules.minimum_points, 1)))
    draws = np.array([draw(issue_id, person_id[i]) for i in candidates])
    order = candidates[np.lexsort((candidates, draws, -points[candidates], neighbourhood[candidates]))]
    areas = neighbourhood[order]
    first = np.flatnonzero(np.diff(areas, prepend=areas[:1] - 1)) if len(order) else np.zeros(0, np.int64)
    places = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order))) + 1
    rank, drawn = np.zeros(len(points), np.int64), np.full(len(points), np.nan)
    rank[order], drawn[candidates] = places, draws
    verdict[order] = np.where(places <= rules.people_per_neighbourhood, VERDICTS.index(LISTED), VERDICTS.index(BEYOND_CAPACITY))
    return Choice(verdict, rank, drawn)


def draw(issue_id: str, person_id: str) -> float:
    """A number from 0 up to 1 that looks like chance and can be drawn again: from the SHA-256 of the issue and the person."""
    return int.from_bytes(hashlib.sha256(f"{issue_id}|{person_id}".encode()).digest()[:6], "big") / 2**48
