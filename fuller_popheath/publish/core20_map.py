"""Core20 by PCN as pictures: the map of Appendix 2 with its eight-band legend, and the ranked shares with their intervals.

`draw` is what the materialisation of `products/core20_by_pcn` shows; `write_map` writes map.png and map.svg. What does not belong here:
computing shares or bands (they come with the table), the web page (page.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import BANDS, COLOURS, INK, OUTLINE, PAPER, QUIET, colour, ink_on
from fuller_popheath.publish.catchments import APPROXIMATE, catchments
from fuller_popheath.publish.map_frame import MapFrame, frame, place_labels
from fuller_popheath.publish.scene import Area, Box, Dot, Line, Scene, Words, png, svg
from fuller_popheath.publish.text_fit import headline, shortened, width_of, wrapped

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

    from fuller_popheath.specs import Inputs, Night

PICTURE_INPUTS = ("core/registered_count", "core/neighbourhood_practice", "reference/lsoa_boundary", "reference/lsoa_2011_2021")
"""What `draw` reads beside the product itself; boundaries or registrations that have not arrived leave the map out."""

MOST_NUMBERED = 60
"""Up to so many PCNs each shape carries its rank and the sheet a key of names; above, numbers would hide the map."""

SUBJECT = "Percentage of registered people living in the most deprived 20% of small areas (IMD quintile 1)"

_SHEET = 1000.0
_MARGIN = 24.0


@dataclass(frozen=True)
class Ranked:
    """One PCN of one edition with its place in the order of shares: 1 is the highest, equal shares by code."""

    number: int
    row: Mapping[str, Any]

    @property
    def short_name(self) -> str:
        """The PCN's name without the word PCN."""
        return wording.short_pcn(self.row["pcn_name"])

    @property
    def share(self) -> str:
        """Percent of registered people, as displayed."""
        return wording.share(self.row["q1_count"], self.row["registered_count"])


def editions(by_pcn: pa.Table) -> list[str]:
    """The IMD editions in a product, newest first: the first is the one that is shown where only one can be."""
    return sorted(by_pcn.column("imd_edition").unique().to_pylist(), reverse=True)


def ranked(by_pcn: pa.Table, edition: str) -> list[Ranked]:
    """One edition's rows of `products/core20_by_pcn`, highest share first, equal shares by PCN code."""
    rows = [row for row in by_pcn.to_pylist() if row["imd_edition"] == edition]
    rows.sort(key=lambda row: (-row["core20_percent"], row["pcn_code"]))
    return [Ranked(number, row) for number, row in enumerate(rows, start=1)]


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: picture} for one materialisation: per edition a strip of the bands, the map where boundaries have arrived, and the ranked shares.

    `table` is `products/core20_by_pcn`; of `inputs` the PICTURE_INPUTS are read. The strip is an SVG small enough to stand in a line of markdown,
    the others are PNG, 1000 pixels wide and some tens of kB.
    """
    from fuller_popheath.publish.ranked_plot import ranked_scene
    from fuller_popheath.publish.tables import band_strip

    if table.num_rows == 0:
        return {}
    shapes = shapes_of(table, inputs)
    pictures: dict[str, bytes] = {}
    for edition in editions(table):
        order = ranked(table, edition)
        pictures[f"PCNs per band, IMD {edition}"] = band_strip([r.row["band"] for r in order]).encode("ascii")
        heading = f"Core20 by PCN, {place_name(table, inputs.get('core/neighbourhood_practice'))}"
        scene = map_scene(order, shapes, f"{heading}, IMD {edition}", night) if shapes is not None else None
        if scene is not None:
            pictures[f"Map, IMD {edition}"] = png(scene, small=True)
        pictures[f"Ranked shares, IMD {edition}"] = png(ranked_scene(order, f"{heading}, IMD {edition}"), small=True)
    return pictures


def shapes_of(by_pcn: pa.Table, inputs: Inputs) -> gpd.GeoDataFrame | None:
    """The shapes of the product's PCNs from the tables of a night, or None where boundaries or registrations have not arrived."""
    counts, members, boundary = (inputs.get(name) for name in PICTURE_INPUTS[:3])
    if counts is None or counts.num_rows == 0:
        counts = inputs.get("core/listed_count")
    if counts is None or members is None or boundary is None or not (counts.num_rows and members.num_rows and boundary.num_rows):
        return None
    codes = by_pcn.column("pcn_code").unique().to_pylist()
    shapes = catchments(counts, members, boundary, pcn_codes=codes, lsoa_lookup=inputs.get(PICTURE_INPUTS[3]))
    return shapes if len(shapes) else None


