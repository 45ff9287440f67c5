"""Which statistics are asked of predictions about everybody, about a group of people, and about those at the top of a list.

The statistics themselves are those of `methods`. Shares of people are made from rounded counts, because a share of few people tells its counts;
ratios to what a model expects, and what a fit gives, are exact. What does not belong here: tables, verdicts, and which groups there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.small_numbers import is_small, rounded

if TYPE_CHECKING:
    from fuller_popheath.methods.estimates import Difference, Estimate

TOP_SHARES = (0.005, 0.01, 0.02, 0.05)
TOP_SHARE_OF_GROUPS = 0.05
"""Of the cuts by share, the one at which groups are compared: who is among the 5 % of everybody at highest risk."""
TEAM_CAPACITY = "team_capacity"


@dataclass(frozen=True)
class Figure:
    """One metric of one group of people, not-a-number where undefined; `is_few`: it rests on too few people to be shown."""

    metric: str
    value: float
    lower: float = math.nan
    upper: float = math.nan
    is_few: bool = False


@dataclass(frozen=True, eq=False)
class Cut:
    """The top of a list: its name in metrics, and how much of each person is above the cut (1, 0, or a share where equal scores straddle it)."""

    name: str
    weight: np.ndarray


@dataclass(frozen=True)
class Top:
    """What a cut finds in one group: people above it, those of them with the outcome, and the figures made of both."""

    flagged: float
    found: float
    figures: tuple[Figure, ...]

    def hiding(self, is_few: bool) -> tuple[Figure, ...]:
        """The figures, marked as resting on too few people if they do."""
        return tuple(replace(each, is_few=each.is_few or is_few) for each in self.figures)


def of_estimate(metric: str, estimate: Estimate | Difference) -> Figure:
    """An estimate under the name of its metric."""
    return Figure(metric, estimate.value, estimate.lower, estimate.upper)


def of_group(outcome: np.ndarray, probability: np.ndarray, score: np.ndarray) -> list[Figure]:
    """What is asked of every group: order (auroc), error (brier), and whether risks are right on the whole and in their spread."""
    from fuller_popheath.methods import calibration, discrimination, probability_error

    line = calibration.calibration_line(outcome, probability)
    return [
        of_estimate("auroc", discrimination.auroc(outcome, score)),
        of_estimate("brier", probability_error.brier(outcome, probability)),
        of_estimate("outcome_share", _share(float(outcome.sum()), outcome.size)),
        of_estimate("observed_over_expected", calibration.observed_over_expected(outcome, probability)),
        of_estimate("calibration_in_the_large", calibration.calibration_in_the_large(outcome, probability)),
        of_estimate("calibration_slope", line.slope),
        of_estimate("joint_intercept", line.joint_intercept),
    ]


def of_everybody(outcome: np.ndarray, probability: np.ndarray, score: np.ndarray, thresholds: Sequence[float]) -> list[Figure]:
    """What is asked of everybody together: that of each group, precision, the distance from the flexible calibration curve, and net benefit."""
    from fuller_popheath.methods import calibration, discrimination, net_benefit, probability_error

    curve = calibration.calibration_curve(outcome, probability)
    decisions = net_benefit.decision_curve(outcome, probability, list(thresholds))
    points = zip(thresholds, decisions.model, decisions.model_lower, decisions.model_upper, few_at(outcome, probability, thresholds), strict=True)
    benefits = [Figure(f"net_benefit_at_{percent_name(t)}_percent", float(v), float(low), float(up), bool(few)) for t, v, low, up, few in points]
    return [
        *of_group(outcome, probability, score),
        Figure("mean_probability", float(probability.mean()) if probability.size else math.nan),
        of_estimate("scaled_brier", probability_error.scaled_brier(outcome, probability)),
        of_estimate("auprc", discrimination.average_precision(outcome, score)),
        *(Figure(name, float(getattr(curve, name))) for name in ("ici", "e50", "e90", "emax")),
        *benefits,
    ]


def few_at(outcome: np.ndarray, probability: np.ndarray, thresholds: Sequence[float] | np.ndarray) -> np.ndarray:
    """Of each threshold, whether the people at or above it, or those below it, are too few to stand alone."""
    of_events, of_others = np.sort(probability[outcome]), np.sort(probability[~outcome])
    found, alarms = (group.size - np.searchsorted(group, thresholds, side="left") for group in (of_events, of_others))
    return few_of_parts(found + alarms, found, outcome.size, of_events.size)


def few_of_parts(part: np.ndarray, events: np.ndarray, all_people: int, all_events: int) -> np.ndarray:
    """Whether parts of a known total (people, and those of them with the outcome), or what is left of the total beside them, are too small."""
    return is_small(part, events) | is_small(all_people - np.asarray(part), all_events - np.asarray(events))


def share_cuts(score: np.ndarray) -> list[Cut]:
    """The people of highest score by share of everybody: TOP_SHARES."""
    from fuller_popheath.methods.top_of_list import flagged_part, flagged_size

    sizes = [flagged_size(score.size, share, None) for share in TOP_SHARES]
    return [Cut(cut_name(share), flagged_part(score, size)[0]) for share, size in zip(TOP_SHARES, sizes, strict=True)]


def capacity_cut(score: np.ndarray, teams: Sequence[np.ndarray], people_per_team: int) -> Cut:
    """The people of highest score of each team (positions of the people it serves), as many as a team can see."""
    from fuller_popheath.methods.top_of_list import flagged_part

    weight = np.zeros(score.size)
    for served in teams:
        weight[served] = flagged_part(score[served], min(people_per_team, served.size))[0]
    return Cut(TEAM_CAPACITY, weight)


def top_of(cut: Cut, outcome: np.ndarray, probability: np.ndarray, at: np.ndarray | None = None) -> Top:
    """What a cut finds among everybody, or among the people at some positions: how many of them are flagged, and who of them is found."""
    from fuller_popheath.methods import calibration

    weight, event, risk = (cut.weight, outcome, probability) if at is None else (cut.weight[at], outcome[at], probability[at])
    flagged, found, events = float(weight.sum()), float(weight[event].sum()), float(np.count_nonzero(event))
    ppv = _share(found, flagged)
    figures = [
        Figure(f"flagged_share_{cut.name}", _share(flagged, event.size).value),
        of_estimate(f"ppv_{cut.name}", ppv),
        of_estimate(f"sensitivity_{cut.name}", _share(found, events)),
        of_estimate(f"observed_over_expected_{cut.name}", calibration.observed_over_expected_of_counts(found, float((weight * risk).sum()))),
    ]
    if at is None:
        everywhere = _share(events, event.size).value
        figures.append(Figure(f"lift_{cut.name}", ppv.value / everywhere if everywhere else math.nan))
    return Top(flagged, found, tuple(figures))


def _share(part: float, whole: float) -> Estimate:
    """A share of people with Wilson's interval, from rounded counts."""
    from fuller_popheath.methods import estimates

    return estimates.wilson_estimate(float(rounded(part)), float(rounded(whole)), 0.95)


def cut_name(share: float) -> str:
    """How a cut by share ends its metrics' names: top_0_5_percent."""
    return f"top_{percent_name(share)}_percent"


def percent_name(share: float) -> str:
    """A share in percent as it stands in a name: 0_5 for 0.005."""
    return f"{round(100 * share, 6):g}".replace(".", "_")
