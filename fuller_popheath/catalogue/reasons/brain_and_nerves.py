"""Conditions of the brain and the nerves, but for dementia."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, conditions
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_stroke_tia": "stroke or TIA",
    "has_hemiplegia": "hemiplegia",
    "has_parkinsons_disease": "Parkinson's disease",
    "has_multiple_sclerosis": "multiple sclerosis",
    "has_epilepsy": "epilepsy",
}
SINCE = {
    "has_stroke_tia": "days_since_first_stroke_tia",
}
NOTHING = "no condition of the brain or nerves on the disease registers"


def words(features: pd.DataFrame) -> Told:
    """ "stroke or TIA and epilepsy"."""
    return conditions(features, NAMES, NOTHING, SINCE)


REASON = ReasonSpec(name="brain_and_nerves", title="Brain and nerves", columns=(*NAMES, *SINCE.values()), words=words)
