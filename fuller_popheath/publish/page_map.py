"""The map inside the page: one path a PCN, whose colour follows the edition that is shown.

What does not belong here: the printed map (core20_map.py), HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.publish.map_frame import MapFrame, frame, place_labels
from fuller_popheath.publish.page_views import EditionView
from fuller_popheath.publish.scene import path_data

if TYPE_CHECKING:
    import geopandas as gpd

_LABEL = 12.0


@dataclass(frozen=True)
class PcnPath:
    """One PCN's outline: SVG path data, its class names (band in each edition), and what is read aloud of the first edition."""

    code: str
    data: str
    classes: str
    label: str


@dataclass(frozen=True)
class NumberOnMap:
    """A number: its middle, half the size of the box it stands in beside its shape, and the point of the shape that the box stands for."""

    code: str
    text: str
    x: float
    y: float
    band_number: int
    anchor: tuple[float, float] | None
    half_width: float
    half_height: float = round(_LABEL * 0.6, 1)
    drop: float = round(_LABEL * 0.36, 1)

    @property
    def inside(self) -> bool:
        """Whether the shape had room for it."""
        return self.anchor is None


@dataclass(frozen=True)
class MapView:
    """The drawn map, `width` x `height` units; numbers by edition (none where PCNs are many); how many PCNs have no shape."""

    width: int
    height: int
    paths: tuple[PcnPath, ...]
    numbers: dict[str, tuple[NumberOnMap, ...]]
    without_shape: tuple[str, ...]
    vintage: str
    label_size: float
    stroke: float


def map_view(shapes: gpd.GeoDataFrame, views: Sequence[EditionView]) -> MapView | None:
    """The shapes of the page's PCNs in the order of shares; None where nothing can be drawn.

    Outlines keep a quarter of a unit of detail, so that the map can be enlarged some four times.
    """
    if not views:
        return None
    first = views[0]
    codes = {row.code for row in first.rows}
    area = frame(shapes[shapes["pcn_code"].isin(codes)], 720.0, 760.0)
    if area is None:
        return None
    bands = [{row.code: row.band_number for row in view.rows} for view in views]
    paths = tuple(
        PcnPath(
            row.code,
            path_data(area.shapes[row.code]),
            " ".join(f"e{place}b{of[row.code]}" for place, of in enumerate(bands) if row.code in of),
            f"{row.number}. {row.name}: {row.share}, {row.band}",
        )
        for row in first.rows
        if row.code in area.shapes
    )
    return MapView(
        width=round(area.width + 0.5),
        height=round(area.height + 0.5),
        paths=paths,
        numbers={view.edition: _numbers(area, view) if view.numbered else () for view in views},
        without_shape=tuple(row.name for row in first.rows if row.code not in area.shapes),
        vintage=str(shapes["lsoa_vintage"].iloc[0]),
        label_size=_LABEL,
        stroke=0.9 if first.numbered else 0.4,
    )


def _numbers(area: MapFrame, view: EditionView) -> tuple[NumberOnMap, ...]:
    bands = {row.code: row.band_number for row in view.rows}
    placed = place_labels(area, {row.code: str(row.number) for row in view.rows}, _LABEL)
    return tuple(
        NumberOnMap(
            code=label.code,
            text=label.text,
            x=round(label.x, 1),
            y=round(label.y, 1),
            band_number=bands[label.code],
            anchor=None if label.anchor is None else (round(label.anchor[0], 1), round(label.anchor[1], 1)),
            half_width=round(_LABEL * 0.33 * len(label.text) + 2, 1),
        )
        for label in placed
    )
