"""How many of several independent events happen, each with its own probability: the Poisson-binomial distribution.

Named by Le Cam (1960). The probabilities are those of a sum of independent Bernoulli variables, by convolution, which only ever adds and so loses
no digits. Independence and right probabilities are assumed. What does not belong here: where probabilities come from.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def pmf(probability: ArrayLike) -> NDArray[np.float64]:
    """The probability of each count from 0 to n of events with the given n probabilities; n + 1 numbers that add up to 1.

    Raises ValueError where a probability does not lie between 0 and 1.
    """
    found = np.ones(1)
    for p in _checked(probability):
        longer = np.zeros(len(found) + 1)
        longer[:-1] = found * (1 - p)
        longer[1:] += found * p
        found = longer
    return found


def mean(probability: ArrayLike) -> float:
    """The expected count: the sum of the probabilities. Raises ValueError as `pmf`."""
    return math.fsum(_checked(probability).tolist())


def variance(probability: ArrayLike) -> float:
    """The variance of the count: the sum of p (1 - p), never more than a binomial's of the same mean. Raises ValueError as `pmf`."""
    checked = _checked(probability)
    return math.fsum((checked * (1 - checked)).tolist())


def interval(probability: ArrayLike, level: float = 0.95) -> tuple[int, int]:
    """The counts between which the count lies with a probability of `level` at least, at most (1 - level) / 2 being left at either end.

    With tail = (1 - level) / 2: the lowest count with P(count or fewer) > tail, and the lowest with P(count or fewer) >= 1 - tail. Nobody: (0, 0).
    Raises ValueError as `pmf`, and for a level that does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError("the level must lie between 0 and 1")
    tail = (1 - level) / 2
    up_to = np.cumsum(pmf(probability))
    highest = int(np.searchsorted(up_to, 1 - tail - 1e-12, side="left"))
    return int(np.searchsorted(up_to, tail, side="right")), min(highest, len(up_to) - 1)


def _checked(probability: ArrayLike) -> NDArray[np.float64]:
    checked = np.asarray(probability, dtype=np.float64)
    wrong = ~((checked >= 0) & (checked <= 1))
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} probabilities do not lie between 0 and 1")
    return checked
