"""The latest body-mass index, and how long ago it was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, flags, reading, recent, spans, told, trend, trends, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WORTH_TELLING = 1.5
"""A change of the body-mass index a year, in kg/m2: a local choice."""


def words(features: pd.DataFrame) -> Told:
    """ "BMI 34 (2 months ago), on the obesity register"."""
    days = features["days_since_bmi"]
    changes = trends(features["bmi_change_per_year"], WORTH_TELLING)
    return told(_say, whole(features["latest_bmi"]), spans(days), recent(days), changes, flags(features, ("has_obesity",)))


def _say(bmi: int, since: int, is_recent: int, change: int, obesity: int) -> str:
    measured = reading("BMI", str(bmi) if bmi >= 0 else "", since, bool(is_recent)) + (trend(change) if is_recent else "")
    return measured + (", on the obesity register" if obesity else "")


REASON = ReasonSpec(
    name="weight",
    title="Weight",
    columns=("has_obesity", "latest_bmi", "days_since_bmi", "bmi_change_per_year"),
    words=words,
)
