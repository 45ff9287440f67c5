"""The make-believe place put together: areas of both vintages with codes and names, their deprivation, and the organisations that serve them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.synthetic import deprivation
from fuller_popheath.synthetic.imd_files import Areas, file_7
from fuller_popheath.synthetic.landscape import Land, draw_land, draw_seeds, tile
from fuller_popheath.synthetic.organisations import Organisations, found_organisations
from fuller_popheath.synthetic.size import Size, size_for
from fuller_popheath.synthetic.vintages import Pieces, cut_into_pieces

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

LSOAS_PER_MSOA = 5
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RESIDENTS_PER_LSOA = 1_560
"""Census-like residents an LSOA: a little under the registered people, as in England."""


@dataclass(frozen=True)
class Place:
    """Everything about the place except its people. Codes by piece (see vintages.Pieces) say where a person who lives there stands in each vintage.

    lsoa11, lsoa21: one row an LSOA (lsoaNN_code, lsoaNN_name, geometry in EPSG:4326). lookup: the ONS columns, one row a 2011-2021 pair.
    imd_2019, imd_2025: File 7. lsoa21_population: LSOA21CD, Total. piece_score: normal score of the national rank in 2019, low is deprived.
    """

    size: Size
    land: Land
    pieces: Pieces
    piece_lsoa11: np.ndarray
    piece_lsoa21: np.ndarray
    piece_score: np.ndarray
    organisations: Organisations
    lsoa11: gpd.GeoDataFrame
    lsoa21: gpd.GeoDataFrame
    lookup: pa.Table
    imd_2019: pa.Table
    imd_2025: pa.Table
    lsoa21_population: pa.Table


@dataclass(frozen=True)
class _Named:
    """Codes and names of the areas of both vintages, and the local authority (row) of each."""

    codes11: list[str]
    names11: list[str]
    authority11: np.ndarray
    codes21: list[str]
    names21: list[str]
    authority21: np.ndarray


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that drawing more for one leaves the others as they were."""
    return np.random.default_rng([seed, *purpose.encode()])


def make_place(seed: int, as_of: date, people: int = 240_000) -> Place:
    """Draw the whole place from its seed. `as_of` only dates the PCN memberships. Raises SettingsWrong for a size that cannot be made."""
    import pyarrow as pa

    size = size_for(people)
    land = draw_land(stream(seed, "land"), size.lsoas, size.pcns)
    seeds = draw_seeds(stream(seed, "small areas"), land, size.lsoas)
    pieces = cut_into_pieces(stream(seed, "vintages"), seeds, _inland(land, seeds))
    organisations = found_organisations(stream(seed, "organisations"), land, size.practices, as_of)
    named = _name_areas(land, seeds, pieces, organisations)
    lsoa11, lsoa21 = _shapes(stream(seed, "borders"), land, pieces, named)
    residents = pieces.people * size.lsoas * RESIDENTS_PER_LSOA

    rng = stream(seed, "deprivation")
    levels = deprivation.centre_levels(rng, land.town_of_centre)
    hidden = deprivation.area_mean(deprivation.hidden_levels(rng, pieces.seeds, land.centres, levels), pieces.people, pieces.area11)
    people11, people21 = np.bincount(pieces.area11, weights=residents), np.bincount(pieces.area21, weights=residents)
    score11 = deprivation.national_score_2019(hidden, people11)
    piece_score = score11[pieces.area11]
    score21 = deprivation.area_mean(deprivation.drifted(rng, piece_score, pieces.people, pieces.seeds), pieces.people, pieces.area21)
    rng = stream(seed, "domains")
    return Place(
        size=size,
        land=land,
        pieces=pieces,
        piece_lsoa11=np.array(named.codes11)[pieces.area11],
        piece_lsoa21=np.array(named.codes21)[pieces.area21],
        piece_score=piece_score,
        organisations=organisations,
        lsoa11=lsoa11,
        lsoa21=lsoa21,
        lookup=_lookup(pieces, named, organisations),
        imd_2019=file_7(rng, _areas(named.codes11, named.names11, named.authority11, organisations, people11 * 0.96, score11), "2019"),
        imd_2025=file_7(rng, _areas(named.codes21, named.names21, named.authority21, organisations, people21, score21), "2025"),
        lsoa21_population=pa.table({"LSOA21CD": named.codes21, "Total": np.round(people21).astype(np.int64)}).sort_by("LSOA21CD"),
    )


def _inland(land: Land, seeds: np.ndarray) -> np.ndarray:
    """Whether an area's middle, and the way to its nearest neighbour, lie on land: then its pieces touch, and it touches that neighbour."""
    import shapely
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(seeds).query(seeds, k=2)
    ways = shapely.linestrings(np.stack([seeds, seeds[nearest[:, 1]]], axis=1))
    middles = shapely.buffer(shapely.points(seeds), distance[:, 1] * 0.35)
    return shapely.covers(land.outline, ways) & shapely.covers(land.outline, middles)


