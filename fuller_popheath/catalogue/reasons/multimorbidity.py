"""How many long-term conditions somebody has, of those that are counted (Payne and others, CMAJ 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, many, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NOTHING = "none of the long-term conditions that are counted"


def words(features: pd.DataFrame) -> Told:
    """ "7 long-term conditions"; the weighted scores that are in the same reason are never told."""
    return told(lambda count: many(count, "long-term condition") if count else NOTHING, whole(features["condition_count"]))


REASON = ReasonSpec(
    name="multimorbidity",
    title="Number of long-term conditions",
    columns=("cambridge_general_score", "cambridge_condition_count", "charlson_score", "condition_count", "has_multimorbidity"),
    words=words,
)
