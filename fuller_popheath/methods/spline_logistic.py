"""Ridge logistic regression on splines: what a statistician would fit, with every curve chosen by rule.

A number becomes a restricted cubic spline (Durrleman and Simon 1989; formula and knots as in Harrell, Regression Modeling Strategies, 2nd edition,
2.4.5-2.4.6), a category one column a value, and whatever can be missing a mark of its own; all of it is standardised before the penalty. The
fit is Newton's method over blocks of rows, so that the wide matrix never stands in memory as a whole. What does not belong here: tables of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuller_popheath.methods.full_boosting import both_outcomes, threads_for

Floats = NDArray[np.float64]

KNOTS: dict[int, tuple[float, ...]] = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}
"""At which shares of the values the knots lie: Harrell's table 2.3."""

KNOTS_BESIDE_ONE_VALUE = (0.1, 0.5, 0.9)
"""Where most rows have one value (no admission), the knots are that value and these shares of the others."""

FIRST_ROWS = 40_000
"""Knots and a first fit come from about so many rows evenly taken; all rows then need only a few steps more."""

LEAST_PENALTY = 1e-6
"""Beside no penalty at all, so that columns that say the same have an answer."""

_BLOCK = 16_384
_KEPT_CELLS = 30_000_000
"""A design of so many cells (240 MB) is kept while a fit goes over it again and again; a larger one is made anew each time."""
_STEPS = 30
_TOLERANCE = 1e-9


