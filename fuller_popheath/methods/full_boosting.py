"""Gradient boosting of trees as scikit-learn does it, with a size of leaf that fits small tables too.

What does not belong here: any table of ours, and the choice of parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_SHARE = 25
"""A leaf needs no more than this part (one in so many) of the rows, or a small table would not be split at all."""

LEAST_KNOWN = 20
"""A column needs so many known values to be looked at."""

BINS = 64
"""Numbers are cut into so many bins, or as many as a category has values. More (255 are possible) were no better on make-believe data."""

ENOUGH_CELLS = 3_000_000
"""From how many cells of a matrix on several threads are worth it."""


class FullBoosting:
    """Boosted trees with interactions; NaN is missing.

    `parameters`: iterations (at most), iterations_per_root_event (no more than this times the root of the number of rows with the rarer outcome: what
    can be learnt grows with them, so a value found on a sample serves the whole), learning_rate, leaves (of a tree), least_rows (in a leaf), l2.
    """

    def __init__(self, is_categorical: tuple[bool, ...], parameters: Mapping[str, float], seed: int) -> None:
        self.is_categorical = tuple(bool(each) for each in is_categorical)
        self.parameters = dict(parameters)
        self.seed = int(seed)

    def fit(self, matrix: Floats, outcome: NDArray[Any], sample_weight: Floats | None = None) -> FullBoosting:
        """Learns from (rows, columns) and a true or false for each row. Raises ValueError where all rows have the same outcome."""
        self.used = usable_columns(matrix)
        self.trees = boosted(
            matrix[:, self.used], outcome, sample_weight, self.is_categorical_of(self.used), self.parameters, self.seed, additive=False
        )
        return self

    def is_categorical_of(self, columns: NDArray[np.int64]) -> tuple[bool, ...]:
        """Whether each of those columns is a category."""
        return tuple(self.is_categorical[j] for j in columns)

    def decision_function(self, matrix: Floats) -> Floats:
        """The log-odds of each row: float64 (rows,)."""
        with threads_for(matrix.size):
            return np.asarray(self.trees.decision_function(matrix[:, self.used]), dtype=np.float64)


def boosted(
    matrix: Floats,
    outcome: NDArray[Any],
    sample_weight: Floats | None,
    is_categorical: tuple[bool, ...],
    parameters: Mapping[str, float],
    seed: int,
    additive: bool,
) -> Any:
    """scikit-learn's histogram gradient boosting, fitted; `parameters` as in `FullBoosting`; `additive`: no interactions.

    No early stopping: it would hold people aside that the recalibration needs. Raises ValueError where all rows have the same outcome.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    truth = both_outcomes(outcome)
    scarce = min(int(truth.sum()), int((~truth).sum()))
    boosting = HistGradientBoostingClassifier(
        learning_rate=parameters["learning_rate"],
        max_iter=max(1, int(min(parameters["iterations"], parameters["iterations_per_root_event"] * scarce**0.5))),
        max_leaf_nodes=int(parameters["leaves"]),
        max_bins=max(BINS, *(int(np.nanmax(matrix[:, j])) + 1 for j, is_category in enumerate(is_categorical) if is_category), 2),
        min_samples_leaf=int(max(2, min(parameters["least_rows"], len(matrix) // LEAST_SHARE))),
        l2_regularization=parameters["l2"],
        categorical_features=list(is_categorical) if any(is_categorical) else None,
        interaction_cst="no_interactions" if additive else None,
        early_stopping=False,
        random_state=seed,
    )
    with threads_for(matrix.size):
        return boosting.fit(matrix, truth, sample_weight)


def usable_columns(matrix: Floats) -> NDArray[np.int64]:
    """The columns from which anything can be learnt: LEAST_KNOWN values are known, and not all of them, and of the missing, are the same.

    (scikit-learn cannot cut a column into bins of which its sample knows nothing.) Raises ValueError where there is none.
    """
    used = []
    for j, column in enumerate(matrix.T):
        known = column[~np.isnan(column)]
        if len(known) >= LEAST_KNOWN and (len(known) < len(column) or known.min() < known.max()):
            used.append(j)
    if not used:
        raise ValueError("no column varies between the rows")
    return np.array(used, dtype=np.int64)


@contextmanager
def threads_for(cells: int) -> Iterator[None]:
    """One thread while a small matrix is worked on: starting and waiting for more takes longer than the work, on a busy machine twenty times so."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1 if cells < ENOUGH_CELLS else None):
        yield


def both_outcomes(outcome: NDArray[Any]) -> NDArray[np.bool_]:
    """The outcomes as true or false. Raises ValueError where all are the same: nothing can be learnt."""
    truth = np.asarray(outcome, dtype=bool)
    if truth.all() or not truth.any():
        raise ValueError("fitting needs rows with the outcome and rows without it")
    return truth
