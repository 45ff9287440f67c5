"""Emergency admissions: how many, and how long ago the last was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, Told, ago, many, span, spans, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


COUNTED = tuple(f"emergency_admission_count_{days}" for days in (365, 1095))


def words(features: pd.DataFrame) -> Told:
    """ "3 emergency admissions in the last year, the last 5 weeks ago, 1 of them within 30 days of a discharge"."""
    counts = (whole(features[column]) for column in (*COUNTED, "emergency_readmission_count_365"))
    return told(_say, *counts, spans(features["days_since_last_emergency_admission"]))


def _say(year: int, three_years: int, readmissions: int, since: int) -> str:
    if year > 0:
        again = {0: "", 1: "it was" if year == 1 else "1 of them"}.get(readmissions, f"{readmissions} of them")
        parts = (
            f"{many(year, 'emergency admission')} in the last year",
            f"{'the last ' if year > 1 else ''}{ago(since)}" if since != NOT_THERE else "",
            f"{again} within 30 days of a discharge" if again else "",
        )
        return ", ".join(filter(None, parts))
    if three_years > 0:
        return f"no emergency admission in the last year, {three_years} in the two years before"
    return f"no emergency admission for {span(since)}" if since != NOT_THERE else "no emergency admission in the last two years"


REASON = ReasonSpec(
    name="emergency_admissions",
    title="Emergency admissions",
    columns=(
        *(f"emergency_admission_count_{days}" for days in (90, 365, 730, 1095)),
        *("days_since_last_emergency_admission", "emergency_readmission_count_365"),
    ),
    words=words,
)
