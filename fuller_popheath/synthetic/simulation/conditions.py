"""Long-term conditions and frailty deficits: who has which at the start, who gets which later, and when they began and were resolved.

At the start each condition is drawn from its prevalence at the person's age; then it begins with the hazard that keeps that prevalence. Conditions
are drawn in an order in which each comes after those that raise it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import NEVER, YEAR, Cohort
from fuller_popheath.synthetic.simulation.tables import Condition, conditions, positions

RESOLVABLE = frozenset(
    (
        "asthma", "atrial_fibrillation", "chronic_kidney_disease", "copd", "depression", "diabetes", "epilepsy", "heart_failure", "hypertension",
        "non_diabetic_hyperglycaemia", "severe_mental_illness",
    )
)  # fmt: skip
"""Conditions that have codes for being resolved or in remission."""

HOMELESS_EXTRA = {"substance_misuse": 3.0, "alcohol_problems": 2.5, "severe_mental_illness": 2.2, "depression": 0.9, "smoking_ever": 1.5}
"""Log odds added for people in inclusion-health groups (made up)."""

LONGEST_AGO = 30 * YEAR


@dataclass(frozen=True)
class History:
    """When each condition (row) of each person (column) began and was resolved, as day numbers; NEVER where it did not."""

    onset: np.ndarray
    resolved: np.ndarray

    def active(self, day: int) -> np.ndarray:
        """Which conditions (row) each person (column) has on a day."""
        return (self.onset <= day) & (self.resolved > day)

    def has(self, cluster: str, day: int | np.ndarray) -> np.ndarray:
        """Who has one condition on a day, or each on their own."""
        row = positions()[cluster]
        return (self.onset[row] <= day) & (self.resolved[row] > day)


def live_with_conditions(cohort: Cohort) -> History:
    """Draw everyone's conditions from the first day of the records to today, year by year."""
    from scipy.special import expit

    every = conditions()
    steps = cohort.steps()[::2]
    standing = [_standing(cohort, condition) for condition in every]
    onset = np.full((len(every), len(cohort)), NEVER, dtype=np.int32)
    resolved = np.full((len(every), len(cohort)), NEVER, dtype=np.int32)
    first = int(steps[0])
    age = cohort.age(first)
    active = np.zeros(onset.shape, dtype=bool)
    for row, condition in enumerate(every):
        share = expit(standing[row] + _of_the_day(condition, age, active)) * (age >= condition.ramp_from_age)
        _begin_before(cohort, condition, row, share, age, first, onset, resolved, active)
    for number, day in enumerate(steps[:-1], start=1):
        age = cohort.age(int(day))
        length = int(steps[number] - day)
        for row, condition in enumerate(every):
            share = expit(standing[row] + _of_the_day(condition, age, active))
            pace = condition.ramp_per_year * (age < condition.ramp_to_age) + condition.turnover_per_year
            _begin_within(cohort, condition, row, number, np.where(age >= condition.ramp_from_age, pace * share, 0), int(day), length, onset, active)
        _type_1_is_diabetes(onset)
        _resolve(cohort, number, int(day), length, onset, resolved)
        active = (onset <= steps[number]) & (resolved > steps[number])
    return History(onset, resolved)


def _standing(cohort: Cohort, condition: Condition) -> np.ndarray:
    """The part of a condition's log odds that does not change with time. Those who will die are likelier to have what kills (Bayes)."""
    level = (
        condition.intercept
        + condition.female * (cohort.job.is_female - 0.5)
        + condition.deprivation * (cohort.job.deprivation - 0.5)
        + condition.asian * cohort.is_asian
        + condition.black * cohort.is_black
        + condition.frailty * cohort.frailty
        + condition.death * cohort.is_dying
    )
    return level + HOMELESS_EXTRA.get(condition.cluster, 0.0) * cohort.is_inclusion


def _of_the_day(condition: Condition, age: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The part that does: age, and the conditions there already. A condition that needs another is out of reach without it."""
    level = condition.ramp_per_year * (np.clip(age, condition.ramp_from_age, condition.ramp_to_age) - condition.ramp_from_age)
    for other, weight in condition.links:
        level = level + weight * active[other]
    return level if condition.needs is None else np.where(active[condition.needs], level, -50.0)


def _begin_before(
    cohort: Cohort,
    condition: Condition,
    row: int,
    share: np.ndarray,
    age: np.ndarray,
    first: int,
    onset: np.ndarray,
    resolved: np.ndarray,
    active: np.ndarray,
) -> None:
    """Who has the condition on the first day, since when; and who had it once and no longer."""
    drawn = cohort.luck.uniform(condition.cluster)
    once = share * min(0.5, 8 * condition.turnover_per_year) if condition.cluster in RESOLVABLE else np.zeros(len(share))
    has, had = drawn < share, (drawn >= share) & (drawn < share + once)
    who = np.flatnonzero(has | had)
    lately = cohort.luck.uniform(condition.cluster, 1_000)[who] ** 1.6
    ago = np.minimum((age[who] - condition.ramp_from_age) * YEAR, LONGEST_AGO) * lately
    began = (first - 1 - ago).astype(np.int32)
    if condition.needs is not None:
        began = np.maximum(began, onset[condition.needs][who])
    onset[row, who] = np.maximum(began, cohort.job.born[who])
    over = had[who]
    resolved[row, who[over]] = first - 1 - (ago[over] * 0.4).astype(np.int32)
    active[row] = has
    if condition.cluster == "diabetes":
        _type_1_is_diabetes(onset)
        active[row] |= active[positions()["diabetes_type_1"]]


def _begin_within(
    cohort: Cohort, condition: Condition, row: int, number: int, per_year: np.ndarray, day: int, length: int, onset: np.ndarray, active: np.ndarray
) -> None:
    chance = 1 - np.exp(-per_year * (length / YEAR))
    drawn = cohort.luck.uniform(condition.cluster, number)
    who = np.flatnonzero((drawn < chance) & (onset[row] == NEVER))
    began = day + (drawn[who] / chance[who] * length).astype(np.int32)
    # Nobody has anything before they are born; a child of the year may be.
    onset[row, who] = np.maximum(began, cohort.job.born[who])


def _type_1_is_diabetes(onset: np.ndarray) -> None:
    both, one = positions()["diabetes"], positions()["diabetes_type_1"]
    onset[both] = np.minimum(onset[both], onset[one])


def _resolve(cohort: Cohort, number: int, day: int, length: int, onset: np.ndarray, resolved: np.ndarray) -> None:
    for row, condition in enumerate(conditions()):
        if condition.cluster not in RESOLVABLE or not condition.turnover_per_year:
            continue
        chance = 1 - np.exp(-condition.turnover_per_year * length / YEAR)
        drawn = cohort.luck.uniform(condition.cluster + " resolved", number)
        who = np.flatnonzero((drawn < chance) & (onset[row] < day) & (resolved[row] == NEVER))
        resolved[row, who] = day + (drawn[who] / chance * length).astype(np.int32)
