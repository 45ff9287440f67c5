"""How well a score tells those who had the outcome from those who did not: areas under curves, with intervals, and the curves.

Everything here depends on the order of the scores alone; equal scores are ties, whoever comes first in the file. What does not belong here:
whether a probability is right (calibration, probability_error), and what is done with the score (top_of_list, net_benefit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.distinct_scores import DistinctScores, distinct_scores
from fuller_popheath.methods.estimates import (
    NO_DIFFERENCE_DEFINED,
    UNDEFINED,
    Difference,
    Estimate,
    checked_outcome,
    checked_score,
    normal_deviate,
    normal_difference,
    wilson_estimate,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Curve:
    """Points of a curve, in the order they are drawn; empty where the curve is undefined."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


def auroc(outcome: ArrayLike, score: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Area under the receiver operating characteristic: the share of (event, non-event) pairs that the score puts in order, ties a half.

    Grain: one outcome and one score a person. Undefined (not-a-number, never 0.5) without both outcomes. Standard error: DeLong, DeLong and
    Clarke-Pearson, Biometrics 44 (1988) 837-845, by ranks in n log n (Sun and Xu, IEEE Signal Process Lett 21 (2014) 1389-1393). Interval:
    normal on the logit scale, so that it stays within 0 and 1 (Pepe, The Statistical Evaluation of Medical Tests, 2003); where
    that has no end (a perfect order, or a single event or non-event), Newcombe's score-like interval (Stat Med 25 (2006) 559-573, method 5).
    One score for everybody is 0.5 by definition, without doubt. Raises ValueError as the checks of estimates do.
    """
    is_event = checked_outcome(outcome)
    return _auroc_of(distinct_scores(is_event, checked_score(score, is_event.size)), confidence)


def _auroc_of(distinct: DistinctScores, confidence: float) -> Estimate:
    z = normal_deviate(confidence)
    events, others = distinct.events.sum(), distinct.others.sum()
    if not (events and others):
        return UNDEFINED
    of_events, of_others = _placements(distinct)
    area = float(distinct.events @ of_events / events)
    error = math.nan
    if min(events, others) > 1:
        spread = distinct.events @ (of_events - area) ** 2 / (events - 1) / events
        error = math.sqrt(spread + distinct.others @ (of_others - area) ** 2 / (others - 1) / others)
    if distinct.score.size == 1:
        return Estimate(area, area, area, 0.0)
    if not error > 0 or not 0 < area < 1:
        return Estimate(area, *_newcombe_interval(area, int(events), int(others), z), error)
    centre, reach = math.log(area / (1 - area)), z * error / (area * (1 - area))
    return Estimate(area, _logistic(centre - reach), _logistic(centre + reach), error)


def _placements(distinct: DistinctScores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per distinct score: the share of non-events below it, and the share of events above it, ties a half."""
    events, others = distinct.events, distinct.others
    below = (np.cumsum(others) - others / 2) / others.sum()
    above = 1 - (np.cumsum(events) - events / 2) / events.sum()
    return below, above


def _logistic(log_odds: float) -> float:
    from scipy.special import expit

    return float(expit(log_odds))


def _newcombe_interval(area: float, events: int, others: int, z: float) -> tuple[float, float]:
    """Both areas whose own standard error (Hanley and McNeil's, for groups of one average size) puts `area` z of them away."""
    return _newcombe_lower(area, events, others, z), 1 - _newcombe_lower(1 - area, events, others, z)


def _newcombe_lower(area: float, events: int, others: int, z: float) -> float:
    from scipy.optimize import brentq

    if area == 0:
        return 0.0
    extra = (events + others) / 2 - 1

    def beyond(theta: float) -> float:
        spread = z**2 * theta * (1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (events * others)
        # For a perfect order both sides hold the factor 1 - theta, whose root is no limit.
        return (1 - theta) - spread if area == 1 else (area - theta) ** 2 - spread * (1 - theta)

    return float(brentq(beyond, 0.0, area, xtol=1e-14))


def auroc_difference(outcome: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, confidence: float = 0.95) -> Difference:
    """AUROC of score a minus that of score b on the same people, with DeLong's paired standard error and a two-sided p value.

    Undefined without both outcomes; without an interval where either outcome happened once. Two scores of the same order differ by
    exactly 0, p 1. Source as for auroc (1988, the covariance of two correlated areas).
    """
    is_event = checked_outcome(outcome)
    if not is_event.any() or is_event.all():
        return NO_DIFFERENCE_DEFINED
    placed = [_placement_of_each(is_event, checked_score(score, is_event.size)) for score in (score_a, score_b)]
    difference = placed[0] - placed[1]
    error = math.nan
    if min(int(is_event.sum()), int((~is_event).sum())) > 1:
        error = math.sqrt(sum(float(np.var(d, ddof=1)) / d.size for d in (difference[is_event], difference[~is_event])))
    return normal_difference(float(difference[is_event].mean()), error, confidence)


def _placement_of_each(is_event: NDArray[np.bool_], score: NDArray[np.float64]) -> NDArray[np.float64]:
    distinct = distinct_scores(is_event, score)
    below, above = _placements(distinct)
    place = distinct.place
    return np.where(is_event, below[place], above[place])


def average_precision(outcome: ArrayLike, score: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Area under the precision-recall curve as a step sum (average precision): the mean, over events, of the precision at their score.

    Undefined (not-a-number) without both outcomes. People of one score enter together. Interval: normal on the logit scale with the number
    of events as sample size (Boyd, Eng and Page, ECML PKDD 2013, 451-466); where every event comes first, Wilson's. The number to compare
    it with is the share of people who had the outcome, not 0.5.
    """
    is_event = checked_outcome(outcome)
    distinct = distinct_scores(is_event, checked_score(score, is_event.size))
    z = normal_deviate(confidence)
    events = int(distinct.events.sum())
    if not events or events == is_event.size:
        return UNDEFINED
    flagged, found = np.cumsum(distinct.people[::-1]), np.cumsum(distinct.events[::-1])
    area = min(float(distinct.events[::-1] @ (found / flagged)) / events, 1.0)
    if area == 1:
        return wilson_estimate(events, events, confidence)
    centre, reach = math.log(area / (1 - area)), z / math.sqrt(events * area * (1 - area))
    return Estimate(area, _logistic(centre - reach), _logistic(centre + reach), math.sqrt(area * (1 - area) / events))


def roc_curve(outcome: ArrayLike, score: ArrayLike, points: int = 200) -> Curve:
    """Share of non-events flagged (x) against share of events flagged (y) as the threshold falls, from (0, 0) to (1, 1).

    At most `points` points, chosen evenly along the two shares together, so that a picture of a million people stays small; no threshold is
    given, as it would be one person's score. Empty without both outcomes.
    """
    is_event = checked_outcome(outcome)
    distinct = distinct_scores(is_event, checked_score(score, is_event.size))
    if not (distinct.events.sum() and distinct.others.sum()):
        return Curve(np.empty(0), np.empty(0))
    x, y = (np.concatenate([[0], np.cumsum(counts[::-1])]) / counts.sum() for counts in (distinct.others, distinct.events))
    kept = _evenly((x + y) / 2, points)
    return Curve(x[kept], y[kept])


def precision_recall_curve(outcome: ArrayLike, score: ArrayLike, points: int = 200) -> Curve:
    """Share of events flagged (x, recall) against the share of the flagged who had the outcome (y, precision) as the threshold falls.

    At most `points` points, evenly along the recall. Empty without both outcomes.
    """
    is_event = checked_outcome(outcome)
    distinct = distinct_scores(is_event, checked_score(score, is_event.size))
    if not (distinct.events.sum() and distinct.others.sum()):
        return Curve(np.empty(0), np.empty(0))
    found = np.cumsum(distinct.events[::-1])
    x, y = found / found[-1], found / np.cumsum(distinct.people[::-1])
    kept = _evenly(x, points)
    return Curve(x[kept], y[kept])


def _evenly(along: NDArray[np.float64], points: int) -> NDArray[np.int64]:
    """Which points to keep: the first and the last, and those nearest after evenly spaced steps along a rising measure."""
    if points < 2:
        raise ValueError("a curve needs two points at least")
    if along.size <= points:
        return np.arange(along.size)
    steps = np.searchsorted(along, np.linspace(along[0], along[-1], points))
    steps[0], steps[-1] = 0, along.size - 1
    return np.unique(steps)