class SplineLogistic:
    """Logistic regression with `parameters` knots (3, 4 or 5; 0: straight lines) and l2: the penalty `l2 / 2 * sum of squares` of the standardised
    coefficients, beside the log-likelihood summed over rows (scikit-learn's `C` is `1 / l2`). NaN is missing; `is_categorical` as in boosting.
    l2_per_row (either may be left out) is the same for each row: a model of part of the rows is shrunk as much as one of all of them, so that
    what is learnt about the one, as its recalibration, holds for the other.

    The state after `fit` is plain arrays. For column j: `low`, `high` (values beyond are taken as these), the knots
    `knots[knot_starts[j]:knot_starts[j + 1]]` (0 is low, 1 is high), and the terms `starts[j]:starts[j + 1]` of `means`, `spreads` and
    `weights`: for a number the value and its curved parts, for a category its codes from 0; last comes the mark of missing.
    """

    def __init__(self, is_categorical: tuple[bool, ...], parameters: Mapping[str, float]) -> None:
        self.is_categorical = tuple(bool(each) for each in is_categorical)
        self.parameters = dict(parameters)

    def fit(self, matrix: Floats, outcome: NDArray[Any], sample_weight: Floats | None = None) -> SplineLogistic:
        """Learns from (rows, columns) and a true or false for each row. Raises ValueError where all rows have the same outcome."""
        truth = both_outcomes(outcome).astype(np.float64)
        weight = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        every = max(1, len(matrix) // FIRST_ROWS)
        self._choose(matrix, every)
        lives = np.isfinite(self.spreads)
        start = np.zeros(int(lives.sum()) + 1)
        start[0] = np.log(np.average(truth, weights=weight) / (1 - np.average(truth, weights=weight)))
        with threads_for(matrix.size):
            found = self._newton(matrix[::every], truth[::every], weight[::every] * every, start)
            if every > 1:
                found = self._newton(matrix, truth, weight, found)
        self.intercept, self.weights = float(found[0]), np.zeros(len(lives))
        self.weights[lives] = found[1:]
        self._centre(matrix, sample_weight)
        return self

    def decision_function(self, matrix: Floats) -> Floats:
        """The log-odds of each row: float64 (rows,). Added up term by term in one order, so it does not depend on the other rows."""
        total = np.full(len(matrix), self.intercept)
        for j in range(len(self.is_categorical)):
            total += self._part(matrix[:, j], j)
        return total

    def contributions(self, matrix: Floats) -> tuple[float, Floats]:
        """The intercept and what each column adds to it (rows, columns); on average over the rows of the fit a column adds nothing."""
        parts = np.empty((len(matrix), len(self.is_categorical)), order="F")
        for j in range(len(self.is_categorical)):
            parts[:, j] = self._part(matrix[:, j], j)
        return self.intercept, parts

    def _part(self, column: Floats, j: int) -> Floats:
        total = np.full(len(column), -self.centres[j])
        start = self.starts[j]
        for place, term in enumerate(self._terms(column, j), start):
            if self.weights[place] != 0:
                total += term * self.weights[place]
        return total

    def _terms(self, column: Floats, j: int) -> Iterator[Floats]:
        """The standardised terms of a column, one after the other; of a missing value all are 0 but the last, its mark."""
        is_missing = np.isnan(column)
        raw = self._codes(column, j) if self.is_categorical[j] else self._curves(_between(column, self.low[j], self.high[j]), j)
        for place, term in enumerate(raw, self.starts[j]):
            yield np.where(is_missing, 0.0, (term - self.means[place]) / self.spreads[place])
        last = self.starts[j + 1] - 1
        yield (is_missing - self.means[last]) / self.spreads[last]

    def _codes(self, column: Floats, j: int) -> Iterator[Floats]:
        for code in range(self.starts[j + 1] - self.starts[j] - 1):
            yield (column == code).astype(np.float64)

    def _curves(self, values: Floats, j: int) -> Iterator[Floats]:
        yield values
        knots = self.knots[self.knot_starts[j] : self.knot_starts[j + 1]]
        if len(knots) < 3:
            return
        first, before, last = knots[0], knots[-2], knots[-1]
        beyond_before, beyond_last = _cube(values - before), _cube(values - last)
        for knot in knots[:-2]:
            bent = _cube(values - knot) - beyond_before * ((last - knot) / (last - before)) + beyond_last * ((before - knot) / (last - before))
            yield bent / (last - first) ** 2

    def _choose(self, matrix: Floats, every: int) -> None:
        """Knots, limits and scales of every column; the knots from every so-manieth row."""
        known = [column[~np.isnan(column)] for column in matrix.T]
        self.low = np.array([each.min() if len(each) else 0.0 for each in known])
        self.high = np.array([each.max() if len(each) else 0.0 for each in known])
        knots = [
            np.empty(0) if is_category else _knots(_between(each[::every], low, high), int(self.parameters["knots"]))
            for each, is_category, low, high in zip(known, self.is_categorical, self.low, self.high, strict=True)
        ]
        self.knot_starts = np.cumsum([0, *map(len, knots)]).astype(np.int64)
        self.knots = np.concatenate(knots)
        terms = [
            int(high) + 1 if is_category else max(1, len(own) - 1)
            for own, is_category, high in zip(knots, self.is_categorical, self.high, strict=True)
        ]
        self.starts = np.cumsum([0, *(count + 1 for count in terms)]).astype(np.int64)
        self.means, self.spreads, self.centres = np.zeros(self.starts[-1]), np.ones(self.starts[-1]), np.zeros(len(terms))
        self._scale(matrix)

    def _scale(self, matrix: Floats) -> None:
        """Mean and spread of every term, of missing values its mark alone. What never varies gets a spread without end, so that it adds nothing."""
        means, spreads = self.means.copy(), self.spreads.copy()
        for j, column in enumerate(matrix.T):
            is_known = ~np.isnan(column)
            for place, term in enumerate(self._terms(column, j), self.starts[j]):
                own = term if place == self.starts[j + 1] - 1 else term[is_known]
                means[place], spread = (float(own.mean()), float(own.std())) if len(own) else (0.0, 0.0)
                spreads[place] = spread if spread > 1e-12 * (1 + abs(means[place])) else np.inf
        self.means, self.spreads = means, spreads

    def _blocks(self, matrix: Floats) -> Iterator[tuple[slice, Floats]]:
        """The intercept and every term that varies, so many rows at a time."""
        lives = np.isfinite(self.spreads)
        position = np.cumsum(lives)
        for start in range(0, len(matrix), _BLOCK):
            rows = slice(start, min(start + _BLOCK, len(matrix)))
            design = np.empty((rows.stop - rows.start, int(lives.sum()) + 1), order="F")
            design[:, 0] = 1
            for j in range(len(self.is_categorical)):
                for place, term in enumerate(self._terms(matrix[rows, j], j), self.starts[j]):
                    if lives[place]:
                        design[:, position[place]] = term
            yield rows, design

    def _newton(self, matrix: Floats, truth: Floats, weight: Floats, start: Floats) -> Floats:
        """The coefficients (intercept first) of the least penalised loss, from `start`; a step that makes it worse is halved."""
        asked = float(self.parameters.get("l2", 0)) + float(self.parameters.get("l2_per_row", 0)) * float(weight.sum())
        penalty = np.full(len(start), max(asked, LEAST_PENALTY))
        penalty[0] = 0
        kept = list(self._blocks(matrix)) if len(matrix) * len(start) <= _KEPT_CELLS else None

        def at(place: Floats) -> tuple[float, Floats, Floats]:
            return _pass(self._blocks(matrix) if kept is None else kept, truth, weight, place, penalty)

        now, (loss, slope, curve) = start, at(start)
        for _ in range(_STEPS):
            step = np.linalg.solve(curve, slope)
            gain = float(step @ slope)
            if gain < _TOLERANCE * len(matrix):
                return now + step
            tried, result = now + step, at(now + step)
            while result[0] > loss and gain > _TOLERANCE:
                step, gain = step / 2, gain / 2
                tried, result = now + step, at(now + step)
            now, (loss, slope, curve) = tried, result
        return now

    def _centre(self, matrix: Floats, sample_weight: Floats | None) -> None:
        """Moves each column's average over the rows of the fit into the intercept, so that a contribution is relative to the average row."""
        averages = [float(np.average(self._part(matrix[:, j], j), weights=sample_weight)) for j in range(len(self.is_categorical))]
        self.centres = np.array(averages)
        self.intercept += sum(averages)


def _pass(blocks: Iterable[tuple[slice, Floats]], truth: Floats, weight: Floats, at: Floats, penalty: Floats) -> tuple[float, Floats, Floats]:
    """The penalised loss, its falling slope and its curvature at some coefficients."""
    from scipy.special import expit

    loss, slope, curve = float((penalty * at * at).sum() / 2), -penalty * at, np.diag(penalty)
    for rows, design in blocks:
        log_odds = design @ at
        probability = expit(log_odds)
        loss += float((weight[rows] * (np.logaddexp(0.0, log_odds) - truth[rows] * log_odds)).sum())
        slope += design.T @ (weight[rows] * (truth[rows] - probability))
        weighted = design * np.sqrt(weight[rows] * probability * (1 - probability))[:, None]
        curve += weighted.T @ weighted
    return loss, slope, curve


def _between(values: Floats, low: float, high: float) -> Floats:
    """Where between `low` (0) and `high` (1) each value lies, so that the cubes of large numbers stay numbers."""
    return (np.clip(values, low, high) - low) / (high - low if high > low else 1.0)


def _cube(values: Floats) -> Floats:
    positive = np.maximum(values, 0.0)
    return positive * positive * positive


def _knots(values: Floats, count: int) -> Floats:
    """Different knots, rising: shares of the values, or where these fall on too few, the commonest value and shares of the others; else none."""
    if not count or not len(values):
        return np.empty(0)
    knots = np.unique(np.quantile(values, KNOTS[count]))
    if len(knots) < count:
        different, counts = np.unique(values, return_counts=True)
        commonest = different[np.argmax(counts)]
        others = values[values != commonest]
        knots = np.unique(np.append(np.quantile(others, KNOTS_BESIDE_ONE_VALUE), commonest)) if len(others) else np.empty(0)
    return knots if len(knots) >= 3 else np.empty(0)
