"""How old somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "aged 84"."""
    return told(lambda years: f"aged {years}" if years else "under 1 year old", whole(features["age_years"]))


REASON = ReasonSpec(name="age", title="Age", columns=("age_years",), words=words)
