"""Spread happenings over time: how many each person has, and on which days.

Grain of what comes back: one row a happening, as the position of the person in the cohort and the day. What does not belong here: what happens.
"""

from __future__ import annotations

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import YEAR

MONDAY = 4
"""1970-01-01 was a Thursday: day 4 was the first Monday."""


def scatter(rng: np.random.Generator, start: np.ndarray, end: np.ndarray, per_year: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """A Poisson number of happenings for each person between `start` and before `end`, evenly: (positions, days)."""
    length = np.maximum(end - start, 0)
    count = rng.poisson(per_year * length / YEAR)
    who = np.repeat(np.arange(len(length)), count)
    return who, start[who] + (rng.random(len(who)) * length[who]).astype(np.int64)


def regular(rng: np.random.Generator, start: np.ndarray, end: np.ndarray, interval: np.ndarray, jitter: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A happening every `interval` days (a little more or less) for each person from a first one within `interval` of `start` to before `end`."""
    length = end - start
    phase = rng.random(len(start)) * interval
    count = np.maximum(np.ceil((length - phase) / interval), 0).astype(np.int64)
    who = np.repeat(np.arange(len(start)), count)
    first = np.cumsum(count) - count
    turn = np.arange(len(who)) - first[who]
    day = start[who] + (phase[who] + turn * interval[who]).astype(np.int64) + rng.integers(-jitter, jitter + 1, len(who))
    return who, np.clip(day, start[who], end[who] - 1)


def on_working_days(rng: np.random.Generator, day: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Move what falls on a weekend to a working day near it, kept within each period where it can be."""
    weekday = (day - MONDAY) % 7
    later = rng.integers(2, 6, len(day))
    # Saturday 5 and Sunday 6 go to one of the days of the next week, or of the last where the period ends before.
    moved = np.where(weekday >= 5, day + (7 - weekday) + later - 2, day)
    return np.where(moved < end, moved, np.maximum(day - (weekday - 4) * (weekday >= 5), start))