def place_name(by_pcn: pa.Table, members: pa.Table | None) -> str:
    """What the report is about: the one ICB's name if the membership gives it, else how many ICBs there are."""
    codes = sorted({code for code in by_pcn.column("icb_code").to_pylist() if code})
    if len(codes) > 1:
        return f"{len(codes)} ICBs"
    named = {} if members is None else dict(zip(members["icb_code"].to_pylist(), members["icb_name"].to_pylist(), strict=True))
    name = named.get(codes[0]) if codes else None
    return wording.calm(name) if name else (codes[0] if codes else "all PCNs in the files")


def write_map(folder: Path, by_pcn: pa.Table, shapes: gpd.GeoDataFrame, night: Night, title: str = "") -> list[Path]:
    """Write map.png (about 250 dots an inch on A4) and map.svg of the newest edition, and map_imd<edition>.png and .svg of any other.

    `by_pcn` is `products/core20_by_pcn`, `shapes` what `catchments` returned. Returns the paths in that order, none where no shape can be
    drawn. The same input gives the same bytes.
    """
    heading = title or f"Core20 by PCN, {place_name(by_pcn, None)}"
    written: list[Path] = []
    for edition in editions(by_pcn):
        scene = map_scene(ranked(by_pcn, edition), shapes, f"{heading}, IMD {edition}", night)
        if scene is None:
            continue
        stem = "map" if not written else f"map_imd{edition}"
        for suffix, content in ((".png", png(scene, scale=3.0)), (".svg", svg(scene).encode("utf-8"))):
            path = folder / f"{stem}{suffix}"
            path.write_bytes(content)
            written.append(path)
    return written


def map_scene(order: Sequence[Ranked], shapes: gpd.GeoDataFrame, title: str, night: Night) -> Scene | None:
    """The map of one edition with legend, and with a key of names where the PCNs are few; None where no shape can be drawn."""
    numbered = len(order) <= MOST_NUMBERED
    side = 424.0 if numbered else 232.0
    area = frame(shapes[shapes["pcn_code"].isin([r.row["pcn_code"] for r in order])], _SHEET - side - 3 * _MARGIN, 900.0)
    if area is None:
        return None
    size, lines = headline(title, _SHEET - 2 * _MARGIN, 21.0)
    below = 40.0 + (len(lines) - 1) * size * 1.25
    notes = _notes(order[0].row, shapes, night)
    top = below + 52.0
    key_rows = (len(order) + 1) // 2 if numbered else 0
    body = max(area.height, 250.0 + key_rows * 17.0)
    scene = Scene(_SHEET, top + body + 40.0 + len(notes) * 16.0, title, f"{SUBJECT}. {_legend_sentence(order)} {APPROXIMATE}")
    scene.marks += [Words(_MARGIN, 40.0 + place * size * 1.25, line, size, INK, bold=True) for place, line in enumerate(lines)]
    scene.marks.append(Words(_MARGIN, below + 24, SUBJECT, 13, QUIET))
    left = _MARGIN + (_SHEET - side - 3 * _MARGIN - area.width) / 2
    _draw_shapes(scene, area, order, left, top + (body - area.height) / 2, numbered)
    _draw_scale(scene, area, _MARGIN, top + body + 12)
    right = _SHEET - side - _MARGIN
    _draw_legend(scene, order, right, top)
    if numbered:
        _draw_key(scene, order, area, right, top + 250.0, side, key_rows)
    elif missing := [r for r in order if r.row["pcn_code"] not in area.shapes]:
        have = wording.plural(len(missing), "PCN has", "PCNs have")
        scene.marks.append(Words(right, top + 250.0, f"{have} no shape (leads in no LSOA).", 11, QUIET))
    scene.marks += [Words(_MARGIN, top + body + 40.0 + place * 16.0, text, 10.5, QUIET) for place, text in enumerate(notes)]
    return scene


def _legend_sentence(order: Sequence[Ranked]) -> str:
    per_band = Counter(r.row["band"] for r in order)
    return "PCNs per band: " + "; ".join(f"{band} {per_band[band]}" for band in BANDS) + "."


