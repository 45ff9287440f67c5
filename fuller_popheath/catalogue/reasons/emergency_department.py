"""Attendances at emergency departments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, Told, ago, many, span, spans, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "4 A&E attendances in the last year, the last 3 weeks ago"."""
    counts = (whole(features[column]) for column in ("ed_attendance_count_365", "ed_attendance_count_730"))
    return told(_say, *counts, spans(features["days_since_last_ed_attendance"]))


def _say(year: int, two_years: int, since: int) -> str:
    if year > 0:
        last = f", {'the last ' if year > 1 else ''}{ago(since)}" if since != NOT_THERE else ""
        return f"{many(year, 'A&E attendance')} in the last year{last}"
    if two_years > 0:
        return f"no A&E attendance in the last year, {two_years} the year before"
    return f"no A&E attendance for {span(since)}" if since != NOT_THERE else "no A&E attendance in the last two years"


REASON = ReasonSpec(
    name="emergency_department",
    title="A&E attendances",
    columns=(*(f"ed_attendance_count_{days}" for days in (90, 365, 730)), "ed_major_attendance_count_365", "days_since_last_ed_attendance"),
    words=words,
)
