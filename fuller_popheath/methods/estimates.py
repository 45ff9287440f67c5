"""What an evaluation gives back: an estimate with its interval; and the check of what it is made from.

Every method of evaluation takes one outcome (happened or not) and one score or probability per person, in the same order. What is undefined
is not-a-number, never a guess. What does not belong here: any formula of a particular statistic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Estimate:
    """One number with its interval and standard error, each not-a-number where it is undefined."""

    value: float
    lower: float
    upper: float
    standard_error: float


@dataclass(frozen=True)
class Difference:
    """a minus b on the same people, with its interval, standard error and two-sided p value; not-a-number where undefined."""

    value: float
    lower: float
    upper: float
    standard_error: float
    p_value: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan, math.nan)
NO_DIFFERENCE_DEFINED = Difference(math.nan, math.nan, math.nan, math.nan, math.nan)


def normal_deviate(confidence: float) -> float:
    """The two-sided standard normal deviate of a confidence, as 1.959964 for 0.95. Raises ValueError unless it lies between 0 and 1."""
    from scipy.special import ndtri

    if not 0 < confidence < 1:
        raise ValueError("the confidence must lie between 0 and 1")
    return float(ndtri(0.5 + confidence / 2))


def normal_estimate(value: float, standard_error: float, confidence: float, least: float = -math.inf, most: float = math.inf) -> Estimate:
    """The estimate with value -+ z x standard error, cut off at the least and the most that the statistic can be."""
    reach = normal_deviate(confidence) * standard_error
    if math.isnan(reach):
        return Estimate(value, math.nan, math.nan, standard_error)
    return Estimate(value, max(least, value - reach), min(most, value + reach), standard_error)


def normal_difference(value: float, standard_error: float, confidence: float) -> Difference:
    """The difference with value -+ z x standard error, and its p value.

    Where nothing varies the p value is 1 for no difference at all and not-a-number otherwise.
    """
    from scipy.special import ndtr

    reach = normal_deviate(confidence) * standard_error
    p_value = 1.0 if value == 0 and standard_error == 0 else math.nan
    if standard_error > 0:
        p_value = float(2 * ndtr(-abs(value) / standard_error))
    return Difference(value, value - reach, value + reach, standard_error, p_value)


def wilson_estimate(count: float, total: float, confidence: float) -> Estimate:
    """count / total with Wilson's interval and the plain binomial standard error. Counts may be fractions, as an expected count is."""
    from fuller_popheath.methods.proportions import wilson_interval

    if not total > 0:
        return UNDEFINED
    # A sum of fractions may pass its total by a rounding error.
    count = min(max(count, 0.0), total)
    lower, upper = wilson_interval([count], [total], confidence)
    share = count / total
    return Estimate(share, float(lower[0]), float(upper[0]), math.sqrt(share * (1 - share) / total))


def checked_outcome(outcome: ArrayLike) -> NDArray[np.bool_]:
    """The outcomes as truth values. Raises ValueError where one is neither 0 nor 1, or where they are not one row of values."""
    values = np.asarray(outcome)
    if values.ndim != 1:
        raise ValueError(f"outcomes must be one value a person, not an array of {values.ndim} dimensions")
    if values.dtype != np.bool_:
        numbers = values.astype(np.float64)
        wrong = int(((numbers != 0) & (numbers != 1)).sum())
        if wrong:
            raise ValueError(f"{wrong} outcomes are neither 0 nor 1")
    return values.astype(np.bool_, copy=False)


def checked_score(score: ArrayLike, people: int) -> NDArray[np.float64]:
    """The scores as numbers. Raises ValueError where one is not a number, or there are more or fewer than people."""
    values = np.asarray(score, dtype=np.float64)
    if values.shape != (people,):
        raise ValueError(f"there are {values.size:,} scores for {people:,} people")
    missing = int(np.isnan(values).sum())
    if missing:
        raise ValueError(f"{missing} scores are not numbers")
    return values


def checked_probability(probability: ArrayLike, people: int) -> NDArray[np.float64]:
    """The probabilities as numbers from 0 to 1. Raises ValueError where one is outside, not a number, or there are not as many as people."""
    values = checked_score(probability, people)
    if people and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"{int(((values < 0) | (values > 1)).sum())} probabilities do not lie between 0 and 1")
    return values
