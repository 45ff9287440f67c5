"""The latest cholesterol, and how long ago it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, reading, recent, spans, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


PER_ONE = 10
"""Told to one decimal."""


def words(features: pd.DataFrame) -> Told:
    """ "total cholesterol 6.1 mmol/L (2 months ago)"; non-HDL cholesterol where it is the only one."""
    total, days = whole(features["latest_total_cholesterol"], PER_ONE), features["days_since_total_cholesterol"]
    other, other_days = whole(features["latest_non_hdl_cholesterol"], PER_ONE), features["days_since_non_hdl_cholesterol"]
    days = days.where(features["latest_total_cholesterol"].notna(), other_days)
    # Of two only one is told, so that people with the same total have the same text.
    other[total >= 0] = -1
    return told(_say, total, other, spans(days), recent(days))


def _say(total: int, other: int, since: int, is_recent: int) -> str:
    if total < 0 and other < 0:
        return "no cholesterol in the last two years"
    name, value = ("total cholesterol", total) if total >= 0 else ("non-HDL cholesterol", other)
    return reading(name, f"{value / PER_ONE:.1f} mmol/L", since, bool(is_recent))


KINDS = ("total_cholesterol", "non_hdl_cholesterol")
REASON = ReasonSpec(
    name="cholesterol",
    title="Cholesterol",
    columns=tuple(pattern.format(kind) for kind in KINDS for pattern in ("latest_{}", "days_since_{}", "{}_change_per_year")),
    words=words,
)
