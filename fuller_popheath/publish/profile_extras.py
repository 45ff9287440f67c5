"""What stands beside the figures of a neighbourhood: what arrived and how old it is, what patients say, sites with a map, and themes to plan by.

Grain in: tables of a night; out: plain data of one PCN. What does not belong here: figures made from records (`profile_people`, `profile_care`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, radians
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import load_contract
from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import COLOURS
from fuller_popheath.publish.profile_figures import Column, Figure, Measure, Number, Told, data_link
from fuller_popheath.publish.profile_given import BOUNDARY, BY_LSOA, COUNTS, EXTRACTS, FILES, SITES, SURVEY, Given, Pcn, number
from fuller_popheath.publish.scene import path_data

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

MEASURE_NAMES = {
    "overall_experience": "Overall experience is good",
    "contact_easy": "Easy to contact the practice",
    "preferred_gp_seen": "Usually see the preferred GP",
    "needs_met": "Needs were met",
    "confidence_and_trust": "Confidence and trust in who was seen",
    "long_term_condition_support": "Enough support with long-term conditions",
}
FRESH = ("new", "unchanged")
IN_WORDS = {"new": "read tonight", "unchanged": "unchanged since", "stale": "old: an earlier one stands in", "never": "never came"}
MOST_PEOPLE = 0.9
"""The map holds the small areas in which this share of the PCN's people live, those with most of them first."""
MAP_WIDTH, MAP_TALLEST = 380.0, 380.0
KM_A_DEGREE = 111.32
DETAIL_KM = 0.02
UNKNOWN = "#ffffff"


@dataclass(frozen=True)
class Coverage:
    """One kind of extract at a PCN's practices: how many sent it, the oldest day in use, the share of rows accepted, and what is amiss."""

    name: str
    practices: int
    fresh: int
    oldest: date | None
    newest: date | None
    accepted: str
    amiss: tuple[str, ...]


def coverage(given: Given, pcn: Pcn) -> tuple[Coverage, ...]:
    """What this PCN's practices sent, by table; nothing where nobody sends anything."""
    rows = given.frames[EXTRACTS]
    own = rows[rows["practice_code"].isin(list(pcn.practices))]
    made = []
    for name, each in own.groupby("contract_id"):
        records = each.sort_values("practice_code").to_dict("records")
        days = [row["extract_date"] for row in records if row["extract_date"] is not None and row["extract_date"] == row["extract_date"]]
        read, accepted = (sum(int(row[column]) for row in records) for column in ("rows_read", "rows_accepted"))
        amiss = tuple(
            f"{pcn.practices[row['practice_code']]} ({row['practice_code']}): {IN_WORDS.get(row['state'], row['state'])}"
            for row in records
            if row["state"] not in FRESH
        )
        share = wording.share(accepted, read) if read else wording.NOT_GIVEN
        fresh = sum(row["state"] in FRESH for row in records)
        title = str(name).partition("/")[2].replace("_", " ").capitalize()
        made.append(Coverage(title, len(records), fresh, min(days, default=None), max(days, default=None), share, amiss))
    return tuple(made)


def files_used(given: Given) -> tuple[tuple[str, str], ...]:
    """The published files in use and the day of each: reference tables alone, by name."""
    rows = given.frames[FILES]
    used = rows[(rows["use"] == "used") & rows["contract_id"].fillna("").str.startswith("reference/")]
    found: dict[str, date | None] = {}
    for row in used.to_dict("records"):
        day = row["extract_date"] if row["extract_date"] == row["extract_date"] else None
        name = str(row["contract_id"])
        found[name] = max((each for each in (found.get(name), day) if each is not None), default=None)
    titles = {name: load_contract(name).title for name in found}
    return tuple((titles[name], "a file without a day" if day is None else wording.day(day)) for name, day in sorted(found.items()))


def survey(given: Given) -> Figure:
    """The GP Patient Survey of the newest year, practices' shares weighted by how many answered; without limits, because answers are weighted."""
    rows = given.frames[SURVEY]
    year = int(rows["survey_year"].max()) if len(rows) else 0
    now, before = (rows[rows["survey_year"] == each] for each in (year, year - 1))
    made = []
    for name in sorted(set(now["measure"]), key=lambda each: (list(MEASURE_NAMES).index(each) if each in MEASURE_NAMES else 99, each)):
        places, wholes, answers = _by_area(given, now[now["measure"] == name])
        earlier, _, _ = _by_area(given, before[before["measure"] == name])
        columns = (
            Column("Answers", "answer_count", {code: (count, f"{count:,}") for code, count in answers.items()}),
            Column(
                "Year before",
                "year_before_percent",
                {c: (t.value, wording.NOT_GIVEN if t.value is None else f"{t.value:.0f}%") for c, t in earlier.items()},
            ),
        )
        label = MEASURE_NAMES.get(name, name.replace("_", " ").capitalize())
        made.append(Measure(name, label, places, wholes, "%", 0, columns=columns))
    lead = f"GP Patient Survey {year}: share of favourable answers, practices weighted by how many people answered. Asked of people aged 16 and over."
    return Figure("survey", "GP Patient Survey", lead, tuple(made), (0, 100))


