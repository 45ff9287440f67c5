"""The latest blood pressure, and how long ago it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, reading, recent, spans, told, trend, trends, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WORTH_TELLING = 10
"""A change of the systolic pressure a year, in mmHg: a local choice."""


def words(features: pd.DataFrame) -> Told:
    """ "blood pressure 162/94 (3 months ago)"; "no blood-pressure reading for 18 months (162/94 then)"."""
    days = features["days_since_systolic_bp"]
    diastolic = whole(features["latest_diastolic_bp"].where(days == features["days_since_diastolic_bp"]))
    changes = trends(features["systolic_bp_change_per_year"], WORTH_TELLING)
    return told(_say, whole(features["latest_systolic_bp"]), diastolic, spans(days), recent(days), changes)


def _say(systolic: int, diastolic: int, since: int, is_recent: int, change: int) -> str:
    if systolic < 0:
        # A diastolic pressure alone is no reading that anybody can use.
        return "no whole blood-pressure reading in the last two years"
    value = f"{systolic}/{diastolic}" if diastolic >= 0 else f"{systolic} systolic"
    if not is_recent:
        return reading("blood-pressure reading", value, since, is_recent=False)
    return reading("blood pressure", value, since, is_recent=True) + trend(change)


REASON = ReasonSpec(
    name="blood_pressure",
    title="Blood pressure",
    columns=(
        *("latest_systolic_bp", "days_since_systolic_bp", "systolic_bp_change_per_year"),
        *("latest_diastolic_bp", "days_since_diastolic_bp", "diastolic_bp_change_per_year"),
    ),
    words=words,
)
