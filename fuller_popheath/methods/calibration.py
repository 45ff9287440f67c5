"""Whether predicted probabilities are right: on the whole, in their spread, along the whole range, and by groups of risk.

Names, because sources differ: calibration_in_the_large is the intercept with the slope held at 1; joint_intercept is the one estimated
beside the slope. Log-odds of probabilities of exactly 0 or 1 have no end and are taken as those of 1e-8 and 1 - 1e-8 (as the
CalibrationCurves package does where told to allow them). What does not belong here: the order of people (discrimination), and correcting a model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.methods.distinct_scores import distinct_scores
from fuller_popheath.methods.estimates import UNDEFINED, Estimate, checked_outcome, checked_probability, normal_deviate, normal_estimate
from fuller_popheath.methods.logistic_fit import fit_logistic
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.methods.splines import FIVE_KNOTS, FOUR_KNOTS, THREE_KNOTS, restricted_cubic_spline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

NEAREST_TO_CERTAIN = 1e-8
# Log-odds that differ by less than this differ by rounding.
LEAST_RANGE = 1e-9
# With so few different predictions the share observed at each is the curve, and a spline has nothing to bend around.
FEW_PREDICTIONS = 5


@dataclass(frozen=True)
class CalibrationLine:
    """Log-odds of the outcome = joint_intercept + slope x predicted log-odds."""

    joint_intercept: Estimate
    slope: Estimate


@dataclass(frozen=True)
class CalibrationGroups:
    """People in groups of rising risk, one element a group; counts are of people, shares lie between 0 and 1, limits are Wilson's."""

    people_count: NDArray[np.int64]
    outcome_count: NDArray[np.int64]
    expected_count: NDArray[np.float64]
    predicted_share: NDArray[np.float64]
    observed_share: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationCurve:
    """The observed share along the predicted one, with its pointwise band; and how far the two lie apart over the people.

    ici, e50, e90 and emax are the mean, median, 90th percentile and largest |observed - predicted| over people; not-a-number, and the
    points empty, where there is no curve. `knots` are predicted probabilities; empty for a line or for shares at each of a few predictions.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    knots: tuple[float, ...]
    ici: float
    e50: float
    e90: float
    emax: float


def calibration_in_the_large(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The intercept that log-odds need with their slope held at 1: 0 is right on the whole, above 0 means risks are predicted too low.

    Grain: one outcome and one probability a person. In log-odds. Undefined without both outcomes. Interval: normal, from the likelihood of a
    logistic model with the predicted log-odds as offset. Source: Cox, Biometrika 45 (1958) 562-565; Steyerberg and others, Epidemiology 21
    (2010) 128-138. Raises ValueError as the checks of estimates do.
    """
    is_event, log_odds = _log_odds(outcome, probability)
    fit = fit_logistic(np.ones((is_event.size, 1)), is_event, log_odds) if _has_both(is_event) else None
    if fit is None:
        return UNDEFINED
    return normal_estimate(float(fit.coefficients[0]), math.sqrt(fit.covariance[0, 0]), confidence)


