"""Mental health conditions, and the medicines that are given for them and for other things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, YEAR, Told, ago, chosen, flags, listed, spans, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {"has_severe_mental_illness": "severe mental illness", "has_depression": "depression", "has_anxiety": "anxiety"}
SINCE = {"has_severe_mental_illness": "days_since_first_severe_mental_illness", "has_depression": "days_since_first_depression"}
MEDICINES = {
    "has_antipsychotic_365": "antipsychotic",
    "has_antidepressant_365": "antidepressant",
    "has_anxiolytic_365": "anxiolytic",
}


def words(features: pd.DataFrame) -> Told:
    """ "depression and anxiety, antidepressant in the last year"."""
    new = (spans(features[days], longest=YEAR) for days in SINCE.values())
    return told(_say, flags(features, tuple(NAMES)), flags(features, tuple(MEDICINES)), *new)


def _say(held: int, issued: int, *new: int) -> str:
    first = {column: f" (first recorded {ago(key)})" for column, key in zip(SINCE, new, strict=True) if key != NOT_THERE}
    names = listed([NAMES[column] + first.get(column, "") for column in chosen(held, tuple(NAMES))])
    medicines = listed([MEDICINES[column] for column in chosen(issued, tuple(MEDICINES))])
    condition = names or "no mental health condition on the disease registers"
    return condition + (f", {medicines} in the last year" if medicines else "")


REASON = ReasonSpec(name="mental_health", title="Mental health", columns=(*NAMES, *SINCE.values(), *MEDICINES), words=words)
