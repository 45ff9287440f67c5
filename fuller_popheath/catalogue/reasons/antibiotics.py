"""How often antibiotics were issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, times, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "antibiotic issued 4 times in the last year"."""
    return told(_say, whole(features["antibiotic_issue_count_365"]))


def _say(issues: int) -> str:
    return f"antibiotic issued {times(issues)} in the last year" if issues > 0 else "no antibiotic issued in the last year"


REASON = ReasonSpec(name="antibiotics", title="Antibiotics", columns=("antibiotic_issue_count_365",), words=words)
