"""The curves behind a model card, as the rows of risk/evaluation_curve.

The curves themselves are those of `methods`; here their points are thinned to those that enough people stand behind. What does not belong here:
drawing them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.small_numbers import hidden_siblings, is_small, rounded
from fuller_popheath.risk.evaluation import Predictions, about, table_of
from fuller_popheath.risk.model_figures import few_at, few_of_parts

if TYPE_CHECKING:
    import pyarrow as pa

EVALUATION_CURVE = "risk/evaluation_curve"
DECISION_THRESHOLDS = tuple(percent / 100 for percent in range(1, 61))
RISK_RANGES = 50
"""Predicted risks are counted in ranges of 2 %."""


@dataclass(frozen=True)
class Point:
    """One point of a curve; y, lower and upper are not-a-number where undefined or hidden."""

    x: float
    y: float
    lower: float = math.nan
    upper: float = math.nan


def curves(predictions: Predictions, as_of: date) -> pa.Table:
    """Every curve of one model and one way of validation about everybody: ROC, precision and recall, calibration (flexible and in tenths), net
    benefit of the model and of treating everybody, and how risks are spread. No points at all where everybody together is too few to be shown.
    """
    outcome = predictions.has_outcome
    if is_small(outcome.size, np.count_nonzero(outcome)) or not outcome.size:
        return table_of([], EVALUATION_CURVE)
    drawn = {
        "roc": _roc(predictions),
        "precision_recall": _precision_recall(predictions),
        "calibration": _calibration(predictions),
        "calibration_decile": _tenths(predictions),
        **_decision(predictions),
        "risk_distribution": _risk_distribution(predictions),
    }
    return table_of([row for curve, points in drawn.items() for row in _rows(about(predictions, as_of), curve, points)], EVALUATION_CURVE)


def learning(about_model: Mapping[str, object], points: Sequence[tuple[float, float]]) -> pa.Table:
    """The learning curve of a model: (people fitted on, AUROC) of each fit, as rows beside its other curves.

    `about_model`: the columns that `evaluation.about` gives.
    """
    return table_of(_rows(about_model, "learning", [Point(float(people), float(auroc)) for people, auroc in sorted(points)]), EVALUATION_CURVE)


def _rows(about_model: Mapping[str, object], curve: str, points: Iterable[Point]) -> Iterator[dict[str, object]]:
    for place, point in enumerate(points):
        y, lower, upper = (number if math.isfinite(number) else None for number in (point.y, point.lower, point.upper))
        yield {**about_model, "curve": curve, "point": place, "x": point.x, "y": y, "lower": lower, "upper": upper}


def _roc(p: Predictions) -> list[Point]:
    from fuller_popheath.methods.discrimination import roc_curve

    curve = roc_curve(p.has_outcome, p.score)
    events = int(p.has_outcome.sum())
    found, alarms = curve.y * events, curve.x * (p.has_outcome.size - events)
    return _of_enough(curve.x, curve.y, found + alarms, found, p)


def _precision_recall(p: Predictions) -> list[Point]:
    from fuller_popheath.methods.discrimination import precision_recall_curve

    curve = precision_recall_curve(p.has_outcome, p.score)
    found = curve.x * int(p.has_outcome.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        flagged = np.where(curve.y > 0, found / curve.y, 0)
    # A precision of nought leaves the number of those flagged unsaid, and nobody is told of.
    return _of_enough(curve.x, curve.y, flagged, found, p)


def _of_enough(x: np.ndarray, y: np.ndarray, flagged: np.ndarray, found: np.ndarray, p: Predictions) -> list[Point]:
    """The points at which neither those flagged nor those left are few."""
    few = few_of_parts(np.rint(flagged), np.rint(found), p.has_outcome.size, int(p.has_outcome.sum()))
    return [Point(float(a), float(b)) for a, b in zip(x[~few], y[~few], strict=True)]


def _calibration(p: Predictions) -> list[Point]:
    from fuller_popheath.methods.calibration import calibration_curve

    curve = calibration_curve(p.has_outcome, p.probability)
    points = [Point(*map(float, each)) for each in zip(curve.predicted, curve.observed, curve.lower, curve.upper, strict=True)]
    distinct, place = np.unique(p.probability, return_inverse=True)
    if not np.array_equal(distinct, curve.predicted):
        return points
    # A rule with a few levels has no curve but the share at each level: counts of people, and hidden as such.
    hidden = hidden_siblings(np.bincount(place), np.bincount(place, p.has_outcome))
    return [Point(point.x, math.nan) if is_hidden else point for point, is_hidden in zip(points, hidden, strict=True)]


def _tenths(p: Predictions) -> list[Point]:
    from fuller_popheath.methods.calibration import calibration_groups
    from fuller_popheath.methods.proportions import wilson_interval

    groups = calibration_groups(p.has_outcome, p.probability)
    hidden = hidden_siblings(groups.people_count, groups.outcome_count)
    outcomes, people = rounded(groups.outcome_count), np.maximum(rounded(groups.people_count), 1)
    lower, upper = wilson_interval(np.minimum(outcomes, people), people)
    shown = [(share, low, high) for share, low, high in zip(outcomes / people, lower, upper, strict=True)]
    return [
        Point(float(x), *((math.nan,) * 3 if is_hidden else map(float, limits)))
        for x, limits, is_hidden in zip(groups.predicted_share, shown, hidden, strict=True)
    ]


def _decision(p: Predictions) -> dict[str, list[Point]]:
    from fuller_popheath.methods.net_benefit import decision_curve

    curve = decision_curve(p.has_outcome, p.probability, DECISION_THRESHOLDS)
    few = few_at(p.has_outcome, p.probability, DECISION_THRESHOLDS)
    model = zip(curve.threshold, curve.model, curve.model_lower, curve.model_upper, few, strict=True)
    every = zip(curve.threshold, curve.treat_all, curve.treat_all_lower, curve.treat_all_upper, strict=True)
    return {
        "decision": [Point(float(t), *((math.nan,) * 3 if is_few else map(float, each))) for t, *each, is_few in model],
        "decision_all": [Point(*map(float, each)) for each in every],
    }


def _risk_distribution(p: Predictions) -> list[Point]:
    ranges = np.minimum((p.probability * RISK_RANGES).astype(np.int64), RISK_RANGES - 1)
    people = np.bincount(ranges, minlength=RISK_RANGES)
    # Nobody's outcome is told here, so that everybody may as well have none; the number of people alone can be small.
    hidden = hidden_siblings(people, np.zeros(RISK_RANGES))
    counts = np.where(hidden, math.nan, rounded(people))
    return [Point(place / RISK_RANGES, float(count)) for place, count in enumerate(counts)]
