"""Conditions and circumstances that stand in no other reason: some by name, the others only counted.

What people expect to be told to nobody (HIV, addiction, homelessness, being in care) is never named. It is counted among others that could be
named, so that being counted does not give it away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, chosen, flags, listed, many, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_severe_liver_disease": "severe liver disease",
    "has_chronic_liver_disease": "chronic liver disease",
    "has_inflammatory_bowel_disease": "inflammatory bowel disease",
    "has_rheumatoid_arthritis": "rheumatoid arthritis",
    "has_connective_tissue_disease": "connective tissue disease",
    "has_osteoporosis": "osteoporosis",
    "has_visual_impairment": "visual impairment",
    "has_hearing_loss": "hearing loss",
}
COUNTED = (
    *("has_thyroid_disease", "has_migraine", "has_peptic_ulcer", "has_eating_disorder"),
    *("has_hiv", "has_alcohol_problems", "has_substance_misuse", "has_homelessness", "has_looked_after_child"),
)


def words(features: pd.DataFrame) -> Told:
    """ "osteoporosis, hearing loss and 1 more"."""
    return told(_say, flags(features, tuple(NAMES)), flags(features, COUNTED))


def _say(named: int, others: int) -> str:
    names, count = [NAMES[column] for column in chosen(named, tuple(NAMES))], others.bit_count()
    if not names:
        return many(count, "other recorded condition or circumstance", "other recorded conditions or circumstances") if count else NOTHING
    return listed([*names, f"{count} more"] if count else names)


NOTHING = "none of the other conditions and circumstances that are looked at"
REASON = ReasonSpec(name="other_conditions", title="Other conditions and circumstances", columns=(*NAMES, *COUNTED), words=words)
