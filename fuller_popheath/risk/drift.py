"""Whether what goes into a model in use still looks as it did when the model was made, as the rows of risk/drift.

The reference (shares of people in fixed ranges of each feature) is made once, at training, and kept with the model, so that the training data need
not be. What does not belong here: whether the model is still right (`scorecard`), and why something changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.disclosure.small_numbers import LARGEST_HIDDEN, rounded
from fuller_popheath.errors import ContractBroken
from fuller_popheath.risk.evaluation import table_of
from fuller_popheath.risk.verdicts import of_drift

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.methods.stability import ReferenceBins
    from fuller_popheath.site import Monitoring

DRIFT = "risk/drift"
PREDICTED_RISK = "predicted_risk"
KEYS = ("as_of", "person_id")
"""Columns of a feature table that say who and when."""

Reference = Mapping[str, Mapping[str, Any]]
"""Per feature the ranges and the shares of people in them, of plain values that a manifest can hold."""

SHARE_DIGITS = 4
"""Shares are kept to the ten-thousandth, below which the index does not look."""

LEAST_PEOPLE = 10
"""The reference has no range of fewer people: a range of one, with that person's value as its edge, would be a record of them."""

INDEX_DIGITS = 3
"""The index is published so: of a yes or no, a finer one tells the exact number of people."""


def reference_of(features: pa.Table, probability: np.ndarray | None = None) -> dict[str, dict[str, Any]]:
    """The reference of every feature of the people a model was made with, and of what it predicted for them, for the model's manifest.

    JSON goes in and out of it unchanged. Numbers have the ranges of their tenths, texts one a value, missing its own; each range holds LEAST_PEOPLE
    or nobody (`stability.reference_bins`), and a feature that fewer people have is left out. `probability` should be of people the model was not
    fitted on.
    """
    import pandas as pd

    columns = _columns(features, probability)
    return {name: _plain(values) for name, values in columns if np.count_nonzero(pd.notna(values)) >= LEAST_PEOPLE}


def drift(
    reference: Reference,
    features: pa.Table,
    probability: np.ndarray | None,
    about_model: Mapping[str, object],
    as_of: date,
    monitoring: Monitoring,
) -> pa.Table:
    """The rows of risk/drift: each feature of the reference against the people of today, and the predicted risk where both have it.

    `about_model`: outcome, age_group and model_id. Raises ContractBroken naming the features of the reference that `features` has not.
    """
    from fuller_popheath.methods.stability import stability_against

    gone = sorted(set(reference) - {PREDICTED_RISK} - set(features.column_names))
    if gone:
        raise ContractBroken(f"{about_model['model_id']}: {len(gone)} features it was made with are not there: {', '.join(gone[:5])}; train anew")
    rows = []
    for name, values in _columns(features, probability):
        if name in reference:
            found = stability_against(_bins(reference[name]), values)
            index, then, now = (_known(n) for n in (found.index, found.missing_share_reference, found.missing_share_now))
            missing_then, missing_now = (None if share is None else min(100 * share, 100.0) for share in (then, now))
            rows.append(
                {
                    "as_of": as_of,
                    **{key: about_model[key] for key in ("outcome", "age_group", "model_id")},
                    "feature": name,
                    # An index of nothing changed can fall below nought by rounding alone.
                    "population_stability_index": None if index is None else max(round(index, INDEX_DIGITS), 0.0),
                    "missing_percent_training": _shown_percent(then, int(reference[name]["people_count"])),
                    "missing_percent_now": _shown_percent(now, len(values)),
                    # Reached from what is exact: what is hidden or rounded decides nothing.
                    "verdict": of_drift(index, missing_then, missing_now, monitoring),
                }
            )
    return table_of(rows, DRIFT)


def _columns(features: pa.Table, probability: np.ndarray | None) -> Iterator[tuple[str, np.ndarray]]:
    import pyarrow as pa

    for name in features.column_names:
        if name not in KEYS:
            cells = features[name]
            is_text = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_dictionary(cells.type)
            yield name, (cells.to_numpy() if is_text else np.asarray(cells.cast(pa.float64()).to_numpy()))
    if probability is not None:
        yield PREDICTED_RISK, np.asarray(probability, np.float64)


def _plain(values: np.ndarray) -> dict[str, Any]:
    from fuller_popheath.methods.stability import reference_bins

    bins = asdict(reference_bins(values, least_people=LEAST_PEOPLE))
    bins["shares"] = [round(share, SHARE_DIGITS) for share in bins["shares"]]
    bins["upper_edges"], bins["categories"] = list(bins["upper_edges"]), list(bins["categories"])
    bins["missing_share"] = _known(round(bins["missing_share"], SHARE_DIGITS))
    bins["people_count"] = int(rounded(bins["people_count"]))
    return bins


def _bins(plain: Mapping[str, Any]) -> ReferenceBins:
    from fuller_popheath.methods.stability import ReferenceBins

    missing = plain["missing_share"]
    return ReferenceBins(
        upper_edges=tuple(plain["upper_edges"]),
        categories=tuple(plain["categories"]),
        shares=tuple(plain["shares"]),
        missing_share=float("nan") if missing is None else float(missing),
        people_count=int(plain["people_count"]),
    )


def _shown_percent(share: float | None, people: int) -> float | None:
    """A share of so many people as it is published: percent to one decimal, of counts to the nearest 5; None where either side is 1 to 7 people."""
    if share is None or not people:
        return None
    missing = round(share * people)
    if any(0 < count <= LARGEST_HIDDEN for count in (missing, people - missing)):
        return None
    counts = rounded([missing, people])
    return min(round(100 * int(counts[0]) / int(counts[1]), 1), 100.0)


def _known(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
