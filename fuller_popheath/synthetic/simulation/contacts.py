"""Appointments: how many, when, with whom, in which way, and whether people came.

Attended and not attended ones together are 6.05 a person-year, as NHS England's publication counts them; cancelled and future ones come on top.
Practices differ in how often people see their usual GP. Shares of clinicians, modes and same-day bookings follow the same publication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.cohort import YEAR, Cohort
from fuller_popheath.synthetic.simulation.conditions import History
from fuller_popheath.synthetic.simulation.hazards import Burden, contacts_per_year
from fuller_popheath.synthetic.simulation.schedule import on_working_days, scatter

TYPES = ("gp", "gp_locum", "nurse", "healthcare_assistant", "pharmacist", "physiotherapist", "other", "unknown")
TYPE_SHARES = (0.405, 0.04, 0.22, 0.115, 0.075, 0.03, 0.095, 0.02)
"""GPs (locums among them) hold 44.6 % of appointments (GPAD); how the rest divides is made up."""
MODES = ("face_to_face", "telephone", "video", "home_visit", "written", "unknown")
MODE_SHARES = (0.655, 0.255, 0.005, 0.008, 0.072, 0.005)
"""About 65 % face to face (GPAD); how the rest divides is made up."""
STATUSES = ("attended", "did_not_attend", "cancelled", "booked")
CATEGORIES = (
    "general_consultation_acute", "general_consultation_routine", "planned_clinics", "planned_clinical_procedure", "unplanned_clinical_activity",
    "clinical_triage", "home_visit", "care_home_visit", "structured_medication_review", "social_prescribing", "walk_in", "group_consultation",
    "external_service", "non_contractual",
)  # fmt: skip

SAME_DAY = 0.44
"""Share booked on the day itself (GPAD)."""
CANCELLED_SHARE = 0.035
BOOKED_AHEAD = 0.12
"""Cancelled ones for each that counts, and appointments ahead of today per person (made up)."""
DYING_EXTRA = 7.0
"""More appointments in the last half-year of life, a person (made up)."""

CONTINUITY_MEAN, CONTINUITY_SPREAD = 0.40, 0.12
"""How likely a person is to see their own GP rather than whoever is free: mean and spread over practices, fitted to a mean UPC of about 0.6."""
NAMED_IS_USUAL = 0.75
"""How often the GP that the record names is the one the person really goes to (made up)."""


@dataclass(frozen=True)
class Appointments:
    """One row an appointment: position of the person, day, and codes into TYPES, MODES, STATUSES, CATEGORIES; `clinician` into the staff's names.

    `minute` counts from midnight; `booked` is the day of the booking.
    """

    who: np.ndarray
    day: np.ndarray
    minute: np.ndarray
    booked: np.ndarray
    status: np.ndarray
    clinician: np.ndarray
    kind: np.ndarray
    mode: np.ndarray
    category: np.ndarray
    staff: tuple[str, ...]


@dataclass(frozen=True)
class PracticeWays:
    """How a practice works: its continuity, how many appointments it has for each person (1 is usual), its did-not-attend share."""

    continuity: float
    supply: float
    missed: float


def practice_ways(rng: np.random.Generator) -> PracticeWays:
    """Draw a practice's ways."""
    continuity = float(np.clip(rng.normal(CONTINUITY_MEAN, CONTINUITY_SPREAD), 0.05, 0.85))
    return PracticeWays(continuity, float(np.exp(rng.normal(0, 0.06))), float(np.clip(rng.normal(0.045, 0.012), 0.015, 0.09)))


def make_appointments(rng: np.random.Generator, cohort: Cohort, history: History, burdens: list[Burden], ways: PracticeWays) -> Appointments:
    """All appointments of a practice in the years simulated, and those already booked."""
    steps = cohort.steps()
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for number, burden in enumerate(burdens[:-1]):
        rate = contacts_per_year(cohort, burden, int(steps[number]), ways.supply)
        start, end = np.maximum(cohort.from_day, steps[number]), np.minimum(cohort.until, steps[number + 1])
        found.append(scatter(rng, start, end, rate))
    death = cohort.job.death
    found.append(scatter(rng, np.maximum(cohort.from_day, death - 183), np.where(cohort.is_dying, cohort.until, 0), DYING_EXTRA * 2))
    here = np.where(cohort.until == cohort.job.today, cohort.job.today, 0)
    ahead = scatter(rng, here, np.where(here > 0, here + 28, 0), BOOKED_AHEAD * YEAR / 28)
    who, day = (np.concatenate(parts) for parts in zip(*found, ahead, strict=True))
    is_ahead = np.arange(len(who)) >= len(who) - len(ahead[0])
    day = on_working_days(rng, day, cohort.from_day[who], np.where(is_ahead, cohort.job.today + 40, cohort.until[who]))
    return _described(rng, cohort, history, ways, who, day, is_ahead)


