"""The sex that the practice recorded, which is not gender identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, as_recorded
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WORDS = {
    "male": "recorded as male",
    "female": "recorded as female",
    "indeterminate": "sex recorded as indeterminate",
    "unknown": "sex not recorded",
}


def words(features: pd.DataFrame) -> Told:
    """ "recorded as female"."""
    return as_recorded(features["sex"], WORDS, "unknown")


REASON = ReasonSpec(name="sex", title="Sex", columns=("sex",), words=words)
