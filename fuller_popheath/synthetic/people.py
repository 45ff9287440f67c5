"""The people of the make-believe place: who they are, where they live, and with which practice they are or were registered.

Grain: one row a registration, as in the practice lists. Everything is drawn in whole columns; a person who moved between two practices of the
place is two rows with one NHS number. What does not belong here: files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.england_age_sex import england_shares
from fuller_popheath.synthetic.nhs_numbers import draw_test_numbers
from fuller_popheath.synthetic.place import Place, stream

if TYPE_CHECKING:
    import pyarrow as pa

LOOK_BACK_DAYS = 5 * 365 + 1
"""A list carries registrations that ended within the last five years."""

WITHOUT_NHS_NUMBER = 0.001
WITHOUT_LSOA = 0.0005
IN_WALES = 0.0003
SEX_NOT_STATED = 0.0002
WELSH_LSOAS = ("W01001901", "W01001902", "W01001903")

ETHNIC_CATEGORIES = ("A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "S", "Z", "99", "")
ETHNIC_SHARES_DEPRIVED = (59, 0.6, 7, 0.8, 0.5, 0.6, 0.6, 5.5, 9, 1.4, 1.7, 0.8, 1.8, 0.5, 0.6, 1.4, 3.2, 2.2, 2.8)
ETHNIC_SHARES_ELSEWHERE = (83, 0.7, 3, 0.4, 0.2, 0.5, 0.4, 1.2, 0.9, 0.3, 0.6, 0.2, 0.4, 0.1, 0.5, 0.4, 3.0, 2.0, 2.2)
"""Made up, and not a source: plausible shares for deprived and other areas, with not stated (Z), not known (99) and never asked (empty)."""

NONE = -1_000_000
"""A day number for "no such day"; real ones reach back to 1905, about -24,000."""

MOVED_WITHIN, EARLIER_DAYS = 0.75, 5_000
"""Of people who registered in the last five years, how many came from another practice of the place, and for how long they had been with that one on
average (made up): so many that about as many people were registered five years ago as today."""

DEATH_BY_DEPRIVATION = 0.9
"""Log hazard ratio of death from the least to the most deprived area (made up, near England's)."""

NEAR_KM = 1.3
ANYWHERE = 0.0012
"""People choose practices by nearness, which falls by a factor e each 1.3 km, and a few have any practice: they moved house and stayed (made up)."""


@dataclass(frozen=True)
class Registrations:
    """Columns of one group of registrations: NHS number, sex, the piece the person lives in, the practice (row), and days as day numbers."""

    numbers: np.ndarray
    sex: np.ndarray
    born: np.ndarray
    piece: np.ndarray
    practice: np.ndarray
    start: np.ndarray
    end: np.ndarray
    death: np.ndarray

    def take(self, rows: np.ndarray) -> Registrations:
        """The rows at these positions, or where the mask is true."""
        return Registrations(*(getattr(self, name)[rows] for name in Registrations.__dataclass_fields__))

    def with_rows(self, *others: Registrations) -> Registrations:
        """These rows, and below them those of others."""
        return Registrations(*(np.concatenate([getattr(one, name) for one in (self, *others)]) for name in Registrations.__dataclass_fields__))


def make_people(place: Place, seed: int, as_of: date) -> pa.Table:
    """Everyone on every list: columns of inbound/practice_list, and `lsoa11_code` besides, which no list holds (lsoa_code is of 2021).

    Exactly `place.size.people` are registered and alive on `as_of`. Rows lie practice by practice in a random order. Raises SettingsWrong for a
    day before 2010.
    """
    return make_registrations(place, seed, as_of)[0]


def make_registrations(place: Place, seed: int, as_of: date) -> tuple[pa.Table, Registrations]:
    """The table of `make_people`, and the same rows in the same order as they were drawn: with NHS numbers that the table leaves out, and homes."""
    if as_of < date(2010, 1, 1):
        raise SettingsWrong(f"as_of {as_of} is before 2010: the oldest people would be born before 1900, which every list refuses; take a later day")
    size = place.size
    numbers = draw_test_numbers(stream(seed, "nhs numbers"), size.persons)
    here = _registered(stream(seed, "registered"), place, numbers[: size.people], _day(as_of))
    gone = _left(stream(seed, "left"), place, numbers[size.people : size.people + size.left], _day(as_of))
    dead = _died(stream(seed, "died"), place, numbers[size.people + size.left :], _day(as_of))
    before = _moved_within(stream(seed, "moved"), place, here, _day(as_of))
    rows = here.with_rows(gone, dead, before)
    rng = stream(seed, "lists")
    order = rng.permutation(len(rows.numbers))
    rows = rows.take(order[np.argsort(rows.practice[order], kind="stable")])
    return _list_columns(rng, place, rows, as_of), rows


def _day(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


def _registered(rng: np.random.Generator, place: Place, numbers: np.ndarray, today: int) -> Registrations:
    """People registered today: as old as England's, each with a start date between birth and today."""
    ages, sex = _ages(rng, len(numbers), hazard=0.0)
    piece = _homes(rng, place, ages)
    born = _birth_days(rng, ages, np.full(len(ages), today))
    start = _starts(rng, ages, born, np.full(len(ages), today + 1))
    none = np.full(len(ages), NONE)
    return Registrations(numbers, sex, born, piece, _choose_practice(rng, place, piece), start, none, none)


def _left(rng: np.random.Generator, place: Place, numbers: np.ndarray, today: int) -> Registrations:
    """People who moved out of the area in the last five years: younger than the rest. Some ended today, which is outside."""
    ages, sex = _ages(rng, len(numbers), hazard=-0.02)
    end = rng.integers(today - LOOK_BACK_DAYS, today + 1, len(ages))
    born = _birth_days(rng, ages, end - 1)
    piece = _homes(rng, place, ages)
    return Registrations(numbers, sex, born, piece, _choose_practice(rng, place, piece), _starts(rng, ages, born, end), end, np.full(len(ages), NONE))


def _died(rng: np.random.Generator, place: Place, numbers: np.ndarray, today: int) -> Registrations:
    """People who died in the last five years; the risk doubles about every seven years of age (Gompertz, made up).

    A practice takes up to seven weeks to end the registration, so the newest deaths are still on the list with a date of death and no end.
    """
    ages, sex = _ages(rng, len(numbers), hazard=0.095)
    death = rng.integers(today - LOOK_BACK_DAYS + 50, today + 1, len(ages))
    born = _birth_days(rng, ages, death)
    piece = _homes(rng, place, ages, more_deprived=DEATH_BY_DEPRIVATION)
    start = _starts(rng, ages, born, death + 1)
    ended = np.maximum(death + rng.integers(0, 50, len(ages)), start + 1)
    end = np.where(ended > today, NONE, ended)
    return Registrations(numbers, sex, born, piece, _choose_practice(rng, place, piece), start, end, death)


def _moved_within(rng: np.random.Generator, place: Place, here: Registrations, today: int) -> Registrations:
    """The earlier registrations of people now registered who changed practice inside the place: the old one ends on the day the new one starts."""
    recent = np.flatnonzero((here.start > today - LOOK_BACK_DAYS) & (here.start > here.born + 120))
    who = recent[rng.random(len(recent)) < MOVED_WITHIN]
    end = here.start[who]
    start = np.maximum(here.born[who] + 1, end - 30 - rng.exponential(EARLIER_DAYS, len(who)).astype(np.int64))
    old_home = rng.choice(len(place.pieces.people), len(who), p=place.pieces.people / place.pieces.people.sum())
    practice = _choose_practice(rng, place, old_home)
    changed = practice != here.practice[who]
    who, end, start, old_home, practice = (column[changed] for column in (who, end, start, old_home, practice))
    return Registrations(here.numbers[who], here.sex[who], here.born[who], old_home, practice, start, end, np.full(len(who), NONE))


def _ages(rng: np.random.Generator, count: int, hazard: float) -> tuple[np.ndarray, np.ndarray]:
    """Ages in completed years and sexes, England's shares times exp(hazard x age); within a band of five years every age is alike."""
    bands = england_shares()
    middle = (bands.first_ages + bands.last_ages) / 2
    shares = bands.shares * np.exp(hazard * middle)
    band = rng.permutation(np.repeat(np.arange(len(shares)), rng.multinomial(count, shares / shares.sum())))
    ages = rng.integers(bands.first_ages[band], bands.last_ages[band] + 1)
    # Past 95 each year is rarer than the one before.
    ages = np.where(bands.first_ages[band] == 95, 95 + np.minimum(rng.exponential(1.9, count).astype(np.int64), 9), ages)
    sex = bands.sexes[band].astype("<U13")
    unusual = rng.random(count) < SEX_NOT_STATED
    sex[unusual] = rng.choice(["indeterminate", "unknown"], int(unusual.sum()))
    return ages, sex


def _homes(rng: np.random.Generator, place: Place, ages: np.ndarray, more_deprived: float = 0.0) -> np.ndarray:
    """The piece each person lives in: by its people, with older people a little more often in the less deprived pieces, children the other way.

    `more_deprived`: log ratio of the weight of the most deprived area in England to the least.
    """
    from scipy.special import ndtr

    piece = np.empty(len(ages), dtype=np.int64)
    for band in np.unique(ages // 10):
        who = np.flatnonzero(ages // 10 == band)
        weight = place.pieces.people * np.exp(0.0045 * (10 * band - 35) * place.piece_score - more_deprived * ndtr(place.piece_score))
        piece[who] = rng.choice(len(weight), len(who), p=weight / weight.sum())
    return piece


def _choose_practice(rng: np.random.Generator, place: Place, piece: np.ndarray) -> np.ndarray:
    """The practice (row) each person is registered with, by nearness and the practice's attraction: catchments overlap, without hard edges."""
    practices = [practice for practice in place.organisations.practices if practice.has_list]
    sites = np.array([(practice.x_km, practice.y_km) for practice in practices])
    distance = np.linalg.norm(place.pieces.seeds[:, None] - sites[None], axis=2)
    nearness = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / NEAR_KM) + ANYWHERE
    weight = nearness * np.array([practice.attraction for practice in practices])
    ladder = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    ladder[:, -1] = 1.0
    # One sorted ladder for all pieces: piece k's steps lie between k and k + 1.
    steps = (ladder + np.arange(len(ladder))[:, None]).ravel()
    found = np.searchsorted(steps, piece + rng.random(len(piece)), side="right")
    return np.minimum(found - piece * len(practices), len(practices) - 1)


def _birth_days(rng: np.random.Generator, ages: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Birthdays (day numbers) that make the completed age on each day exactly `ages`; 29 February is 1 March in a year without it."""
    birthday = np.datetime64("2000-01-01", "D") + rng.integers(0, 366, len(ages))
    month = birthday.astype("datetime64[M]")
    of_month = (birthday - month).astype(np.int64)
    month_number = month.astype(np.int64) % 12
    day = on.astype("datetime64[D]")
    year = day.astype("datetime64[Y]").astype(np.int64)
    in_that_year = (year * 12 + month_number).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + of_month
    birth_year = year - ages - (in_that_year > on)
    return (birth_year * 12 + month_number).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + of_month


def _starts(rng: np.random.Generator, ages: np.ndarray, born: np.ndarray, before: np.ndarray) -> np.ndarray:
    """First day of the registration, before the given day and not before birth: years of standing are exponential, shortest near 25 (made up)."""
    mean_years = np.clip(4 + 0.012 * (ages - 24.0) ** 2, 4, 20)
    start = before - 1 - (rng.exponential(1.0, len(ages)) * mean_years * 365.25).astype(np.int64)
    registered_at_birth = born + rng.integers(0, 43, len(ages))
    return np.minimum(np.maximum(start, registered_at_birth), before - 1)


def _list_columns(rng: np.random.Generator, place: Place, rows: Registrations, as_of: date) -> pa.Table:
    """The lists' own columns; the rows lie practice by practice, in one in a random order, so that a row's place says nothing about it."""
    import pyarrow as pa

    count = len(rows.numbers)
    lsoa21, lsoa11 = place.piece_lsoa21[rows.piece].astype("<U9"), place.piece_lsoa11[rows.piece].astype("<U9")
    luck = _by_person(rng, rows.numbers)
    wales, nowhere = luck < IN_WALES, (luck >= IN_WALES) & (luck < IN_WALES + WITHOUT_LSOA)
    lsoa21[wales] = np.array(WELSH_LSOAS)[rows.numbers[wales] % len(WELSH_LSOAS)]
    lsoa11[wales] = lsoa21[wales]
    practices = place.organisations.practices
    return pa.table(
        {
            "extract_date": pa.array([as_of], pa.date32()).take(pa.array(np.zeros(count, dtype=np.int64))),
            "practice_code": pa.array([practice.code for practice in practices]).take(pa.array(rows.practice)),
            "nhs_number": pa.array(rows.numbers.astype("<U10"), mask=luck > 1 - WITHOUT_NHS_NUMBER),
            "date_of_birth": _dates(rows.born),
            "sex": pa.array(rows.sex),
            "ethnic_category": _ethnic_categories(rng, place, rows),
            "lsoa_code": pa.array(lsoa21, mask=nowhere),
            "registration_start_date": _dates(rows.start),
            "registration_end_date": _dates(rows.end),
            "usual_gp_code": _usual_gps(rng, place, rows.practice),
            "death_date": _dates(rows.death),
            "lsoa11_code": pa.array(lsoa11, mask=nowhere),
        }
    )


def _by_person(rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
    """A number between 0 and 1 that is the same in every row of one person."""
    _, person = np.unique(numbers, return_inverse=True)
    return rng.random(int(person.max()) + 1)[person]


def _ethnic_categories(rng: np.random.Generator, place: Place, rows: Registrations) -> pa.Array:
    """Ethnic categories by the made-up shares, mixed by how deprived the home is; a person keeps theirs where they have two rows."""
    import pyarrow as pa

    deprived = np.array(ETHNIC_SHARES_DEPRIVED, dtype=np.float64)
    elsewhere = np.array(ETHNIC_SHARES_ELSEWHERE, dtype=np.float64)
    _, first, person = np.unique(rows.numbers, return_index=True, return_inverse=True)
    score = place.piece_score[rows.piece[first]]
    is_like_deprived = rng.random(len(first)) < 1 / (1 + np.exp(2.5 * (score + 0.8)))
    ladders = np.cumsum(np.stack([elsewhere / elsewhere.sum(), deprived / deprived.sum()]), axis=1)
    draws = rng.random(len(first))
    found = np.where(is_like_deprived, np.searchsorted(ladders[1], draws, side="right"), np.searchsorted(ladders[0], draws, side="right"))
    category = np.minimum(found, len(ETHNIC_CATEGORIES) - 1)[person]
    return pa.array(np.array(ETHNIC_CATEGORIES)[category], mask=category == len(ETHNIC_CATEGORIES) - 1)


def _usual_gps(rng: np.random.Generator, place: Place, practice: np.ndarray) -> pa.Array:
    """One of the practice's GPs for each row, none for four in a thousand."""
    import pyarrow as pa

    gps = [practice.gps for practice in place.organisations.practices]
    sizes = np.array([len(own) for own in gps])
    first = np.cumsum(sizes) - sizes
    chosen = first[practice] + (rng.random(len(practice)) * sizes[practice]).astype(np.int64)
    return pa.array(np.array([gp for own in gps for gp in own])[chosen], mask=rng.random(len(practice)) < 0.004)


def _dates(days: np.ndarray) -> pa.Array:
    """Day numbers as dates, null where there is none."""
    import pyarrow as pa

    return pa.array(days.astype(np.int32), pa.int32(), mask=days == NONE).cast(pa.date32())
