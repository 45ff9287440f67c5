"""What is found when only the people of highest risk are looked at: the top share of everybody, or as many as a team can see.

People of equal score at the cut count in part, each by the share of them that fits, whoever comes first in the file. What does not belong
here: who is put on a list.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.calibration import observed_over_expected_of_counts
from fuller_popheath.methods.estimates import Estimate, checked_outcome, checked_probability, checked_score, wilson_estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class TopOfList:
    """The people flagged and what happened to them.

    Counts are expectations over ties at the cut, so they may be fractions. `threshold` is the lowest score flagged (not-a-number where the
    cut differs between neighbourhoods, or nobody is flagged); `lift` is ppv over the share of everybody who had the outcome.
    """

    people_count: int
    flagged_count: float
    found_count: float
    expected_count: float
    threshold: float
    ppv: Estimate
    sensitivity: Estimate
    observed_over_expected: Estimate
    lift: float


def top_of_list(
    outcome: ArrayLike,
    score: ArrayLike,
    *,
    share: float | None = None,
    count: int | None = None,
    probability: ArrayLike | None = None,
    confidence: float = 0.95,
) -> TopOfList:
    """Those with the highest scores: a share of everybody (rounded up to whole people) or a count of them (everybody, where there are fewer).

    Grain: one outcome and one score a person; in, n log n is not needed (a partition, linear in people). `probability` gives the expected
    count, which is not-a-number without it. Intervals: Wilson's for ppv (share of the flagged who had the outcome) and sensitivity (share of
    those with the outcome who were flagged); Byar's for observed over expected. Undefined where nobody is flagged (ppv) or nobody had the
    outcome (sensitivity, lift). Raises ValueError unless exactly one of share (above 0, at most 1) and count (0 or more) is given.
    """
    is_event = checked_outcome(outcome)
    scores = checked_score(score, is_event.size)
    size = flagged_size(is_event.size, share, count)
    weight, threshold = flagged_part(scores, size)
    return _found(is_event, weight, threshold, probability, confidence)


def top_of_each(
    outcome: ArrayLike,
    score: ArrayLike,
    group: ArrayLike,
    *,
    count: int,
    probability: ArrayLike | None = None,
    confidence: float = 0.95,
) -> TopOfList:
    """The `count` highest scores of each group (a neighbourhood, each with its own team), and what is found by all groups together.

    `group` names each person's group; everybody is flagged in a group of fewer, nobody who has no group (None). Otherwise as top_of_list.
    """
    import pandas as pd

    is_event = checked_outcome(outcome)
    scores = checked_score(score, is_event.size)
    member, names = pd.factorize(np.asarray(group))
    if member.shape != scores.shape:
        raise ValueError(f"there are {member.size:,} groups for {scores.size:,} people")
    weight = np.zeros(scores.size)
    # Whoever has no group has the number -1 and stands in the first part.
    parts = np.split(np.argsort(member, kind="stable"), np.cumsum(np.bincount(member + 1, minlength=len(names) + 1))[:-1])
    for rows in parts[1:]:
        weight[rows], _ = flagged_part(scores[rows], flagged_size(rows.size, None, count))
    return _found(is_event, weight, math.nan, probability, confidence)


def flagged_part(score: NDArray[np.float64], size: int) -> tuple[NDArray[np.float64], float]:
    """How much of each person is among the `size` highest scores (1, 0, or the share of a tie at the cut), and the lowest score flagged."""
    if size <= 0:
        return np.zeros(score.size), math.nan
    if size >= score.size:
        return np.ones(score.size), float(score.min()) if score.size else math.nan
    threshold = float(np.partition(score, score.size - size)[score.size - size])
    weight = (score > threshold).astype(np.float64)
    is_tied = score == threshold
    weight[is_tied] = (size - float(weight.sum())) / int(is_tied.sum())
    return weight, threshold


def flagged_size(people: int, share: float | None, count: int | None) -> int:
    """How many people a share (rounded up) or a count comes to among so many. Raises ValueError as top_of_list does."""
    if (share is None) == (count is None):
        raise ValueError("either a share or a count of people must be given, not both")
    if share is not None:
        if not 0 < share <= 1:
            raise ValueError("the share must lie above 0 and be at most 1")
        # 0.07 x 100 is a little more than 7 in floating point, and means 7.
        return math.ceil(round(share * people, 9))
    if count is None or count < 0:
        raise ValueError("the count must be 0 or more")
    return min(count, people)


def _found(is_event: NDArray[np.bool_], weight: NDArray[np.float64], threshold: float, probability: ArrayLike | None, confidence: float) -> TopOfList:
    events = int(is_event.sum())
    flagged, found = float(weight.sum()), float(weight[is_event].sum())
    expected = math.nan
    if probability is not None:
        expected = float((weight * checked_probability(probability, is_event.size)).sum())
    ppv = wilson_estimate(found, flagged, confidence)
    return TopOfList(
        people_count=is_event.size,
        flagged_count=flagged,
        found_count=found,
        expected_count=expected,
        threshold=threshold,
        ppv=ppv,
        sensitivity=wilson_estimate(found, events, confidence),
        observed_over_expected=observed_over_expected_of_counts(found, expected, confidence),
        lift=ppv.value / (events / is_event.size) if events else math.nan,
    )
