"""Find the fitted constants of the simulation, so that its means are where published figures are: `python -m ...simulation.calibrating` writes them.

Grain: one constant a condition (its log odds), one an age band and IMD quintile (emergency admissions), a few levels. Run it again when a figure in
`conditions.csv` or a constant of `hazards` changes. What does not belong here: the published figures, which stand in the CSV files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from fuller_popheath.synthetic.simulation import contacts, hazards, hospital, tables
from fuller_popheath.synthetic.simulation.cohort import YEAR, Cohort, PracticeJob, form_cohort
from fuller_popheath.synthetic.simulation.conditions import History, live_with_conditions

APPOINTMENTS_PER_YEAR = 6.05
"""383.3 million appointments in the 12 months to June 2025 over 63.4 million registered people (NHS England, Appointments in General Practice)."""
ATTENDANCES_PER_YEAR = 0.40
"""ED attendances of all types a person-year: of England's size (made up)."""
COMMENT = "fitted by fuller_popheath.synthetic.simulation.calibrating"

Constants = dict[tuple[str, str], float]


def whole_place(people: int, seed: int, as_of: date, years: int = 4) -> PracticeJob:
    """Everyone of a make-believe place as if on one list."""
    from fuller_popheath.synthetic.people import make_registrations
    from fuller_popheath.synthetic.place import make_place
    from fuller_popheath.synthetic.records import as_listed, practice_jobs

    place = make_place(seed, as_of, people)
    lists, rows, is_temporary = as_listed(*make_registrations(place, seed, as_of), place, seed, as_of)
    return _together(list(practice_jobs(place, seed, as_of, years, lists, rows, is_temporary)))


def _together(jobs: list[PracticeJob]) -> PracticeJob:
    """All people of several jobs in one, which is otherwise as the first."""
    columns = [name for name, value in vars(jobs[0]).items() if isinstance(value, np.ndarray)]
    together: dict[str, Any] = {name: np.concatenate([getattr(job, name) for job in jobs]) for name in columns}
    return replace(jobs[0], **together)


def present(cohort: Cohort) -> np.ndarray:
    """Who counts as registered today: once each, alive, not as a temporary resident."""
    job = cohort.job
    return job.is_last & (job.start <= job.today) & (job.end > job.today) & (job.death > job.today)


def prevalence(cohort: Cohort, history: History) -> np.ndarray:
    """Share of present people of the counted ages who have each condition today; the register of raised blood sugar leaves out diabetes."""
    here, age, today = present(cohort), cohort.age(cohort.job.today), cohort.job.today
    active = history.active(today)
    at = tables.positions()
    active[at["non_diabetic_hyperglycaemia"]] &= ~active[at["diabetes"]]
    return np.array([active[row][here & (age >= condition.counted_from_age)].mean() for row, condition in enumerate(tables.conditions())])


def fit_intercepts(cohort: Cohort, rounds: int = 8) -> Constants:
    """Log odds of each condition, moved by the error of its prevalence until there is none."""
    found: Constants = {}
    for _ in range(rounds):
        made = prevalence(cohort, live_with_conditions(cohort))
        for condition, share in zip(tables.conditions(), made, strict=True):
            wanted = condition.percent / 100
            step = np.log(wanted / (1 - wanted)) - np.log(max(share, 1e-5) / (1 - share))
            found["intercept", condition.cluster] = condition.intercept + float(np.clip(step, -2, 2))
        _use(found)
    return found


