"""How many medicines somebody is issued.

A medicine is a group of the code lists, coarser than a product, so the words say kinds of medicine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, many, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "14 kinds of medicine in the last year, 96 issues in all"."""
    return told(_say, whole(features["medicine_count_365"]), whole(features["issue_count_365"]))


def _say(kinds: int, issues: int) -> str:
    if kinds <= 0:
        return "no medicine issued in the last year"
    return f"{many(kinds, 'kind')} of medicine in the last year, {many(issues, 'issue')} in all"


REASON = ReasonSpec(
    name="medicines",
    title="Number of medicines",
    columns=(
        *(f"{what}_count_{days}" for what in ("medicine", "issue") for days in (90, 365)),
        *("has_polypharmacy", "anticholinergic_group_count_365"),
    ),
    words=words,
)
