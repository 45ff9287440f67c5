"""Diabetes, blood glucose and the medicines that lower it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, flags, reading, recent, spans, told, trend, trends, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


FACTS = (
    "has_diabetes",
    "has_diabetes_type_1",
    "has_diabetes_complication",
    "has_non_diabetic_hyperglycaemia",
    "has_insulin_365",
    "has_metformin_365",
)
WORTH_TELLING = 5
"""A change of HbA1c a year, in mmol/mol: a local choice."""


def words(features: pd.DataFrame) -> Told:
    """ "diabetes with complications, HbA1c 74 mmol/mol (5 months ago), insulin in the last year"."""
    days = features["days_since_hba1c"]
    changes = trends(features["hba1c_change_per_year"], WORTH_TELLING)
    return told(_say, flags(features, FACTS), whole(features["latest_hba1c"]), spans(days), recent(days), changes)


def _say(facts: int, hba1c: int, since: int, is_recent: int, change: int) -> str:
    diabetes, type_1, complication, raised, insulin, metformin = (bool(facts >> place & 1) for place in range(len(FACTS)))
    known = diabetes or type_1
    condition = "type 1 diabetes" if type_1 else "diabetes" if diabetes else "no diabetes on the register"
    medicines = " and ".join(name for name, issued in (("insulin", insulin), ("metformin", metformin)) if issued)
    measured = reading("HbA1c", f"{hba1c} mmol/mol" if hba1c >= 0 else "", since, bool(is_recent))
    parts = (
        condition + (" with complications" if known and complication else ""),
        "non-diabetic hyperglycaemia" if raised else "",
        measured + (trend(change) if is_recent else "") if known or raised or hba1c >= 0 else "",
        f"{medicines} in the last year" if medicines else "",
    )
    return ", ".join(filter(None, parts))


REASON = ReasonSpec(
    name="diabetes",
    title="Diabetes",
    columns=(*FACTS, "days_since_first_diabetes", "latest_hba1c", "days_since_hba1c", "hba1c_change_per_year"),
    words=words,
)
