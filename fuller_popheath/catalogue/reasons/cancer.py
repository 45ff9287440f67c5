"""Cancer on the register, which knows diagnoses since April 2003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, YEAR, Told, ago, flags, spans, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "cancer (first recorded 8 months ago)"."""
    return told(_say, flags(features, ("has_cancer", "has_metastatic_cancer")), spans(features["days_since_first_cancer"], longest=YEAR))


def _say(facts: int, new: int) -> str:
    if not facts:
        return "no cancer on the disease register"
    return ("metastatic cancer" if facts & 2 else "cancer") + (f" (first recorded {ago(new)})" if new != NOT_THERE else "")


REASON = ReasonSpec(name="cancer", title="Cancer", columns=("has_cancer", "has_metastatic_cancer", "days_since_first_cancer"), words=words)
