"""Hospital spells, ED attendances and pregnancies, for the people whose last registration in the area is with the practice.

Emergency admissions come from the hazard, half-year by half-year, so that one raises the next; some bring another within a month, and the last
months of life bring more. Diagnoses are ICD-10 codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import YEAR, Cohort
from fuller_popheath.synthetic.simulation.conditions import History
from fuller_popheath.synthetic.simulation.hazards import THROUGH_ED, Burden, ed_per_year, emergency_per_year
from fuller_popheath.synthetic.simulation.schedule import on_working_days, scatter
from fuller_popheath.synthetic.simulation.tables import Diagnosis, conditions, diagnoses, positions

READMITTED = 0.07
"""Chance that an emergency admission brings another within a month (made up, near England's)."""
DYING_ADMISSIONS, DYING_DAYS = 1.1, 60.0
"""More emergency admissions of a person who is dying, and how long before death on average (made up)."""
PREGNANCIES_PER_YEAR = 0.055
ELECTIVE_AGES, ELECTIVE_PER_YEAR = (0, 10, 20, 40, 60, 75, 85, 100), (0.03, 0.03, 0.04, 0.09, 0.17, 0.27, 0.22, 0.10)
METHODS, METHOD_SHARES = ("21", "22", "23", "24", "25", "28", "2A", "2B", "2D"), (0.72, 0.10, 0.03, 0.06, 0.01, 0.03, 0.03, 0.01, 0.01)
ELECTIVE_METHODS, ELECTIVE_SHARES = ("11", "12", "13"), (0.55, 0.35, 0.10)
MATERNITY_METHOD, MATERNITY_CODE = "31", "O809"


@dataclass(frozen=True)
class Spells:
    """One row a spell: position of the person, days of admission and discharge, method, primary and all diagnoses; elsewhere: in the other trust."""

    who: np.ndarray
    admitted: np.ndarray
    discharged: np.ndarray
    method: np.ndarray
    primary: np.ndarray
    every: list[str]
    is_emergency: np.ndarray
    elsewhere: np.ndarray


@dataclass(frozen=True)
class Attendances:
    """One row an ED attendance: position of the person, day, department type, admitted or not, in the other trust or not."""

    who: np.ndarray
    day: np.ndarray
    department: np.ndarray
    is_admitted: np.ndarray
    elsewhere: np.ndarray


@dataclass(frozen=True)
class Emergencies:
    """Emergency admissions, and who had one in the half-year before each border of the half-years (row), which the hazard asks about."""

    who: np.ndarray
    day: np.ndarray
    lately: np.ndarray


def make_emergencies(rng: np.random.Generator, cohort: Cohort, burdens: list[Burden]) -> Emergencies:
    """Draw emergency admissions half-year by half-year."""
    steps = cohort.steps()
    lately = np.zeros((len(steps), len(cohort)), dtype=bool)
    # Before the first half-year nothing was simulated: as many as usual were admitted then.
    lately[0] = rng.random(len(cohort)) < 0.5 * emergency_per_year(cohort, burdens[0], int(steps[0]), lately[0])
    parts = []
    for number, day in enumerate(steps[:-1]):
        rate = emergency_per_year(cohort, burdens[number], int(day), lately[number])
        start, end = np.maximum(cohort.here_from, day), np.minimum(cohort.here_until, steps[number + 1])
        who, when = scatter(rng, start, end, rate)
        again = np.flatnonzero(rng.random(len(who)) < READMITTED)
        back = when[again] + rng.integers(4, 31, len(again))
        kept = back < cohort.here_until[who[again]]
        dying, last = _dying(rng, cohort, int(day), int(steps[number + 1]))
        parts.append((np.concatenate([who, who[again][kept], dying]), np.concatenate([when, back[kept], last])))
        lately[number + 1, np.concatenate([who, dying])] = True
    who, day = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Emergencies(who, day, lately)


def _dying(rng: np.random.Generator, cohort: Cohort, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """More admissions shortly before death, of those who die between the two days."""
    dying = np.flatnonzero((cohort.job.death >= start) & (cohort.job.death < end) & (cohort.here_until > 0))
    who = np.repeat(dying, rng.poisson(DYING_ADMISSIONS, len(dying)))
    day = cohort.job.death[who] - rng.exponential(DYING_DAYS, len(who)).astype(np.int64)
    kept = day >= cohort.here_from[who]
    return who[kept], day[kept]


def make_pregnancies(rng: np.random.Generator, cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """When pregnancies are first recorded, of women aged 16 to 44: (positions, days)."""
    age = cohort.age(cohort.job.today - cohort.job.years * 183)
    fertile = cohort.job.is_female & (age > 16) & (age < 44)
    return scatter(rng, cohort.from_day, cohort.until, PREGNANCIES_PER_YEAR * fertile)


def make_spells(
    rng: np.random.Generator, cohort: Cohort, history: History, emergencies: Emergencies, pregnancies: tuple[np.ndarray, np.ndarray]
) -> Spells:
    """Every spell: emergencies, planned ones, births."""
    middle = cohort.job.today - cohort.job.years * 183
    age = np.maximum(cohort.age(middle), 0)
    burden = history.active(middle).sum(axis=0)
    planned, planned_day = scatter(
        rng, cohort.here_from, cohort.here_until, np.interp(age, ELECTIVE_AGES, ELECTIVE_PER_YEAR) * (0.5 + 0.13 * np.minimum(burden, 12))
    )
    planned_day = on_working_days(rng, planned_day, cohort.here_from[planned], cohort.here_until[planned])
    mother, born = pregnancies[0], pregnancies[1] + 200
    kept = (born < cohort.here_until[mother]) & (rng.random(len(mother)) < 0.8)
    mother, born = mother[kept], born[kept]
    counts = (len(emergencies.who), len(planned), len(mother))
    who = np.concatenate([emergencies.who, planned, mother])
    day = np.concatenate([emergencies.day, planned_day, born])
    kind = np.repeat([0, 1, 2], counts)
    planned_stay, birth_stay = rng.choice([0, 0, 0, 0, 1, 2, 4], len(who)), rng.choice([1, 1, 2, 3], len(who))
    stay = np.where(kind == 0, _emergency_stay(rng, cohort, who, day), np.where(kind == 1, planned_stay, birth_stay))
    method = np.empty(len(who), dtype="<U2")
    method[kind == 0] = rng.choice(METHODS, counts[0], p=METHOD_SHARES)
    method[kind == 1] = rng.choice(ELECTIVE_METHODS, counts[1], p=ELECTIVE_SHARES)
    method[kind == 2] = MATERNITY_METHOD
    primary = np.empty(len(who), dtype="<U4")
    primary[kind == 0] = _primary(rng, cohort, history, diagnoses("emergency"), emergencies.who, emergencies.day)
    primary[kind == 1] = _primary(rng, cohort, history, diagnoses("elective"), planned, planned_day)
    primary[kind == 2] = MATERNITY_CODE
    dies = np.maximum(cohort.job.death[who], day)
    return Spells(
        who=who, admitted=day, discharged=np.minimum(day + stay, dies), method=method, primary=primary,
        every=_all_diagnoses(rng, history, who, day, primary), is_emergency=kind == 0, elsewhere=rng.random(len(who)) < 0.06,
    )  # fmt: skip


def _emergency_stay(rng: np.random.Generator, cohort: Cohort, who: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days in hospital: a third go home the same day, the rest stay longer the older and frailer they are (made up, near England's)."""
    age = (day - cohort.job.born[who]) / YEAR
    typical = np.exp(0.35 + 0.019 * np.maximum(age - 10, 0) + 0.15 * cohort.frailty[who])
    stay = np.ceil(typical * np.exp(rng.normal(0, 0.95, len(who)))).astype(np.int64)
    same = rng.random(len(who)) < np.clip(0.48 - 0.004 * age, 0.12, 0.48)
    return np.where(same, 0, np.minimum(stay, 150))


def _primary(
    rng: np.random.Generator, cohort: Cohort, history: History, choices: tuple[Diagnosis, ...], who: np.ndarray, day: np.ndarray
) -> np.ndarray:
    """A primary diagnosis for each spell, by age and by what the person has."""
    age = (day - cohort.job.born[who]) / YEAR
    group = np.searchsorted((16, 65), age, side="right")
    weights = np.array([choice.weights for choice in choices])[:, group]
    for row, choice in enumerate(choices):
        if choice.condition:
            at = positions()[choice.condition]
            has = (history.onset[at][who] <= day) & (history.resolved[at][who] > day)
            weights[row] *= np.where(has, choice.factor, 1.0)
    ladder = np.cumsum(weights, axis=0)
    found = (ladder < rng.random(len(who)) * ladder[-1]).sum(axis=0)
    return np.array([choice.icd10 for choice in choices])[np.minimum(found, len(choices) - 1)]


def _all_diagnoses(rng: np.random.Generator, history: History, who: np.ndarray, day: np.ndarray, primary: np.ndarray) -> list[str]:
    """Primary diagnosis first, then most of the long-term conditions that have an ICD-10 code here, with semicolons between."""
    texts = list(primary)
    for row, condition in enumerate(conditions()):
        if not condition.icd10:
            continue
        has = (history.onset[row][who] <= day) & (history.resolved[row][who] > day) & (primary != condition.icd10)
        for spell in np.flatnonzero(has & (rng.random(len(who)) < 0.8)):
            texts[spell] += ";" + condition.icd10
    return [str(text) for text in texts]


def make_attendances(rng: np.random.Generator, cohort: Cohort, burdens: list[Burden], emergencies: Emergencies) -> Attendances:
    """ED attendances: those that end without admission, and most emergency admissions."""
    steps = cohort.steps()
    parts = []
    for number, day in enumerate(steps[:-1]):
        start, end = np.maximum(cohort.here_from, day), np.minimum(cohort.here_until, steps[number + 1])
        parts.append(scatter(rng, start, end, ed_per_year(cohort, burdens[number], int(day))))
    through = rng.random(len(emergencies.who)) < THROUGH_ED
    home = sum(len(who) for who, _ in parts)
    parts.append((emergencies.who[through], emergencies.day[through]))
    who, day = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    is_admitted = np.arange(len(who)) >= home
    department = np.where(is_admitted, 1, rng.choice([1, 2, 3, 4], len(who), p=[0.60, 0.02, 0.33, 0.05]))
    return Attendances(who, day, department, is_admitted, rng.random(len(who)) < 0.06)
