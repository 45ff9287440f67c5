"""Medicines for the heart and the vessels that were issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, chosen, flags, listed, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_anticoagulant_365": "anticoagulant",
    "has_antiplatelet_365": "antiplatelet",
    "has_loop_diuretic_365": "loop diuretic",
    "has_antihypertensive_365": "blood-pressure medicine",
    "has_statin_365": "statin",
}


def words(features: pd.DataFrame) -> Told:
    """ "anticoagulant, loop diuretic and statin in the last year"."""
    return told(_say, flags(features, tuple(NAMES)))


def _say(issued: int) -> str:
    names = [NAMES[column] for column in chosen(issued, tuple(NAMES))]
    return f"{listed(names)} in the last year" if names else f"no {listed(tuple(NAMES.values()), 'or')} in the last year"


REASON = ReasonSpec(name="heart_medicines", title="Medicines for heart and circulation", columns=tuple(NAMES), words=words)