def _by_area(given: Given, rows: pd.DataFrame) -> tuple[dict[str, Told], dict[str, Told], dict[str, int]]:
    sums: dict[str, list[float]] = {}
    icb_of = {practice: (pcn.code, pcn.icb) for pcn in given.pcns for practice in pcn.practices}
    for row in rows.to_dict("records"):
        share, count = number(row["favourable_percent"]), number(row["answer_count"])
        if share is None or not count or row["practice_code"] not in icb_of:
            continue
        for kind, code in zip(("pcn", "icb"), icb_of[row["practice_code"]], strict=True):
            told = sums.setdefault(f"{kind}:{code}", [0.0, 0.0])
            told[0] += share * count
            told[1] += count
    by_kind: dict[str, dict[str, Told]] = {"pcn": {}, "icb": {}}
    answers = {}
    for key, (weighted, count) in sums.items():
        kind, _, code = key.partition(":")
        by_kind[kind][code] = Told(weighted / count)
        if kind == "pcn":
            answers[code] = int(count)
    return by_kind["pcn"], by_kind["icb"], answers


@dataclass(frozen=True)
class Site:
    """One site of a neighbourhood, with its number on the map (0: it is not on it)."""

    number: int
    name: str
    kind: str
    postcode: str
    rooms: str
    x: float
    y: float


@dataclass(frozen=True)
class NeighbourhoodMap:
    """Small areas as path data with the colour of their quintile, on a sheet of `width` x `height` units. `key`: colours and their quintiles."""

    width: float
    height: float
    areas: tuple[tuple[str, str, str], ...]
    key: tuple[tuple[str, str], ...]
    people_percent: float


@dataclass(frozen=True)
class Sites:
    """The sites of one PCN, its map (None without boundaries), and the register and the figures of the map as links."""

    sites: tuple[Site, ...]
    map: NeighbourhoodMap | None
    file: str
    link: str
    map_file: str
    map_link: str


