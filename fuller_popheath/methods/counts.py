"""Intervals for a number of events, and crude rates: how many would have been as plausible as those that were counted.

What does not belong here: standardising for age (standardised_rates), and proportions of people (proportions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import normal_deviate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Limits = tuple["NDArray[np.float64]", "NDArray[np.float64]"]

EXACT_UNDER = 10
"""Counts under this get exact limits, others Byar's. Source: PHEindicatormethods 2.1.0, phe_rate."""


def byar_interval(counts: ArrayLike, confidence: float = 0.95) -> Limits:
    """Byar's approximation to the exact Poisson limits of each count; the lower limit of 0 events is 0.

    Grain: one interval per element, in the order given. Raises ValueError where a count is below 0 or not a number, or the confidence does not
    lie between 0 and 1. Source: N. E. Breslow, N. E. Day, Statistical Methods in Cancer Research II (IARC 1987) p. 69: x(1 - 1/9x - z/(3 sqrt x))^3
    and, for the upper limit, the same of x + 1 with + z. Good from about 10 events on.
    """
    x, z = _checked(counts), normal_deviate(confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        lower = np.where(x > 0, x * (1 - 1 / (9 * x) - z / (3 * np.sqrt(x))) ** 3, 0.0)
    upper = (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * np.sqrt(x + 1))) ** 3
    # Of less than one event at a high confidence the formula's cube turns negative; there is nothing below no event.
    return np.maximum(lower, 0.0), upper


def exact_interval(counts: ArrayLike, confidence: float = 0.95) -> Limits:
    """Exact Poisson limits of each count, from the chi-squared distribution; they hold at 0 events, whose lower limit is 0.

    Grain and errors as byar_interval. Source: F. Garwood, Biometrika 28 (1936) 437-442: half the chi-squared quantile of 2x degrees of freedom at
    (1 - confidence) / 2, and of 2x + 2 at the other end.
    """
    from scipy.special import gammaincinv

    x, outside = _checked(counts), _outside(confidence)
    # Half a chi-squared quantile of 2k degrees of freedom is the quantile of a gamma distribution of shape k.
    lower = np.where(x > 0, gammaincinv(np.where(x > 0, x, 1.0), outside), 0.0)
    return lower, gammaincinv(x + 1, 1 - outside)


def count_interval(counts: ArrayLike, confidence: float = 0.95) -> Limits:
    """Exact limits under 10 events and Byar's from 10 on, as the public-health indicators of England have them. Grain and errors as byar_interval."""
    x = _checked(counts)
    exact, byar = exact_interval(x, confidence), byar_interval(x, confidence)
    return np.where(x < EXACT_UNDER, exact[0], byar[0]), np.where(x < EXACT_UNDER, exact[1], byar[1])


def crude_rate(
    counts: ArrayLike, populations: ArrayLike, confidence: float = 0.95, per: float = 100_000
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Events per so many people (or person-years) with lower and upper limit: exact under 10 events, else Byar's; not-a-number without population.

    Grain: one rate per element, in the order given. Raises ValueError as byar_interval does, and where a population is below 0 or there are events
    in a population of 0. Source: PHEindicatormethods 2.1.0, phe_rate.
    """
    x, n = _checked(counts), np.asarray(populations, dtype=np.float64)
    if wrong := int((~(n >= 0) | ((n == 0) & (x > 0))).sum()):
        raise ValueError(f"{wrong} populations are below 0, not a number, or have events but nobody in them")
    lower, upper = count_interval(x, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        return tuple(np.where(n > 0, per * part / n, np.nan) for part in (x, lower, upper))  # type: ignore[return-value]


def observed_over_expected(observed: ArrayLike, expected: ArrayLike, confidence: float = 0.95) -> tuple[NDArray[np.float64], Limits]:
    """Observed / expected events with limits that take the expected number as known: exact under 10 events (so they hold at none), else Byar's.

    Grain: one ratio per element, in the order given; not-a-number where nothing was expected. Raises ValueError as byar_interval does, and where an
    expected number is below 0 or not a number. Source: PHEindicatormethods 2.1.0, calculate_ISRatio.
    """
    x, e = _checked(observed), np.asarray(expected, dtype=np.float64)
    if wrong := int((~(e >= 0)).sum()):
        raise ValueError(f"{wrong} expected numbers are below 0 or not a number")
    lower, upper = count_interval(x, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, low, high = (np.where(e > 0, part / e, np.nan) for part in (x, lower, upper))
    return ratio, (low, high)


def _outside(confidence: float) -> float:
    normal_deviate(confidence)  # refuses what is no confidence
    return (1 - confidence) / 2


def _checked(counts: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(counts, dtype=np.float64)
    if wrong := int((~(x >= 0)).sum()):
        raise ValueError(f"{wrong} counts are below 0 or not a number")
    return x
