"""Which statistics are asked of predictions about everybody, about a group of people, and about those at the top of a list.

The statistics themselves are those of `methods`. Figures of everybody together are exact; shares of people, and ratios to what is expected at the top
of a list, are made from rounded counts there too. Of a group nothing is shown that its exact counts could be worked out from (`of_some`): with the
total they would give away a group that is hidden. What does not belong here: tables, verdicts, and which groups there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.small_numbers import ROUNDED_TO, is_small, rounded

if TYPE_CHECKING:
    from fuller_popheath.methods.estimates import Difference, Estimate

TOP_SHARES = (0.005, 0.01, 0.02, 0.05)
TOP_SHARE_OF_GROUPS = 0.05
"""Of the cuts by share, the one at which groups are compared: who is among the 5 % of everybody at highest risk."""
TEAM_CAPACITY = "team_capacity"
AS_FITTED = "_as_fitted"
"""Ending of figures before recalibration."""


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
    """What is asked of everybody: order (auroc), error (brier), and whether risks are right on the whole and in their spread. Exact."""
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


def as_fitted(outcome: np.ndarray, log_odds: np.ndarray) -> list[Figure]:
    """How well the risks of an earlier date hold before recalibration: whether the level has moved since, and the spread. Exact, about everybody.

    `log_odds`: as the model was fitted. Recalibrated at the later date, observed over expected is close to 1 whatever happened between the two.
    """
    from scipy.special import expit

    from fuller_popheath.methods import calibration

    probability = np.asarray(expit(log_odds))
    return [
        of_estimate(f"observed_over_expected{AS_FITTED}", calibration.observed_over_expected(outcome, probability)),
        of_estimate(f"calibration_slope{AS_FITTED}", calibration.calibration_slope(outcome, probability)),
    ]


def of_some(outcome: np.ndarray, probability: np.ndarray, score: np.ndarray) -> list[Figure]:
    """What is asked of the people of one group, without what would tell how many they are: made as if the rounded counts were the counts.

    Byar's limits tell the observed count, an interval for rare outcomes tells about 1 / sqrt(count), a Brier score of rare outcomes is about their
    share, and an AUROC is a fraction whose denominator is twice those with times those without the outcome. So ratio, share, Brier score and
    calibration-in-the-large come from rounded counts, and what individual predictions decide is told to few places. With few different predictions
    (`calibration.FEW_PREDICTIONS`) it is the counts at each of them in another guise, and marked as resting on too few people. The joint intercept
    is not asked. Not-a-number where nobody is left after rounding.
    """
    from fuller_popheath.methods import calibration, discrimination
    from fuller_popheath.methods.estimates import UNDEFINED

    people, events = float(rounded(outcome.size)), float(rounded(outcome.sum()))
    # A look at the first people usually settles it without a sort.
    is_counted = all(np.unique(some).size <= calibration.FEW_PREDICTIONS for some in (probability[:1000], probability))
    is_large = events < people
    order = discrimination.auroc(outcome, score)
    # Where every pair is in order, or none is, the interval is made from the counts.
    limits = (order.lower, order.upper) if 0 < order.value < 1 else (math.nan, math.nan)
    figures = [
        _to_places(Figure("auroc", order.value, *limits), _places_of_order(people, events)),
        _to_places(of_estimate("brier", _brier_of_counts(outcome, probability, people, events) if is_large else UNDEFINED), 4),
        _to_places(of_estimate("calibration_in_the_large", _in_the_large_of_counts(probability, people, events) if is_large else UNDEFINED), 2),
        _to_places(of_estimate("calibration_slope", calibration.calibration_slope(outcome, probability)), 2),
    ]
    return [
        of_estimate("outcome_share", _share(events, people)),
        of_estimate("observed_over_expected", _ratio(events, float(probability.sum()), outcome.size)),
        *(replace(each, is_few=is_counted) for each in figures),
    ]


def _ratio(observed: float, expected: float, people: float) -> Estimate:
    """Observed over expected from the rounded count, and what would be expected of the rounded number of people, to a whole number."""
    from fuller_popheath.methods import calibration
    from fuller_popheath.methods.estimates import UNDEFINED

    if not people > 0:
        return UNDEFINED
    return calibration.observed_over_expected_of_counts(float(rounded(observed)), float(np.rint(expected / people * rounded(people))))


def _brier_of_counts(outcome: np.ndarray, probability: np.ndarray, people: float, events: float) -> Estimate:
    """The Brier score of so many people, so many of them with the outcome, whose predictions are spread as those of the people given."""
    from fuller_popheath.methods.estimates import normal_estimate

    of_events, of_others = (1 - probability[outcome]) ** 2, probability[~outcome] ** 2
    parts = [(count, squares) for count, squares in ((events, of_events), (people - events, of_others)) if count > 0 and squares.size]
    value = sum(count * float(squares.mean()) for count, squares in parts) / people
    spread = sum(count * float(((squares - value) ** 2).mean()) for count, squares in parts)
    return normal_estimate(value, math.sqrt(spread / max(people - 1, 1) / people), 0.95, 0.0, 1.0)


def _in_the_large_of_counts(probability: np.ndarray, people: float, events: float) -> Estimate:
    """Calibration-in-the-large of so many people, so many of them with the outcome, whose predictions are spread as those given.

    As `methods.calibration.calibration_in_the_large`, which looks at no more of the outcomes than how many there are. Undefined for no outcome.
    """
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    from fuller_popheath.methods.calibration import NEAREST_TO_CERTAIN
    from fuller_popheath.methods.estimates import UNDEFINED, normal_estimate

    if not events:
        return UNDEFINED
    log_odds = logit(np.clip(probability, NEAREST_TO_CERTAIN, 1 - NEAREST_TO_CERTAIN))
    aim = float(logit(events / people))
    intercept = float(brentq(lambda a: float(expit(log_odds + a).mean()) - events / people, aim - log_odds.max() - 1, aim - log_odds.min() + 1))
    share = expit(log_odds + intercept)
    return normal_estimate(intercept, 1 / math.sqrt(people * float((share * (1 - share)).mean())), 0.95)


def _places_of_order(people: float, events: float) -> int:
    """To how many decimal places an AUROC fits whatever counts the rounded ones may stand for: a step of it is no more than its last place."""
    least = max(events - ROUNDED_TO // 2, 1) * max(people - events - 2 * (ROUNDED_TO // 2), 1)
    return 3 if 2 * least >= 1_000 else 2


def _to_places(figure: Figure, places: int) -> Figure:
    return replace(figure, value=round(figure.value, places), lower=round(figure.lower, places), upper=round(figure.upper, places))


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
    """What a cut finds among everybody, or among the people at some positions: how many of them are flagged, and who of them is found.

    Figures are made from rounded counts for everybody too: between one cut and the next there may be few.
    """
    weight, event, risk = (cut.weight, outcome, probability) if at is None else (cut.weight[at], outcome[at], probability[at])
    flagged, found, events = float(weight.sum()), float(weight[event].sum()), float(np.count_nonzero(event))
    ppv = _share(found, flagged)
    figures = [
        Figure(f"flagged_share_{cut.name}", _share(flagged, event.size).value),
        of_estimate(f"ppv_{cut.name}", ppv),
        of_estimate(f"sensitivity_{cut.name}", _share(found, events)),
        of_estimate(f"observed_over_expected_{cut.name}", _ratio(found, float((weight * risk).sum()), flagged)),
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
