"""How far two independent groups are apart: differences and ratios of proportions and of rates, with intervals that hold at none and at all.

The first group is compared with the second: a difference above 0 and a ratio above 1 mean more in the first. What does not belong here: slopes over
more than two groups (inequality), and which groups are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.counts import count_interval
from fuller_popheath.methods.proportions import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]
    Gap = tuple[Numbers, Numbers, Numbers]


def difference_of_proportions(count_1: ArrayLike, total_1: ArrayLike, count_2: ArrayLike, total_2: ArrayLike, confidence: float = 0.95) -> Gap:
    """Difference of two proportions with lower and upper limit, each between -1 and 1; not-a-number where a group has nobody.

    Grain: one gap per element, in the order given. Raises ValueError as wilson_interval does. Source: R. G. Newcombe, Stat Med 17 (1998) 873-890,
    method 10: the two Wilson intervals, joined by the squares of their arms.
    """
    (p1, *limits_1), (p2, *limits_2) = _proportion(count_1, total_1, confidence), _proportion(count_2, total_2, confidence)
    return _difference((p1, limits_1[0], limits_1[1]), (p2, limits_2[0], limits_2[1]))


def ratio_of_proportions(count_1: ArrayLike, total_1: ArrayLike, count_2: ArrayLike, total_2: ArrayLike, confidence: float = 0.95) -> Gap:
    """Ratio of two proportions with lower and upper limit, which may be infinite; not-a-number where a group has nobody.

    Where the second group has none, the ratio is not-a-number and its lower limit still holds; where neither has any, so are the limits.

    Grain and errors as difference_of_proportions. Source: A. Donner, G. Y. Zou, Stat Methods Med Res 21 (2012) 347-359 (method of variance estimates
    recovery for ratios), from the two Wilson intervals.
    """
    return _ratio(_proportion(count_1, total_1, confidence), _proportion(count_2, total_2, confidence))


def difference_of_rates(
    count_1: ArrayLike, population_1: ArrayLike, count_2: ArrayLike, population_2: ArrayLike, confidence: float = 0.95, per: float = 100_000
) -> Gap:
    """Difference of two crude rates per so many people, with limits from each one's own (count_interval), joined as Newcombe does.

    Grain: one gap per element, in the order given; not-a-number without population. Raises ValueError as counts.count_interval does.
    Source: G. Y. Zou, A. Donner, Stat Med 27 (2008) 1693-1702.
    """
    difference = _difference(_rate(count_1, population_1, confidence), _rate(count_2, population_2, confidence))
    return per * difference[0], per * difference[1], per * difference[2]


def ratio_of_rates(count_1: ArrayLike, population_1: ArrayLike, count_2: ArrayLike, population_2: ArrayLike, confidence: float = 0.95) -> Gap:
    """Ratio of two crude rates with exact limits, the upper one infinite where the second group has no events; not-a-number without population.

    Grain and errors as difference_of_rates. Source: given all events, those of the first group are binomial; Clopper and Pearson's limits of
    their share become limits of the ratio (J. Przyborowski, H. Wilenski, Biometrika 31 (1940) 313-323).
    """
    from scipy.special import betaincinv

    (x1, n1), (x2, n2) = _events(count_1, population_1), _events(count_2, population_2)
    count_interval([0], confidence)  # refuses what is no confidence
    outside = (1 - confidence) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(x1 > 0, betaincinv(np.maximum(x1, 1.0), x2 + 1, outside), 0.0)
        high = np.where(x2 > 0, betaincinv(x1 + 1, np.maximum(x2, 1.0), 1 - outside), 1.0)
        blank = np.where((n1 > 0) & (n2 > 0) & (x1 + x2 > 0), 0.0, np.nan)
        value = np.where(x2 > 0, (x1 / n1) / (x2 / n2), np.nan)
        return value + blank, low / (1 - low) * n2 / n1 + blank, np.where(high < 1, high / (1 - high) * n2 / n1, np.inf) + blank


def people_to_close(
    count: ArrayLike, total: ArrayLike, other_count: ArrayLike, other_total: ArrayLike, is_higher_better: bool = True
) -> NDArray[np.int64]:
    """How many people of the first group must change for its share to be no worse than the other's; 0 where it is not, or either is empty.

    Grain: one number per element, in the order given. In whole numbers only, so that equal shares never need somebody. Raises ValueError
    where a count is below 0 or above its total.
    """
    x, n, y, m = (np.asarray(values, dtype=np.int64) for values in (count, total, other_count, other_total))
    wrong = (x < 0) | (x > n) | (y < 0) | (y > m)
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} counts are below 0 or above their total")
    ahead = (y * n - x * m) if is_higher_better else (x * m - y * n)
    return np.where((m > 0) & (ahead > 0), -(-ahead // np.maximum(m, 1)), 0)


def people_to_target(count: ArrayLike, total: ArrayLike, target: float, is_higher_better: bool = True) -> NDArray[np.int64]:
    """How many people must change for the share to reach the target (a proportion); 0 where it has. Grain and errors as people_to_close.

    The target is taken to a millionth. Raises ValueError too where it does not lie between 0 and 1.
    """
    if not 0 <= target <= 1:
        raise ValueError("the target must lie between 0 and 1")
    million = np.full_like(np.asarray(count, dtype=np.int64), 1_000_000)
    return people_to_close(count, total, np.round(target * million).astype(np.int64), million, is_higher_better)


def _proportion(count: ArrayLike, total: ArrayLike, confidence: float) -> Gap:
    lower, upper = wilson_interval(count, total, confidence)
    x, n = np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        blank = np.where(n > 0, 0.0, np.nan)
        return np.where(n > 0, x / n, np.nan), lower + blank, upper + blank


def _events(count: ArrayLike, population: ArrayLike) -> tuple[Numbers, Numbers]:
    x, n = np.asarray(count, dtype=np.float64), np.asarray(population, dtype=np.float64)
    if wrong := int((~(x >= 0) | ~(n >= 0) | ((n == 0) & (x > 0))).sum()):
        raise ValueError(f"{wrong} counts or populations are below 0 or not a number, or have events but nobody in them")
    return x, n


def _rate(count: ArrayLike, population: ArrayLike, confidence: float) -> Gap:
    x, n = _events(count, population)
    lower, upper = count_interval(x, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        return tuple(np.where(n > 0, part / n, np.nan) for part in (x, lower, upper))  # type: ignore[return-value]


def _difference(first: Gap, second: Gap) -> Gap:
    (p1, l1, u1), (p2, l2, u2) = first, second
    return p1 - p2, p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)


def _ratio(first: Gap, second: Gap) -> Gap:
    (p1, l1, u1), (p2, l2, u2) = first, second
    with np.errstate(invalid="ignore", divide="ignore"):
        # Donner and Zou's roots, multiplied out so that no difference of nearly equal numbers is divided by a number near 0.
        product = p1 * p2
        low_part, high_part = l1 * (2 * p1 - l1), u1 * (2 * p1 - u1)
        low_root = np.sqrt(np.maximum(product**2 - low_part * u2 * (2 * p2 - u2), 0.0))
        high_root = np.sqrt(np.maximum(product**2 - high_part * l2 * (2 * p2 - l2), 0.0))
        lower = np.where(l1 > 0, low_part / (product + low_root), 0.0)
        upper = np.where(l2 > 0, (product + high_root) / (l2 * (2 * p2 - l2)), np.inf)
        blank = np.where(np.isnan(p1) | np.isnan(p2) | ((p2 == 0) & (p1 == 0)), np.nan, 0.0)
        return np.where(p2 > 0, p1 / p2, np.nan), lower + blank, upper + blank
