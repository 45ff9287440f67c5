"""The pictures: valid files, equal for equal input, and what they say."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.publish import core20_map
from fuller_popheath.publish.bands import BANDS, COLOURS
from fuller_popheath.publish.map_frame import frame, place_labels
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

SVG = "{http://www.w3.org/2000/svg}"


def _written(folder: Path, by_pcn: pa.Table, shapes: gpd.GeoDataFrame, night: Night) -> dict[str, bytes]:
    paths = core20_map.write_map(folder, by_pcn, shapes, night, "Core20 by PCN, Anyshire")
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory, products: dict[str, pa.Table], shapes: gpd.GeoDataFrame, night: Night) -> dict[str, bytes]:
    return _written(tmp_path_factory.mktemp("maps"), products["by_pcn"], shapes, night)


def test_the_newest_edition_is_map_and_the_other_is_named(maps: dict[str, bytes]) -> None:
    assert list(maps) == ["map.png", "map.svg", "map_imd2019.png", "map_imd2019.svg"]
    assert b"IMD 2025" in maps["map.svg"]
    assert b"IMD 2019" in maps["map_imd2019.svg"]


def test_png_is_a_picture_of_print_quality(maps: dict[str, bytes]) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(maps["map.png"]))
    picture.load()
    assert (picture.format, picture.width) == ("PNG", 3000)
    seen = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    top = tuple(int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5))
    assert top in seen, "the fill of the top band is on the map as it is in the legend"


def test_svg_has_a_title_for_each_shape_and_for_the_whole(maps: dict[str, bytes], shapes: gpd.GeoDataFrame) -> None:
    root = ElementTree.fromstring(maps["map_imd2019.svg"])
    assert root.find(f"{SVG}title").text == "Core20 by PCN, Anyshire, IMD 2019"  # type: ignore[union-attr]
    assert "no official boundary" in str(root.find(f"{SVG}desc").text)  # type: ignore[union-attr]
    titles = [str(path.find(f"{SVG}title").text) for path in root.iter(f"{SVG}path")]  # type: ignore[union-attr]
    assert len(titles) == len(shapes) == 6
    assert "2. Brink PCN (U00002): 70.0%, Above 70.0%" in titles
    assert any('<script>alert("x")</script>' in title for title in titles), "a hostile name is text, not markup"


def test_legend_has_the_eight_labels_in_order_with_counts(maps: dict[str, bytes], products: dict[str, pa.Table]) -> None:
    texts = [text.text for text in ElementTree.fromstring(maps["map_imd2019.svg"]).iter(f"{SVG}text")]
    start = texts.index("Above 70.0%")
    shown = dict(zip(texts[start : start + 16 : 2], texts[start + 1 : start + 16 : 2], strict=True))
    of_2019 = Counter(row["band"] for row in products["by_pcn"].to_pylist() if row["imd_edition"] == "2019")
    assert shown == {band: str(of_2019[band]) for band in BANDS}
    assert list(shown) == list(BANDS)


def test_a_pcn_without_a_shape_is_in_the_key_and_marked(maps: dict[str, bytes]) -> None:
    texts = [str(text.text) for text in ElementTree.fromstring(maps["map.svg"]).iter(f"{SVG}text")]
    assert "=Far †" in texts
    assert "† no shape: leads in no LSOA" in texts


def test_equal_input_gives_equal_bytes_and_no_date_is_stored(
    maps: dict[str, bytes], tmp_path: Path, products: dict[str, pa.Table], shapes: gpd.GeoDataFrame, night: Night
) -> None:
    reversed_rows = products["by_pcn"].take(list(range(products["by_pcn"].num_rows))[::-1])
    assert _written(tmp_path, reversed_rows, shapes.iloc[::-1], night) == maps
    assert b"tEXt" not in maps["map.png"]
    assert b"<metadata" not in maps["map.svg"]


def test_draw_gives_strip_map_and_ranking_of_each_edition(
    products: dict[str, pa.Table], registered_count: pa.Table, neighbourhood_practice: pa.Table, lsoa_boundary: pa.Table, night: Night
) -> None:
    inputs = {
        "core/registered_count": registered_count,
        "core/neighbourhood_practice": neighbourhood_practice,
        "reference/lsoa_boundary": lsoa_boundary,
    }
    drawn = core20_map.draw(products["by_pcn"], inputs, night)
    assert list(drawn) == [f"{what}, IMD {edition}" for edition in ("2025", "2019") for what in ("PCNs per band", "Map", "Ranked shares")]
    kinds = {title.split(",")[0]: content[:4] for title, content in drawn.items()}
    assert kinds == {"PCNs per band": b"<svg", "Map": b"\x89PNG", "Ranked shares": b"\x89PNG"}
    assert all(len(content) < 150_000 for content in drawn.values())
    assert core20_map.draw(products["by_pcn"], inputs, night) == drawn


def test_draw_leaves_the_map_out_where_no_boundaries_arrived(products: dict[str, pa.Table], lsoa_boundary: pa.Table, night: Night) -> None:
    drawn = core20_map.draw(products["by_pcn"], {"reference/lsoa_boundary": lsoa_boundary.slice(0, 0)}, night)
    assert {title.split(",")[0] for title in drawn} == {"PCNs per band", "Ranked shares"}
    assert core20_map.draw(products["by_pcn"].slice(0, 0), {}, night) == {}


def test_equal_shares_are_numbered_by_code(products: dict[str, pa.Table]) -> None:
    order = core20_map.ranked(products["by_pcn"], "2019")
    assert [r.number for r in order] == [1, 2, 3, 4, 5, 6, 7]
    assert [r.row["pcn_code"][-1] for r in order] == ["1", "2", "3", "5", "4", "6", "7"]


def test_a_kilometre_is_as_long_north_as_east(shapes: gpd.GeoDataFrame) -> None:
    # 0.1 degree at 54.05 N: 11.13 km north, 11.13 x cos(54.05 deg) = 6.53 km east
    area = frame(shapes.iloc[[1]], 100, 1000)
    assert area is not None
    assert area.height / area.width == pytest.approx(11.13 / 6.53, rel=0.02)
    assert area.pixels_per_km == pytest.approx(100 / 6.53, rel=0.02)


def test_a_place_outside_great_britain_is_drawn_true_to_scale_too(shapes: gpd.GeoDataFrame) -> None:
    moved = shapes.iloc[[1]].set_geometry(shapes.iloc[[1]].geometry.translate(xoff=40))
    area = frame(moved, 100, 1000)
    assert area is not None
    assert area.height / area.width == pytest.approx(11.13 / 6.53, rel=0.02)


def test_no_two_numbers_overlap_even_on_tiny_shapes() -> None:
    import geopandas as gpd
    import shapely

    cells = [shapely.box(-2 + x * 0.002, 54 + y * 0.001, -2 + x * 0.002 + 0.002, 54.001 + y * 0.001) for x in range(6) for y in range(6)]
    wide = shapely.box(-2.1, 53.9, -1.9, 53.99)
    codes = [f"U{i:05d}" for i in range(37)]
    area = frame(gpd.GeoDataFrame({"pcn_code": codes}, geometry=[*cells, wide], crs=4326), 500, 500)
    assert area is not None
    labels = place_labels(area, {code: str(i + 1) for i, code in enumerate(codes)}, 10)
    assert sorted(label.code for label in labels) == codes
    boxes = [shapely.box(label.x - 3.3 * len(label.text), label.y - 5, label.x + 3.3 * len(label.text), label.y + 5) for label in labels]
    overlaps = [(i, j) for i, one in enumerate(boxes) for j, other in enumerate(boxes[:i]) if one.intersection(other).area > 0.01]
    assert overlaps == []
    assert all(0 <= label.x <= area.width and 0 <= label.y <= area.height for label in labels)


def test_hundreds_of_pcns_are_drawn_as_columns_without_numbers(products: dict[str, pa.Table], shapes: gpd.GeoDataFrame, night: Night) -> None:
    import pyarrow as pa

    from fuller_popheath.publish.ranked_plot import ranked_scene
    from fuller_popheath.publish.scene import Words, svg

    one = products["by_pcn"].to_pylist()[0]
    many = pa.Table.from_pylist([{**one, "pcn_code": f"U1{i:04d}"} for i in range(61)] + [one], schema=products["by_pcn"].schema)
    order = core20_map.ranked(many, one["imd_edition"])
    scene = core20_map.map_scene(order, shapes, "Many", night)
    assert scene is not None
    words = [mark.text for mark in scene.marks if isinstance(mark, Words)]
    assert "61 PCNs have no shape (leads in no LSOA)." in words
    assert "1" not in words
    root = ElementTree.fromstring(svg(ranked_scene(order, "Many")))
    assert len(list(root.iter(f"{SVG}path"))) == 2, "one outline for the one band, one for the intervals"
