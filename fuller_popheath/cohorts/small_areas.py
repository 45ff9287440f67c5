"""Practices and small areas (LSOAs), in which indicators are counted besides PCNs, places and ICBs, and how they add up to those.

What does not belong here: counting, and what leaves the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.cohorts.segment_counts import ALL, EDITIONS, NOWHERE, coded
from fuller_popheath.disclosure.controlled_counts import Line, hierarchy

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Inputs

PRACTICE, LSOA = "practice", "lsoa"
SMALL_AREAS = (PRACTICE, LSOA)
LEAST_PEOPLE = 100
"""LSOAs where fewer registered people live are left out: lists reach far beyond the area, and nothing could be shown of one family in it."""
COLUMNS = ("practice_code", "pcn_code", "place_code", "lsoa_code", *(f"imd_{edition}_quintile" for edition in EDITIONS))
"""What this reads of core/person."""


def small_areas(person: pa.Table, areas: pd.DataFrame, at: np.ndarray) -> dict[str, tuple[list[str], np.ndarray]]:
    """Of each kind the codes, and for each person the position of theirs; that of people who are in none of them is the number of codes.

    `areas`, `at`: as `segment_counts.smallest_areas` returns. Of an LSOA those count who are registered in the ICB that most of its people are in.
    """
    import numpy as np

    practices, at_practice = coded(person["practice_code"])
    lsoas, at_lsoa = coded(person["lsoa_code"])
    if not len(at):
        return {PRACTICE: ([], at_practice), LSOA: ([], at_lsoa)}
    icbs, icb_of_area = np.unique(areas["icb"].to_numpy(dtype=str), return_inverse=True)
    icb = icb_of_area[at]
    people = np.bincount(at_lsoa * len(icbs) + icb, minlength=len(lsoas) * len(icbs)).reshape(len(lsoas), len(icbs))
    main = people.argmax(axis=1)
    kept = np.flatnonzero((people.max(axis=1) >= LEAST_PEOPLE) & (np.array(lsoas, dtype=object) != NOWHERE) & (icbs[main] != NOWHERE))
    new = np.full(len(lsoas), len(kept), np.int64)
    new[kept] = np.arange(len(kept))
    return {PRACTICE: (practices, at_practice), LSOA: ([lsoas[place] for place in kept], np.where(main[at_lsoa] == icb, new[at_lsoa], len(kept)))}


def small_area_lines(inputs: Inputs, areas: pd.DataFrame, at: np.ndarray) -> list[Line]:
    """How they add up: a practice to its PCN, an LSOA to its ICB's people of the quintile it is in. One that lies in several adds up to none."""
    import numpy as np

    person = inputs[PERSON]
    if not person.num_rows:
        return []
    found = small_areas(person, areas, at)
    codes, practice = found[PRACTICE]
    pcn_of = _only(practice, areas["pcn"].to_numpy(dtype=object)[at], len(codes))
    to_pcn: Any = {(PRACTICE, codes[place]): ("pcn", pcn) for place, pcn in pcn_of.items()}
    lsoas, lsoa = found[LSOA]
    icb = _only(lsoa, areas["icb"].to_numpy(dtype=object)[at], len(lsoas))
    to_quintile: Any = {}
    for edition in EDITIONS:
        quintile = person[f"imd_{edition}_quintile"].fill_null(0).to_numpy().astype(np.int64)
        for place, number in _only(lsoa, quintile, len(lsoas)).items():
            if number:
                to_quintile[edition, LSOA, lsoas[place], ALL] = (edition, "icb", icb[place], str(number))
    lines = [hierarchy(("area_type", "area_code"), to_pcn), hierarchy(("imd_edition", "area_type", "area_code", "quintile"), to_quintile)]
    return [line for line in lines if line.parent_of]


def _only(at: np.ndarray, told: np.ndarray, size: int) -> dict[int, Any]:
    """By position what all of its people share; positions whose people differ are left out."""
    import pandas as pd

    pairs: pd.DataFrame = pd.DataFrame({"at": at, "told": told}).drop_duplicates()
    alone = pairs[~pairs["at"].duplicated(keep=False) & (pairs["at"] < size)]
    return dict(zip(alone["at"].tolist(), alone["told"].tolist(), strict=True))
