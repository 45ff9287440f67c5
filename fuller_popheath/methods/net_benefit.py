"""Whether deciding by a model does more good than treating everybody or nobody: net benefit, and the decision curve.

Net benefit counts true positives per person, less false positives at the odds of the threshold: whoever treats at a risk of 1 in 10 accepts
nine false alarms for one person found. What does not belong here: what a treatment achieves, and which threshold is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import UNDEFINED, Estimate, checked_outcome, checked_probability, normal_deviate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit per person, one element a threshold: of the model, of treating everybody, and of nobody (0), with limits.

    `advantage` is the model's over the better of the other two, with limits from the same people.
    """

    threshold: NDArray[np.float64]
    flagged_share: NDArray[np.float64]
    model: NDArray[np.float64]
    model_lower: NDArray[np.float64]
    model_upper: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    treat_all_lower: NDArray[np.float64]
    treat_all_upper: NDArray[np.float64]
    treat_none: NDArray[np.float64]
    advantage: NDArray[np.float64]
    advantage_lower: NDArray[np.float64]
    advantage_upper: NDArray[np.float64]


def decision_curve(outcome: ArrayLike, probability: ArrayLike, thresholds: ArrayLike, confidence: float = 0.95) -> DecisionCurve:
    """Net benefit at each threshold, flagging whoever has a probability at or above it: found / n - t / (1 - t) x false alarms / n.

    Grain: one outcome and one probability a person; thresholds at least 0 and below 1, in any order. Intervals: normal, from the variance
    between people of what each adds. Defined without events (then never above 0); not-a-number for nobody, and limits for one person.
    Source: Vickers and Elkin, Med Decis Making 26 (2006) 565-574; variance: Sande and others, Stat Med 39 (2020) 2980-3002. Raises ValueError
    as the checks of estimates do, and for a threshold outside.
    """
    is_event = checked_outcome(outcome)
    predicted = checked_probability(probability, is_event.size)
    t = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((t >= 0) & (t < 1)).all():
        raise ValueError(f"{int((~((t >= 0) & (t < 1))).sum())} thresholds are not at least 0 and below 1")
    z, people = normal_deviate(confidence), is_event.size
    odds = t / (1 - t)
    of_events, of_others = np.sort(predicted[is_event]), np.sort(predicted[~is_event])
    found, alarms = (group.size - np.searchsorted(group, t, side="left") for group in (of_events, of_others))
    model, model_reach = _mean_and_reach(found, alarms, odds, people, z)
    every, every_reach = _mean_and_reach(np.full(t.shape, of_events.size), np.full(t.shape, of_others.size), odds, people, z)
    # Against treating everybody, a model adds what it spares and loses what it misses among those it does not flag.
    spared, spared_reach = _mean_and_reach(of_events.size - found, of_others.size - alarms, odds, people, z)
    better_is_all = every > 0
    advantage = np.where(better_is_all, -spared, model)
    reach = np.where(better_is_all, spared_reach, model_reach)
    none = np.zeros(t.shape) if people else np.full(t.shape, np.nan)
    flagged = (found + alarms) / people if people else none
    return DecisionCurve(
        threshold=t,
        flagged_share=flagged,
        model=model,
        model_lower=model - model_reach,
        model_upper=model + model_reach,
        treat_all=every,
        treat_all_lower=every - every_reach,
        treat_all_upper=every + every_reach,
        treat_none=none,
        advantage=advantage,
        advantage_lower=advantage - reach,
        advantage_upper=advantage + reach,
    )


def net_benefit(outcome: ArrayLike, probability: ArrayLike, threshold: float, confidence: float = 0.95) -> Estimate:
    """Net benefit of the model at one threshold, per person. As decision_curve."""
    curve = decision_curve(outcome, probability, [threshold], confidence)
    value, lower, upper = float(curve.model[0]), float(curve.model_lower[0]), float(curve.model_upper[0])
    if value != value:
        return UNDEFINED
    return Estimate(value, lower, upper, (upper - lower) / 2 / normal_deviate(confidence))


def _mean_and_reach(
    found: NDArray[np.int64], alarms: NDArray[np.int64], odds: NDArray[np.float64], people: int, z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean over people of 1 for each found, -odds for each false alarm and 0 else; and how far its limits reach."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (found - odds * alarms) / np.float64(people)
        square = (found + odds**2 * alarms) / np.float64(people)
        # A variance of counts can fall below 0 by rounding alone.
        variance = np.maximum(square - mean**2, 0.0) / np.float64(people - 1 if people > 1 else np.nan)
    return mean, z * np.sqrt(variance)
