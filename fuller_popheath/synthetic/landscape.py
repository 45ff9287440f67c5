"""The land: an outline in the Irish Sea, towns, and small areas that tile it, small where people are dense and large where they are not.

Everything is drawn in kilometres on a plane and bent by one smooth field at the end, so that neighbouring areas keep exactly the same border.
What does not belong here: codes, names, deprivation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shapely import Polygon

CENTRE_LON, CENTRE_LAT = -4.15, 53.80
"""Open water between Anglesey and the Isle of Man: nobody can mistake the place for a real one."""

KM_PER_DEGREE = 111.32
KM2_PER_LSOA = 6.7
"""1,600 people at about 240 people a square kilometre, as in a mixed coastal ICB."""

TOWN_SPREAD_KM = 1.7
TWIN_DISTANCE_KM = 4.2
RURAL_SHARE = 0.10
VILLAGE_SHARE = 0.14


@dataclass(frozen=True)
class Land:
    """The empty land: its outline (shapely, in km), one centre per PCN, village centres (both in km), and how wide the land is."""

    outline: Polygon
    centres: np.ndarray
    town_of_centre: np.ndarray
    villages: np.ndarray
    radius_km: float


def draw_land(rng: np.random.Generator, lsoas: int, pcns: int) -> Land:
    """An outline with room for so many LSOAs, and a centre for each PCN; one town in six PCNs is a city that holds two of them, side by side."""
    import shapely

    radius = float(np.sqrt(lsoas * KM2_PER_LSOA / np.pi))
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    reach = np.ones_like(angles)
    for waves in (2, 3, 4, 5, 7, 9, 13, 19, 29):
        reach += rng.normal(0, 0.2 / waves**0.75) * np.cos(waves * angles + rng.uniform(0, 2 * np.pi))
    reach = np.clip(reach, 0.55, 1.7)
    ring = np.column_stack([1.15 * radius * reach * np.cos(angles), 0.9 * radius * reach * np.sin(angles)])
    outline = shapely.Polygon(np.round(ring, 4))

    cities = max(1, pcns // 6)
    towns = spread_points(rng, outline.buffer(-0.13 * radius), pcns - cities)
    centres, town_of_centre = list(towns), list(range(len(towns)))
    for city in range(cities):
        centres.append(_beside(rng, outline, towns[city]))
        town_of_centre.append(city)
    villages = spread_points(rng, outline.buffer(-0.05 * radius), 2 * pcns)
    return Land(outline, np.array(centres), np.array(town_of_centre), villages, radius)


def spread_points(rng: np.random.Generator, area: Polygon, count: int) -> np.ndarray:
    """`count` points in the area, each the farthest from the others among a handful of candidates, so that they neither cluster nor form a grid."""
    chosen = uniform_points(rng, area, 1)
    while len(chosen) < count:
        candidates = uniform_points(rng, area, 10)
        nearest = np.linalg.norm(candidates[:, None] - chosen[None], axis=2).min(axis=1)
        chosen = np.vstack([chosen, candidates[nearest.argmax()]])
    return chosen


def uniform_points(rng: np.random.Generator, area: Polygon, count: int) -> np.ndarray:
    """`count` points spread evenly over the area, in km."""
    import shapely

    west, south, east, north = area.bounds
    kept = np.empty((0, 2))
    while len(kept) < count:
        points = np.column_stack([rng.uniform(west, east, 2 * count), rng.uniform(south, north, 2 * count)])
        kept = np.vstack([kept, points[shapely.contains_xy(area, points)]])
    return kept[:count]


def _beside(rng: np.random.Generator, outline: Polygon, town: np.ndarray) -> np.ndarray:
    """A second centre of the same city, on land."""
    import shapely

    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = town + TWIN_DISTANCE_KM * np.column_stack([np.cos(angles), np.sin(angles)])
    inside = shapely.contains_xy(outline.buffer(-0.8), ring)
    return ring[inside.argmax()]


def draw_seeds(rng: np.random.Generator, land: Land, lsoas: int) -> np.ndarray:
    """One point an LSOA (km): the centres of equal crowds among people scattered over towns, villages and countryside."""
    crowd = _scatter(rng, land, 60 * lsoas)
    return _gather(crowd, crowd[:lsoas].copy())


def _scatter(rng: np.random.Generator, land: Land, count: int) -> np.ndarray:
    import shapely

    points = np.empty((0, 2))
    while len(points) < count:
        kind = rng.random(count)
        near_town = land.centres[rng.integers(0, len(land.centres), count)] + rng.normal(0, TOWN_SPREAD_KM, (count, 2))
        near_village = land.villages[rng.integers(0, len(land.villages), count)] + rng.normal(0, 0.6, (count, 2))
        anywhere = uniform_points(rng, land.outline, count)
        drawn = np.where((kind < RURAL_SHARE)[:, None], anywhere, np.where((kind < RURAL_SHARE + VILLAGE_SHARE)[:, None], near_village, near_town))
        points = np.vstack([points, drawn[shapely.contains_xy(land.outline, drawn)]])
    return points[:count]


def _gather(crowd: np.ndarray, seeds: np.ndarray, rounds: int = 8) -> np.ndarray:
    """Lloyd's algorithm: each seed moves to the middle of the crowd nearest to it."""
    from scipy.spatial import cKDTree

    for _ in range(rounds):
        nearest = cKDTree(seeds).query(crowd)[1]
        counts = np.bincount(nearest, minlength=len(seeds))
        for axis in (0, 1):
            sums = np.bincount(nearest, weights=crowd[:, axis], minlength=len(seeds))
            seeds[:, axis] = np.where(counts > 0, sums / np.maximum(counts, 1), seeds[:, axis])
    return seeds


def tile(rng: np.random.Generator, land: Land, seeds: np.ndarray) -> np.ndarray:
    """Cut the land into one area a seed (shapely, EPSG:4326, six decimals). No gaps, no overlaps, borders bent naturally."""
    import shapely

    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=land.outline, ordered=True))
    cells = shapely.intersection(cells, land.outline)
    # Rounded before they are cut into short pieces: both sides of a border then hold the same corners, hence the same pieces.
    cells = shapely.transform(cells, lambda xy: np.round(xy, 4))
    bend = _bending(rng)
    return shapely.transform(shapely.segmentize(cells, 0.18), lambda xy: np.round(_to_degrees(bend(xy)), 6))


def _bending(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """A smooth field of small shifts, gentle enough (gradients well under 1) that nothing folds over."""
    waves = [(length, rng.uniform(0, 2 * np.pi, 4)) for length in (14.0, 7.0, 3.5, 1.8, 1.1) for _ in range(2)]

    def bend(xy: np.ndarray) -> np.ndarray:
        moved = xy.astype(np.float64).copy()
        for length, (way_x, phase_x, way_y, phase_y) in waves:
            for axis, way, phase in ((0, way_x, phase_x), (1, way_y, phase_y)):
                along = (xy[:, 0] * np.cos(way) + xy[:, 1] * np.sin(way)) * (2 * np.pi / length)
                moved[:, axis] += 0.02 * length * np.sin(along + phase)
        return moved

    return bend


def _to_degrees(xy: np.ndarray) -> np.ndarray:
    """Kilometres about the centre as longitude and latitude; linear, so shared corners stay shared."""
    lon = CENTRE_LON + xy[:, 0] / (KM_PER_DEGREE * np.cos(np.radians(CENTRE_LAT)))
    return np.column_stack([lon, CENTRE_LAT + xy[:, 1] / KM_PER_DEGREE])
