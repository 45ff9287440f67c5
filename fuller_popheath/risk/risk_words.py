"""A risk as people say it: "about 1 in 6", and the band it falls into. Never a probability with decimals.

What does not belong here: how a risk is computed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fuller_popheath.errors import SettingsWrong

ONE_IN = (
    *(1_000, 800, 600, 500, 400, 300, 250, 200, 150, 120, 100, 80, 60, 50, 40, 30, 25, 20, 15, 12, 10),
    *(9, 8, 7, 6, 5, 4, 3),
)
"""Denominators that are told; each at most a third above the next, so that "about" is never out by more than about a sixth."""

SHARES = ((2, 5), (1, 2), (3, 5), (2, 3), (3, 4), (4, 5), (9, 10))
MORE_THAN = 0.95
"""From here on "more than 9 in 10"."""

LEAST = 0.001

WORDS: tuple[str, ...] = (
    "less than 1 in 1,000",
    *(f"about 1 in {denominator:,}" for denominator in ONE_IN),
    *(f"about {part} in {whole}" for part, whole in SHARES),
    "more than 9 in 10",
)
"""Every way a risk is told, from the lowest to the highest."""

_TOLD = np.array([1 / denominator for denominator in ONE_IN] + [part / whole for part, whole in SHARES])
# Between two that can be told the nearer one by ratio is: the border is their geometric mean.
_BORDERS = np.concatenate([[LEAST], np.sqrt(_TOLD[1:] * _TOLD[:-1]), [MORE_THAN]])


def risk_words(probability: float) -> str:
    """One risk in words. Raises ValueError for what is no probability."""
    return WORDS[int(words_of(np.array([probability]))[0])]


def words_of(probability: np.ndarray) -> np.ndarray:
    """For each risk its place in WORDS; a higher risk never has a lower place. Raises ValueError for what is no probability."""
    return np.searchsorted(_BORDERS, _checked(probability), side="right")


def band(probability: float, bands: Mapping[str, float]) -> str:
    """The band of one risk: `bands` as in `[risk]` of site.toml. Errors as in `bands_of`."""
    return tuple(bands)[int(bands_of(np.array([probability]), bands)[0])]


def bands_of(probability: np.ndarray, bands: Mapping[str, float]) -> np.ndarray:
    """For each risk the place of its band in `bands`: the first whose lower limit it reaches.

    `bands`: lower limits by name, from the highest to the lowest, which is 0. Raises SettingsWrong for bands in another order or that leave
    somebody out, ValueError for what is no probability.
    """
    limits = np.array(list(bands.values()))
    if not len(limits) or (np.diff(limits) >= 0).any() or limits[-1] != 0 or limits[0] > 1:
        raise SettingsWrong("risk.bands: give lower limits from the highest band to the lowest, each below the one before, and 0 for the last")
    return len(limits) - np.searchsorted(limits[::-1], _checked(probability), side="right")


def _checked(probability: np.ndarray) -> np.ndarray:
    outside = int((~((probability >= 0) & (probability <= 1))).sum())
    if outside:
        raise ValueError(f"{outside} of {len(probability)} risks are no probabilities")
    return probability
