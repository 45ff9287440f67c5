"""How likely what is: the hazards of an emergency admission, an ED attendance and death, and the rate of appointments, for each person on a day.

Every hazard is a base rate by age, sex and deprivation times the exponential of conditions and hidden traits. Fitted constants put the mean of each
group where the published rate is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.england_age_sex import england_shares
from fuller_popheath.synthetic.simulation.cohort import Cohort
from fuller_popheath.synthetic.simulation.conditions import History
from fuller_popheath.synthetic.simulation.tables import band_of, conditions, constant, emergency_cells

EMERGENCY_TRAITS = {"frailty": 0.32, "asking": 0.36, "rushing": 0.30, "bad_luck": 0.36}
"""Log hazard ratio of an emergency admission for one standard deviation of each hidden trait; two of them also bring contacts or ED attendances."""
MOST_FROM_CONDITIONS = 3.0
UNEQUAL_AGES, UNEQUAL_CONDITIONS, UNEQUAL_TRAITS = (0, 18, 50, 80), (1.6, 2.0, 2.0, 0.75), (1.2, 1.25, 1.2, 0.85)
"""By how much log hazard ratios are larger among the young, whose risk is more concentrated (made up)."""
RECENT_ADMISSION = 1.2
"""How much the hazard rises after an emergency admission in the half-year before, as a share of itself (made up)."""
INCLUSION_EMERGENCY, INCLUSION_ED, INCLUSION_CONTACTS = 1.2, 1.6, -0.8

SHAPE_AGES = (0, 1, 4, 8, 13, 17, 19.9, 20, 37.9, 38, 52.9, 53, 66.9, 67, 75, 85, 95)
SHAPE = (3.4, 1.7, 0.9, 0.6, 0.6, 0.95, 1.0, 1.0, 1.0, 0.95, 1.05, 0.9, 1.1, 0.75, 0.95, 1.35, 1.7)
"""Emergency admissions by age within the published bands, where these say nothing: infants and the oldest more often (made up)."""

ED_AGES = (0, 1, 5, 10, 16, 22, 30, 50, 70, 80, 95)
ED_PER_YEAR = (0.75, 0.62, 0.30, 0.26, 0.33, 0.40, 0.30, 0.22, 0.22, 0.30, 0.42)
"""ED attendances a person-year that do not end in an admission, by age: highest under 5 (made up, of the size of England's)."""
FRAILTY_ED, LUCK_ED, DEPRIVED_ED = 0.2, 0.65, 0.9
BUSY_CHILD_ED, BUSY_CHILD_CONTACTS = 1.7, 0.7
THROUGH_ED = 0.72
"""Share of emergency admissions that come through an ED of the area (made up, near England's)."""

CONTACT_AGES = (0, 1, 4, 10, 16, 25, 40, 55, 70, 85, 100)
CONTACTS_MALE = (6.0, 4.5, 2.6, 1.7, 1.8, 2.1, 2.6, 3.4, 4.4, 5.2, 5.5)
CONTACTS_FEMALE = (6.0, 4.5, 2.5, 1.8, 3.4, 4.6, 4.6, 4.5, 4.7, 5.2, 5.5)
"""Appointments a person-year before conditions, by age (made up; women more in between, as published regressions have it)."""
FRAILTY_CONTACTS, ASKING_CONTACTS, DEPRIVED_CONTACTS = 0.20, 0.66, 0.10

GOMPERTZ = 0.095
"""The risk of death doubles about every seven years of age (the make-believe lists are drawn so)."""
DEATHS_PER_YEAR = 0.0094
"""Deaths a person-year on the lists: 4.5 % of people in a little under five years, of lists that grew by 2 % a year."""
DEPRIVED_DEATH = 0.9
"""Log hazard ratio of death from the least to the most deprived area (made up, near England's)."""
FRAILTY_DEATH = 0.55
DEATH_SLOPE = 0.75
"""How much of the conditions' log hazard ratios of death shows in the make-believe dead (fitted by eye to their observed shares)."""


@dataclass(frozen=True)
class Burden:
    """What everyone's conditions on a day add up to: log hazard ratios, and appointments a year."""

    emergency: np.ndarray
    death: np.ndarray
    contacts: np.ndarray


def burden_on(history: History, day: int) -> Burden:
    """Add up the weights of the conditions that each person has on a day."""
    weights = np.array([(condition.emergency, condition.death, condition.contacts_per_year) for condition in conditions()], dtype=np.float32)
    sums = weights.T @ history.active(day).astype(np.float32)
    return Burden(sums[0].astype(np.float64), sums[1].astype(np.float64), sums[2].astype(np.float64))


def emergency_per_year(cohort: Cohort, burden: Burden, day: int, lately_admitted: np.ndarray) -> np.ndarray:
    """The hazard of an emergency admission a year for each person on a day, given who was admitted as one in the half-year before."""
    age = np.maximum(cohort.age(day), 0)
    traits = INCLUSION_EMERGENCY * cohort.is_inclusion + sum(weight * getattr(cohort, name) for name, weight in EMERGENCY_TRAITS.items())
    level = _cells()[band_of(age), cohort.quintile - 1] * np.interp(age, SHAPE_AGES, SHAPE)
    ill = np.minimum(np.interp(age, UNEQUAL_AGES, UNEQUAL_CONDITIONS) * burden.emergency, MOST_FROM_CONDITIONS)
    return level * np.exp(ill + np.interp(age, UNEQUAL_AGES, UNEQUAL_TRAITS) * traits) * (1 + RECENT_ADMISSION * lately_admitted)


def _cells() -> np.ndarray:
    """Level of each age band (row) and quintile (column): the published rate times its fitted factor."""
    return np.array([cell.rate * constant("emergency", f"{cell.first_age} {cell.quintile}", 0.45) for cell in emergency_cells()]).reshape(5, 5)


def ed_per_year(cohort: Cohort, burden: Burden, day: int) -> np.ndarray:
    """The hazard of an ED attendance that ends without admission, a year, for each person on a day."""
    age = np.maximum(cohort.age(day), 0)
    hidden = FRAILTY_ED * cohort.frailty + LUCK_ED * cohort.rushing + INCLUSION_ED * cohort.is_inclusion
    busy = BUSY_CHILD_ED * (cohort.is_busy_child & (age < 18))
    deprived = DEPRIVED_ED * (cohort.job.deprivation - 0.5)
    level = np.interp(age, ED_AGES, ED_PER_YEAR) * constant("ed", "level", 0.75)
    return level * np.exp(0.40 * np.minimum(burden.emergency, 2.5) + hidden + busy + deprived)


def contacts_per_year(cohort: Cohort, burden: Burden, day: int, practice_supply: float) -> np.ndarray:
    """Appointments a year (attended or not) for each person on a day; `practice_supply` multiplies all of a practice's."""
    age = np.maximum(cohort.age(day), 0)
    base = np.where(cohort.job.is_female, np.interp(age, CONTACT_AGES, CONTACTS_FEMALE), np.interp(age, CONTACT_AGES, CONTACTS_MALE))
    hidden = FRAILTY_CONTACTS * cohort.frailty + ASKING_CONTACTS * cohort.asking + INCLUSION_CONTACTS * cohort.is_inclusion
    busy = BUSY_CHILD_CONTACTS * (cohort.is_busy_child & (age < 18))
    deprived = DEPRIVED_CONTACTS * (cohort.job.deprivation - 0.5)
    level = constant("contacts", "level", 0.6) * practice_supply * (base + burden.contacts)
    return level * np.exp(hidden + busy + deprived)


def death_per_year(cohort: Cohort, burden: Burden, day: int) -> np.ndarray:
    """The hazard of death a year for each person on a day: the lists' own by age, spread over people by deprivation, frailty and conditions."""
    age = cohort.age(day)
    return listed_death_per_year(age) * death_factor(age) * death_ratio(cohort, burden)


def listed_death_per_year(age: np.ndarray) -> np.ndarray:
    """Deaths a year at each age (years), as the make-believe lists are drawn."""
    bands = england_shares()
    everyone = (bands.shares * np.exp(GOMPERTZ * (bands.first_ages + bands.last_ages) / 2)).sum()
    return DEATHS_PER_YEAR * np.exp(GOMPERTZ * np.floor(np.clip(age, 0, 104.9))) / everyone


def death_ratio(cohort: Cohort, burden: Burden) -> np.ndarray:
    """How many times likelier than others of the age each person is to die, before the mean of the age is brought to 1."""
    hidden = FRAILTY_DEATH * cohort.frailty + DEPRIVED_DEATH * (cohort.job.deprivation - 0.5)
    return np.exp(DEATH_SLOPE * np.minimum(burden.death, 4.0) + hidden)


DEATH_AGES = (0, 40, 55, 65, 70, 75, 80, 85, 90, 95)


def death_factor(age: np.ndarray) -> np.ndarray:
    """What makes the mean hazard of an age that of the lists: fitted at a few ages, in between on the log scale."""
    return np.exp(np.interp(age, DEATH_AGES, [np.log(constant("death", str(at), 0.3)) for at in DEATH_AGES]))