class Maps:
    """Shapes of small areas, read once: in kilometres east and north of a corner of all, by code; quintiles by code; people by PCN and code."""

    def __init__(self, given: Given) -> None:
        import numpy as np
        import shapely

        self.given = given
        rows = given.tables[BY_LSOA].select(["lsoa_code", "imd_edition", "imd_quintile"]).to_pandas()
        self.edition = max(rows["imd_edition"], default="")
        rows = rows[rows["imd_edition"] == self.edition]
        self.quintile = {str(code): number(value) for code, value in zip(rows["lsoa_code"], rows["imd_quintile"], strict=True)}
        self.people = self._people()
        wanted = {code for codes in self.people.values() for code in codes}
        borders = given.tables[BOUNDARY].select(["lsoa_code", "geometry"]).to_pandas().dropna().drop_duplicates("lsoa_code")
        borders = borders[borders["lsoa_code"].isin(wanted)]
        shapes = shapely.from_wkb(borders["geometry"].to_numpy()) if len(borders) else np.array([], dtype=object)
        self.latitude = float(np.mean([shape.centroid.y for shape in shapes])) if len(shapes) else 0.0
        scale = np.array([KM_A_DEGREE * cos(radians(self.latitude)), -KM_A_DEGREE])
        moved = shapely.transform(shapes, lambda at: at * scale) if len(shapes) else shapes
        self.shapes = dict(zip(borders["lsoa_code"], shapely.simplify(moved, DETAIL_KM) if len(shapes) else moved, strict=True))

    def _people(self) -> dict[str, dict[str, int]]:
        """By PCN the small areas in which most of its people live, with how many; besides, how many people that is of all."""
        pcn_of = {practice: pcn.code for pcn in self.given.pcns for practice in pcn.practices}
        counts = self.given.tables[COUNTS].select(["practice_code", "lsoa_code", "registered_count"]).to_pandas()
        counts = counts.assign(pcn=counts["practice_code"].map(pcn_of)).dropna(subset=["pcn"])
        summed = counts.groupby(["pcn", "lsoa_code"], as_index=False)["registered_count"].sum()
        summed = summed.sort_values(["pcn", "registered_count", "lsoa_code"], ascending=[True, False, True])
        self.share: dict[str, float] = {}
        made: dict[str, dict[str, int]] = {}
        for pcn, rows in summed.groupby("pcn"):
            total, before = rows["registered_count"].sum(), rows["registered_count"].cumsum() - rows["registered_count"]
            kept = rows[before < MOST_PEOPLE * total]
            made[str(pcn)] = dict(zip(kept["lsoa_code"], kept["registered_count"], strict=True))
            self.share[str(pcn)] = 100 * kept["registered_count"].sum() / total if total else 0.0
        return made

    def of(self, pcn: Pcn, as_of: date) -> Sites | None:
        """The sites of a PCN and where they are; None where none is registered and there is no shape."""
        import shapely

        rows = self.given.rows(SITES, pcn_code=pcn.code).sort_values(["site_kind", "site_name", "site_code"])
        own = {code: self.shapes[code] for code in self.people.get(pcn.code, {}) if code in self.shapes}
        if not len(rows) and not own:
            return None
        box = shapely.total_bounds(list(own.values())) if own else None
        scale = 0.0 if box is None else min(MAP_WIDTH / max(box[2] - box[0], 0.1), MAP_TALLEST / max(box[3] - box[1], 0.1))
        told = [{str(name): None if value != value else value for name, value in row.items()} for row in rows.to_dict("records")]
        sites = tuple(self._site(at, row, box, scale) for at, row in enumerate(told, start=1))
        link = data_link([{"as_of": as_of, **row} for row in told]) if told else ""
        file = f"{pcn.code}_sites_{as_of.isoformat()}.csv"
        same = {"as_of": as_of, "pcn_code": pcn.code, "imd_edition": self.edition}
        drawn = [
            {
                **same,
                "lsoa_code": code,
                "imd_quintile": None if (quintile := self.quintile.get(code)) is None else int(quintile),
                "registered_count": int(count),
            }
            for code, count in self.people.get(pcn.code, {}).items()
            if code in own
        ]
        map_link, map_file = data_link(drawn) if drawn else "", f"{pcn.code}_small_areas_{as_of.isoformat()}.csv"
        return Sites(sites, self._map(pcn, own, box, scale) if box is not None else None, file, link, map_file, map_link)

    def _site(self, at: int, row: Mapping[str, Any], box: Any, scale: float) -> Site:
        x, y = number(row["longitude"]), number(row["latitude"])
        spot: tuple[Number, Number] = (None, None)
        if box is not None and x is not None and y is not None:
            east, south = x * KM_A_DEGREE * cos(radians(self.latitude)), -y * KM_A_DEGREE
            if box[0] <= east <= box[2] and box[1] <= south <= box[3]:
                spot = ((east - box[0]) * scale, (south - box[1]) * scale)
        rooms = number(row["free_room_count"])
        return Site(
            number=at if spot[0] is not None else 0,
            name=wording.calm(row["site_name"]),
            kind=row["site_kind"].replace("_", " ").replace("gp ", "GP ").capitalize() if row["site_kind"] != "gp_surgery" else "GP surgery",
            postcode=row["postcode"] or wording.NOT_GIVEN,
            rooms=wording.NOT_GIVEN if rooms is None else f"{rooms:.0f}",
            x=round(spot[0] or 0.0, 1),
            y=round(spot[1] or 0.0, 1),
        )

    def _map(self, pcn: Pcn, own: Mapping[str, Any], box: Any, scale: float) -> NeighbourhoodMap:
        import shapely

        fills = {float(q): COLOURS[round((q - 1) * (len(COLOURS) - 1) / 4)] for q in range(1, 6)}
        areas = []
        for code in sorted(own):
            shape = shapely.transform(own[code], lambda at: (at - box[:2]) * scale)
            quintile = self.quintile.get(code)
            words = f"{code}: quintile {quintile:.0f}" if quintile else f"{code}: no quintile"
            areas.append((path_data(shape), fills.get(quintile or 0.0, UNKNOWN), words))
        names = ("1, most deprived", "2", "3", "4", "5, least deprived")
        key = tuple((fill, f"Quintile {name}") for fill, name in zip(fills.values(), names, strict=True))
        width, height = ((box[side + 2] - box[side]) * scale for side in (0, 1))
        return NeighbourhoodMap(round(width, 1), round(height, 1), tuple(areas), key, self.share[pcn.code])
