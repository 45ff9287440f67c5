"""The page as a browser would parse it: complete, equal to the tables, and closed to the outside."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import BANDS
from fuller_popheath.publish.page import core20_page

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

    from fuller_popheath.specs import Night

HOSTILE = '<script>alert("x")</script> & Sons PCN'
VOID = {"meta", "input", "br", "path", "circle", "rect", "line"}


@dataclass
class Element:
    """One element with what stands in it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> list[Element]:
        """Every element below of that tag whose attributes hold the wanted words (`data_c` stands for `data-c`)."""
        found = []
        for child in self.children:
            if child.tag == tag and all(word in child.words(name.rstrip("_").replace("_", "-")) for name, word in wanted.items()):
                found.append(child)
            found += child.all(tag, **wanted)
        return found

    def words(self, attribute: str) -> list[str]:
        """An attribute's value as the words it is made of."""
        return self.attributes.get(attribute, "").split(" ")

    @property
    def text(self) -> str:
        """All text in it, white space calmed."""
        return re.sub(r"\s+", " ", "".join(self.pieces)).strip()


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(element)
        if tag not in VOID:
            self.open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.children.append(Element(tag, {name: value or "" for name, value in attrs}, self.open))

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.tag, f"</{tag}> closes <{self.open.tag}>"
        assert self.open.parent is not None
        self.open = self.open.parent

    def handle_data(self, data: str) -> None:
        element: Element | None = self.open
        while element is not None:
            element.pieces.append(data)
            element = element.parent


def parsed(html: str) -> Element:
    tree = _Tree()
    tree.feed(html)
    assert tree.open is tree.root, f"<{tree.open.tag}> is never closed"
    return tree.root


@pytest.fixture(scope="module")
def root(page: str) -> Element:
    return parsed(page)


def _make(products: dict[str, pa.Table], night: Night, shapes: gpd.GeoDataFrame | None, sources: Any = ()) -> str:
    return core20_page(
        by_pcn=products["by_pcn"],
        by_icb=products["by_icb"],
        by_place=products["by_place"],
        comparison=products["edition_comparison"],
        phasing=products["phasing"],
        unplaced=products["unplaced"],
        shapes=shapes,
        sources=sources,
        night=night,
        title="Core20",
    )


def _rows(root: Element, edition: str) -> dict[str, dict[str, str]]:
    (table,) = root.all("table", class_="pcns", data_edition=edition)
    headings = [th.text.replace("↕", "").strip() for th in table.all("th", scope="col")]
    rows = {}
    for tr in table.all("tr"):
        if "data-c" in tr.attributes:
            rows[tr.attributes["data-c"]] = dict(zip(headings, [cell.text for cell in tr.children], strict=True))
    return rows


@pytest.mark.parametrize("edition", ["2019", "2025"])
def test_every_pcn_stands_in_the_table_with_the_figures_of_the_product(root: Element, products: dict[str, pa.Table], edition: str) -> None:
    rows = _rows(root, edition)
    of_edition = [row for row in products["by_pcn"].to_pylist() if row["imd_edition"] == edition]
    assert set(rows) == {row["pcn_code"] for row in of_edition}
    for row in of_edition:
        shown = rows[row["pcn_code"]]
        assert shown["PCN"] == f"{wording.calm(row['pcn_name'])} {row['pcn_code']}"
        assert shown["In Core20"] == f"{row['q1_count']:,}"
        assert shown["Registered"] == f"{row['registered_count']:,}"
        assert shown["Not matched"] == f"{row['unmatched_count']:,}"
        assert shown["Practices"] == f"{row['practice_count']:,}"
        assert shown["Band"] == row["band"]
        assert float(shown["Core20 share"].rstrip("%")) == pytest.approx(row["core20_percent"], abs=0.0501)
        assert shown["95% interval"] == f"{wording.decimals(row['core20_lower'])} to {wording.decimals(row['core20_upper'])}%"
        assert shown["Mean IMD score"] == "30.0"
    assert rows["U00002"]["Core20 share"] == ("70.0%" if edition == "2019" else "69.5%")


def test_the_headline_is_the_sum_and_its_interval_that_of_the_icb(root: Element, products: dict[str, pa.Table]) -> None:
    for icb in products["by_icb"].to_pylist():
        (section,) = root.all("section", class_=f"ed-{icb['imd_edition']}")
        figures = [dd.text for dd in section.all("dd")]
        interval = f"95% interval {wording.decimals(icb['core20_lower'])} to {wording.decimals(icb['core20_upper'])}%"
        counts = [f"{icb[c]:,}" for c in ("q1_count", "registered_count", "pcn_count", "practice_count")]
        assert figures == [wording.share(icb["q1_count"], icb["registered_count"]), interval, *counts]


