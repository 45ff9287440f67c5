"""Care that Core20PLUS5 asks about: checks, vaccines, screening, referrals and glucose sensors, fewer of them where areas are more deprived.

Every share and rate here is made up, of a plausible size; who comes once is likelier to come again. What does not belong here: diagnoses, and the
readings that everybody has (`measurements`).
"""

from __future__ import annotations

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import YEAR, Cohort
from fuller_popheath.synthetic.simulation.conditions import History
from fuller_popheath.synthetic.simulation.events import Events, Writing, known_today, smoking_status
from fuller_popheath.synthetic.simulation.measurements import UNITS as USUAL_UNITS
from fuller_popheath.synthetic.simulation.medicines import Issues
from fuller_popheath.synthetic.simulation.schedule import regular, scatter
from fuller_popheath.synthetic.simulation.tables import medicines

UNITS = {**USUAL_UNITS, "urine_acr": "mg/mmol", "ldl_cholesterol": "mmol/L"}
LESS_WHERE_DEPRIVED = 0.9
"""Log odds (or log rate) from the least to the most deprived area."""
HARDLY_IN_CONTACT = 1.0
"""The same for people in inclusion-health groups."""
SCREENING = {
    "bowel_screening": (50, 75, 730, 0.68, False),
    "breast_screening": (50, 71, 1096, 0.68, True),
    "cervical_screening": (25, 65, 1200, 0.72, True),
}
"""Ages from and below, days between rounds, share who come, women only."""
DOSES = {"six_in_one_vaccination": ((60, 0.95), (90, 0.98), (120, 0.98)), "mmr_vaccination": ((375, 0.92), (1225, 0.94))}
"""Days after birth, and of those who had the dose before the share who have this one."""
CHILDREN_WITH_DOSES = 8 * YEAR
SMI_CHECKS = 0.8
"""Yearly checks of severe mental illness a person and year: with chance, more than half have one in a year."""
SENSORS, SENSOR_SHARE = "glucose_sensor", 0.72


def make_care(rng: np.random.Generator, cohort: Cohort, history: History) -> Events:
    """Everything of a practice's people but sensors, as events."""
    writing = Writing(rng, UNITS)
    _write_vaccines(rng, writing, cohort, history)
    _write_screening(writing, cohort)
    _write_checks(rng, writing, cohort, history)
    _write_readings(rng, writing, cohort, history)
    _write_checks_of_smi(rng, writing, cohort, history)
    return known_today(rng, writing, cohort)


def make_sensors(rng: np.random.Generator, cohort: Cohort, history: History) -> Issues:
    """Sensors of continuous glucose monitors, every four weeks, for people with type 1 diabetes."""
    number = [medicine.cluster for medicine in medicines()].index(SENSORS)
    has = history.has("diabetes_type_1", cohort.job.today) & _comes(cohort, SENSORS, SENSOR_SHARE)
    who = np.flatnonzero(has & (cohort.until > cohort.from_day))
    row, day = regular(rng, cohort.from_day[who], cohort.until[who], np.full(len(who), 28))
    many = len(row)
    return Issues(who[row], day, np.full(many, number, np.int8), np.ones(many, np.int8), np.ones(many, dtype=bool))


def _comes(cohort: Cohort, purpose: str, share: float) -> np.ndarray:
    """Who takes up what is offered: the same people each time."""
    from scipy.special import expit

    odds = np.log(share / (1 - share)) - LESS_WHERE_DEPRIVED * (cohort.job.deprivation - 0.5) - HARDLY_IN_CONTACT * cohort.is_inclusion
    return cohort.luck.uniform("comes: " + purpose) < expit(odds)


def _how_often(cohort: Cohort, per_year: np.ndarray | float) -> np.ndarray:
    return per_year * np.exp(-0.5 * LESS_WHERE_DEPRIVED * (cohort.job.deprivation - 0.5) - HARDLY_IN_CONTACT * cohort.is_inclusion)


