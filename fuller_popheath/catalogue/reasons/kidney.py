"""Chronic kidney disease and the latest eGFR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import YEAR, Told, ago, flags, reading, recent, spans, told, trend, trends, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WORTH_TELLING = 5
"""A change of eGFR a year, in mL/min/1.73m2: a local choice."""


def words(features: pd.DataFrame) -> Told:
    """ "chronic kidney disease, eGFR 38 (3 months ago), falling by about 7 a year"."""
    days = features["days_since_egfr"]
    disease = flags(features, ("has_chronic_kidney_disease",))
    new = spans(features["days_since_first_chronic_kidney_disease"], longest=YEAR)
    changes = trends(features["egfr_change_per_year"], WORTH_TELLING)
    return told(_say, disease, new, whole(features["latest_egfr"]), spans(days), recent(days), changes)


def _say(disease: int, new: int, egfr: int, since: int, is_recent: int, change: int) -> str:
    condition = "chronic kidney disease" + (f" (first recorded {ago(new)})" if new >= 0 else "") if disease else ""
    measured = reading("eGFR", str(egfr) if egfr >= 0 else "", since, bool(is_recent)) + (trend(change) if is_recent else "")
    return f"{condition}, {measured}" if condition else f"{measured}, no chronic kidney disease on the register"


REASON = ReasonSpec(
    name="kidney",
    title="Kidneys",
    columns=(
        *("has_chronic_kidney_disease", "days_since_first_chronic_kidney_disease"),
        *("latest_egfr", "days_since_egfr", "egfr_change_per_year"),
    ),
    words=words,
)