def calibration_slope(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The slope of the outcome's log-odds on the predicted ones: 1 is right, below 1 the predictions are too extreme. See calibration_line."""
    return calibration_line(outcome, probability, confidence).slope


def joint_intercept(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The intercept estimated together with the slope: not calibration-in-the-large, though some programs print it so. See calibration_line."""
    return calibration_line(outcome, probability, confidence).joint_intercept


def calibration_line(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> CalibrationLine:
    """Intercept and slope of a logistic model of the outcome on the predicted log-odds, with normal intervals.

    Undefined without both outcomes, where everybody has one probability, and where the probabilities separate the outcomes completely
    (the slope has no end). Source: Cox, Biometrika 45 (1958) 562-565; Miller and others, Stat Med 10 (1991) 1213-1226.
    """
    is_event, log_odds = _log_odds(outcome, probability)
    if not _has_both(is_event) or _has_no_slope(is_event, log_odds):
        return CalibrationLine(UNDEFINED, UNDEFINED)
    # About their middle, intercept and slope hardly depend on each other, which keeps the arithmetic exact.
    middle = float(log_odds.mean())
    fit = fit_logistic(np.column_stack([np.ones(is_event.size), log_odds - middle]), is_event)
    if fit is None:
        return CalibrationLine(UNDEFINED, UNDEFINED)
    back = np.array([[1.0, -middle], [0.0, 1.0]])
    values, covariance = back @ fit.coefficients, back @ fit.covariance @ back.T
    estimates = [normal_estimate(float(v), math.sqrt(s), confidence) for v, s in zip(values, np.diag(covariance), strict=True)]
    return CalibrationLine(*estimates)


def observed_over_expected(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Estimate:
    """How many had the outcome over the sum of the probabilities. Not-a-number where the sum is 0. See observed_over_expected_of_counts."""
    is_event = checked_outcome(outcome)
    return observed_over_expected_of_counts(float(is_event.sum()), float(checked_probability(probability, is_event.size).sum()), confidence)


def observed_over_expected_of_counts(observed: float, expected: float, confidence: float = 0.95) -> Estimate:
    """observed / expected, the expected count taken as known. Not-a-number where the expected count is not above 0.

    Interval as for a standardised ratio in the public-health indicator methods of England (PHEindicatormethods, phe_isr): exact limits of a
    Poisson count below 10, Byar's approximation from there on (Breslow and Day, Statistical Methods in Cancer Research II, 1987, p. 69).
    It is wider than needed where the outcome is common. `observed` may be a fraction, as an expectation over ties is.
    """
    from scipy.special import chdtri

    z = normal_deviate(confidence)
    if not expected > 0 or math.isnan(observed):
        return UNDEFINED
    if observed < 10:
        tail = (1 - confidence) / 2
        lower = float(chdtri(2 * observed, 1 - tail)) / 2 if observed > 0 else 0.0
        upper = float(chdtri(2 * observed + 2, tail)) / 2
    else:
        above = observed + 1
        lower = observed * (1 - 1 / (9 * observed) - z / (3 * math.sqrt(observed))) ** 3
        upper = above * (1 - 1 / (9 * above) + z / (3 * math.sqrt(above))) ** 3
    return Estimate(observed / expected, lower / expected, upper / expected, math.sqrt(observed) / expected)


def calibration_groups(outcome: ArrayLike, probability: ArrayLike, groups: int = 10, confidence: float = 0.95) -> CalibrationGroups:
    """People in `groups` equal parts of rising probability (tenths unless said): predicted and observed share of each, Wilson's limits.

    People of one probability stay together, in the part where their middle falls, so parts may differ in size and be fewer than asked for.
    """
    is_event = checked_outcome(outcome)
    distinct = distinct_scores(is_event, checked_probability(probability, is_event.size))
    if groups < 1:
        raise ValueError("there must be one group at least")
    middle = (np.cumsum(distinct.people) - distinct.people / 2) / max(is_event.size, 1)
    part = np.minimum((middle * groups).astype(np.int64), groups - 1)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    people, events = _sums(distinct.people, starts), _sums(distinct.events, starts)
    expected = _sums(distinct.score * distinct.people, starts)
    lower, upper = wilson_interval(events, people, confidence)
    return CalibrationGroups(people, events, expected, expected / people, events / people, lower, upper)


def calibration_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    points: int = 101,
    confidence: float = 0.95,
    knot_quantiles: Sequence[float] | None = None,
) -> CalibrationCurve:
    """The flexible calibration curve: a logistic model of the outcome on a restricted cubic spline of the predicted log-odds.

    Knots stand at fixed quantiles of the predictions (Harrell, Regression Modeling Strategies, 2nd ed. 2015, table 2.3): 5 of them with 100
    events and non-events or more, 4 from 30, else 3 (how many is a choice of ours), unless `knot_quantiles` says where; fewer where quantiles
    coincide, and a straight line where no spline can be fitted. With at most 5 different predictions the curve is the share observed at
    each, with Wilson's limits. `points` are spaced evenly in predicted probability between the 10th lowest and the 10th highest prediction
    (between the ends, up to 200 people), so that no end is one person's. Undefined without both outcomes, and where the probabilities
    separate them. ici, e50, e90: Austin and Steyerberg, Stat Med 38 (2019) 4051-4065.
    """
    is_event = checked_outcome(outcome)
    predicted = checked_probability(probability, is_event.size)
    z = normal_deviate(confidence)
    if not _has_both(is_event):
        return _curve(*(np.empty(0),) * 4, (), None)
    if _has_few(predicted):
        distinct = distinct_scores(is_event, predicted)
        share = distinct.events / distinct.people
        lower, upper = wilson_interval(distinct.events, distinct.people, confidence)
        return _curve(distinct.score, share, lower, upper, (), np.repeat(np.abs(share - distinct.score), distinct.people))
    log_odds = _to_log_odds(predicted)
    if _has_no_slope(is_event, log_odds):
        return _curve(*(np.empty(0),) * 4, (), None)
    tried = (tuple(knot_quantiles),) if knot_quantiles is not None else _usual_knots(is_event)
    for quantiles in (*tried, ()):
        knots = np.quantile(log_odds, quantiles) if quantiles else np.empty(0)
        if knots.size and (np.diff(knots) <= 0).any():
            continue
        fit = fit_logistic(_spline_columns(log_odds, knots), is_event)
        if fit is not None:
            break
    else:
        return _curve(*(np.empty(0),) * 4, (), None)
    distance = np.abs(_to_share(_spline_columns(log_odds, knots) @ fit.coefficients) - predicted)
    drawn = _drawn_at(predicted, points)
    columns = _spline_columns(_to_log_odds(drawn), knots)
    centre = columns @ fit.coefficients
    reach = z * np.sqrt(np.einsum("ij,jk,ik->i", columns, fit.covariance, columns))
    return _curve(drawn, _to_share(centre), _to_share(centre - reach), _to_share(centre + reach), tuple(_to_share(knots).tolist()), distance)


def _sums(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return np.asarray(np.add.reduceat(values, starts)) if starts.size else values


def _curve(
    predicted: NDArray[np.float64],
    observed: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    knots: tuple[float, ...],
    distance: NDArray[np.float64] | None,
) -> CalibrationCurve:
    if distance is None:
        return CalibrationCurve(predicted, observed, lower, upper, knots, *(math.nan,) * 4)
    e50, e90 = np.quantile(distance, (0.5, 0.9))
    return CalibrationCurve(predicted, observed, lower, upper, knots, float(distance.mean()), float(e50), float(e90), float(distance.max()))


def _usual_knots(is_event: NDArray[np.bool_]) -> tuple[tuple[float, ...], ...]:
    scarce = min(int(is_event.sum()), int((~is_event).sum()))
    if scarce >= 100:
        return FIVE_KNOTS, FOUR_KNOTS, THREE_KNOTS
    return (FOUR_KNOTS, THREE_KNOTS) if scarce >= 30 else (THREE_KNOTS,)


def _spline_columns(log_odds: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.ones(log_odds.size), restricted_cubic_spline(log_odds, knots)])


def _drawn_at(predicted: NDArray[np.float64], points: int) -> NDArray[np.float64]:
    if predicted.size > 200:
        ordered = np.partition(predicted, (9, predicted.size - 10))
        return np.linspace(ordered[9], ordered[-10], points)
    return np.linspace(predicted.min(), predicted.max(), points)


def _has_both(is_event: NDArray[np.bool_]) -> bool:
    return bool(is_event.any()) and not bool(is_event.all())


def _has_few(predicted: NDArray[np.float64]) -> bool:
    """Whether there are at most a few different predictions; a look at the first people usually settles it without a sort."""
    return np.unique(predicted[:1000]).size <= FEW_PREDICTIONS and np.unique(predicted).size <= FEW_PREDICTIONS


def _has_no_slope(is_event: NDArray[np.bool_], log_odds: NDArray[np.float64]) -> bool:
    """Whether no slope is the likeliest: one outcome lies above the other throughout, or nobody differs by more than rounding."""
    of_events, of_others = log_odds[is_event], log_odds[~is_event]
    if max(of_events.max(), of_others.max()) - min(of_events.min(), of_others.min()) < LEAST_RANGE:
        return True
    return bool(of_events.min() >= of_others.max() or of_events.max() <= of_others.min())


def _log_odds(outcome: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    is_event = checked_outcome(outcome)
    return is_event, _to_log_odds(checked_probability(probability, is_event.size))


def _to_log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import logit

    return np.asarray(logit(np.clip(probability, NEAREST_TO_CERTAIN, 1 - NEAREST_TO_CERTAIN)))


def _to_share(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import expit

    return np.asarray(expit(log_odds))
