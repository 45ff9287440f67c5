"""Texts keep to their room: nothing leaves the sheet, nothing stands on another text, and an edition is never cut off."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.publish import core20_map
from fuller_popheath.publish.ranked_plot import ranked_scene
from fuller_popheath.publish.scene import Scene, Words
from fuller_popheath.publish.text_fit import headline, shortened, width_of, wrapped

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

    from fuller_popheath.specs import Night

NINETY = "Core20 by PCN: NHS Anyshire and District and the Vale of Elsewhere Integrated Care Board, IMD 2025"
LONG_NAME = "NORTH WESTMORLAND AND THE WIDER MOORLAND COMMUNITIES OF MOWBRAY PCN"


def _room(words: Words) -> tuple[float, float, float, float]:
    width = width_of(words.text, words.size, words.bold)
    left = words.x - {"start": 0.0, "middle": width / 2, "end": width}[words.anchor]
    return left, words.y - 0.75 * words.size, left + width, words.y + 0.2 * words.size


def _outside(scene: Scene) -> list[str]:
    rooms = {words.text: _room(words) for words in scene.marks if isinstance(words, Words)}
    return [text for text, (left, top, right, bottom) in rooms.items() if left < 0 or top < 0 or right > scene.width or bottom > scene.height]


def _overlapping(scene: Scene) -> list[tuple[str, str]]:
    rooms = [(words.text, _room(words)) for words in scene.marks if isinstance(words, Words)]
    pairs = combinations(rooms, 2)
    return [(s, t) for (s, a), (t, b) in pairs if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


def _long_names(by_pcn: pa.Table, times: int) -> pa.Table:
    """The same PCNs, all with a long name in capitals, `times` times over."""
    import pyarrow as pa

    rows = [
        {**row, "pcn_name": LONG_NAME, "pcn_code": f"{row['pcn_code'][:-2]}{copy}{row['pcn_code'][-1]}"}
        for row in by_pcn.to_pylist()
        for copy in range(times)
    ]
    return pa.Table.from_pylist(rows, schema=by_pcn.schema)


@pytest.mark.parametrize("title", [NINETY, "Core20 by PCN, Anyshire, IMD 2025", f"{NINETY[:-10]}, and of {NINETY}"])
@pytest.mark.parametrize("times", [1, 8, 9])  # up to 60 PCNs have a key of names, more have none
def test_no_text_leaves_the_sheet_or_stands_on_another(
    products: dict[str, pa.Table], shapes: gpd.GeoDataFrame, night: Night, title: str, times: int
) -> None:
    order = core20_map.ranked(_long_names(products["by_pcn"], times), "2025")
    drawn = core20_map.map_scene(order, shapes, title, night)
    assert drawn is not None
    for scene in (drawn, ranked_scene(order, title)):
        assert _outside(scene) == []
        assert _overlapping(scene) == []
        written = " ".join(words.text for words in scene.marks if isinstance(words, Words) and words.bold)
        assert written.startswith(title), "the whole headline, with its edition, can be read"
        assert scene.title == title


def test_ninety_characters_are_two_lines_of_about_one_length() -> None:
    size, lines = headline(NINETY, 952.0, 21.0)
    assert len(NINETY) >= 90
    assert len(lines) == 2
    assert " ".join(lines) == NINETY
    assert lines[1].endswith(", IMD 2025")
    first, second = (width_of(line, size, True) for line in lines)
    assert max(first, second) <= 952.0
    assert abs(first - second) < 250.0


def test_a_name_and_its_share_keep_apart(products: dict[str, pa.Table]) -> None:
    order = core20_map.ranked(_long_names(products["by_pcn"], 1), "2025")
    names = [words for words in ranked_scene(order, NINETY).marks if isinstance(words, Words) and words.text.startswith("North West")]
    assert len(names) == len(order)
    assert all(_room(words)[2] <= 290.0 - 8.0 for words in names), "clear of a dot at 0 %"


def test_a_text_is_shortened_to_its_room_and_no_further() -> None:
    text = "Wider Moorland Communities"
    assert shortened(text, 1000.0, 11.0) == text
    short = shortened(text, 80.0, 11.0)
    assert short.endswith("…")
    assert width_of(short, 11.0) <= 80.0 < width_of(text[: len(short)] + "…", 11.0)
    assert wrapped("Unbreakably-long-name IMD 2025", 90.0, 11.0)[-1] == "IMD 2025"


def test_width_is_what_is_painted() -> None:
    """Ink of the painted text, counted in pixels of the picture, against the measured width."""
    import io

    import numpy as np
    from PIL import Image

    from fuller_popheath.publish.scene import png

    scene: Any = Scene(600.0, 60.0, "", "", [Words(10.0, 40.0, "IMD 2025 WIDTH", 21.0, "#000000", bold=True)])
    dark = np.asarray(Image.open(io.BytesIO(png(scene))).convert("L")) < 128
    columns = np.flatnonzero(dark.any(axis=0))
    assert 0.93 < (columns[-1] - columns[0]) / width_of("IMD 2025 WIDTH", 21.0, True) <= 1.0
