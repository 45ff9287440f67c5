"""The ethnic group that the practice recorded, by the headings of the NHS Data Dictionary's ETHNIC CATEGORY CODE 2001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, as_recorded
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WORDS = {
    "white": "recorded ethnic group: White",
    "mixed": "recorded ethnic group: Mixed",
    "asian": "recorded ethnic group: Asian or Asian British",
    "black": "recorded ethnic group: Black or Black British",
    "other": "recorded ethnic group: Chinese or other",
    "unknown": "ethnic group not stated or not recorded",
}


def words(features: pd.DataFrame) -> Told:
    """ "recorded ethnic group: Asian or Asian British"."""
    return as_recorded(features["ethnic_group"], WORDS, "unknown")


REASON = ReasonSpec(name="ethnic_group", title="Ethnic group", columns=("ethnic_category", "ethnic_group"), words=words)
