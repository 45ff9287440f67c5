"""Scores that are not learnt: one number as it stands, or a rule of thresholds. Only the line from the score to a probability is fitted.

So that what teams use today can be judged on the same people, and by the same figures, as a model. What does not belong here: any particular rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuller_popheath.methods.logistic_line import logistic_line, logistic_loss

Floats = NDArray[np.float64]

Conditions = tuple[tuple[str, float], ...]
"""Columns and the least each must be; all of them must hold."""

SCALES = ("as it is", "logarithm")


class SingleScore:
    """The one column of the matrix as a score. Fitted are a straight line to the log-odds, along the score or the logarithm of its distance from
    the least one, whichever fits better; the order of people is always that of the score. Somebody without a score counts as the average.
    """

    def fit(self, matrix: Floats, outcome: NDArray[Any], sample_weight: Floats | None = None) -> SingleScore:
        """Finds the line. `sample_weight` is not used: there is nothing to learn but the line. Raises ValueError for a matrix of two columns."""
        del sample_weight
        score, outcome = _only_column(matrix), np.asarray(outcome, dtype=bool)
        known = score[~np.isnan(score)]
        self.absent, self.least = (float(known.mean()), float(known.min())) if len(known) else (0.0, 0.0)
        lines: dict[str, tuple[float, float, float, float]] = {}
        for scale in SCALES:
            along = self._along(score, scale)
            middle, spread = float(along.mean()), float(along.std()) or 1.0
            intercept, slope = logistic_line((along - middle) / spread, outcome)
            loss = logistic_loss(intercept + slope * ((along - middle) / spread), outcome)
            lines[scale] = (loss, intercept, slope / spread, middle)
        self.scale = min(SCALES, key=lambda scale: lines[scale][0])
        _, self.intercept, self.slope, self.middle = lines[self.scale]
        return self

    def decision_function(self, matrix: Floats) -> Floats:
        """The log-odds of each row, which rise with the score."""
        return self.intercept + self.slope * (self._along(_only_column(matrix), self.scale) - self.middle)

    def _along(self, score: Floats, scale: str) -> Floats:
        filled = np.where(np.isnan(score), self.absent, score)
        if scale == SCALES[0]:
            return filled
        above = filled - self.least
        return np.sign(above) * np.log1p(np.abs(above))


def single_score(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Mapping[str, float], seed: int) -> SingleScore:
    """A column as it stands, as models are made: only the line from it to a probability is fitted, so that nothing here is asked for."""
    del columns, is_categorical, parameters, seed
    return SingleScore()


class ThresholdRule:
    """A rule in levels: a row's level is the highest of `levels` (lowest first, counted from 1) of which one alternative holds, else 0.

    `columns` names the matrix's columns. A missing value meets no condition.
    """

    def __init__(self, columns: tuple[str, ...], levels: tuple[tuple[Conditions, ...], ...]) -> None:
        self.columns = tuple(columns)
        self.levels = levels
        self.score = SingleScore()

    def fit(self, matrix: Floats, outcome: NDArray[Any], sample_weight: Floats | None = None) -> ThresholdRule:
        """Finds the line from the level to the log-odds."""
        self.score.fit(self.level(matrix)[:, None], outcome, sample_weight)
        return self

    def decision_function(self, matrix: Floats) -> Floats:
        """The log-odds of each row, which rise with the level."""
        return self.score.decision_function(self.level(matrix)[:, None])

    def level(self, matrix: Floats) -> Floats:
        """The level of each row: 0 for none."""
        levels = np.zeros(len(matrix))
        for number, alternatives in enumerate(self.levels, 1):
            for conditions in alternatives:
                holds = np.ones(len(matrix), dtype=bool)
                for column, least in conditions:
                    holds &= matrix[:, self.columns.index(column)] >= least
                levels[holds] = number
        return levels


def _only_column(matrix: Floats) -> Floats:
    if matrix.shape[1] != 1:
        raise ValueError(f"a score is one column, not {matrix.shape[1]}")
    return np.asarray(matrix[:, 0], dtype=np.float64)
