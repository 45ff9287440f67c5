"""Learning disability and autism."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, conditions
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_learning_disability": "learning disability",
    "has_autism": "autism",
}
NOTHING = "no learning disability or autism recorded"


def words(features: pd.DataFrame) -> Told:
    """ "learning disability"."""
    return conditions(features, NAMES, NOTHING)


REASON = ReasonSpec(name="learning_disability_and_autism", title="Learning disability and autism", columns=tuple(NAMES), words=words)
