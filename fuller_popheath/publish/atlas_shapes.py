"""The ground of the atlas on one sheet: small areas, the PCNs and places that are made of them, and a dot a practice; neighbours share their edges.

One projection and one simplification for all: PCNs and places are put together from the small areas as they are drawn. What does not belong here:
colours, figures, HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.map_frame import MapFrame, frame, place_labels
from fuller_popheath.publish.scene import path_data

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

WIDTH, TALLEST, DETAIL = 720.0, 780.0, 0.1
MOST_SMALL_AREAS = 6_000
"""An atlas is for one ICS: above so many small areas only PCNs, places and practices are drawn."""
SMALLEST_DOT, LARGEST_DOT, APART = 2.6, 8.0, 0.6
NUMBER = 12.0
_AREA_CODE = re.compile(r"\s\d{3}[A-Z]$")


@dataclass(frozen=True)
class Spot:
    """Where a number or dot stands; `anchor` is the point of the shape that it stands for, where it had to stand beside it."""

    x: float
    y: float
    radius: float = 0.0
    anchor: tuple[float, float] | None = None


@dataclass(frozen=True)
class AtlasMap:
    """Everything drawn, on a sheet of `width` x `height` units: SVG path data by code, dots of practices, where the numbers of PCNs stand.

    `leads` says which PCN an area is drawn with, `names` what small areas are called; `undrawn_people` live elsewhere.
    """

    width: int
    height: int
    vintage: str
    lsoa: Mapping[str, str]
    pcn: Mapping[str, str]
    place: Mapping[str, str]
    practice: Mapping[str, Spot]
    numbers: Mapping[str, Spot]
    districts: Mapping[str, Spot]
    leads: Mapping[str, str]
    names: Mapping[str, str]
    drawn_count: int
    undrawn_people: int
    is_without_small_areas: bool = field(default=False)


def atlas_map(by_lsoa: pa.Table, registered_count: pa.Table, practices: pa.Table, boundaries: pa.Table, lookup: pa.Table) -> AtlasMap | None:
    """The map of `products/core20_by_lsoa`; None without boundaries, or where none of them is an area that the practices mostly serve.

    In: besides, `core/registered_count` and `core/neighbourhood_practice` (whose people live where), `reference/lsoa_boundary` and, for shapes of a
    code of the other census, `reference/lsoa_2011_2021`. An area is drawn if at least half of its registered people are registered with the
    practices of the report; it is drawn with the PCN that has most of them, all practices outside the report counting as one.
    """
    codes = _codes(by_lsoa)
    shapes, vintage = _shapes(codes, boundaries, lookup)
    if shapes is None or not len(shapes):
        return None
    area = frame(shapes.rename(columns={"lsoa_code": "pcn_code"}), WIDTH, TALLEST, DETAIL)
    if area is None:
        return None
    people = _people(registered_count, practices, set(area.shapes))
    leads = _leaders(people)
    place_of = dict(zip(practices["pcn_code"].to_pylist(), practices["place_code"].to_pylist(), strict=True))
    pcns = _together(area, {code: pcn for code, pcn in leads.items() if pcn != NO_PCN})
    places = _together(area, {code: place_of[pcn] for code, pcn in leads.items() if place_of.get(pcn) and pcn != NO_PCN})
    spots = place_labels(MapFrame(area.width, area.height, pcns, area.pixels_per_km), dict.fromkeys(pcns, "00"), NUMBER)
    numbers = {each.code: Spot(each.x, each.y, anchor=each.anchor) for each in reversed(spots)}
    is_many = len(area.shapes) > MOST_SMALL_AREAS
    names = {str(code): name for code, name in zip(shapes["lsoa_code"], shapes["lsoa_name"], strict=True) if isinstance(name, str) and name}
    return AtlasMap(
        width=round(area.width + 0.5),
        height=round(area.height + 0.5),
        vintage=vintage,
        lsoa={} if is_many else {code: path_data(shape, places=2) for code, shape in sorted(area.shapes.items())},
        pcn={code: path_data(shape, places=2) for code, shape in sorted(pcns.items())},
        place={code: path_data(shape, places=2) for code, shape in sorted(places.items())},
        practice=_dots(people, area),
        numbers=numbers,
        districts=_districts(names, area),
        leads=leads,
        names=names,
        drawn_count=len(area.shapes),
        undrawn_people=int(codes["registered_count"].sum() - codes.loc[codes["lsoa_code"].isin(list(area.shapes)), "registered_count"].sum()),
        is_without_small_areas=is_many,
    )


def _codes(by_lsoa: pa.Table) -> pd.DataFrame:
    rows = by_lsoa.select(["lsoa_code", "registered_count", "registered_anywhere_count"]).to_pandas()
    return rows.drop_duplicates("lsoa_code").reset_index(drop=True)


def _shapes(codes: pd.DataFrame, boundaries: pa.Table, lookup: pa.Table) -> tuple[Any, str]:
    """A shape (EPSG:4326) and name for each code that is mostly ours, on the census that knows most people's codes; others through the lookup."""
    import geopandas as gpd
    import shapely

    ours = codes[2 * codes["registered_count"] >= codes["registered_anywhere_count"]]
    frames = boundaries.select(["lsoa_vintage", "lsoa_code", "lsoa_name", "geometry"]).to_pandas().dropna(subset=["geometry"])
    if not len(frames):
        return None, ""
    covered = {
        str(vintage): int(ours.loc[ours["lsoa_code"].isin(rows["lsoa_code"]), "registered_count"].sum())
        for vintage, rows in frames.groupby("lsoa_vintage")
    }
    vintage = max(covered, key=lambda name: (covered[name], name))
    known = frames[frames["lsoa_vintage"] == vintage].drop_duplicates("lsoa_code").set_index("lsoa_code")
    made = known[known.index.isin(ours["lsoa_code"])]
    shapes = made.assign(geometry=shapely.from_wkb(made["geometry"].to_numpy())).reset_index()[["lsoa_code", "lsoa_name", "geometry"]]
    extra = _by_lookup(ours, known, lookup, vintage)
    rows = [*shapes.itertuples(index=False, name=None), *extra]
    return gpd.GeoDataFrame(rows, columns=["lsoa_code", "lsoa_name", "geometry"], geometry="geometry", crs=4326), vintage