def _write_vaccines(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    today, born = cohort.job.today, cohort.job.born
    age, ill = cohort.age(today), history.has("copd", today) | history.has("diabetes", today)
    for name, old, sick in (("covid_vaccination", 0.62, 0.42), ("pneumococcal_vaccination", 0.70, 0.66)):
        wants = (_comes(cohort, name, old) & (age >= 65)) | (_comes(cohort, name, sick) & ill)
        years = (0, 1) if name == "covid_vaccination" else (2,)
        for ago in years:
            day = np.minimum(cohort.until, today) - 1 - round(ago * YEAR) - rng.integers(0, 300, len(cohort))
            given = wants & (day >= cohort.from_day) & (day >= born)
            writing.add(name, np.flatnonzero(given), day[given])
    toddler = _comes(cohort, "flu of toddlers", 0.45) & (age >= 2) & (age < 4)
    day = np.minimum(cohort.until, today) - 1 - rng.integers(0, 330, len(cohort))
    given = toddler & (day >= cohort.from_day)
    writing.add("flu_vaccination", np.flatnonzero(given), day[given])
    for name, doses in DOSES.items():
        had = (today - born < CHILDREN_WITH_DOSES) & (cohort.until > cohort.from_day)
        for turn, (days, share) in enumerate(doses):
            had = had & _comes(cohort, f"{name} {turn}", share)
            day = born + days + rng.integers(0, 60, len(cohort))
            given = had & (day < cohort.until)
            writing.add(name, np.flatnonzero(given), day[given])


def _write_screening(writing: Writing, cohort: Cohort) -> None:
    born = cohort.job.born
    for name, (youngest, below, days, share, women_only) in SCREENING.items():
        start = np.maximum(cohort.from_day, born + round(youngest * YEAR))
        end = np.minimum(cohort.until, born + round(below * YEAR))
        who = np.flatnonzero(_comes(cohort, name, share) & (cohort.job.is_female | (not women_only)) & (start < end))
        row, day = regular(writing.rng, start[who], end[who], np.full(len(who), days))
        writing.add(name, who[row], day)
    has_none = (
        cohort.job.is_female & (cohort.age(cohort.job.today) >= 40) & (cohort.luck.uniform("no cervix") < 0.06) & (cohort.until > cohort.from_day)
    )
    writing.add("cervical_screening_not_needed", np.flatnonzero(has_none), cohort.from_day[has_none])


def _write_checks(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    today = cohort.job.today
    age = cohort.age(today)
    adult, child = age >= 18, age < 18
    mind, disability = history.has("severe_mental_illness", today), history.has("learning_disability", today)
    rates = {
        "alcohol_recorded": np.where(mind, 0.9, 0.22) * adult,
        "learning_disability_health_check": 0.95 * disability * (age >= 14),
        "epilepsy_specialist_nurse": 0.7 * history.has("epilepsy", today) * child,
        "child_mental_health_referral": 0.045 * child * (age >= 4),
    }
    for name, rate in rates.items():
        writing.add(name, *scatter(rng, cohort.from_day, cohort.until, _how_often(cohort, rate)))


def _write_readings(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    today = cohort.job.today
    kidney, sugar = history.has("chronic_kidney_disease", today), history.has("diabetes", today)
    who, day = scatter(rng, cohort.from_day, cohort.until, _how_often(cohort, 0.6 * (kidney | sugar)))
    ratio = np.exp(0.6 + 1.1 * cohort.luck.normal("albumin")[who] + 0.8 * kidney[who] + rng.normal(0, 0.3, len(who)))
    writing.add("urine_acr", who, day, np.clip(np.round(ratio, 1), 0.3, 900.0), UNITS["urine_acr"])
    heart = history.has("coronary_heart_disease", today) | history.has("stroke_tia", today)
    who, day = scatter(rng, cohort.from_day, cohort.until, _how_often(cohort, 0.35 * heart))
    level = 2.15 + 0.6 * cohort.luck.normal("cholesterol")[who] + rng.normal(0, 0.25, len(who))
    writing.add("ldl_cholesterol", who, day, np.clip(np.round(level, 1), 0.4, 8.0), UNITS["ldl_cholesterol"])


def _write_checks_of_smi(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    """The yearly check of people with severe mental illness: all six on one day, besides what is measured now and then."""
    has = history.has("severe_mental_illness", cohort.job.today) & (cohort.age(cohort.job.today) >= 18)
    who, day = scatter(rng, cohort.from_day, cohort.until, _how_often(cohort, SMI_CHECKS * has))
    own, many = cohort.luck.normal("pressure")[who], len(who)
    systolic = np.clip(np.rint(124 + 8 * own + rng.normal(0, 8, many)), 80, 220)
    total = np.clip(5.0 + 0.85 * cohort.luck.normal("cholesterol")[who] + rng.normal(0, 0.3, many), 2.5, 11.0)
    readings = {
        "systolic_bp": systolic,
        "diastolic_bp": np.clip(np.rint(38 + 0.32 * systolic + rng.normal(0, 6, many)), 40, systolic - 15),
        "bmi": np.clip(np.round(28 + 4 * cohort.luck.normal("body")[who] + rng.normal(0, 0.4, many), 1), 15, 60),
        "hba1c": np.clip(np.rint(np.where(history.has("diabetes", cohort.job.today)[who], 58, 38) + rng.normal(0, 3, many)), 20, 140),
        "total_cholesterol": np.round(total, 1),
        "non_hdl_cholesterol": np.round(np.clip(total - 1.3, 0.8, 9.5), 1),
    }
    for name, values in readings.items():
        writing.add(name, who, day, values, UNITS[name])
    writing.add("alcohol_recorded", who, day)
    for name, those in smoking_status(cohort, history).items():
        writing.add(name, who[those[who]], day[those[who]])
