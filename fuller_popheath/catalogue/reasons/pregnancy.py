"""Pregnancy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, conditions
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_pregnancy": "pregnant, or was in the last ten months",
}
NOTHING = "no pregnancy recorded in the last ten months"


def words(features: pd.DataFrame) -> Told:
    """ "pregnant, or was in the last ten months"."""
    return conditions(features, NAMES, NOTHING)


REASON = ReasonSpec(name="pregnancy", title="Pregnancy", columns=tuple(NAMES), words=words)
