"""Who runs what: local authorities, sub-ICBs, PCNs, practices, and which practice belonged to which PCN from when to when.

Codes lie in ranges that the NHS and ONS have not used: practices Y9..., PCNs U998.., sub-ICBs 99X and 99Y, ICB QZZ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from fuller_popheath.synthetic.landscape import Land
from fuller_popheath.synthetic.names import practice_names, town_names

ICB_CODE, ICB_ONS_CODE = "QZZ", "E54000999"
REGION_CODE, REGION_ONS_CODE, REGION_NAME = "Y99", "E40000099", "Irish Sea"
SUB_ICB_CODES = ("99X", "99Y")
SUB_ICB_ONS_CODES = ("E38000998", "E38000999")
UNALLOCATED_CODE, UNALLOCATED_NAME = "U", "Unallocated"
LOCAL_AUTHORITIES = 3


@dataclass(frozen=True)
class Pcn:
    """One primary care network; `centre` is its row among the land's centres."""

    code: str
    name: str
    centre: int
    local_authority: int
    sub_icb: int


@dataclass(frozen=True)
class Practice:
    """One practice. `pcn` None: it is in no PCN. `has_list` False: dormant, still a member of its PCN. `attraction`: its relative pull."""

    code: str
    name: str
    town: str
    postcode: str
    pcn: int | None
    sub_icb: int
    x_km: float
    y_km: float
    attraction: float
    gps: tuple[str, ...]
    has_list: bool = True
    supplier: str = "EMIS"


@dataclass(frozen=True)
class Membership:
    """One row of the ODS workbook: a practice was in a PCN from `start`, and until the day before `end`."""

    practice: int
    pcn: int
    start: date
    end: date | None


@dataclass(frozen=True)
class Organisations:
    """Everything with an ODS code. The last practice has no list; `unallocated` is the row of the one in no PCN, `moved` of the one that moved."""

    icb_name: str
    sub_icb_names: tuple[str, ...]
    local_authority_codes: tuple[str, ...]
    local_authority_names: tuple[str, ...]
    pcns: tuple[Pcn, ...]
    practices: tuple[Practice, ...]
    memberships: tuple[Membership, ...]
    unallocated: int
    moved: int


def found_organisations(rng: np.random.Generator, land: Land, practices: int, as_of: date) -> Organisations:
    """Name the towns, found the PCNs and practices, and write down their memberships up to `as_of`."""
    towns = town_names(rng, int(land.town_of_centre.max()) + 1)
    pcns = _found_pcns(land, towns)
    opened = _open_practices(rng, land, pcns, towns, practices)
    # The second practices of two PCNs, so that neither PCN is emptied.
    unallocated, moved = len(pcns) + 2, len(pcns) + 3
    opened[unallocated] = replace(opened[unallocated], pcn=None)
    # The three authorities lie west, middle and east, as the towns do; each is named after its first town.
    authority_names = [towns[land.town_of_centre[next(p.centre for p in pcns if p.local_authority == a)]] for a in range(LOCAL_AUTHORITIES)]
    return Organisations(
        icb_name=f"Make-believe {authority_names[0]} and {authority_names[-1]} Integrated Care Board",
        sub_icb_names=tuple(f"Make-believe {authority_names[0]} and {authority_names[-1]} ICB - {code}" for code in SUB_ICB_CODES),
        local_authority_codes=tuple(f"E0700099{a}" for a in range(LOCAL_AUTHORITIES)),
        local_authority_names=tuple(authority_names),
        pcns=tuple(pcns),
        practices=tuple(opened),
        memberships=tuple(_memberships(opened, pcns, moved, as_of)),
        unallocated=unallocated,
        moved=moved,
    )


def _found_pcns(land: Land, towns: list[str]) -> list[Pcn]:
    # A city belongs to one authority even where its second centre lies across the line, so authorities are made of towns.
    from_west = np.argsort(np.argsort(land.centres[: len(towns), 0]))
    authority = from_west * LOCAL_AUTHORITIES // len(towns)
    pcns = []
    for centre, town in enumerate(land.town_of_centre):
        shared = list(land.town_of_centre).count(town) > 1
        quarter = "" if not shared else " HARBOUR" if centre == town else " PARKS"
        place = int(authority[town])
        pcns.append(Pcn(f"U998{centre:02d}", f"{towns[town].upper()}{quarter} PCN", centre, place, 0 if place == 0 else 1))
    return pcns


def _open_practices(rng: np.random.Generator, land: Land, pcns: list[Pcn], towns: list[str], count: int) -> list[Practice]:
    """`count` practices with lists, dealt to the PCNs in turn, within about a kilometre of their centre, and one dormant practice after them."""
    names = practice_names(rng, count + 1)
    practices = []
    for number, name in enumerate(names):
        pcn = pcns[number % len(pcns)]
        x_km, y_km = land.centres[pcn.centre] + rng.normal(0, 0.9, 2)
        town = towns[land.town_of_centre[pcn.centre]]
        practices.append(
            Practice(
                code=f"Y9{number + 1:03d}{int(rng.integers(1, 9))}",
                name=name,
                town=town,
                postcode=f"ZZ{pcn.centre + 1} {int(rng.integers(1, 9))}{''.join(rng.choice(list('ABDEFGHJLNPQRSTUWXYZ'), 2))}",
                pcn=pcn.centre,
                sub_icb=pcn.sub_icb,
                x_km=float(x_km),
                y_km=float(y_km),
                attraction=float(rng.lognormal(0, 0.35)),
                gps=tuple(f"G9{number:03d}{gp:03d}" for gp in range(int(rng.integers(3, 8)))),
                has_list=number < count,
                supplier=str(rng.choice(["EMIS", "TPP"])),
            )
        )
    return practices


def move_day(as_of: date) -> date:
    """The day on which one practice went to another PCN: the first of the month about thirteen months before `as_of`."""
    return (as_of - timedelta(days=400)).replace(day=1)


def _memberships(practices: list[Practice], pcns: list[Pcn], moved: int, as_of: date) -> list[Membership]:
    founded = min(date(2019, 7, 1), as_of - timedelta(days=3 * 365))
    rows = []
    for number, practice in enumerate(practices):
        if practice.pcn is None:
            continue
        if number == moved:
            before = (practice.pcn + 1) % len(pcns)
            # The old membership ends on the very day the new one starts, as ODS writes it: an inclusive end would count the practice twice.
            rows.append(Membership(number, before, founded, move_day(as_of)))
            rows.append(Membership(number, practice.pcn, move_day(as_of), None))
        else:
            rows.append(Membership(number, practice.pcn, founded, None))
    return rows
