"""Opioids and anti-inflammatory painkillers that were issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, flags, times, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "opioid issued 12 times in the last year"."""
    return told(_say, whole(features["opioid_issue_count_365"]), flags(features, ("has_nsaid_365",)))


def _say(opioids: int, anti_inflammatory: int) -> str:
    if opioids > 0:
        return f"opioid issued {times(opioids)}{' and an anti-inflammatory' if anti_inflammatory else ''} in the last year"
    return f"{'anti-inflammatory' if anti_inflammatory else 'no opioid or anti-inflammatory'} issued in the last year"


REASON = ReasonSpec(
    name="pain_medicines",
    title="Painkillers",
    columns=("opioid_issue_count_365", "has_opioid_365", "has_nsaid_365"),
    words=words,
)
