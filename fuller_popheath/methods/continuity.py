"""Continuity of care: how much of what a person is seen for is with the same clinician, and how much of a list's is with its own clinician.

Written for clarity and as the yardstick of faster forms. What does not belong here: which visits count, and whose they are in any table of ours.
Formulas: UPC, Bice-Boxerman COC, SLICC and OPR as in the worked table of Br J Gen Pract 2023;73:279-282 (PMC10229170); SECON and MMCI as in
BMC Health Serv Res 2022 (s12913-022-07953-z); HHI is the sum of squared shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MINIMUM_VISITS = 2
NOBODY = -1
"""Stands for a clinician where there is none: nobody is named, or nobody was seen more than all others."""


@dataclass(frozen=True)
class PersonContinuity:
    """One element a person, in ascending order of `person`; not-a-number where the person has fewer visits than the minimum, never 0 instead.

    `upc`: largest share of the visits with one clinician. `coc`: chance that two different visits, drawn at random, were with the same clinician.
    `hhi`: sum of squared shares. `secon`: share of consecutive pairs of visits with the same clinician. `mmci`: 1 with one clinician, near 0
    with as many clinicians as visits. `usual`: the clinician seen most, NOBODY where two were seen equally often or the visits are too few.
    """

    person: NDArray[np.int64]
    visit_count: NDArray[np.int64]
    clinician_count: NDArray[np.int64]
    upc: NDArray[np.float64]
    coc: NDArray[np.float64]
    hhi: NDArray[np.float64]
    secon: NDArray[np.float64]
    mmci: NDArray[np.float64]
    usual: NDArray[np.int64]


@dataclass(frozen=True)
class ListContinuity:
    """One element a list, that is a named clinician, in ascending order: visits of the people on it, how many with its own clinician, and the shares.

    `slicc` = with_own / visits of the list; `opr` = with_own / every visit to the clinician (not-a-number where nobody saw them).
    Single visits count: neither share has a minimum. `unnamed_visit_count`: visits of people without a named clinician, in no list.
    """

    named: NDArray[np.int64]
    visit_count: NDArray[np.int64]
    with_own_count: NDArray[np.int64]
    slicc: NDArray[np.float64]
    opr: NDArray[np.float64]
    unnamed_visit_count: int


def person_continuity(person: ArrayLike, clinician: ArrayLike, order: ArrayLike, minimum_visits: int = MINIMUM_VISITS) -> PersonContinuity:
    """Indices of each person from one element a visit: who, with which clinician (whole numbers), when (anything that sorts; equal: as given).

    Raises ValueError where the arrays differ in length, or the minimum is below 2, under which no index but HHI is defined.
    Sources: PMC10229170 (UPC, COC), BMC s12913-022-07953-z (SECON, MMCI).
    """
    who, seen, when = np.asarray(person, dtype=np.int64), np.asarray(clinician, dtype=np.int64), np.asarray(order)
    if not len(who) == len(seen) == len(when):
        raise ValueError(f"one element a visit is needed in each: {len(who)}, {len(seen)} and {len(when)} were given")
    if minimum_visits < MINIMUM_VISITS:
        raise ValueError(f"no index is defined under {MINIMUM_VISITS} visits")
    people, row = np.unique(who, return_inverse=True)
    pairs, each = (
        np.unique(np.stack([row, seen], axis=1), axis=0, return_counts=True) if len(who) else (np.empty((0, 2), np.int64), np.empty(0, np.int64))
    )
    owner = pairs[:, 0]
    size = len(people)
    visits = np.bincount(row, minlength=size).astype(np.int64)
    clinicians = np.bincount(owner, minlength=size).astype(np.int64)
    squares = np.bincount(owner, each.astype(np.float64) ** 2, minlength=size)
    most = np.zeros(size, dtype=np.int64)
    np.maximum.at(most, owner, each)
    enough = visits >= minimum_visits
    n = np.where(enough, visits, np.nan)
    return PersonContinuity(
        person=people,
        visit_count=visits,
        clinician_count=clinicians,
        upc=most / n,
        coc=(squares - n) / (n * (n - 1)),
        hhi=squares / n**2,
        secon=_same_again(row, seen, when, size) / (n - 1),
        mmci=(1 - clinicians / (n + 0.1)) / (1 - 1 / (n + 0.1)),
        usual=_usual(pairs, each, most, enough),
    )


def _same_again(row: NDArray[np.int64], seen: NDArray[np.int64], when: NDArray[np.generic], size: int) -> NDArray[np.int64]:
    """How often each person's next visit was with the same clinician."""
    in_time = np.lexsort((when, row))
    row, seen = row[in_time], seen[in_time]
    again = (row[1:] == row[:-1]) & (seen[1:] == seen[:-1])
    return np.bincount(row[1:][again], minlength=size).astype(np.int64)


def _usual(pairs: NDArray[np.int64], each: NDArray[np.int64], most: NDArray[np.int64], enough: NDArray[np.bool_]) -> NDArray[np.int64]:
    owner, seen = pairs[:, 0], pairs[:, 1]
    on_top = each == most[owner]
    alone = np.bincount(owner[on_top], minlength=len(most)) == 1
    usual = np.full(len(most), NOBODY, dtype=np.int64)
    usual[owner[on_top]] = seen[on_top]
    return np.where(alone & enough, usual, NOBODY)


def list_continuity(named: ArrayLike, clinician: ArrayLike) -> ListContinuity:
    """SLICC and OPR of each list from one element a visit: the clinician named for the person (NOBODY where none is), and the clinician seen.

    Raises ValueError where the arrays differ in length. Source: PMC10229170, whose table prints 63.9 % for one OPR that is 22/35 = 62.9 %.
    """
    own, seen = np.asarray(named, dtype=np.int64), np.asarray(clinician, dtype=np.int64)
    if len(own) != len(seen):
        raise ValueError(f"one element a visit is needed in each: {len(own)} and {len(seen)} were given")
    has_name = own != NOBODY
    lists, row = np.unique(own[has_name], return_inverse=True)
    visits = np.bincount(row, minlength=len(lists)).astype(np.int64)
    with_own = np.bincount(row[(own == seen)[has_name]], minlength=len(lists)).astype(np.int64)
    all_visits = np.array([np.count_nonzero(seen == clinician_of_list) for clinician_of_list in lists], dtype=np.int64)
    with np.errstate(invalid="ignore"):
        opr = with_own / np.where(all_visits > 0, all_visits, np.nan)
    return ListContinuity(lists, visits, with_own, with_own / np.maximum(visits, 1), opr, int(np.count_nonzero(~has_name)))
