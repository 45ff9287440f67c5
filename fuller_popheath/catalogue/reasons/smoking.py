"""Whether somebody is recorded as a smoker, and how long ago that was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, Told, ago, spans, told, which
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WORDS = {"current": "recorded as a smoker", "former": "recorded as an ex-smoker", "never": "recorded as never having smoked"}


def words(features: pd.DataFrame) -> Told:
    """ "recorded as a smoker (2 years ago)"."""
    return told(_say, which(features["smoking_status"], tuple(WORDS)), spans(features["days_since_smoking"]))


def _say(status: int, since: int) -> str:
    if status == NOT_THERE:
        return "smoking not recorded in the last two years"
    return tuple(WORDS.values())[status] + (f" ({ago(since)})" if since != NOT_THERE else "")


REASON = ReasonSpec(name="smoking", title="Smoking", columns=("smoking_status", "days_since_smoking"), words=words)