def _described(
    rng: np.random.Generator, cohort: Cohort, history: History, ways: PracticeWays, who: np.ndarray, day: np.ndarray, is_ahead: np.ndarray
) -> Appointments:
    count = len(who)
    kind = _codes(rng, TYPE_SHARES, count)
    is_gp = kind == 0
    same_day = (rng.random(count) < SAME_DAY) & ~is_ahead
    lag = np.where(same_day, 0, 1 + rng.exponential(13.0, count).astype(np.int64))
    booked = np.where(is_ahead, np.minimum(cohort.job.today - 1, day - lag), day - lag)
    status = np.zeros(count, dtype=np.int8)
    miss = ways.missed * np.exp(0.5 * (cohort.job.deprivation[who] - 0.5) + 0.8 * cohort.is_inclusion[who]) * np.where(same_day, 0.4, 1.45)
    status[rng.random(count) < miss] = 1
    extra = np.flatnonzero(rng.random(count) < CANCELLED_SHARE)
    staff, clinician = _who_is_seen(rng, cohort, ways, who, kind, same_day)
    mode = _codes(rng, MODE_SHARES, count)
    stays_in = history.has("housebound", cohort.job.today)[who] | history.has("care_home", cohort.job.today)[who]
    mode[stays_in & is_gp & (rng.random(count) < 0.45)] = 3
    status[is_ahead] = 3
    columns = {
        "who": who, "day": day, "minute": 510 + 10 * rng.integers(0, 60, count), "booked": booked, "status": status, "clinician": clinician,
        "kind": kind, "mode": mode, "category": _categories(rng, kind, mode, same_day, history.has("care_home", cohort.job.today)[who]),
    }  # fmt: skip
    # A cancelled appointment is one more row, some days before one that was kept.
    every = {name: np.concatenate([column, column[extra]]) for name, column in columns.items()}
    every["status"][count:] = 2
    moved = every["day"][count:] - rng.integers(0, 9, len(extra))
    every["day"][count:] = np.maximum(moved, cohort.from_day[who[extra]])
    every["booked"] = np.minimum(every["booked"], every["day"])
    return Appointments(staff=staff, **every)


def _codes(rng: np.random.Generator, shares: tuple[float, ...], count: int) -> np.ndarray:
    """Positions in a list of kinds, drawn by their shares."""
    ladder = np.cumsum(np.array(shares) / sum(shares))
    ladder[-1] = 1.0
    return np.searchsorted(ladder, rng.random(count), side="right").astype(np.int8)


def _who_is_seen(
    rng: np.random.Generator, cohort: Cohort, ways: PracticeWays, who: np.ndarray, kind: np.ndarray, same_day: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the staff, and whom each appointment is with: the person's own GP or whoever is free, and one of a few of every other kind."""
    job = cohort.job
    gps = len(job.gps)
    numbers = {"gp_locum": 3, "nurse": 3, "healthcare_assistant": 2, "pharmacist": 1, "physiotherapist": 1, "other": 3, "unknown": 1}
    staff, first = list(job.gps), {"gp": 0}
    for name, number in numbers.items():
        first[name] = len(staff)
        staff += [f"{job.code}-{name.replace('_', '')[:5].upper()}{turn + 1}" for turn in range(number)]
    anyone = rng.integers(0, 1 << 30, len(who))
    of_kind = np.array([first[name] for name in TYPES]), np.array([gps, *(numbers[name] for name in TYPES[1:])])
    clinician = of_kind[0][kind] + anyone % of_kind[1][kind]
    # Full-time partners are seen more often than others by people who take whoever is free.
    busy = np.cumsum(rng.dirichlet(np.full(gps, 4.0)))
    free = np.searchsorted(busy, rng.random(len(who)) * busy[-1], side="right").clip(0, gps - 1)
    somebody = (cohort.luck.uniform("usual gp") * gps).astype(np.int64)
    usual = np.where((job.usual_gp >= 0) & (cohort.luck.uniform("named is usual") < NAMED_IS_USUAL), job.usual_gp, somebody)
    loyal = np.clip(ways.continuity + 0.22 * cohort.luck.normal("loyal"), 0.0, 0.97)
    chance = np.clip(loyal[who] * np.where(same_day, 0.8, 1.15), 0, 0.98)
    own = rng.random(len(who)) < chance
    clinician = np.where(kind == 0, np.where(own, usual[who], free), clinician)
    return tuple(staff), clinician.astype(np.int16)


def _categories(rng: np.random.Generator, kind: np.ndarray, mode: np.ndarray, same_day: np.ndarray, in_care_home: np.ndarray) -> np.ndarray:
    """National categories by who is seen and whether on the day."""
    draw = rng.random(len(kind))
    is_doctor = kind <= 1
    category = np.where(same_day, 0, 1)
    category = np.where(is_doctor & same_day & (draw < 0.12), 5, category)
    category = np.where(is_doctor & same_day & (draw > 0.95), 4, category)
    nurse = (kind == 2) | (kind == 3)
    category = np.where(nurse, np.where(draw < 0.55, 2, np.where(draw < 0.8, 3, 1)), category)
    category = np.where(nurse & (draw > 0.985), 11, category)
    category = np.where((kind == 4) & (draw < 0.4), 8, category)
    category = np.where((kind == 5) & (draw < 0.3), 12, category)
    category = np.where((kind == 6) & (draw < 0.2), 9, category)
    category = np.where((kind == 6) & (draw > 0.95), 13, category)
    category = np.where((kind == 6) & (draw > 0.9) & (draw <= 0.95), 10, category)
    return np.where(mode == 3, np.where(in_care_home, 7, 6), category).astype(np.int8)
