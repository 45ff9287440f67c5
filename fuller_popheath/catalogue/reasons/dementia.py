"""Dementia, and the medicines for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import YEAR, Told, ago, flags, spans, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "dementia (first recorded 5 months ago)"."""
    return told(_say, flags(features, ("has_dementia", "has_dementia_drug_365")), spans(features["days_since_first_dementia"], longest=YEAR))


def _say(facts: int, new: int) -> str:
    condition = "dementia" + (f" (first recorded {ago(new)})" if new >= 0 else "") if facts & 1 else "no dementia on the disease register"
    return condition + (", dementia medicine in the last year" if facts & 2 else "")


REASON = ReasonSpec(
    name="dementia",
    title="Dementia",
    columns=("has_dementia", "days_since_first_dementia", "has_dementia_drug_365"),
    words=words,
)
