"""Neighbourhood profiles as text: the figures are the products', hidden stays hidden, hostile names stay text, what is not given is left out."""

from __future__ import annotations

import base64
import csv
import importlib.util
import io
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.publish.profile import INDEX, profile_pages, publish_profiles
from fuller_popheath.publish.profile_figures import Figure, Measure, Told, shown
from fuller_popheath.publish.profile_given import ACCOUNT_TABLES, RECORD_TABLES
from fuller_popheath.publish.profile_sheet import THEMES

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

_spec = importlib.util.spec_from_file_location("profile_example", Path(__file__).with_name("profile_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)


@pytest.fixture(scope="module")
def tables(
    products: dict[str, pa.Table],
    registered_count: pa.Table,
    neighbourhood_practice: pa.Table,
    lsoa_boundary: pa.Table,
    landing_file: pa.Table,
    night: Night,
) -> dict[str, pa.Table]:
    return dict(example.tables(products, registered_count, neighbourhood_practice, lsoa_boundary, landing_file, night))


@pytest.fixture(scope="module")
def pages(tables: dict[str, pa.Table], night: Night) -> dict[str, str]:
    return profile_pages(tables, night)


def saved(page: str, figure: str) -> list[dict[str, str]]:
    """The rows that a figure's CSV link holds."""
    found = re.search(rf'href="data:text/csv;charset=utf-8;base64,([^"]+)" download="[^"]*_{figure}_2022-07-01\.csv"', page)
    assert found is not None, figure
    return list(csv.DictReader(io.StringIO(base64.b64decode(found[1]).decode("utf-8-sig"))))


def row_of(page: str, label: str) -> str:
    """The text of the row with this heading, without marks."""
    found = re.search(rf'<tr><th scope="row">{re.escape(label)}.*?</tr>', page, re.DOTALL)
    assert found is not None, label
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found[0]))


def test_there_is_a_page_a_pcn_and_an_index(pages: dict[str, str]) -> None:
    assert sorted(pages) == [INDEX, *(f"profile_{code}.html" for code in example.PCNS)]
    assert all(f'href="profile_{code}.html"' in pages[INDEX] for code in example.PCNS)


def test_every_chapter_is_there(pages: dict[str, str]) -> None:
    page = pages["profile_U00001.html"]
    for name in ("people", "conditions", "care", "clinical", "workforce", "survey", "sites", "data", "sheet"):
        assert f'id="c-{name}"' in page, name
        assert f'href="#c-{name}"' in page, name
    for theme in THEMES:
        assert f'id="t-{theme.name}"' in page


def test_figures_are_those_of_the_products(pages: dict[str, str]) -> None:
    page = pages["profile_U00001.html"]
    assert "78.0%" in page, "3,900 of 5,000 in Core20, IMD 2019"
    # 150 people where 100 are expected; Byar's limits of 150 are 126.96 to 176.02.
    assert "1.50 1.27 to 1.76" in row_of(page, "Hypertension")
    # 550 + ... of the atlas's example: 3,000 of 5,000 treated to threshold, 500 of 1,000 in Core20, 2,500 of 4,000 in the rest.
    assert all(told in row_of(page, "Hypertension treated to threshold") for told in ("60.0%", "50.0%", "62.5%", "−12.5", "125"))
    # 30 of 50; Wilson 46.2 to 72.4.
    assert "60.0% 46.2 to 72.4" in row_of(page, "Everybody with high need: receive little")
    # 80 % of 300 answers and 40 % of 100.
    assert "70%" in row_of(page, "Usually see the preferred GP")


def test_every_figure_is_there_as_csv(pages: dict[str, str]) -> None:
    page = pages["profile_U00001.html"]
    hypertension = next(row for row in saved(page, "conditions") if row["measure"] == "hypertension")
    assert (hypertension["people_count"], hypertension["value"], hypertension["as_of"]) == ("150", "1.5", "2022-07-01")
    assert len(saved(page, "ages")) == 38
    assert {row["age_band"]: row["people_count"] for row in saved(page, "ages")}["0-4"] == "50"
    assert [row["site_name"] for row in saved(page, "sites")] == ["'=HALL", example.HOSTILE_SITE], "a spreadsheet runs nothing"
    assert {row["imd_edition"] for row in saved(page, "small_areas")} == {"2025"}
    assert page.count('class="csv"') == page.count('class="head"') + 1, "sites and the map under them, each its own"


