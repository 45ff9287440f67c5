"""How deprived the area is in which somebody lives, which says nothing certain about the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, Told, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


FIFTHS = (
    "the most deprived fifth of areas in England",
    "the second most deprived fifth of areas in England",
    "the middle fifth of areas in England by deprivation",
    "the second least deprived fifth of areas in England",
    "the least deprived fifth of areas in England",
)
EDITIONS = (2025, 2019)
"""The edition that is told is the newest that knows the area."""


def words(features: pd.DataFrame) -> Told:
    """ "lives in the most deprived fifth of areas in England (index of 2025)"."""
    newest, before = (whole(features[f"imd_{edition}_quintile"]) for edition in EDITIONS)
    return told(_say, newest, before)


def _say(newest: int, before: int) -> str:
    for quintile, edition in zip((newest, before), EDITIONS, strict=True):
        if quintile != NOT_THERE:
            return f"lives in {FIFTHS[quintile - 1]} (index of {edition})"
    return "deprivation of the area not known"


REASON = ReasonSpec(
    name="deprivation",
    title="Deprivation of the area",
    columns=("imd_2019_quintile", "imd_2025_quintile", "is_core20_2019", "is_core20_2025"),
    words=words,
)