def _by_lookup(ours: pd.DataFrame, known: pd.DataFrame, lookup: pa.Table, vintage: str) -> list[tuple[str, Any, Any]]:
    """Codes of the other census: the union of the areas it became; an area that several codes became goes to the one with most people."""
    import shapely

    missing = ours[~ours["lsoa_code"].isin(known.index)]
    if not lookup.num_rows or not len(missing):
        return []
    to_code, from_code = ("lsoa11_code", "lsoa21_code") if vintage == "2011" else ("lsoa21_code", "lsoa11_code")
    pairs = lookup.select([from_code, to_code]).to_pandas().drop_duplicates()
    free = known.index.difference(ours["lsoa_code"].tolist())
    pairs = missing.merge(pairs[pairs[to_code].isin(free)], left_on="lsoa_code", right_on=from_code)
    pairs = pairs.sort_values(["registered_count", "lsoa_code"], ascending=[False, True]).drop_duplicates(to_code)
    return [
        (str(code), known.loc[rows[to_code].iloc[0], "lsoa_name"], _joined(shapely.from_wkb(known.loc[rows[to_code], "geometry"].to_numpy())))
        for code, rows in pairs.groupby("lsoa_code")
    ]


def _people(registered_count: pa.Table, practices: pa.Table, drawn: set[str]) -> pd.DataFrame:
    """practice_code, pcn_code (U for practices outside the report), lsoa_code, people: on drawn areas."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = registered_count.select(["practice_code", "lsoa_code", "registered_count"])
    people: pd.DataFrame = rows.filter(pc.is_in(rows["lsoa_code"], value_set=pa.array(sorted(drawn)))).to_pandas()
    pcn_of = dict(zip(practices["practice_code"].to_pylist(), practices["pcn_code"].to_pylist(), strict=True))
    people = people.rename(columns={"registered_count": "people"})
    people["pcn_code"] = people["practice_code"].map(pcn_of).fillna(NO_PCN)
    people["is_ours"] = people["practice_code"].isin(set(pcn_of))
    return people


def _leaders(people: pd.DataFrame) -> dict[str, str]:
    by_pcn: pd.DataFrame = people.groupby(["lsoa_code", "pcn_code"], as_index=False).agg(people=("people", "sum"))
    first = by_pcn.sort_values(["lsoa_code", "people", "pcn_code"], ascending=[True, False, True]).drop_duplicates("lsoa_code")
    return {str(code): str(pcn) for code, pcn in zip(first["lsoa_code"], first["pcn_code"], strict=True)}


def _together(area: MapFrame, group_of: Mapping[str, str]) -> dict[str, Any]:
    """The drawn shape of each group of small areas."""
    import numpy as np

    members: dict[str, list[Any]] = {}
    for code, group in group_of.items():
        if code in area.shapes:
            members.setdefault(group, []).append(area.shapes[code])
    return {group: _joined(np.array(shapes, dtype=object)) for group, shapes in members.items()}


def _joined(shapes: Any) -> Any:
    """One shape of several that share their edges; where they do not quite, the slow way."""
    import shapely

    try:
        shape = shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:
        shape = None
    return shape if shape is not None and shapely.is_valid(shape) else shapely.union_all(shapely.make_valid(shapes))


def _dots(people: pd.DataFrame, area: MapFrame) -> dict[str, Spot]:
    """A dot a practice in the middle of where its people live, its area by how many, moved just so far that none covers another."""
    import numpy as np
    import shapely

    middles = {code: shapely.centroid(shape) for code, shape in area.shapes.items()}
    at = people[people["is_ours"]].assign(
        x=lambda f: f["lsoa_code"].map(lambda c: middles[c].x), y=lambda f: f["lsoa_code"].map(lambda c: middles[c].y)
    )
    at = at.assign(wx=at["x"] * at["people"], wy=at["y"] * at["people"]).groupby("practice_code")[["people", "wx", "wy"]].sum()
    at = at[at["people"] > 0].sort_index()
    if not len(at):
        return {}
    points = np.column_stack([at["wx"], at["wy"]]) / at[["people"]].to_numpy()
    size = np.sqrt(at["people"].to_numpy(dtype=np.float64))
    radius = np.clip(LARGEST_DOT * size / size.max(), SMALLEST_DOT, LARGEST_DOT)
    if len(points) <= 1_500:
        points = _moved_apart(points, radius)
    points = np.clip(points, radius[:, None], np.array([area.width, area.height]) - radius[:, None])
    return {str(code): Spot(float(x), float(y), float(r)) for code, (x, y), r in zip(at.index, points, radius, strict=True)}


def _moved_apart(points: Any, radius: Any) -> Any:
    """Push overlapping discs apart, each pair by half of its overlap, until none overlaps much; deterministic."""
    import numpy as np

    moved = points.copy()
    least = radius[:, None] + radius[None, :] + APART
    np.fill_diagonal(least, 0.0)
    # two at one spot go apart in a direction of their own
    number = np.arange(len(moved))
    angle, side = 2.4 * (number[:, None] + number[None, :]), np.sign(number[:, None] - number[None, :])
    astray = np.dstack([side * np.cos(angle), side * np.sin(angle)])
    for _ in range(200):
        apart = moved[:, None, :] - moved[None, :, :]
        distance = np.hypot(apart[..., 0], apart[..., 1])
        overlap = np.maximum(least - distance, 0.0)
        if overlap.max() < 0.05:
            break
        away = np.where(distance[..., None] > 1e-9, apart / np.maximum(distance, 1e-9)[..., None], astray)
        moved = moved + (away * overlap[..., None]).sum(axis=1) * 0.3
    return moved


def _districts(names: Mapping[str, str], area: MapFrame) -> dict[str, Spot]:
    """The local authorities that the names of small areas begin with, in the middle of where their small areas stand thickest."""
    import numpy as np
    import shapely

    members: dict[str, list[Any]] = {}
    for code, name in names.items():
        if _AREA_CODE.search(name) and code in area.shapes:
            members.setdefault(_AREA_CODE.sub("", name), []).append(shapely.centroid(area.shapes[code]))
    spots = {}
    for name, points in sorted(members.items()):
        if len(points) < 0.01 * len(area.shapes):
            continue
        x, y = (float(np.median([getattr(point, axis) for point in points])) for axis in ("x", "y"))
        spots[name] = Spot(x, y)
    return spots
