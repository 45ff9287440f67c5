"""What past lists found: predicted against observed, beside what doing nothing would have shown, and beside people at the cut-off or drawn by lot.

One issue at a time, for one team or several together. Follow-up belongs to everybody who could have been listed, so that those who were not tell what
would have become of those who were. No figure claims that a list prevented anything. What does not belong here: who had what outcome
(`list_follow_up.py`), the statistics (`methods/`), and the words on a screen (`yield_command.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken
from fuller_popheath.methods import poisson_binomial
from fuller_popheath.methods.discontinuity import Discontinuity, discontinuity
from fuller_popheath.methods.estimates import Estimate
from fuller_popheath.methods.paired_lot import effect_of_lot
from fuller_popheath.methods.regression_to_mean import Fall, Shares, regression_to_mean, shares_alike, weights_alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

LEVEL = 0.95
BAND_OF_LOG_ODDS = 0.25
"""People of a band this wide count as of the same predicted risk: it differs by at most a quarter among them. A local choice."""
BAND_OF_SCORE = 0.05
"""Where nobody has a risk: the same of scores; whole points of need stay apart. A local choice."""
MOST_BEFORE = 3
"""People with so many admissions in the year before, or more, count as alike in that."""
LEAST_NEAR, LEAST_EVENTS, LEAST_PAIRS = 30, 5, 10
"""An estimate at the cut-off needs so many people within the bandwidth on either side, and among them so many with the outcome and so many without;
the lot's answer so many pairs. Local choices: intervals at the cut-off are those of large numbers, and the lot's, though exact, say nothing with
fewer."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Everybody who could have been listed in an issue: one element a person in each.

    `team`, `priority`: code of the team, and what its order rested on. `score`, `rank_by_score`, `probability` (NaN: not scored), `is_listed`,
    `is_in_margin_band` as in core/selection_log. `was_on_last`: on the team's list before, whose people stay on more easily. `cell`: which of the
    groups that had a floor or quota the person is in, as a number; -1 where that is not known. `is_elsewhere`: on another list before or in the
    time. `objects`: by now kept out of lists and training. The others as in `list_follow_up.what_became`.
    """

    team: NDArray[np.str_]
    priority: NDArray[np.str_]
    score: Numbers
    rank_by_score: NDArray[np.int64]
    probability: Numbers
    is_listed: Flags
    is_in_margin_band: Flags
    was_on_last: Flags
    cell: NDArray[np.int64]
    is_elsewhere: Flags
    objects: Flags
    is_followed: Flags
    has_died: Flags
    has_outcome: Flags
    before_count: NDArray[np.int64]
    after_count: NDArray[np.int64]
    followed_years: Numbers

    @property
    def counts(self) -> Flags:
        """Who stands in the figures: followed up, and not objecting."""
        return self.is_followed & ~self.objects


@dataclass(frozen=True)
class Account:
    """What became of the people of one side. `people` are all of them; `left`, `objecting` stand in no figure; `died` were followed to the death."""

    people: int
    left: int
    objecting: int
    died: int
    elsewhere: int


@dataclass(frozen=True)
class Came:
    """Of those with a known risk who were followed up: how many were predicted to have the outcome, with an interval, and how many had it.

    `predicted` and its limits are None where probabilities are for another length of time.
    """

    people: int
    observed: int
    predicted: float | None
    lower: int | None
    upper: int | None


@dataclass(frozen=True)
class AtCutOff:
    """The jump in the share with the outcome at the cut-off of teams of one priority; and, as a check, in the share with an admission the year
    before.

    `people`: followed, of cells that a cut-off parts, not on the list before; `unclear`: people of cells that the score does not part. `jump`,
    `check`: None with too few people, of whom `below`, `above` are near.
    """

    priority: str
    people: int
    unclear: int
    below: int
    above: int
    jump: Discontinuity | None
    check: Discontinuity | None


@dataclass(frozen=True)
class ByLot:
    """Pairs at the margin of whom the lot listed one: the share with the outcome among those drawn in less that among those drawn out.

    `pairs`: both followed up; `lost`: pairs of whom one or both are not. `check`: the same of an admission the year before. None with too few pairs.
    """

    pairs: int
    lost: int
    in_count: int
    out_count: int
    difference: Estimate | None
    check: Estimate | None


@dataclass(frozen=True)
class ListYield:
    """One issue: both sides, what was predicted, what befell people alike, the estimates at the cut-off (one a priority), and the lot's.

    `rate_before`, `rate_after`: admissions a person-year of all listed who were followed up, in the year before and after; NaN for nobody.
    `risk_apart`: mean predicted risk of those listed less that of those alike in it, over a year; NaN where it is not known.
    """

    listed: Account
    others: Account
    came: Came
    came_others: Came
    rate_before: float
    rate_after: float
    alike: Shares
    risk_apart: float
    fall: Fall
    has_band: bool
    at_cut_off: tuple[AtCutOff, ...]
    by_lot: ByLot | None


def list_yield(people: Candidates, is_full_time: bool) -> ListYield:
    """All figures of one issue. `is_full_time`: follow-up is as long as the probabilities are for, so that they can be held against it.

    Where some team has a margin band the cut-off of its list is no sharp one, and the lot answers better: no estimate at the cut-off is made for it.
    Raises ContractBroken where the pairs of a margin band cannot be found again.
    """
    counts, listed = people.counts, people.is_listed
    stratum = alike_in_risk(people)
    before = np.minimum(people.before_count, MOST_BEFORE)
    own = counts & listed
    years = float(people.followed_years[own].sum())
    return ListYield(
        listed=_account(people, listed),
        others=_account(people, ~listed),
        came=_came(people, own, is_full_time),
        came_others=_came(people, ~listed & counts, is_full_time),
        rate_before=float(people.before_count[own].mean()) if own.any() else math.nan,
        rate_after=float(people.after_count[own].sum()) / years if years else math.nan,
        alike=shares_alike(people.has_outcome[counts], listed[counts], stratum[counts], LEVEL),
        risk_apart=_risk_apart(people, stratum),
        fall=regression_to_mean(
            people.before_count[counts],
            people.after_count[counts],
            np.ones(int(counts.sum())),
            people.followed_years[counts],
            listed[counts],
            (stratum * (MOST_BEFORE + 1) + before)[counts],
            LEVEL,
        ),
        has_band=bool(people.is_in_margin_band.any()),
        at_cut_off=at_cut_off(people),
        by_lot=by_lot(people) if people.is_in_margin_band.any() else None,
    )


def alike_in_risk(people: Candidates) -> NDArray[np.int64]:
    """The stratum of each person: a band of the predicted risk; where nobody has one, of the score under the same priority.

    With risks known for others, each person without one is a stratum apart from all: nobody is known to be like them.
    """
    known = ~np.isnan(people.probability)
    if known.any():
        risk = np.clip(np.where(known, people.probability, 0.5), 1e-6, 1 - 1e-6)
        band = np.floor(np.log(risk / (1 - risk)) / BAND_OF_LOG_ODDS + 1e-9).astype(np.int64)
        apart = band.min(initial=0) - 1 - np.arange(len(band))
        return np.asarray(np.unique(np.where(known, band, apart), return_inverse=True)[1], np.int64)
    order = np.unique(people.priority, return_inverse=True)[1].astype(np.int64)
    band = np.floor(people.score / BAND_OF_SCORE + 1e-9).astype(np.int64)
    return np.asarray(np.unique(np.stack([order, band]), axis=1, return_inverse=True)[1].reshape(-1), np.int64)


def _risk_apart(people: Candidates, stratum: NDArray[np.int64]) -> float:
    risk, listed = people.probability[people.counts], people.is_listed[people.counts]
    weight = weights_alike(listed, stratum[people.counts])
    matched = float(weight[listed].sum())
    if not matched or np.isnan(risk[weight > 0]).any():
        return math.nan
    return float((np.where(listed, weight, -weight) * np.nan_to_num(risk)).sum()) / matched


def _account(people: Candidates, side: Flags) -> Account:
    objecting = side & people.objects
    left = side & ~people.objects & ~people.is_followed
    counted = side & people.counts
    return Account(
        people=int(side.sum()),
        left=int(left.sum()),
        objecting=int(objecting.sum()),
        died=int((counted & people.has_died).sum()),
        elsewhere=int((counted & people.is_elsewhere).sum()),
    )


def _came(people: Candidates, side: Flags, is_full_time: bool) -> Came:
    known = side & ~np.isnan(people.probability) if is_full_time else side
    observed = int(people.has_outcome[known].sum())
    if not is_full_time or not known.any():
        return Came(int(known.sum()), observed, None, None, None)
    risk = people.probability[known]
    return Came(int(known.sum()), observed, poisson_binomial.mean(risk), *_interval(risk))


def _interval(risk: Numbers) -> tuple[int, int]:
    """Exact for a list; of very many people the normal approximation of the same sum, which then differs by less than a person in a thousand."""
    if len(risk) <= 5_000:
        return poisson_binomial.interval(risk, LEVEL)
    reach = 1.959964 * poisson_binomial.variance(risk) ** 0.5
    return max(round(poisson_binomial.mean(risk) - reach), 0), round(poisson_binomial.mean(risk) + reach)


def at_cut_off(people: Candidates) -> tuple[AtCutOff, ...]:
    """The estimate of each priority, teams together, each person by the distance from the own team's cut-off.

    Score alone decided about those who were not on the list before: within a cell (members of the same groups with a floor or quota) the best are
    listed down to a cut-off, half way between the last listed and the first not. Cells without either, and such as score does not part, are left
    out.
    """
    with_band = np.isin(people.team, np.unique(people.team[people.is_in_margin_band]))
    free = ~people.was_on_last & ~with_band & (people.cell >= 0)
    distance, unclear = np.full(len(people.score), np.nan), np.zeros(len(people.score), np.bool_)
    which = _cells(people)
    for cell in np.unique(which[free]):
        at = np.flatnonzero(free & (which == cell))
        listed = people.is_listed[at]
        if listed.all() or not listed.any():
            continue
        if people.rank_by_score[at[listed]].max() > people.rank_by_score[at[~listed]].min():
            unclear[at] = True
            continue
        cut = (people.score[at[listed]].min() + people.score[at[~listed]].max()) / 2
        distance[at] = people.score[at] - cut
    made = [_of_priority(people, str(name), distance, unclear) for name in np.unique(people.priority[free])]
    return tuple(each for each in made if each.people or each.unclear)


def _cells(people: Candidates) -> NDArray[np.int64]:
    teams = np.unique(people.team, return_inverse=True)[1].astype(np.int64)
    return np.asarray(teams * (people.cell.max(initial=0) + 2) + people.cell + 1, np.int64)


def _of_priority(people: Candidates, priority: str, distance: Numbers, unclear: Flags) -> AtCutOff:
    of_it = people.priority == priority
    kept = of_it & people.counts & ~np.isnan(distance)
    x, y, above = distance[kept], people.has_outcome[kept], people.is_listed[kept]
    sizes = int(kept.sum()), int((of_it & unclear).sum())
    jump = discontinuity(x, y, above, confidence=LEVEL) if len(x) else None
    if jump is None:
        return AtCutOff(priority, *sizes, 0, 0, None, None)
    near = np.abs(x) < jump.bandwidth
    enough = not np.isnan(jump.lower) and all(
        side.sum() >= LEAST_NEAR and LEAST_EVENTS <= y[side].sum() <= side.sum() - LEAST_EVENTS for side in (near & above, near & ~above)
    )
    check = discontinuity(x, people.before_count[kept] > 0, above, jump.bandwidth, LEVEL) if enough else None
    return AtCutOff(priority, *sizes, jump.below, jump.above, jump if enough else None, check)


def by_lot(people: Candidates) -> ByLot:
    """The answer of the lot, teams together.

    Pairs are found again as `cohorts/capacity.py` made them: within a cell the last listed before the lot with the first not listed, and so on
    outwards. Raises ContractBroken where they cannot be: somebody's cell is not known, or not exactly one of a pair is listed.
    """
    band = people.is_in_margin_band
    if unknown := int((band & (people.cell < 0)).sum()):
        raise ContractBroken(f"core/list_candidate says of {unknown} of {band.sum()} people of a margin band not which groups they were in")
    pairs: list[tuple[int, int]] = []
    which = _cells(people)
    for cell in np.unique(which[band]):
        at = np.flatnonzero(band & (which == cell))
        at = at[np.argsort(people.rank_by_score[at], kind="stable")]
        half = len(at) // 2
        pairs += zip(at[:half][::-1].tolist(), at[half:].tolist(), strict=len(at) % 2 == 0)
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    if len(pairs) * 2 != band.sum() or (wrong := int((people.is_listed[first] == people.is_listed[second]).sum())):
        odd = wrong if len(pairs) * 2 == band.sum() else 0
        raise ContractBroken(f"core/selection_log: the {band.sum()} people of a margin band do not make pairs with one listed each ({odd} do not)")
    ins, outs = (np.where(people.is_listed[first] == side, first, second) for side in (True, False))
    kept = people.counts[ins] & people.counts[outs]
    ins, outs = ins[kept], outs[kept]
    had, before = people.has_outcome, people.before_count > 0
    enough = len(ins) >= LEAST_PAIRS
    return ByLot(
        pairs=len(ins),
        lost=int((~kept).sum()),
        in_count=int(had[ins].sum()),
        out_count=int(had[outs].sum()),
        difference=effect_of_lot(had[ins], had[outs], LEVEL) if enough else None,
        check=effect_of_lot(before[ins], before[outs], LEVEL) if enough else None,
    )
