"""Medication issues: repeats for the conditions that people have, every four, eight or twelve weeks, and acute ones for anybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import NEVER, YEAR, Cohort
from fuller_popheath.synthetic.simulation.conditions import History
from fuller_popheath.synthetic.simulation.schedule import regular, scatter
from fuller_popheath.synthetic.simulation.tables import medicines, positions

INTERVALS, INTERVAL_SHARES = (28, 56, 84), (0.10, 0.30, 0.60)
"""Days between repeats and how many people have which (made up)."""
ACUTE_MULTIPLE = 1.0
STOPS_PER_YEAR = 0.02
"""Share of people who stop a repeat medicine each year, though they still have the condition (made up)."""


@dataclass(frozen=True)
class Issues:
    """One row an issue: position of the person, day, position of the medicine in `tables.medicines()`, code number in its cluster, repeat or not."""

    who: np.ndarray
    day: np.ndarray
    medicine: np.ndarray
    code: np.ndarray
    is_repeat: np.ndarray


def make_issues(rng: np.random.Generator, cohort: Cohort, history: History) -> Issues:
    """All issues of a practice in the years simulated."""
    interval = np.array(INTERVALS)[np.searchsorted(np.cumsum(INTERVAL_SHARES)[:-1], cohort.luck.uniform("interval"))]
    parts = []
    for number, medicine in enumerate(medicines()):
        if medicine.given_for:
            begun, ended = _course(cohort, history, medicine.cluster, medicine.given_for)
            start, end = np.maximum(begun, cohort.from_day), np.minimum(ended, cohort.until)
            taking = np.flatnonzero(start < end)
            who, day = regular(rng, start[taking], end[taking], interval[taking])
            code = 1 + (cohort.luck.uniform(medicine.cluster + " code")[taking] * 2).astype(np.int8)
            parts.append((taking[who], day, np.full(len(who), number, np.int8), code[who], np.ones(len(who), dtype=bool)))
        if medicine.acute_per_year:
            often = medicine.acute_per_year * ACUTE_MULTIPLE * np.exp(0.3 * cohort.asking - 0.045 - 0.7 * cohort.is_inclusion)
            who, day = scatter(rng, cohort.from_day, cohort.until, often)
            parts.append((who, day, np.full(len(who), number, np.int8), rng.integers(1, 3, len(who), dtype=np.int8), np.zeros(len(who), dtype=bool)))
    return Issues(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _course(cohort: Cohort, history: History, cluster: str, given_for: tuple[tuple[str, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    """When each person begins and stops taking a medicine: the earliest of the conditions it is given for; NEVER where they do not."""
    begun = np.full(len(cohort), NEVER, dtype=np.int64)
    ended = np.full(len(cohort), 0, dtype=np.int64)
    drawn = cohort.luck.uniform(cluster)
    patience = -np.log1p(-cohort.luck.uniform(cluster + " stops")) / STOPS_PER_YEAR * YEAR
    wait = 7 + (cohort.luck.uniform(cluster + " wait") * 120).astype(np.int64)
    for reason, share in given_for:
        onset, over = _reason(cohort, history, reason)
        takes = (drawn < share * np.where(cohort.is_inclusion, 0.4, 1.0)) & (onset < NEVER)
        begun = np.where(takes, np.minimum(begun, onset + wait), begun)
        ended = np.where(takes, np.maximum(ended, over), ended)
    # People who were given it before the records begin still take it then, or do not figure.
    stop = np.maximum(begun, cohort.job.first_day) + patience.astype(np.int64)
    return begun, np.minimum(ended, stop)


def _reason(cohort: Cohort, history: History, reason: str) -> tuple[np.ndarray, np.ndarray]:
    born = cohort.job.born
    if reason == "aged_60":
        return born + round(60 * YEAR), np.full(len(born), NEVER)
    if reason == "woman_16_44":
        return np.where(cohort.job.is_female, born + round(16 * YEAR), NEVER), born + round(45 * YEAR)
    row = positions()[reason]
    return history.onset[row].astype(np.int64), history.resolved[row].astype(np.int64)