@pytest.mark.parametrize("edition", ["2019", "2025"])
def test_the_legend_has_the_eight_bands_top_first_with_counts(root: Element, products: dict[str, pa.Table], edition: str) -> None:
    (legend,) = root.all("ul", class_=f"ed-{edition}")
    shown = [
        (button.attributes["data-band"], button.all("span", class_="label")[0].text, button.all("span", class_="n")[0].text.split()[0])
        for button in legend.all("button")
    ]
    counts = Counter(row["band"] for row in products["by_pcn"].to_pylist() if row["imd_edition"] == edition)
    assert shown == [(str(i), band, str(counts[band])) for i, band in enumerate(BANDS)]


def test_the_map_has_a_path_a_pcn_and_its_band_in_both_editions(root: Element, products: dict[str, pa.Table], shapes: gpd.GeoDataFrame) -> None:
    paths = {p.attributes["data-c"]: p.attributes for p in root.all("path", class_="pcn")}
    assert set(paths) == set(shapes["pcn_code"])
    bands = {(row["pcn_code"], row["imd_edition"]): BANDS.index(row["band"]) for row in products["by_pcn"].to_pylist()}
    for code, attributes in paths.items():
        assert attributes["class"] == f"pcn e0b{bands[code, '2025']} e1b{bands[code, '2019']}"
        assert attributes["d"].startswith("M")
    assert "Not on the map, because they lead in no LSOA: =Far PCN." in root.all("figcaption")[0].text


def test_nothing_is_asked_of_the_outside(page: str, root: Element) -> None:
    fetching = {"src", "href", "srcset", "action", "data", "poster"}
    references = [value for e in _everything(root) for name, value in e.attributes.items() if name in fetching]
    assert references == ["#table"]
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)
    assert {e.tag for e in _everything(root)}.isdisjoint({"link", "img", "iframe", "object", "embed", "form", "base"})


def _everything(element: Element) -> list[Element]:
    return [element, *(e for child in element.children for e in _everything(child))]


