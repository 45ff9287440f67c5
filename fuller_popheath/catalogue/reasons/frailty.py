"""Frailty: the deficits of the electronic frailty index that are on record, and the degree that a clinician coded.

The index finds people to be assessed and is no diagnosis, so the words say which of the two it is. Under the age of 65 it has no categories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, told, which, whole
from fuller_popheath.codelists.weights import efi_36
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


CATEGORIES = ("fit", "mild", "moderate", "severe")
CODED = ("mild", "moderate", "severe")


def words(features: pd.DataFrame) -> Told:
    """ "severe frailty by index (16 of 36 deficits on record), frailty coded as moderate"."""
    return told(_say, which(features["efi_category"], CATEGORIES), whole(features["efi_deficit_count"]), which(features["coded_frailty"], CODED))


def _say(category: int, deficits: int, coded: int) -> str:
    of_all = f"{deficits or 'none'} of {len(efi_36())}"
    degree = CATEGORIES[category] if category >= 0 else ""
    if not degree:
        text = f"{of_all} frailty deficits on record"
    elif degree == "fit":
        text = f"not frail by index ({of_all} deficits on record)"
    else:
        text = f"{degree} frailty by index ({of_all} deficits on record)"
    return text + (f", frailty coded as {CODED[coded]}" if coded >= 0 else "")


REASON = ReasonSpec(name="frailty", title="Frailty", columns=("efi_deficit_count", "efi_category", "coded_frailty"), words=words)
