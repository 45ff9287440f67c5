"""Conditions of the lungs, and inhaled steroids, which are given for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, YEAR, Told, ago, chosen, flags, listed, spans, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {"has_copd": "COPD", "has_asthma": "asthma", "has_bronchiectasis": "bronchiectasis"}
SINCE = {"has_copd": "days_since_first_copd", "has_asthma": "days_since_first_asthma"}
STEROID = "has_inhaled_corticosteroid_365"


def words(features: pd.DataFrame) -> Told:
    """ "COPD and asthma, inhaled steroid in the last year"."""
    new = (spans(features[days], longest=YEAR) for days in SINCE.values())
    return told(_say, flags(features, (*NAMES, STEROID)), *new)


def _say(facts: int, *new: int) -> str:
    first = {column: f" (first recorded {ago(key)})" for column, key in zip(SINCE, new, strict=True) if key != NOT_THERE}
    held = chosen(facts, (*NAMES, STEROID))
    names = [NAMES[column] + first.get(column, "") for column in held if column in NAMES]
    steroid = ", inhaled steroid in the last year" if STEROID in held else ""
    return (listed(names) or "no lung condition on the disease registers") + steroid


REASON = ReasonSpec(name="lungs", title="Lungs", columns=(*NAMES, *SINCE.values(), STEROID), words=words)
