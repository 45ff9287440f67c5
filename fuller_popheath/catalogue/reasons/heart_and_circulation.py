"""Conditions of the heart and the vessels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, conditions
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_heart_failure": "heart failure",
    "has_coronary_heart_disease": "coronary heart disease",
    "has_myocardial_infarction": "a past heart attack",
    "has_atrial_fibrillation": "atrial fibrillation",
    "has_heart_valve_disease": "heart valve disease",
    "has_peripheral_arterial_disease": "peripheral arterial disease",
    "has_hypertension": "hypertension",
}
SINCE = {
    "has_heart_failure": "days_since_first_heart_failure",
    "has_coronary_heart_disease": "days_since_first_coronary_heart_disease",
    "has_atrial_fibrillation": "days_since_first_atrial_fibrillation",
    "has_hypertension": "days_since_first_hypertension",
}
NOTHING = "no heart or circulation condition on the disease registers"


def words(features: pd.DataFrame) -> Told:
    """ "heart failure (first recorded 3 months ago) and hypertension"."""
    return conditions(features, NAMES, NOTHING, SINCE)


REASON = ReasonSpec(name="heart_and_circulation", title="Heart and circulation", columns=(*NAMES, *SINCE.values()), words=words)
