"""The straight line that turns a score into log-odds: logistic regression on one number.

What does not belong here: intervals of slope and intercept (`calibration.py`), and what a line is used for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST_SLOPE = 1e-3
"""Where higher scores go with lower risk the order is kept all the same: almost flat, never turned round."""

SPREAD = np.array([10.0, 2.0])
"""Standard deviations of normal priors: of the intercept about 0 and of the slope about 1. They keep the answer finite where the score separates
the outcomes completely, and are too wide to be seen where a hundred people have the outcome."""

_IDENTITY = np.array([0.0, 1.0])
_STEPS = 100
_SMALL = 1e-10


def logistic_line(score: ArrayLike, outcome: ArrayLike, start: tuple[float, float] | None = None) -> tuple[float, float]:
    """Intercept and slope (at least LEAST_SLOPE) of the log-odds of `outcome` along `score`, one of each a person.

    Logistic regression (Cox, Biometrika 1958) by Newton's method, with the priors above. `start`: where to look first, as the line of nearly the same
    people; it saves steps and changes nothing. Raises ValueError for nobody, or a score that is not finite.
    """
    scores, outcomes = np.asarray(score, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError("a line needs people, each with a finite score")
    line = _fitted(scores, outcomes, _IDENTITY if start is None else np.array(start), moves=np.array([True, True]))
    if line[1] < LEAST_SLOPE:
        line = _fitted(scores, outcomes, np.array([0.0, LEAST_SLOPE]), moves=np.array([True, False]))
    return float(line[0]), float(line[1])


def logistic_loss(log_odds: Floats, outcome: NDArray[Any]) -> float:
    """The mean of minus the log-likelihood of each outcome: what probabilities are judged by."""
    return float(np.mean(np.logaddexp(0.0, log_odds) - outcome * log_odds))


def _fitted(score: Floats, outcome: Floats, start: Floats, moves: NDArray[np.bool_]) -> Floats:
    """Intercept and slope of the least penalised loss, by Newton's method with halved steps; only what `moves` is changed."""
    line, loss = start.copy(), _loss(start, score, outcome)
    for _ in range(_STEPS):
        step, length = _step(line, score, outcome, moves), 1.0
        while length > _SMALL and (tried := _loss(line + length * step, score, outcome)) > loss:
            length /= 2
        if length <= _SMALL:
            break
        line, loss = line + length * step, tried
        if np.abs(length * step).max() < _SMALL:
            break
    return line


def _loss(line: Floats, score: Floats, outcome: Floats) -> float:
    return logistic_loss(line[0] + line[1] * score, outcome) * len(score) + float((((line - _IDENTITY) / SPREAD) ** 2).sum() / 2)


def _step(line: Floats, score: Floats, outcome: Floats, moves: NDArray[np.bool_]) -> Floats:
    from scipy.special import expit

    probability = expit(line[0] + line[1] * score)
    error, weight = outcome - probability, probability * (1 - probability)
    slope = np.array([error.sum(), (error * score).sum()]) - (line - _IDENTITY) / SPREAD**2
    cross = (weight * score).sum()
    curve = np.array([[weight.sum(), cross], [cross, (weight * score * score).sum()]]) + np.diag(1 / SPREAD**2)
    return np.linalg.solve(curve, slope) if moves.all() else np.where(moves, slope / np.diag(curve), 0.0)
