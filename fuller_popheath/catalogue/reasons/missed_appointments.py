"""Appointments that were not attended, whatever the cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, many, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "2 appointments not attended in the last year"."""
    return told(_say, *(whole(features[f"did_not_attend_count_{days}"]) for days in (365, 730)))


def _say(year: int, two_years: int) -> str:
    if year > 0:
        return f"{many(year, 'appointment')} not attended in the last year"
    if two_years > 0:
        return f"{many(two_years, 'appointment')} not attended in the year before the last, none since"
    return "no appointment on record as not attended in the last two years"


REASON = ReasonSpec(
    name="missed_appointments",
    title="Appointments not attended",
    columns=("did_not_attend_count_365", "did_not_attend_count_730"),
    words=words,
)
