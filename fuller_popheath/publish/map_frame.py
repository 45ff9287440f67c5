"""Shapes on a sheet: projected so that a kilometre is as long north as east, scaled to pixels, with a place for each number.

What does not belong here: colours, bands, files.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, radians, sin
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import geopandas as gpd

_Rectangle = tuple[float, float, float, float]
_GREAT_BRITAIN = (-9.0, 49.0, 3.0, 61.5)
"""Where the British National Grid (EPSG:27700) is true to scale: west, south, east, north in degrees."""


@dataclass(frozen=True)
class Label:
    """A number on the map: its middle, and the point of the shape it stands for when there was no room inside (else None)."""

    code: str
    text: str
    x: float
    y: float
    anchor: tuple[float, float] | None


@dataclass(frozen=True)
class MapFrame:
    """A drawn area of `width` x `height` pixels, y downwards; `shapes` by PCN code; `pixels_per_km` for the scale bar."""

    width: float
    height: float
    shapes: dict[str, Any]
    pixels_per_km: float


def frame(shapes: gpd.GeoDataFrame, width: float, tallest: float, detail: float = 0.25) -> MapFrame | None:
    """Fit shapes (EPSG:4326, one row a PCN) into `width` x at most `tallest` pixels; None where there is nothing to draw.

    Outlines are simplified to about `detail` pixels, neighbours together so that no gaps open between them.
    """
    import numpy as np
    import shapely

    if not len(shapes):
        return None
    # the simplified outline of a shape depends on its neighbours' order, and the same shapes must give the same picture
    shapes = shapes.sort_values("pcn_code")
    metres = _in_metres(shapes)
    west, south, east, north = map(float, shapely.total_bounds(metres))
    if not (np.isfinite([west, south, east, north]).all() and east > west and north > south):
        return None
    scale = min(width / (east - west), tallest / (north - south))
    simple = shapely.coverage_simplify(metres, detail / scale)
    # an area smaller than a pixel may collapse; then it keeps its own outline
    simple = np.where(shapely.is_empty(simple), metres, simple)
    pixels = shapely.transform(simple, lambda at: np.column_stack([(at[:, 0] - west) * scale, (north - at[:, 1]) * scale]))
    drawn = dict(zip(shapes["pcn_code"], pixels, strict=True))
    return MapFrame((east - west) * scale, (north - south) * scale, drawn, scale * 1000)


def _in_metres(shapes: gpd.GeoDataFrame) -> Any:
    """Geometries in metres: on the British National Grid, or, for a place that lies elsewhere, on a plane true at its middle latitude."""
    import numpy as np
    import shapely

    west, south, east, north = shapes.total_bounds
    inside = west >= _GREAT_BRITAIN[0] and south >= _GREAT_BRITAIN[1] and east <= _GREAT_BRITAIN[2] and north <= _GREAT_BRITAIN[3]
    if inside:
        return shapes.geometry.to_crs(27700).to_numpy()
    per_degree = 111_320.0
    across = per_degree * cos(radians((south + north) / 2))
    return shapely.transform(shapes.geometry.to_numpy(), lambda at: at * np.array([across, per_degree]))


def place_labels(area: MapFrame, texts: dict[str, str], size: float) -> list[Label]:
    """A number for each shape, none on top of another: inside where it fits, else beside it with a line to the shape.

    A detached part that has room carries the number too (at most two more a shape). The roomiest parts are labelled first. Deterministic.
    """
    spots = sorted(spot for code in texts if code in area.shapes for spot in _roomiest(area.shapes[code], code))
    firsts = [spot for spot in spots if spot.place == 0]
    anchors = [(spot.x, spot.y) for spot in firsts]
    labels: list[Label] = []
    taken: list[_Rectangle] = []
    for spot in firsts + [spot for spot in spots if spot.place > 0]:
        half_w, half_h = size * 0.33 * len(texts[spot.code]) + 1.5, size * 0.5
        fits = -spot.room >= hypot(half_w, half_h) * 0.62 and _free(spot.x, spot.y, half_w, half_h, taken)
        if spot.place and not fits:
            continue
        at = (spot.x, spot.y) if fits else _beside(area, spot.x, spot.y, half_w + 2, half_h + 2, taken, anchors)
        taken.append((at[0] - half_w, at[1] - half_h, at[0] + half_w, at[1] + half_h))
        labels.append(Label(spot.code, texts[spot.code], at[0], at[1], None if fits else (spot.x, spot.y)))
    return labels


class _Spot(NamedTuple):
    """The middle of the largest circle inside a part of a shape; `room` is minus its radius, so that the roomiest sorts first."""

    room: float
    code: str
    place: int
    x: float
    y: float


def _roomiest(shape: Any, code: str) -> list[_Spot]:
    import shapely

    largest = sorted(shapely.get_parts(shape), key=shapely.area, reverse=True)[:3]
    circles = [shapely.maximum_inscribed_circle(part) for part in largest]
    return [_Spot(-shapely.length(c), code, place, *map(float, shapely.get_coordinates(c)[0])) for place, c in enumerate(circles)]


def _free(x: float, y: float, half_w: float, half_h: float, taken: list[_Rectangle]) -> bool:
    return all(x + half_w <= left or x - half_w >= right or y + half_h <= top or y - half_h >= bottom for left, top, right, bottom in taken)


def _beside(
    area: MapFrame, x: float, y: float, half_w: float, half_h: float, taken: list[_Rectangle], anchors: list[tuple[float, float]]
) -> tuple[float, float]:
    """The nearest free spot on widening circles that covers no other shape's anchor; the shape's own middle if the sheet is full."""
    for reach in range(1, 40):
        radius = half_h * 2 + reach * 4.0
        for step in range(16):
            at_x, at_y = x + radius * cos(step * pi / 8), y + radius * sin(step * pi / 8)
            on_sheet = half_w <= at_x <= area.width - half_w and half_h <= at_y <= area.height - half_h
            covers = any(abs(ax - at_x) < half_w and abs(ay - at_y) < half_h for ax, ay in anchors)
            if on_sheet and not covers and _free(at_x, at_y, half_w, half_h, taken):
                return at_x, at_y
    return x, y
