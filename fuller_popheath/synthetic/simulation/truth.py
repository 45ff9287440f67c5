"""The probabilities behind what happened: what a perfect model, which also knew the hidden traits, would say of each person on a day.

Grain: one row a person who is registered in the area on the day, with the practice of their last registration. It is written outside the landing
folder, and nothing in the pipeline reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import Cohort
from fuller_popheath.synthetic.simulation.hazards import THROUGH_ED, Burden, death_per_year, ed_per_year, emergency_per_year
from fuller_popheath.synthetic.simulation.hospital import DYING_ADMISSIONS

LATER_THIS_YEAR = 1.03
"""What a year adds to a hazard of its first day: people age, and get conditions (fitted)."""


@dataclass(frozen=True)
class Truth:
    """Probabilities within 12 months after a day, one row a person in the area on it: position in the cohort, hidden frailty, and each outcome."""

    who: np.ndarray
    day: int
    frailty: np.ndarray
    emergency: np.ndarray
    attendance: np.ndarray
    death: np.ndarray


def truth_on(cohort: Cohort, burden: Burden, lately: np.ndarray, day: int) -> Truth:
    """The probabilities on one of the borders of the half-years. `lately`: who was admitted as an emergency in the half-year before.

    A recent admission raises the hazard for half a year only; one that comes later does not count, because the first decides. Those who die have
    more admissions and, on average, half a year to have others in.
    """
    job = cohort.job
    who = np.flatnonzero(job.is_last & (job.arrived <= day) & (day < job.end) & (day < job.death))
    death = 1 - np.exp(-death_per_year(cohort, burden, day))
    usual = emergency_per_year(cohort, burden, day, np.zeros(len(cohort), dtype=bool)) * LATER_THIS_YEAR
    expected = 0.5 * usual + 0.5 * emergency_per_year(cohort, burden, day, lately)
    emergency = _either(expected, death, DYING_ADMISSIONS)
    attendance = _either(ed_per_year(cohort, burden, day) + THROUGH_ED * expected, death, THROUGH_ED * DYING_ADMISSIONS)
    return Truth(who, day, cohort.frailty[who], emergency[who], attendance[who], death[who])


def _either(expected: np.ndarray, death: np.ndarray, dying: float) -> np.ndarray:
    """Probability of at least one, of those who live the year out and those who do not."""
    return 1 - (1 - death) * np.exp(-expected) - death * np.exp(-0.5 * expected - dying)