def _draw_shapes(scene: Scene, area: MapFrame, order: Sequence[Ranked], left: float, top: float, numbered: bool) -> None:
    thickness = 0.9 if numbered else 0.35
    band_of = {}
    for r in order:
        code = r.row["pcn_code"]
        if code in area.shapes:
            band_of[code] = r.row["band"]
            text = f"{r.number}. {wording.calm(r.row['pcn_name'])} ({code}): {r.share}, {r.row['band']}"
            scene.marks.append(Area(area.shapes[code], colour(r.row["band"]), OUTLINE, thickness, text, left, top))
    if not numbered:
        return
    size = 10.5
    for label in place_labels(area, {r.row["pcn_code"]: str(r.number) for r in order}, size):
        x, y = left + label.x, top + label.y
        fill = PAPER
        if label.anchor is None:
            fill = colour(band_of[label.code])
        else:
            half = size * 0.36 * len(label.text) + 1.5
            scene.marks.append(Line(left + label.anchor[0], top + label.anchor[1], x, y, INK, 0.9))
            scene.marks.append(Dot(left + label.anchor[0], top + label.anchor[1], 1.6, INK))
            scene.marks.append(Box(x - half, y - size * 0.62, half * 2, size * 1.24, PAPER, INK, 0.7))
        scene.marks.append(Words(x, y + size * 0.36, label.text, size, ink_on(fill), "middle", bold=True))


def _draw_scale(scene: Scene, area: MapFrame, left: float, bottom: float) -> None:
    """A bar of a round number of kilometres, about an eighth of the map's width."""
    rough = area.width / 8 / area.pixels_per_km
    length = max((n for n in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if n <= rough), default=0.1)
    right = left + length * area.pixels_per_km
    scene.marks += [
        Line(left, bottom, right, bottom, INK, 1.4),
        Line(left, bottom - 4, left, bottom, INK, 1.4),
        Line(right, bottom - 4, right, bottom, INK, 1.4),
    ]
    scene.marks.append(Words(right + 6, bottom + 1, f"{length:g} km", 11, QUIET))


def _draw_legend(scene: Scene, order: Sequence[Ranked], left: float, top: float) -> None:
    """The eight bands of Appendix 2, top first, each with the number of PCNs in it, also where that is 0."""
    per_band = Counter(r.row["band"] for r in order)
    scene.marks += [Words(left, top + 12, "Core20 share", 12, INK, bold=True), Words(left + 206, top + 12, "PCNs", 12, INK, "end", bold=True)]
    for place, (band, fill) in enumerate(zip(BANDS, COLOURS, strict=True)):
        y = top + 24 + place * 25
        scene.marks += [
            Box(left, y, 34, 19, fill, OUTLINE, 0.8),
            Words(left + 44, y + 14, band, 13, INK),
            Words(left + 206, y + 14, f"{per_band[band]:,}", 13, INK, "end"),
        ]


def _draw_key(scene: Scene, order: Sequence[Ranked], area: MapFrame, left: float, top: float, side: float, rows: int) -> None:
    """Number, name and share in two columns, down then across; a PCN without a shape is marked."""
    column = (side + _MARGIN / 2) / 2
    missing = False
    for place, r in enumerate(order):
        x, y = left + (place // rows) * column, top + (place % rows) * 17.0
        mark = "" if r.row["pcn_code"] in area.shapes else " †"
        missing = missing or bool(mark)
        room = column - 10 - 21 - 8 - width_of(r.share + mark, 10.5)
        scene.marks += [
            Words(x + 15, y, str(r.number), 10.5, INK, "end", bold=True),
            Words(x + 21, y, shortened(r.short_name, room, 10.5) + mark, 10.5, INK),
            Words(x + column - 10, y, r.share, 10.5, QUIET, "end"),
        ]
    if missing:
        scene.marks.append(Words(left, top + rows * 17.0, "† no shape: leads in no LSOA", 10.5, QUIET))


def _notes(row: Mapping[str, Any], shapes: gpd.GeoDataFrame, night: Night) -> list[str]:
    """Sources and what a shape means, in lines as wide as the sheet."""
    vintage = shapes["lsoa_vintage"].iloc[0]
    known = wording.day_of_text(row["membership_snapshot"])
    sources = (
        f"Sources: people registered at GP practices, {wording.day(row['registrations_extract'])}; PCN membership on {wording.day(night.as_of)} "
        f"as known on {known}; IMD {row['imd_edition']}; LSOA {vintage} boundaries. White: led by no PCN shown."
    )
    return [line for text in (sources, APPROXIMATE) for line in wrapped(text, _SHEET - 2 * _MARGIN, 10.5)]