def emergency_expected(cohort: Cohort, history: History, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Expected emergency admissions and person-years by age band (row) and quintile (column): the mean of the true hazards over all years."""
    steps = cohort.steps()
    burdens = [hazards.burden_on(history, int(day)) for day in steps]
    made = hospital.make_emergencies(rng, cohort, burdens)
    admissions, person_years = np.zeros((5, 5)), np.zeros((5, 5))
    for number, day in enumerate(steps[:-1]):
        start, end = np.maximum(cohort.here_from, day), np.minimum(cohort.here_until, steps[number + 1])
        years = np.maximum(end - start, 0) / YEAR
        cell = tables.band_of(np.maximum(cohort.age(int(day) + 91), 0)), cohort.quintile - 1
        rate = hazards.emergency_per_year(cohort, burdens[number], int(day), made.lately[number]) * (1 + hospital.READMITTED)
        dying = (cohort.job.death >= day) & (cohort.job.death < steps[number + 1]) & (cohort.here_until > 0)
        np.add.at(admissions, cell, rate * years + dying * hospital.DYING_ADMISSIONS)
        np.add.at(person_years, cell, years)
    return admissions, person_years


def fit_emergencies(cohort: Cohort, history: History, rounds: int = 4) -> Constants:
    """Factor of each age band and quintile. Admissions of the dying are there in any case; the hazard makes up the rest."""
    found: Constants = {}
    for _ in range(rounds):
        admissions, years = emergency_expected(cohort, history, np.random.default_rng(1))
        for cell in tables.emergency_cells():
            at = int(tables.band_of(np.array([cell.first_age]))[0]), cell.quintile - 1
            before = tables.constant("emergency", f"{cell.first_age} {cell.quintile}", 0.45)
            found["emergency", f"{cell.first_age} {cell.quintile}"] = before * float(cell.rate * years[at] / admissions[at]) ** 1.1
        _use(found)
    return found


def fit_levels(cohort: Cohort, history: History) -> Constants:
    """Levels of appointments, ED attendances and death."""
    steps = cohort.steps()
    burdens = [hazards.burden_on(history, int(day)) for day in steps]
    ways = contacts.PracticeWays(contacts.CONTINUITY_MEAN, 1.0, 0.045)
    found: Constants = {}
    years = (np.maximum(cohort.until - cohort.from_day, 0) / YEAR).sum()
    for _ in range(3):
        made = contacts.make_appointments(np.random.default_rng(2), cohort, history, burdens, ways)
        rate = (made.status <= 1).sum() / years
        found["contacts", "level"] = tables.constant("contacts", "level", 0.6) * APPOINTMENTS_PER_YEAR / rate
        _use(found)
    years = (np.maximum(cohort.here_until - cohort.here_from, 0) / YEAR).sum()
    emergencies = hospital.make_emergencies(np.random.default_rng(3), cohort, burdens)
    for _ in range(3):
        attended = hospital.make_attendances(np.random.default_rng(4), cohort, burdens, emergencies)
        home = (~attended.is_admitted).sum() / years
        admitted = attended.is_admitted.sum() / years
        found["ed", "level"] = tables.constant("ed", "level", 0.75) * (ATTENDANCES_PER_YEAR - admitted) / home
        _use(found)
    found |= _death_levels(cohort, burdens, steps)
    return found


def _death_levels(cohort: Cohort, burdens: list[hazards.Burden], steps: np.ndarray) -> Constants:
    """What brings the mean probability of death near each age to that of the lists, over those alive a year before today."""
    day = int(steps[-3])
    there = cohort.job.is_last & (cohort.job.arrived <= day) & (cohort.job.end > day) & (cohort.job.death > day)
    wanted, age = hazards.listed_death_per_year(cohort.age(day)), cohort.age(day)
    near = {at: there & (np.abs(age - at) < (20 if at < 30 else 4)) for at in hazards.DEATH_AGES}
    found: Constants = {}
    for _ in range(6):
        chance = 1 - np.exp(-hazards.death_per_year(cohort, burdens[-3], day))
        for at in hazards.DEATH_AGES:
            change = float(wanted[near[at]].mean() / chance[near[at]].mean())
            found["death", str(at)] = tables.constant("death", str(at), 0.3) * change
        _use(found)
    return found


def _use(found: Constants) -> None:
    """Make the simulation work with these constants, on top of those it has."""
    known = tables.fitted()
    known.update(found)
    tables.conditions.cache_clear()


def fit(
    people: int = 200_000, seeds: tuple[int, ...] = (26, 27, 28), as_of: date = date(2026, 10, 1), say: Callable[[str], None] = lambda _: None
) -> Constants:
    """Fit everything on a few places of so many people together, so that no place's own chance shows, and return every constant."""
    places = [whole_place(people, seed, as_of) for seed in seeds]
    # Places number their people alike; here each is somebody else.
    cohort = form_cohort(_together([replace(job, number=job.number + turn * 10**10) for turn, job in enumerate(places)]))
    found = fit_intercepts(cohort)
    say("conditions are fitted")
    history = live_with_conditions(cohort)
    found |= fit_emergencies(cohort, history)
    say("emergency admissions are fitted")
    return found | fit_levels(cohort, history)


def main() -> None:
    """Fit, and write `fitted.csv` beside this module."""
    from fuller_popheath.synthetic.landing import write_whole

    text = io.StringIO(newline="")
    rows = [(kind, name, f"{value:.4f}", COMMENT) for (kind, name), value in fit().items()]
    csv.writer(text, lineterminator="\n").writerows([("kind", "name", "value", "comment"), *rows])
    write_whole(Path(__file__).with_name("fitted.csv"), text.getvalue().encode())


if __name__ == "__main__":
    main()
