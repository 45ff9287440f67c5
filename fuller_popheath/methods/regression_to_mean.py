"""What would have become of a chosen group had nothing been done: people like them who were not chosen, weighted until they are alike.

A group that is chosen because much happened to it lately has less happen to it afterwards, whatever is done (F. Galton, J Anthropol Inst 15 (1886)
246-263; for lists of people at risk: M. Roland, G. Abel, BMJ 345 (2012) e6017). The fall is read off people of the same stratum, among whom nothing
was done (direct standardisation to the strata of the chosen). What does not belong here: what the strata are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import NO_DIFFERENCE_DEFINED, Difference, checked_outcome, normal_difference
from fuller_popheath.methods.proportions import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Fall:
    """Events per person-year before and after, of the chosen who have somebody alike and of those alike, weighted; not-a-number where undefined.

    `matched`, `unmatched`: chosen people with and without anybody of their stratum who was not chosen; `compared`: how many those are. `difference`:
    after among the chosen less after among those alike.
    """

    matched: int
    unmatched: int
    compared: int
    before: float
    after: float
    before_alike: float
    after_alike: float
    difference: Difference


@dataclass(frozen=True)
class Shares:
    """The share of people with an outcome among the chosen who have somebody alike, among those alike (weighted), and the difference with limits."""

    matched: int
    unmatched: int
    compared: int
    share: float
    share_alike: float
    difference: float
    lower: float
    upper: float


def weights_alike(is_chosen: ArrayLike, stratum: ArrayLike) -> NDArray[np.float64]:
    """One weight a person, in the order given: what makes those not chosen alike to the chosen.

    Of a stratum with c chosen and o others each chosen one weighs 1 and each other c / o; without others, or without chosen ones, everybody weighs 0.
    So both sides have the same sum, in every stratum. Raises ValueError where there are not as many strata as people.
    """
    chosen, which = _checked(is_chosen, stratum)
    size = which.max(initial=-1) + 1
    of_chosen, of_others = (np.bincount(which[side], minlength=size).astype(np.float64) for side in (chosen, ~chosen))
    has_both = (of_chosen > 0) & (of_others > 0)
    each_other = np.divide(of_chosen, of_others, out=np.zeros(size), where=has_both)
    return np.asarray(np.where(chosen, has_both[which].astype(np.float64), each_other[which]), np.float64)


def regression_to_mean(
    before: ArrayLike,
    after: ArrayLike,
    years_before: ArrayLike,
    years_after: ArrayLike,
    is_chosen: ArrayLike,
    stratum: ArrayLike,
    confidence: float = 0.95,
) -> Fall:
    """Rates of events before and after, of the chosen and of those alike who were not chosen.

    One element a person: events before and after, person-years before and after, whether chosen, and the stratum, which should hold what people were
    chosen by. The difference has normal limits from the variance of a ratio of two sums, people being independent and strata fixed (W. G. Cochran,
    Sampling Techniques, 3rd ed. 1977, chapter 6). Raises ValueError where there are not as many of each as people, or years are below 0.
    """
    chosen, _ = _checked(is_chosen, stratum)
    numbers = [np.asarray(values, np.float64) for values in (before, after, years_before, years_after)]
    if wrong := sum(values.shape != chosen.shape for values in numbers):
        raise ValueError(f"{wrong} of the four columns have not one element for each of the {len(chosen)} people")
    if below := int((numbers[2] < 0).sum() + (numbers[3] < 0).sum()):
        raise ValueError(f"{below} spans of time are below 0")
    weight = weights_alike(chosen, stratum)
    own, alike = (np.where(side, weight, 0.0) for side in (chosen, ~chosen))
    (rate, error), (rate_alike, error_alike) = (_rate(numbers[1], numbers[3], each) for each in (own, alike))
    error = math.hypot(error, error_alike)
    found = NO_DIFFERENCE_DEFINED if math.isnan(error) else normal_difference(rate - rate_alike, error, confidence)
    return Fall(
        *_sizes(chosen, weight),
        before=_rate(numbers[0], numbers[2], own)[0],
        after=rate,
        before_alike=_rate(numbers[0], numbers[2], alike)[0],
        after_alike=rate_alike,
        difference=found,
    )


def shares_alike(outcome: ArrayLike, is_chosen: ArrayLike, stratum: ArrayLike, confidence: float = 0.95) -> Shares:
    """The share with an outcome among the chosen and among those alike who were not chosen, and the difference with limits.

    One element a person. Limits: those of a linear function of independent proportions, from the Wilson interval of each stratum of the others and of
    the chosen together, joined by the squares of their arms (G. Y. Zou, W. Huang, X. Zhang, Comput Stat Data Anal 53 (2009) 1080-1085); they hold at
    none and at all. Raises ValueError for outcomes that are neither 0 nor 1, and where there are not as many of each as people.
    """
    chosen, which = _checked(is_chosen, stratum)
    happened = checked_outcome(outcome)
    if happened.shape != chosen.shape:
        raise ValueError(f"there are {happened.size} outcomes for {chosen.size} people")
    weight = weights_alike(chosen, stratum)
    sizes = _sizes(chosen, weight)
    if not sizes[0]:
        return Shares(*sizes, *(math.nan,) * 5)
    own, others = chosen & (weight > 0), ~chosen & (weight > 0)
    strata = np.unique(which[others])
    of = np.searchsorted(strata, which[others])
    events, people = np.bincount(of, happened[others]), np.bincount(of)
    part = np.bincount(of, weight[others]) / sizes[0]
    counts, totals = np.append(events, happened[own].sum()), np.append(people, sizes[0])
    times = np.append(-part, 1.0)
    shares = counts / totals
    low, high = wilson_interval(counts, totals, confidence)
    below = np.where(times > 0, shares - low, high - shares) * times
    above = np.where(times > 0, high - shares, shares - low) * times
    difference = math.fsum((times * shares).tolist())
    return Shares(
        *sizes,
        share=float(shares[-1]),
        share_alike=math.fsum((part * shares[:-1]).tolist()),
        difference=difference,
        lower=difference - float(np.sqrt((below**2).sum())),
        upper=difference + float(np.sqrt((above**2).sum())),
    )


def _checked(is_chosen: ArrayLike, stratum: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Who is chosen, and the number of each one's stratum."""
    chosen, strata = np.asarray(is_chosen, np.bool_), np.asarray(stratum)
    if strata.shape != chosen.shape or chosen.ndim != 1:
        raise ValueError(f"there are {strata.size} strata for {chosen.size} people")
    return chosen, np.unique(strata, return_inverse=True)[1].astype(np.int64)


def _sizes(chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> tuple[int, int, int]:
    """Chosen people with somebody alike, those without, and how many of the others have a weight."""
    has_weight = weight > 0
    return int((chosen & has_weight).sum()), int((chosen & ~has_weight).sum()), int((~chosen & has_weight).sum())


def _rate(events: NDArray[np.float64], years: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """Weighted events per weighted year, and the standard error."""
    time = float((weight * years).sum())
    if not time > 0:
        return math.nan, math.nan
    rate = float((weight * events).sum()) / time
    return rate, float(np.sqrt((weight**2 * (events - rate * years) ** 2).sum())) / time
