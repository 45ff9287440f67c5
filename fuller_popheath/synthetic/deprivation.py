"""Deprivation of the make-believe areas: national ranks of both editions, as unequal as in a deprived coastal ICB.

Everything works on a hidden scale, the normal score of an area's national rank: low is deprived. What does not belong here: the file layout.
"""

from __future__ import annotations

import numpy as np

from fuller_popheath.place.editions import EDITIONS

LSOAS_2019, LSOAS_2025 = (edition.lsoa_count for edition in EDITIONS)
"""How many LSOAs each edition ranks."""

DECILE_SHARES = (0.189, 0.110, 0.099, 0.091, 0.079, 0.072, 0.107, 0.103, 0.090, 0.060)
"""Share of areas in each IMD 2019 decile, 1 first: Lancashire and South Cumbria's 1,049 LSOAs (House of Commons Library geography lookup)."""

CORE20_LADDER = ((0.0, 0.93), (0.083, 0.90), (0.25, 0.46), (0.417, 0.30), (0.583, 0.12), (0.75, 0.045), (0.917, 0.015), (1.0, 0.005))
"""Wanted share of people in quintile 1 from the most to the least deprived PCN centre: the shape of the board paper's Appendix 2."""

WITHIN_TOWN = 0.55
"""Spread between areas around one centre on the hidden scale, with the spread between centres set by the ladder."""

RURAL_LEVEL = 0.9
"""The hidden level of open country: a little better off than the ICB as a whole, rarely in quintile 1."""

TOWN_REACH_KM = 6.0
"""How far a town's own level reaches; beyond it the country's takes over (made up)."""

DRIFT = 0.26
"""Spread of change from 2019 to 2025 on the normal scale. All England: 0.31; here less, so that about nine in ten of quintile 1 stay (88.8 %)."""


def centre_levels(rng: np.random.Generator, town_of_centre: np.ndarray) -> np.ndarray:
    """A hidden level for each PCN centre: the city's first centre is the most deprived, its twin the second, the others fall in any order."""
    from scipy.stats import norm

    count = len(town_of_centre)
    wanted = np.interp((np.arange(count) + 0.5) / count, *np.array(CORE20_LADDER).T)
    steps = -WITHIN_TOWN * 1.3 * norm.ppf(wanted)
    twin = next(i for i in range(count) if list(town_of_centre[:i]).count(town_of_centre[i]))
    first = int(np.flatnonzero(town_of_centre == town_of_centre[twin])[0])
    others = rng.permutation([i for i in range(count) if i not in (first, twin)])
    levels = np.empty(count)
    levels[[first, twin, *others]] = steps
    return levels


def hidden_levels(rng: np.random.Generator, seeds: np.ndarray, centres: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The hidden level of each piece: its centres' (weighted by nearness) or the open country's, and a deviation.

    The deviation is partly shared with its neighbours, because estates are larger than one area.
    """
    distance = np.linalg.norm(seeds[:, None] - centres[None], axis=2)
    nearness = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / 1.0)
    town = (nearness * levels).sum(axis=1) / nearness.sum(axis=1)
    urban = np.exp(-((distance.min(axis=1) / TOWN_REACH_KM) ** 2))
    smooth = urban * town + (1 - urban) * RURAL_LEVEL
    spread = WITHIN_TOWN * (0.5 + 0.5 * urban)
    return smooth + spread * (0.75 * rng.normal(size=len(seeds)) + 0.66 * _neighbourly(rng, seeds))


def _neighbourly(rng: np.random.Generator, seeds: np.ndarray) -> np.ndarray:
    """A standard normal number for each point that is like its neighbours' (mean of the four nearest draws)."""
    from scipy.spatial import cKDTree

    draws = rng.normal(size=len(seeds))
    return draws[cKDTree(seeds).query(seeds, k=4)[1]].mean(axis=1) * 2


def area_mean(values: np.ndarray, people: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Mean over each area's pieces, weighted by people."""
    return np.bincount(area, weights=values * people) / np.bincount(area, weights=people)


def national_score_2019(hidden: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Normal score of the national rank in 2019: areas in their hidden order, laid over the decile shares by their people."""
    from scipy.stats import norm

    order = np.argsort(hidden, kind="stable")
    reached = np.empty(len(hidden))
    reached[order] = (np.cumsum(people[order]) - people[order] / 2) / people.sum()
    edges = np.concatenate([[0.0], np.cumsum(DECILE_SHARES)])
    return norm.ppf(np.interp(reached, edges / edges[-1], np.linspace(0.0004, 0.9996, 11)))


def drifted(rng: np.random.Generator, score: np.ndarray, people: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The normal score of each piece six years later: partly its neighbourhood's change, partly its own, and none for the ICB as a whole."""
    change = 0.6 * _neighbourly(rng, seeds) + 0.8 * rng.normal(size=len(score))
    return score + DRIFT * (change - np.average(change, weights=people))


def ranks(score: np.ndarray, ranked: int) -> np.ndarray:
    """Different whole ranks from 1 to `ranked` in the order of the scores, as near their percentiles as that allows."""
    from scipy.stats import norm

    order = np.argsort(score, kind="stable")
    step = np.arange(len(score))
    wanted = np.clip(np.ceil(norm.cdf(score[order]) * ranked).astype(np.int64), 1, ranked)
    rising = np.maximum.accumulate(wanted - step) + step
    # What was pushed over the upper end comes back down, still one apart.
    rising = np.minimum(rising, ranked - step[::-1])
    result = np.empty(len(score), dtype=np.int64)
    result[order] = rising
    return result


def decile(rank: np.ndarray, ranked: int) -> np.ndarray:
    """National decile of a rank: ceil(rank x 10 / N), the rule that reproduces every published decile."""
    return -(-rank * 10 // ranked)
