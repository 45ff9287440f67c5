"""Blood pressure, HbA1c, BMI and weight, eGFR and cholesterol: how often each is measured, and what it shows.

Levels follow from age, sex, conditions and treatment, with a person's own level and trend, and reading noise (all made up, of realistic size).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import YEAR, Cohort
from fuller_popheath.synthetic.simulation.conditions import History
from fuller_popheath.synthetic.simulation.schedule import scatter
from fuller_popheath.synthetic.simulation.tables import positions

UNITS = {
    "systolic_bp": "mmHg", "diastolic_bp": "mmHg", "hba1c": "mmol/mol", "bmi": "kg/m2", "weight": "kg", "egfr": "mL/min/1.73m2",
    "total_cholesterol": "mmol/L", "non_hdl_cholesterol": "mmol/L",
}  # fmt: skip

RECORDING = 1.5
"""Multiplies every measuring rate: fitted to about 25 clinical events a person in four years."""


@dataclass(frozen=True)
class Readings:
    """One row a reading: position of the person, day, the measure, its value in the unit of UNITS."""

    who: np.ndarray
    day: np.ndarray
    measure: str
    value: np.ndarray


class _People:
    """What the formulas ask about people: on the days of their readings, who they are and what they have."""

    def __init__(self, cohort: Cohort, history: History) -> None:
        self.cohort, self.history = cohort, history

    def has(self, cluster: str, who: np.ndarray, day: np.ndarray) -> np.ndarray:
        row = positions()[cluster]
        return (self.history.onset[row][who] <= day) & (self.history.resolved[row][who] > day)

    def years_with(self, cluster: str, who: np.ndarray, day: np.ndarray) -> np.ndarray:
        return np.maximum(day - self.history.onset[positions()[cluster]][who], 0) / YEAR

    def age(self, who: np.ndarray, day: np.ndarray) -> np.ndarray:
        return (day - self.cohort.job.born[who]) / YEAR

    def own(self, name: str, who: np.ndarray) -> np.ndarray:
        return self.cohort.luck.normal(name)[who]

    def since_start(self, day: np.ndarray) -> np.ndarray:
        return (day - self.cohort.job.first_day) / YEAR


def make_readings(rng: np.random.Generator, cohort: Cohort, history: History) -> list[Readings]:
    """All readings of a practice in the years simulated."""
    people = _People(cohort, history)
    return [*_blood_pressure(rng, people), *_hba1c(rng, people), *_body(rng, people), *_kidney(rng, people), *_cholesterol(rng, people)]


def _when(rng: np.random.Generator, people: _People, by_age: tuple[float, ...], by_condition: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """When people are measured: at a rate a year by age (0, 18, 40, 60, 75), at least the condition's once they have it."""
    cohort, history = people.cohort, people.history
    age = cohort.age(cohort.job.today - cohort.job.years * 183)
    base = np.array(by_age)[np.searchsorted((18, 40, 60, 75), age, side="right")] * RECORDING * np.exp(-1.0 * cohort.is_inclusion)
    who, day = scatter(rng, cohort.from_day, cohort.until, base)
    parts = [(who, day)]
    done = base
    for cluster, rate in sorted(by_condition.items(), key=lambda item: item[1]):
        wanted = np.maximum(rate * RECORDING * np.exp(-1.0 * cohort.is_inclusion) - done, 0)
        row = positions()[cluster]
        start = np.maximum(cohort.from_day, history.onset[row])
        end = np.minimum(cohort.until, history.resolved[row])
        parts.append(scatter(rng, start, end, wanted))
        done = np.where(history.onset[row] < cohort.until, np.maximum(done, done + wanted), done)
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))  # type: ignore[return-value]


def _blood_pressure(rng: np.random.Generator, people: _People) -> list[Readings]:
    rates = {"hypertension": 1.3, "diabetes": 1.5, "coronary_heart_disease": 1.3, "stroke_tia": 1.3, "chronic_kidney_disease": 1.4}
    who, day = _when(rng, people, (0.01, 0.22, 0.32, 0.5, 0.6), rates)
    age, ill = people.age(who, day), people.has("hypertension", who, day)
    own = people.own("pressure", who)
    treated = np.minimum(people.years_with("hypertension", who, day), 2.0) * 3.0
    level = 112 + 0.28 * np.minimum(age, 80) + 8 * own + 13 * ill - treated * ill + 3 * people.has("obesity", who, day)
    level += 0.8 * people.own("pressure trend", who) * people.since_start(day)
    systolic = np.clip(np.rint(level + rng.normal(0, 8, len(who))), 80, 230)
    diastolic = np.rint(38 + 0.32 * systolic - 0.06 * np.maximum(age - 50, 0) * 2 + 4 * own * 0.5 + rng.normal(0, 6, len(who)))
    return [Readings(who, day, "systolic_bp", systolic), Readings(who, day, "diastolic_bp", np.clip(diastolic, 40, systolic - 15))]


