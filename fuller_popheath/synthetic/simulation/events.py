"""Clinical events as a practice records them: diagnoses and their reviews, resolutions, measurements, smoking, checks, objections.

One row an event in the end; the code system is the project's make-believe one (`z.<cluster>.<n>`), so no code here is a real code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import NEVER, YEAR, Cohort
from fuller_popheath.synthetic.simulation.conditions import RESOLVABLE, History
from fuller_popheath.synthetic.simulation.measurements import UNITS, make_readings
from fuller_popheath.synthetic.simulation.schedule import scatter
from fuller_popheath.synthetic.simulation.tables import conditions, positions

REVIEWS_PER_YEAR = 0.33
"""How often a condition is coded again, a year (made up)."""
LATE_SHARE, LATE_DAYS = 0.03, 45.0
"""Events recorded after the day they are about: their share, and by how many days on average."""
CODES_A_CLUSTER = 2
TYPE_1_SHARE, TYPE_1_WITHDRAWN = 0.027, 0.07
"""People with a Type 1 objection, and how many of them took it back (made up, of the published size)."""
CONFIDENTIAL_SHARE = 0.002

DEFICITS = (
    "activity_limitation", "anaemia", "arthritis", "atrial_fibrillation", "stroke_tia", "chronic_kidney_disease", "diabetes", "dizziness", "dyspnoea",
    "falls", "foot_problems", "fragility_fracture", "hearing_loss", "heart_failure", "heart_valve_disease", "housebound", "hypertension",
    "hypotension_syncope", "coronary_heart_disease", "memory_cognitive", "mobility_problems", "osteoporosis", "parkinsons_disease", "peptic_ulcer",
    "peripheral_arterial_disease", "requirement_for_care", "respiratory_disease", "skin_ulcer", "sleep_disturbance", "social_vulnerability",
    "thyroid_disease", "urinary_incontinence", "urinary_system_disease", "visual_impairment", "weight_loss",
)  # fmt: skip
"""Conditions here that the electronic frailty index counts; all but polypharmacy."""


@dataclass(frozen=True)
class Events:
    """One row an event: position of the person, day, day of recording, code (position in `codes`), value (not a number where there is none)."""

    who: np.ndarray
    day: np.ndarray
    recorded: np.ndarray
    code: np.ndarray
    value: np.ndarray
    unit: np.ndarray
    is_confidential: np.ndarray
    codes: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True)
class Objection:
    """One row a Type 1 objection or its withdrawal: position of the person, the day, whether it is a withdrawal."""

    who: np.ndarray
    day: np.ndarray
    is_withdrawal: np.ndarray


class Writing:
    """Collects events cluster by cluster."""

    def __init__(self, rng: np.random.Generator, units: Mapping[str, str] = UNITS) -> None:
        """`units`: of each measure that will be written, its unit."""
        self.rng = rng
        self.codes: list[str] = []
        self.parts: list[tuple[np.ndarray, ...]] = []
        self.units = ("", *dict.fromkeys(units.values()))

    def add(
        self, cluster: str, who: np.ndarray, day: np.ndarray, value: np.ndarray | None = None, unit: str = "", own: np.ndarray | None = None
    ) -> None:
        """Events of a cluster. `own` (0 or 1 a row) says which of its two codes; a condition keeps its code."""
        first = len(self.codes)
        self.codes += [f"z.{cluster}.{number + 1}" for number in range(CODES_A_CLUSTER)]
        turn = (self.rng.random(len(who)) < 0.3).astype(np.int16) if own is None else own.astype(np.int16)
        self.parts.append(
            (
                who.astype(np.int32),
                day.astype(np.int32),
                (first + turn).astype(np.int16),
                np.full(len(who), np.nan) if value is None else value,
                np.full(len(who), self.units.index(unit), dtype=np.int8),
            )
        )


def make_events(
    rng: np.random.Generator, cohort: Cohort, history: History, pregnancies: tuple[np.ndarray, np.ndarray], objections: Objection
) -> Events:
    """All clinical events of a practice that are known today: diagnoses of a lifetime, everything else in the years simulated."""
    writing = Writing(rng)
    _write_conditions(rng, writing, cohort, history)
    _write_groups(rng, writing, cohort, history)
    _write_habits_and_checks(rng, writing, cohort, history)
    writing.add("pregnancy", *pregnancies)
    writing.add("type_1_dissent", objections.who[~objections.is_withdrawal], objections.day[~objections.is_withdrawal])
    writing.add("type_1_withdrawn", objections.who[objections.is_withdrawal], objections.day[objections.is_withdrawal])
    for reading in make_readings(rng, cohort, history):
        writing.add(reading.measure, reading.who, reading.day, reading.value, UNITS[reading.measure])
    return known_today(rng, writing, cohort)


def known_today(rng: np.random.Generator, writing: Writing, cohort: Cohort) -> Events:
    """What has been written, with the day on which each event was recorded; without what was not recorded by today, or after the person had gone."""
    who, day, code, value, unit = (np.concatenate(columns) for columns in zip(*writing.parts, strict=True))
    recorded = day + np.where(rng.random(len(day)) < LATE_SHARE, 1 + rng.exponential(LATE_DAYS, len(day)), 0).astype(np.int32)
    secret = rng.random(len(day)) < CONFIDENTIAL_SHARE
    known = (recorded < cohort.job.today) & (recorded < cohort.until[who] + 60) & (day >= cohort.job.born[who])
    return Events(
        who=who[known], day=day[known], recorded=recorded[known], code=code[known], value=value[known], unit=unit[known],
        is_confidential=secret[known], codes=tuple(writing.codes), units=writing.units,
    )  # fmt: skip


def together(one: Events, other: Events) -> Events:
    """Two sets of events as one."""
    units = tuple(dict.fromkeys((*one.units, *other.units)))
    unit = np.array([units.index(name) for name in other.units], dtype=np.int8)
    same = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("who", "day", "recorded", "value", "is_confidential")}
    code = np.concatenate([one.code, other.code + np.int16(len(one.codes))])
    return Events(**same, code=code, unit=np.concatenate([one.unit, unit[other.unit]]), codes=(*one.codes, *other.codes), units=units)


def _write_conditions(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    for row, condition in enumerate(conditions()):
        if condition.cluster == "smoking_ever":
            continue
        onset, resolved = history.onset[row], history.resolved[row]
        which = cohort.luck.uniform(condition.cluster + " code") < 0.3
        who = np.flatnonzero(onset < cohort.until)
        writing.add(condition.cluster, who, onset[who], own=which[who])
        who, day = scatter(rng, np.maximum(cohort.from_day, onset), np.minimum(cohort.until, resolved), REVIEWS_PER_YEAR)
        writing.add(condition.cluster, who, day, own=which[who])
        if condition.cluster in RESOLVABLE:
            who = np.flatnonzero(resolved < cohort.until)
            # Resolved after the last time it was coded: later codes would bring it back.
            writing.add(condition.cluster + "_resolved", who, resolved[who])


def _write_groups(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    """Homelessness; frailty as a clinician judges it; ethnicity once for most; a few codes of the kind that is legally protected."""
    homeless = np.flatnonzero(cohort.is_inclusion & (cohort.luck.uniform("homeless") < 0.7) & (cohort.until > cohort.from_day))
    span = (cohort.until - cohort.from_day)[homeless]
    writing.add("homelessness", homeless, cohort.from_day[homeless] + (cohort.luck.uniform("homeless since")[homeless] * span).astype(np.int64))
    rows = [positions()[name] for name in DEFICITS]
    day = np.maximum(cohort.until - 1 - (cohort.luck.uniform("judged frail") * 400).astype(np.int64), cohort.from_day)
    deficits = ((history.onset[rows] <= day) & (history.resolved[rows] > day)).sum(axis=0)
    seen = (cohort.age(day) >= 65) & (cohort.luck.uniform("frailty coded") < 0.45) & (cohort.until > cohort.from_day)
    for name, low, high in (("mild_frailty", 5, 8), ("moderate_frailty", 9, 12), ("severe_frailty", 13, 40)):
        who = np.flatnonzero(seen & (deficits >= low) & (deficits <= high))
        writing.add(name, who, day[who])
    for category in np.unique(cohort.job.ethnicity):
        if not category:
            continue
        who = np.flatnonzero((cohort.job.ethnicity == category) & (cohort.luck.uniform("ethnicity coded") < 0.7) & (cohort.until > cohort.job.start))
        writing.add(f"ethnicity_{str(category).lower()}", who, np.minimum(cohort.job.start[who] + 3, cohort.until[who] - 1))
    grown = np.where(cohort.age(cohort.job.today) >= 16, 0.004, 0.0)
    for name in ("sexually_transmitted_disease", "termination", "gender_related", "assisted_fertilisation"):
        who, when = scatter(rng, cohort.from_day, cohort.until, grown * (cohort.job.is_female if name == "termination" else 1) * 0.5)
        writing.add(name, who, when)


def smoking_status(cohort: Cohort, history: History) -> dict[str, np.ndarray]:
    """Who has never smoked, has given up, and smokes."""
    ever = history.onset[positions()["smoking_ever"]] < NEVER
    quits = cohort.luck.uniform("quits") < np.clip(0.35 + 0.006 * (cohort.age(cohort.job.today) - 30), 0.3, 0.8)
    return {"smoker_never": ~ever, "smoker_former": ever & quits, "smoker_current": ever & ~quits}


def _write_habits_and_checks(rng: np.random.Generator, writing: Writing, cohort: Cohort, history: History) -> None:
    adult = cohort.age(cohort.job.today) >= 15
    smoking = smoking_status(cohort, history)
    often = 0.36 * adult * np.exp(-0.9 * cohort.is_inclusion)
    who, day = scatter(rng, cohort.from_day, cohort.until, often)
    for name, those in smoking.items():
        writing.add(name, who[those[who]], day[those[who]])
    who, day = scatter(rng, cohort.from_day, cohort.until, 0.25 * smoking["smoker_current"])
    writing.add("smoking_cessation_advice", who, day)
    busy = history.active(cohort.job.today).sum(axis=0)
    who, day = scatter(rng, cohort.from_day, cohort.until, np.minimum(0.05 + 0.13 * busy, 0.9) * adult)
    writing.add("medication_review", who, day)
    ill = history.has("copd", cohort.job.today) | history.has("diabetes", cohort.job.today) | history.has("asthma", cohort.job.today)
    wants = np.where(cohort.age(cohort.job.today) >= 65, 0.75, np.where(ill, 0.45, 0.06)) * np.exp(-0.9 * cohort.is_inclusion)
    for autumn in range(cohort.job.years + 1):
        season = _autumn(cohort.job.today, autumn)
        due = season + rng.integers(0, 90, len(cohort))
        comes = (rng.random(len(cohort)) < wants) & (due >= cohort.from_day) & (due < cohort.until)
        writing.add("flu_vaccination", np.flatnonzero(comes), due[comes])
    yearly = history.has("learning_disability", cohort.job.today) | history.has("severe_mental_illness", cohort.job.today)
    age = cohort.age(cohort.job.today)
    who, day = scatter(rng, cohort.from_day, cohort.until, np.where(yearly, 0.6, np.where((age >= 40) & (age < 75), 0.08, 0.0)))
    writing.add("health_check", who, day)


def _autumn(today: int, years_ago: int) -> int:
    """The day number of 15 September of the year that lies so many years before that of today."""
    year = np.datetime64(today, "D").astype("datetime64[Y]") - years_ago
    return int((year.astype("datetime64[M]") + 8).astype("datetime64[D]").astype(np.int64)) + 14


def make_objections(cohort: Cohort) -> Objection:
    """Type 1 objections coded by the practice, and a few taken back later."""
    luck = cohort.luck
    objects = (luck.uniform("type 1") < TYPE_1_SHARE) & (cohort.until > cohort.job.start)
    who = np.flatnonzero(objects)
    length = (cohort.until - cohort.job.start)[who]
    # Most were made in the last ten years: before, the code did not exist.
    day = np.maximum(cohort.job.start[who] + (luck.uniform("type 1 day")[who] * length).astype(np.int64), cohort.until[who] - 10 * round(YEAR))
    back = luck.uniform("type 1 back")[who] < TYPE_1_WITHDRAWN
    later = day + 1 + (luck.uniform("type 1 back day")[who] * np.maximum(cohort.until[who] - day - 1, 0)).astype(np.int64)
    kept = back & (later < cohort.until[who])
    return Objection(np.concatenate([who, who[kept]]), np.concatenate([day, later[kept]]), np.repeat([False, True], [len(who), int(kept.sum())]))
