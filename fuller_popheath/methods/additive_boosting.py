"""Gradient boosting without interactions, kept as one look-up table a column: a score that is a sum anybody can check.

The trees are scikit-learn's (histogram gradient boosting, `interaction_cst="no_interactions"`: Lou, Caruana and Gehrke, KDD 2012, call the kind of
model a generalised additive model of boosted trees). Every tree looks at one column, so all of them together are one step function a column; after
fitting only those steps are kept. What does not belong here: any table of ours, and the choice of parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuller_popheath.methods.full_boosting import boosted, threads_for, usable_columns

Floats = NDArray[np.float64]

FEW_STEPS = 6
"""Up to so many steps comparing a value with each is quicker than searching among them."""

MOST_DIFFERENCE = 1e-9
"""How far the tables may be from scikit-learn's own sum (relative to its size): the order of adding up, and no more."""

_CHECKED_ROWS = 256


class AdditiveBoosting:
    """`intercept` + a step function of each column, learnt by boosting; NaN is missing and has its own value.

    `parameters` as in `FullBoosting`. `is_categorical` marks columns of codes (whole numbers from 0); a code not seen at the fit counts as missing.
    After `fit` the state is the intercept and three plain arrays.

    `starts[j]` to `starts[j + 1]` are column j's places in `steps`, rising: a value belongs to the first step it does not exceed. `values` has for
    each column one more value than steps and then the one for missing.
    """

    def __init__(self, is_categorical: tuple[bool, ...], parameters: Mapping[str, float], seed: int) -> None:
        self.is_categorical = tuple(bool(each) for each in is_categorical)
        self.parameters = dict(parameters)
        self.seed = int(seed)

    def fit(self, matrix: Floats, outcome: NDArray[Any], sample_weight: Floats | None = None) -> AdditiveBoosting:
        """Learns from (rows, columns) and a true or false for each row. Raises ValueError where all rows have the same outcome."""
        used = usable_columns(matrix)
        seen, is_categorical = matrix[:, used], tuple(self.is_categorical[j] for j in used)
        trees = boosted(seen, outcome, sample_weight, is_categorical, self.parameters, self.seed, additive=True)
        tables = _tables(trees, [_codes(seen[:, j]) if is_category else None for j, is_category in enumerate(is_categorical)])
        self.intercept = float(np.ravel(trees._baseline_prediction)[0])
        self._keep(dict(zip(used.tolist(), tables, strict=True)))
        checked = matrix[:: max(1, len(matrix) // _CHECKED_ROWS)]
        with threads_for(checked.size):
            theirs = trees.decision_function(checked[:, used])
        if np.abs(self.decision_function(checked) - theirs).max() > MOST_DIFFERENCE * (1 + np.abs(theirs).max()):
            raise RuntimeError("the look-up tables do not add up to scikit-learn's trees: this version of it keeps them in another way")
        self._centre(matrix, sample_weight)
        return self

    def decision_function(self, matrix: Floats) -> Floats:
        """The log-odds of each row: float64 (rows,). Added up column by column in one order, so a row alone scores to the bit as among others."""
        total = np.full(len(matrix), self.intercept)
        for _, part in self._parts(matrix):
            total += part
        return total

    def contributions(self, matrix: Floats) -> tuple[float, Floats]:
        """The intercept and what each column adds to it (rows, columns); on average over the rows of the fit a column adds nothing."""
        parts = np.zeros((len(matrix), len(self.starts) - 1), order="F")
        for j, part in self._parts(matrix):
            parts[:, j] = part
        return self.intercept, parts

    def shape(self, column: int) -> tuple[Floats, Floats, float]:
        """A column's steps (upper ends, rising), the value of each and beyond the last one, and the value for missing."""
        steps, values = self._table(column)
        return steps, values[:-1], float(values[-1])

    def _table(self, j: int) -> tuple[Floats, Floats]:
        start, end = self.starts[j], self.starts[j + 1]
        return self.steps[start:end], self.values[start + 2 * j : end + 2 * j + 2]

    def _parts(self, matrix: Floats) -> Iterator[tuple[int, Floats]]:
        """What each column that matters adds, in the order of the columns."""
        for j in range(len(self.starts) - 1):
            steps, values = self._table(j)
            if len(steps) or values[0] != 0 or values[-1] != 0:
                yield j, values[_places(matrix[:, j], steps)]

    def _keep(self, known: dict[int, tuple[Floats, Floats]]) -> None:
        tables = [known.get(j, (np.empty(0), np.zeros(2))) for j in range(len(self.is_categorical))]
        self.starts = np.cumsum([0, *(len(steps) for steps, _ in tables)]).astype(np.int64)
        self.steps = np.concatenate([steps for steps, _ in tables])
        self.values = np.concatenate([values for _, values in tables])

    def _centre(self, matrix: Floats, sample_weight: Floats | None) -> None:
        """Moves each column's average over the rows of the fit into the intercept, so that a contribution is relative to the average row."""
        for j, part in self._parts(matrix):
            average = float(np.average(part, weights=sample_weight))
            self._table(j)[1][:] -= average
            self.intercept += average


def _codes(column: Floats) -> NDArray[np.int64]:
    return np.unique(column[~np.isnan(column)]).astype(np.int64)


def _places(column: Floats, steps: Floats) -> NDArray[np.intp]:
    """For each value its place in a table of values: the first step it does not exceed, else one past the last; missing comes after that."""
    if len(steps) <= FEW_STEPS:
        places = np.zeros(len(column), dtype=np.intp)
        for step in steps:
            places += column > step
    else:
        places = np.searchsorted(steps, column)
    places[np.isnan(column)] = len(steps) + 1
    return places


def _tables(trees: Any, codes: list[NDArray[np.int64] | None]) -> list[tuple[Floats, Floats]]:
    """Steps and values of every column, from the trees that look at it."""
    # scikit-learn puts categories first and numbers them among the codes it saw.
    columns = len(codes)
    order = [j for j in range(columns) if codes[j] is not None] + [j for j in range(columns) if codes[j] is None]
    mine: list[list[Any]] = [[] for _ in range(columns)]
    for (tree,) in trees._predictors:
        # A tree without a split holds one value, which belongs to no column: any will do.
        mine[order[tree.nodes[0]["feature_idx"]] if len(tree.nodes) > 1 else 0].append(tree)
    return [_table(mine[j], codes[j]) for j in range(columns)]


def _table(trees: list[Any], codes: NDArray[np.int64] | None) -> tuple[Floats, Floats]:
    if codes is not None:
        # A step after every code up to the last makes a table of codes like any other.
        steps = np.arange(codes.max() + 1) + 0.5 if trees and len(codes) else np.empty(0)
    else:
        inner = [tree.nodes["num_threshold"][tree.nodes["is_leaf"] == 0] for tree in trees]
        steps = np.unique(np.concatenate(inner)) if inner else np.empty(0)
    values = np.zeros(len(steps) + 2)
    for tree in trees:
        values += _tree_values(tree, steps, codes)
    return steps, values


def _tree_values(tree: Any, steps: Floats, codes: NDArray[np.int64] | None) -> Floats:
    """What one tree says at each place of a table."""
    values = np.zeros(len(steps) + 2)
    reached = {0: np.ones(len(values), dtype=bool)}
    # Children come after their parents.
    for number, node in enumerate(tree.nodes):
        here = reached.pop(number)
        if node["is_leaf"]:
            values[here] = node["value"]
        else:
            left = _goes_left(tree, node, steps, codes)
            reached[int(node["left"])], reached[int(node["right"])] = here & left, here & ~left
    return values


def _goes_left(tree: Any, node: Any, steps: Floats, codes: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    left = np.full(len(steps) + 2, bool(node["missing_go_to_left"]))
    if codes is None:
        left[:-1] = np.arange(len(steps) + 1) <= np.searchsorted(steps, node["num_threshold"])
    else:
        bits = tree.raw_left_cat_bitsets[node["bitset_idx"]]
        numbers = np.arange(len(codes))
        left[codes] = (bits[numbers // 32] >> (numbers % 32).astype(np.uint32)) & 1
    return left