def test_what_is_hidden_says_so_and_is_nowhere(pages: dict[str, str]) -> None:
    page = pages["profile_U00007.html"]
    assert "hidden" in row_of(page, "Hypertension")
    assert all(row["people_count"] == "" for row in saved(page, "ages"))
    hidden = next(row for row in saved(page, "activity") if row["measure"] == "contacts_per_1000")
    assert (hidden["value"], hidden["is_hidden"]) == ("", "true")
    drawn = re.search(r'<svg class="pyramid".*?</svg>', page, re.DOTALL)
    assert drawn is not None
    assert "<rect" not in drawn[0]


def test_hostile_names_are_text_and_nothing_can_run(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert "<script" not in page
        assert "<img" not in page
        assert "default-src 'none'" in page
        assert not re.search(r'\b(src|href)="(?!#|data:text/csv|profile_|neighbourhood_)', page)


def test_what_arrived_and_what_is_amiss_is_told(pages: dict[str, str]) -> None:
    told = row_of(pages["profile_U00001.html"], "Practice list")
    assert "1 of 2" in told
    assert "1 June 2022" in told
    assert "A00002 (A00002): old: an earlier one stands in" in told


def test_the_sheet_says_what_the_profile_says(pages: dict[str, str]) -> None:
    page = pages["profile_U00001.html"]
    sheet = page[page.index('id="c-sheet"') :]
    assert "Urgent contacts: 30.0% (28.0 to 40.0); ICB 37.0%; the other PCNs from 31.0% to 35.0%" in sheet
    assert sheet.count("<textarea") == len(THEMES) + 5 * 6


def test_published_files_alone_make_a_page_that_everybody_may_read(tables: dict[str, pa.Table], night: Night, tmp_path: Path) -> None:
    open_tables = {name: table for name, table in tables.items() if name not in (*RECORD_TABLES, *ACCOUNT_TABLES)}
    index, page = publish_profiles(tmp_path, open_tables, night, ["U00002"])
    assert (index.name, page.name) == (INDEX, "profile_U00002.html")
    text = page.read_text(encoding="utf-8")
    assert 'id="c-workforce"' in text
    assert 'id="c-clinical"' not in text
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    (_, private) = publish_profiles(tmp_path / "all", tables, night, ["U00002"])
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_who_is_not_known_is_refused(tables: dict[str, pa.Table], night: Night) -> None:
    with pytest.raises(SettingsWrong, match="1 of the PCNs named are in no practice's membership of the day: U99999"):
        profile_pages(tables, night, ["U99999", "U00001"])
    with pytest.raises(InputMissing, match="core/neighbourhood_practice"):
        profile_pages({}, night)


def test_the_same_tables_give_the_same_text(tables: dict[str, pa.Table], pages: dict[str, str], night: Night) -> None:
    assert profile_pages(tables, night) == pages


def test_a_plot_has_its_ends_within_it_and_even_steps_of_ratios() -> None:
    told = {"A": Told(1.0, 0.25, 8.0), "B": Told(2.0), "C": Told(is_hidden=True)}
    measure = Measure("m", "M", told, {"Q": Told(1.2)}, reference=1.0)
    one = shown(Figure("f", "F", "", (measure,), (0.5, 2.0), is_log=True), "A", "Q", example.DAY)
    assert one is not None
    (row,) = one.rows
    assert (row.at, row.start, row.end, row.whole_at, row.pcns_at) == (50.0, 2.0, 98.0, 50.0, (98.0,))
    assert [text for _, text in one.ticks] == ["0.5", "1", "2"]
    assert shown(Figure("f", "F", "", (measure,)), "Z", "Q", example.DAY) is None