def test_only_our_own_script_and_style_may_run(root: Element) -> None:
    (policy,) = [m.attributes["content"] for m in root.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    scripts = [s for s in root.all("script") if "type" not in s.attributes]
    assert len(scripts) == len(root.all("style")) == 1
    for element, directive in ((scripts[0], "script-src"), (root.all("style")[0], "style-src")):
        digest = base64.b64encode(hashlib.sha256("".join(element.pieces).encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [name for e in _everything(root) for name in e.attributes if name == "style" or name.startswith("on")]


def test_a_hostile_name_is_text_everywhere(page: str, root: Element) -> None:
    assert "<script>alert" not in page
    rows = _rows(root, "2019")
    assert rows["U00004"]["PCN"] == f"{HOSTILE} U00004"
    assert [s.attributes.get("type") for s in root.all("script")] == ["application/json"] * 5 + [None]


def test_the_downloads_hold_the_whole_tables_unrounded(root: Element, products: dict[str, pa.Table]) -> None:
    for name, table in (("by_pcn", products["by_pcn"]), ("edition_comparison", products["edition_comparison"]), ("phasing", products["phasing"])):
        (script,) = root.all("script", id=f"csv-{name}")
        read = list(csv.DictReader(io.StringIO(json.loads("".join(script.pieces)))))
        for got, row in zip(read, table.to_pylist(), strict=True):
            assert list(got) == table.column_names
            for column, value in row.items():
                if isinstance(value, float):
                    assert float(got[column]) == value
                elif isinstance(value, bool):
                    assert got[column] == str(value).lower()
                elif column == "pcn_name" and value == "=FAR PCN":
                    assert got[column] == "'=FAR PCN", "a spreadsheet would run it"
                else:
                    assert got[column] == ("" if value is None else str(value))


def test_waves_are_those_of_the_plan_with_their_marks(root: Element, products: dict[str, pa.Table]) -> None:
    (waves,) = [div for div in root.all("div", class_="waves") if "ed-2019" in div.attributes["class"]]
    first, second = waves.all("article")
    assert first.all("h3")[0].text == "Wave 1 by 1 April 2023"
    assert "4 PCNs" in first.text
    assert "Core20 share of at least 30%" in first.text
    assert "3 PCNs" in second.text
    marked = {li.text.rsplit("% ", 1)[0]: [m.text for m in li.all("abbr")] for li in waves.all("li") if li.all("abbr")}
    assert marked == {"East PCN 30.0": ["R", "E"]}


def test_the_comparison_lists_the_pcns_that_change_band(root: Element) -> None:
    (section,) = root.all("section", aria_labelledby="h-compared")
    assert "3 of 7 PCNs are in another band" in section.text
    listed = [[cell.text for cell in tr.children] for tr in section.all("tbody")[0].all("tr")]
    assert [row[0].split()[-1] for row in listed] == ["U00003", "U00005", "U00002"], "largest difference first"
    assert listed[0][2:5] == ["50.5%", "49.5%", "−1.0"]


def test_people_without_an_answer_are_counted_by_reason(root: Element) -> None:
    (section,) = root.all("section", aria_labelledby="h-unplaced")
    (shown,) = section.all("div", class_="ed-2019")
    assert [[cell.text for cell in tr.children] for tr in shown.all("tbody")[0].all("tr")] == [
        ["Their practice belonged to no PCN that day", "1", "1,200"],
        ["No small area (LSOA) is known for their address", "1", "4"],
        ["They live in Wales, which has its own index", "1", "4"],
        ["All", "", "1,208"],
    ]


def test_only_the_files_that_were_used_are_named_as_sources(root: Element) -> None:
    (section,) = root.all("section", aria_labelledby="h-sources")
    rows = [[cell.text for cell in tr.children] for tr in section.all("tbody")[0].all("tr")]
    assert rows == [["counts & more.zip (counts.csv)", "Patients registered at a GP practice, by LSOA", "1 July 2022"]]


def test_dates_and_limits_are_said_in_words(root: Element) -> None:
    assert "PCN membership as known on 27 April 2022" in root.all("header")[0].text
    method = root.all("section", aria_labelledby="h-method")[0].text
    for words in ("leaves out what matters more", "half up", "PCN shapes are approximate", "up to, not including, its end date"):
        assert words in method
    assert root.all("html")[0].attributes["lang"] == "en-GB"


def test_one_edition_needs_no_switch_and_no_comparison(only_2019: dict[str, pa.Table], night: Night) -> None:
    root = parsed(_make(only_2019, night, None, ["a.csv", "b.xlsx"]))
    assert root.all("input", name="edition") == []
    assert root.all("section", aria_labelledby="h-compared") == []
    assert root.all("path", class_="pcn") == []
    assert "There is no map: no boundary file of LSOAs was given" in root.text
    assert "only one edition was given" in root.text
    assert [th.text for th in root.all("th", class_="file")] == ["a.csv", "b.xlsx"]


def test_equal_input_gives_an_equal_page(products: dict[str, pa.Table], shapes: gpd.GeoDataFrame, night: Night) -> None:
    shuffled = {name: table.take(list(range(table.num_rows))[::-1]) for name, table in products.items()}
    without_downloads = [re.sub(r'<script type="application/json".*?</script>', "", _make(tables, night, shapes)) for tables in (products, shuffled)]
    assert without_downloads[0] == without_downloads[1]
    assert _make(products, night, shapes) == _make(products, night, shapes)


def test_several_icbs_show_the_rank_in_each(products: dict[str, pa.Table], night: Night) -> None:
    import pyarrow as pa

    rows = [{**row, "icb_code": "QB2" if row["pcn_code"] == "U00005" else row["icb_code"]} for row in products["by_pcn"].to_pylist()]
    root = parsed(_make({**products, "by_pcn": pa.Table.from_pylist(rows, schema=products["by_pcn"].schema)}, night, None))
    shown = _rows(root, "2019")
    assert (shown["U00005"]["ICB"], shown["U00001"]["ICB"]) == ("QB2", "QA1")
    assert shown["U00001"]["Rank in ICB"] == "1"


def test_a_pcn_in_no_known_icb_has_no_rank(products: dict[str, pa.Table], night: Night) -> None:
    import pyarrow as pa

    of_unknown = {"U00001": {"icb_code": None, "rank_in_icb": None}, "U00005": {"icb_code": "QB2"}}
    rows = [{**row, **of_unknown.get(row["pcn_code"], {})} for row in products["by_pcn"].to_pylist()]
    shown = _rows(parsed(_make({**products, "by_pcn": pa.Table.from_pylist(rows, schema=products["by_pcn"].schema)}, night, None)), "2019")
    assert (shown["U00001"]["ICB"], shown["U00001"]["Rank in ICB"]) == ("–", "–")


def test_the_ends_of_quintile_1_stand_in_the_method(page: str) -> None:
    """Published deciles: the last LSOA of decile 2 has rank 6,568 of 32,844 in 2019 and 6,751 of 33,755 in 2025."""
    assert "rank up to 6,568 of 32,844 in IMD 2019, up to 6,751 of 33,755 in IMD 2025" in page


def test_a_report_without_any_pcn_is_still_a_page(products: dict[str, pa.Table], night: Night) -> None:
    root = parsed(_make({name: table.slice(0, 0) for name, table in products.items()}, night, None))
    assert root.all("table", class_="pcns") == []
    assert root.all("section", aria_labelledby="h-method")
