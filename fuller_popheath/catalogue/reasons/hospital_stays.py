"""Time in hospital, of any kind, and planned admissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, ago, flags, listed, many, spans, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


JUST_DISCHARGED = 90
"""Days for which a discharge is told: a local choice."""


def words(features: pd.DataFrame) -> Told:
    """ "23 nights in hospital (20 of them as an emergency) and 1 planned admission in the last year, discharged 3 weeks ago"."""
    counts = ("admission_count_365", "elective_admission_count_365", "bed_day_count_365", "emergency_bed_day_count_365")
    discharged = spans(features["days_since_last_discharge"], longest=JUST_DISCHARGED)
    admitted = (spans(features["days_since_last_admission"]) >= 0) | (spans(features["days_since_last_discharge"]) >= 0)
    return told(_say, *(whole(features[column]) for column in counts), flags(features, ("is_in_hospital",)), discharged, admitted)


def _say(admissions: int, planned: int, nights: int, emergency_nights: int, in_hospital: int, discharged: int, admitted: int) -> str:
    how = f"{emergency_nights} of them as an emergency"
    if emergency_nights == nights:
        how = "all as an emergency" if nights > 1 else "as an emergency"
    without = many(admissions, "admission" if planned < admissions else "planned admission") + " without a night"
    some_planned = f", {planned} of them planned" if 0 < planned < admissions else ""
    in_the_year = (
        f"{many(nights, 'night')} in hospital" + (f" ({how})" if emergency_nights > 0 else ""),
        f"{many(planned, 'planned admission')}" if planned > 0 else "",
    )
    year = listed(list(filter(None, in_the_year))) if nights > 0 else without if admissions > 0 else ""
    parts = (
        "in hospital on the day" if in_hospital else "",
        f"{year} in the last year{some_planned if nights <= 0 else ''}" if year else "",
        f"discharged {ago(discharged)}" if discharged >= 0 and not in_hospital else "",
    )
    return ", ".join(filter(None, parts)) or ("no stay in hospital in the last year" if admitted else "no stay in hospital in the last two years")


REASON = ReasonSpec(
    name="hospital_stays",
    title="Time in hospital",
    columns=(
        *("admission_count_365", "elective_admission_count_365", "elective_admission_count_730", "bed_day_count_365", "emergency_bed_day_count_365"),
        *("is_in_hospital", "days_since_last_admission", "days_since_last_discharge", "last_admission_length_days"),
    ),
    words=words,
)
