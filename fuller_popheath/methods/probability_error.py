"""How far probabilities lie from what happened: the Brier score, scaled, and compared between models on the same people.

What does not belong here: the order of people alone (discrimination), and the direction of the error (calibration).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import (
    NO_DIFFERENCE_DEFINED,
    UNDEFINED,
    Difference,
    Estimate,
    checked_outcome,
    checked_probability,
    normal_difference,
    normal_estimate,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def brier(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Mean squared difference between what happened (0 or 1) and the probability; 0 is best. Not-a-number for nobody.

    Interval: normal, from the variance of the squared differences between people, within 0 and 1; none for one person. Source: Brier, Monthly
    Weather Review 78 (1950) 1-3 (the form for one of two outcomes, half of Brier's own sum over both). Raises ValueError as the checks of
    estimates do.
    """
    _, squares = _squared_errors(outcome, probability)
    if not squares.size:
        return UNDEFINED
    return normal_estimate(float(squares.mean()), _error_of_mean(squares), confidence, 0.0, 1.0)


def scaled_brier(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Estimate:
    """1 - Brier score / Brier score of giving everybody the observed share: 1 is perfect, 0 no better than that share, below 0 worse.

    Undefined without both outcomes. Interval: normal, with the standard error of a ratio by the delta method, the share being estimated
    from the same people. Source: Steyerberg and others, Epidemiology 21 (2010) 128-138.
    """
    is_event, squares = _squared_errors(outcome, probability)
    if not is_event.any() or is_event.all():
        return UNDEFINED
    share = float(is_event.mean())
    reference, error = share * (1 - share), float(squares.mean())
    # How much each person moves the ratio: through the error itself, and through the share in its reference.
    influence = -(squares - error) / reference + error * (1 - 2 * share) / reference**2 * (is_event - share)
    return normal_estimate(1 - error / reference, _error_of_mean(influence), confidence, most=1.0)


def brier_difference(outcome: ArrayLike, probability_a: ArrayLike, probability_b: ArrayLike, confidence: float = 0.95) -> Difference:
    """Brier score of a minus that of b on the same people: below 0 where a is nearer to what happened.

    Paired: the standard error is that of the mean of the people's own differences. Not-a-number for nobody.
    """
    _, squares_a = _squared_errors(outcome, probability_a)
    _, squares_b = _squared_errors(outcome, probability_b)
    if not squares_a.size:
        return NO_DIFFERENCE_DEFINED
    squares_a -= squares_b
    return normal_difference(float(squares_a.mean()), _error_of_mean(squares_a), confidence)


def _squared_errors(outcome: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    is_event = checked_outcome(outcome)
    errors = checked_probability(probability, is_event.size) - is_event
    np.square(errors, out=errors)
    return is_event, errors


def _error_of_mean(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else math.nan
