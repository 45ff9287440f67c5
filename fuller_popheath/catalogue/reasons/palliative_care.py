"""Palliative care."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, conditions
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_palliative_care": "on the palliative care register",
}
SINCE = {
    "has_palliative_care": "days_since_first_palliative_care",
}
NOTHING = "not on the palliative care register"


def words(features: pd.DataFrame) -> Told:
    """ "on the palliative care register (first recorded 3 weeks ago)"."""
    return conditions(features, NAMES, NOTHING, SINCE)


REASON = ReasonSpec(name="palliative_care", title="Palliative care", columns=(*NAMES, *SINCE.values()), words=words)
