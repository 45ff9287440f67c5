"""Markdown and the strip of bands that a materialisation shows in place."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.publish.bands import BANDS
from fuller_popheath.publish.tables import band_strip, markdown

if TYPE_CHECKING:
    import pyarrow as pa


def test_markdown_has_at_most_ten_rows_and_says_how_many_are_left(products: dict[str, pa.Table]) -> None:
    lines = markdown(products["by_pcn"], ["pcn_code", "registered_count", "core20_percent"]).split("\n")
    assert lines[0] == "| pcn code | registered count | core20 percent |"
    assert lines[2] == "| U00001 | 5,000 | 78.0 |"
    assert len(lines) == 2 + 10 + 2
    assert lines[-1] == "… and 4 rows more"


def test_markdown_stays_short_enough_to_be_shown_in_place(products: dict[str, pa.Table]) -> None:
    text = markdown(products["by_pcn"], products["by_pcn"].column_names, longest=999)
    assert len(text) <= 999
    assert text.endswith("rows more")


def test_a_name_cannot_become_markup_or_another_cell(products: dict[str, pa.Table]) -> None:
    row = markdown(products["by_pcn"].slice(3, 1), ["pcn_name", "band"]).split("\n")[2]
    assert "<" not in row
    assert row.count("|") == 3


@pytest.mark.parametrize("per_band", [(1, 4, 4, 9, 1, 3, 5, 14), (157,) * 8, (47, 43, 82, 71, 92, 149, 182, 592), (0,) * 7 + (3,)])
def test_the_strip_is_small_enough_to_be_shown_in_place(per_band: tuple[int, ...]) -> None:
    strip = band_strip(band for band, n in zip(BANDS, per_band, strict=True) for _ in range(n))
    link = f"![PCNs per band, IMD 2025](data:image/svg+xml;base64,{base64.b64encode(strip.encode('ascii')).decode()})"
    assert len(link) < 1000
    root = ElementTree.fromstring(strip)
    numbers = [int(str(text.text)) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(numbers) == sorted(n for n in numbers if n in per_band)


def test_the_strip_of_nothing_is_still_a_picture() -> None:
    assert band_strip([]).startswith("<svg")