def _hba1c(rng: np.random.Generator, people: _People) -> list[Readings]:
    who, day = _when(rng, people, (0.005, 0.06, 0.2, 0.3, 0.3), {"non_diabetic_hyperglycaemia": 0.9, "diabetes": 1.7, "diabetes_type_1": 1.7})
    own = people.own("sugar", who)
    ill, one = people.has("diabetes", who, day), people.has("diabetes_type_1", who, day)
    nearly = people.has("non_diabetic_hyperglycaemia", who, day)
    healthy = 34.5 + 0.05 * people.age(who, day) + 1.6 * own
    sick = 47 + 10 * np.exp(0.55 * own) + 0.5 * people.own("sugar trend", who) * people.since_start(day) * 2 + 8 * one
    level = np.where(ill, sick, np.where(nearly, 44 + 0.8 * own, np.minimum(healthy, 41.5)))
    return [Readings(who, day, "hba1c", np.clip(np.rint(level + rng.normal(0, 1.5, len(who))), 20, 160))]


def _body(rng: np.random.Generator, people: _People) -> list[Readings]:
    rates = {"obesity": 0.9, "diabetes": 1.2, "severe_mental_illness": 0.8, "heart_failure": 0.9}
    who, day = _when(rng, people, (0.06, 0.15, 0.22, 0.35, 0.35), rates)
    age = people.age(who, day)
    adult = 24.6 + 0.04 * np.minimum(age, 65) + 3.4 * people.own("body", who)
    level = np.where(people.has("obesity", who, day), 34.5 + 3.5 * np.abs(people.own("body", who)), adult)
    level = np.where(age < 18, 15.2 + 0.3 * np.maximum(age, 0) + 1.5 * people.own("body", who), level)
    falling = 0.9 * people.has("weight_loss", who, day)
    level += (0.35 * people.own("body trend", who) - falling) * people.since_start(day)
    bmi = np.clip(np.round(level + rng.normal(0, 0.4, len(who)), 1), 12, 65)
    grown = np.where(people.cohort.job.is_female[who], 1.62, 1.75) + 0.065 * people.own("height", who)
    height = grown * np.interp(age, (0, 1, 4, 8, 12, 17), (0.31, 0.45, 0.61, 0.76, 0.9, 1.0))
    return [Readings(who, day, "bmi", bmi), Readings(who, day, "weight", np.clip(np.round(bmi * height**2, 1), 2, 260))]


def _kidney(rng: np.random.Generator, people: _People) -> list[Readings]:
    rates = {"hypertension": 0.8, "diabetes": 1.1, "chronic_kidney_disease": 1.8, "heart_failure": 1.6}
    who, day = _when(rng, people, (0.005, 0.08, 0.2, 0.4, 0.6), rates)
    own = people.own("kidney", who)
    ill = people.has("chronic_kidney_disease", who, day)
    healthy = np.maximum(108 - 0.62 * np.maximum(people.age(who, day) - 25, 0) + 8 * own, 62)
    sick = np.minimum(55 + 5 * own, 59) - (1.3 + 0.8 * np.abs(own)) * np.minimum(people.years_with("chronic_kidney_disease", who, day), 12)
    level = np.where(ill, np.maximum(sick, 8), healthy) + rng.normal(0, 2.5, len(who))
    return [Readings(who, day, "egfr", np.clip(np.rint(level), 5, 130))]


def _cholesterol(rng: np.random.Generator, people: _People) -> list[Readings]:
    who, day = _when(rng, people, (0.002, 0.05, 0.18, 0.28, 0.25), {"hypertension": 0.5, "diabetes": 0.9, "coronary_heart_disease": 0.8})
    own = people.own("cholesterol", who)
    lowered = 1.1 * (people.has("coronary_heart_disease", who, day) | people.has("stroke_tia", who, day)) + 0.7 * people.has("diabetes", who, day)
    total = np.clip(5.1 + 0.85 * own - np.minimum(lowered, 1.4) + rng.normal(0, 0.3, len(who)), 2.0, 12.0)
    good = np.clip(1.4 + 0.2 * people.cohort.job.is_female[who] + 0.3 * people.own("good cholesterol", who), 0.6, 3.2)
    other = np.clip(total - good, 0.8, 10.0)
    return [Readings(who, day, "total_cholesterol", np.round(total, 1)), Readings(who, day, "non_hdl_cholesterol", np.round(other, 1))]