def _name_areas(land: Land, seeds: np.ndarray, pieces: Pieces, organisations: Organisations) -> _Named:
    """2011 areas get codes in order of authority and neighbourhood, five to an MSOA ("Vorraby 003B"); changed areas of 2021 get new ones."""
    offsets = seeds[:, None] - land.centres[None]
    centre = np.linalg.norm(offsets, axis=2).argmin(axis=1)
    around = offsets[np.arange(len(seeds)), centre]
    authority = np.array([pcn.local_authority for pcn in organisations.pcns])[centre]
    order = np.lexsort((np.arctan2(around[:, 1], around[:, 0]), centre, authority))
    codes = np.empty(len(seeds), dtype=object)
    msoa = np.empty(len(seeds), dtype=np.int64)
    names = np.empty(len(seeds), dtype=object)
    seen = [0] * len(organisations.local_authority_names)
    for number, area in enumerate(order):
        place = authority[area]
        msoa[area], letter = divmod(seen[place], LSOAS_PER_MSOA)
        seen[place] += 1
        codes[area] = f"E0190{number + 1:04d}"
        names[area] = f"{organisations.local_authority_names[place]} {msoa[area] + 1:03d}{LETTERS[letter]}"
    # A 2021 area stands where its first piece's 2011 area stood.
    home = pieces.area11[np.unique(pieces.area21, return_index=True)[1]]
    codes21, names21 = [], []
    used: dict[tuple[int, int], int] = {}
    for new, area in enumerate(home):
        if pieces.change21[new] == "U":
            codes21.append(codes[area])
            names21.append(names[area])
            continue
        place = (int(authority[area]), int(msoa[area]))
        used[place] = used.get(place, LSOAS_PER_MSOA - 1) + 1
        codes21.append(f"E0195{sum(code.startswith('E0195') for code in codes21) + 1:04d}")
        names21.append(f"{organisations.local_authority_names[place[0]]} {place[1] + 1:03d}{LETTERS[used[place]]}")
    return _Named(list(codes), list(names), authority, codes21, names21, authority[home])


def _shapes(rng: np.random.Generator, land: Land, pieces: Pieces, named: _Named) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    import geopandas as gpd
    import shapely

    shapes = tile(rng, land, pieces.seeds)

    def together(area: np.ndarray, codes: list[str], names: list[str], vintage: str) -> gpd.GeoDataFrame:
        parts = [shapes[area == number] for number in range(len(codes))]
        joined = [part[0] if len(part) == 1 else shapely.union_all(part) for part in parts]
        columns = {f"{vintage}_code": codes, f"{vintage}_name": names}
        return gpd.GeoDataFrame(columns, geometry=joined, crs="EPSG:4326").sort_values(f"{vintage}_code", ignore_index=True)

    return together(pieces.area11, named.codes11, named.names11, "lsoa11"), together(pieces.area21, named.codes21, named.names21, "lsoa21")


def _lookup(pieces: Pieces, named: _Named, organisations: Organisations) -> pa.Table:
    """The ONS lookup of 2011 to 2021 LSOAs: one row a pair that shares ground, in the order of the 2011 codes."""
    import pyarrow as pa

    pairs = sorted({(named.codes11[a], named.codes21[b], int(a), int(b)) for a, b in zip(pieces.area11, pieces.area21, strict=True)})
    authority = [named.authority21[b] for _, _, _, b in pairs]
    return pa.table(
        {
            "LSOA11CD": [code for code, _, _, _ in pairs],
            "LSOA11NM": [named.names11[a] for _, _, a, _ in pairs],
            "LSOA21CD": [code for _, code, _, _ in pairs],
            "LSOA21NM": [named.names21[b] for _, _, _, b in pairs],
            "CHGIND": [str(pieces.change21[b]) for _, _, _, b in pairs],
            "LAD22CD": [organisations.local_authority_codes[a] for a in authority],
            "LAD22NM": [organisations.local_authority_names[a] for a in authority],
            "LAD22NMW": pa.nulls(len(pairs), pa.string()),
            "ObjectId": list(range(1, len(pairs) + 1)),
        }
    )


def _areas(codes: list[str], names: list[str], authority: np.ndarray, organisations: Organisations, people: np.ndarray, score: np.ndarray) -> Areas:
    """The areas of one vintage in the order of their codes, as File 7 lists them."""
    order = np.argsort(np.array(codes))
    return Areas(
        codes=[codes[i] for i in order],
        names=[names[i] for i in order],
        lad_codes=[organisations.local_authority_codes[authority[i]] for i in order],
        lad_names=[organisations.local_authority_names[authority[i]] for i in order],
        people=people[order],
        score=score[order],
    )
