"""The atlas in a real browser: legend, sorting, editions, levels, slopes, downloads and keyboard work; axe finds nothing serious."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.publish import atlas

if TYPE_CHECKING:
    import pyarrow as pa
    from playwright.sync_api import Browser, Page

    from fuller_popheath.specs import Night

pytestmark = pytest.mark.browser

_spec = importlib.util.spec_from_file_location("atlas_example", Path(__file__).parents[1] / "publish" / "atlas_example.py")
assert _spec is not None
assert _spec.loader is not None
_example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_example)
IN_ORDER = ["U00001", "U00002", "U00003", "U00005", "U00004", "U00006", "U00007"]


@pytest.fixture(scope="module")
def tables(
    products: dict[str, pa.Table], registered_count: pa.Table, neighbourhood_practice: pa.Table, lsoa_boundary: pa.Table, night: Night
) -> dict[str, pa.Table]:
    return dict(_example.tables(products, registered_count, neighbourhood_practice, lsoa_boundary, night))


@pytest.fixture(scope="module")
def file(tables: dict[str, pa.Table], night: Night, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return atlas.publish_atlas(tmp_path_factory.mktemp("atlas"), tables, night)[0]


@pytest.fixture
def shown(chromium: Browser, file: Path) -> Iterator[Page]:
    """The atlas opened from a file. Fails the test on any script error, console message or request to the outside."""
    tab = chromium.new_page(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    tab.set_default_timeout(10_000)
    troubles: list[str] = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: None if request.url.startswith(("file:", "blob:")) else troubles.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    tab.close()
    assert troubles == []


def _codes(tab: Page) -> list[str]:
    """The areas that the table shows, in its order."""
    return tab.evaluate(
        "[...document.querySelectorAll('#figures tbody tr')].filter(r => r.offsetParent).map(r => r.querySelector('.code').textContent)"
    )


def _fill(tab: Page, code: str, place: int = 0) -> str:
    return str(tab.get_attribute(f"#map-{place} .pcn path[data-c={code}]", "fill"))


def _saved(tab: Page, button: str, folder: Path) -> list[dict[str, str]]:
    with tab.expect_download() as waiting:
        tab.click(f"[data-download='{button}']")
    waiting.value.save_as(folder / "got.csv")
    with (folder / "got.csv").open(encoding="utf-8-sig", newline="") as got:
        return list(csv.DictReader(got))


def test_it_opens_with_core20_by_pcn_and_the_newest_edition(shown: Page) -> None:
    assert _codes(shown) == IN_ORDER
    assert shown.inner_text("#h-shown") == "Core20, by PCN, IMD 2025"
    assert shown.inner_text("#status") == "7 PCNs, IMD 2025."
    assert shown.locator("#legend button").count() == 8
    assert shown.locator(".map-frame:visible").count() == 1
    assert shown.locator("#ranking li[data-row] .whisker").count() == 7


def test_the_legend_filters_map_ranking_and_table(shown: Page) -> None:
    shown.click("#legend button[data-class='3']")
    assert _codes(shown) == ["U00003"]
    assert shown.inner_text("#status") == "1 of 7 PCNs shown, IMD 2025."
    assert shown.locator("#map-0 .pcn path:not(.dim)").count() == 1
    assert shown.locator("#ranking li[data-row]:visible").count() == 1
    assert shown.get_attribute("#legend button[data-class='3']", "aria-pressed") == "true"
    shown.focus("#clear")
    shown.keyboard.press("Enter")
    assert _codes(shown) == IN_ORDER


def test_columns_sort_by_value_both_ways_and_by_keyboard(shown: Page) -> None:
    shown.locator("#figures").get_by_role("button", name="Registered").focus()
    shown.keyboard.press("Enter")
    assert _codes(shown) == ["U00001", "U00003", "U00002", "U00004", "U00005", "U00007", "U00006"]
    shown.keyboard.press("Enter")
    assert _codes(shown)[0] == "U00006"
    assert shown.locator("#figures th[aria-sort='ascending']").count() == 1


def test_the_edition_changes_colours_and_both_stand_side_by_side(shown: Page) -> None:
    newest = _fill(shown, "U00002")
    shown.check("input[name='edition'][value='2019']")
    assert _fill(shown, "U00002") == "#191c54" != newest, "69.95 % is in the top band by IMD 2019"
    shown.check("input[name='edition'][value='both']")
    assert shown.locator(".map-frame:visible").count() == 2
    assert (_fill(shown, "U00002", 0), _fill(shown, "U00002", 1)) == (newest, "#191c54")
    assert shown.inner_text(".map-frame:nth-child(2) .map-title") == "IMD 2019"
    shown.click("[data-zoom='in']")
    assert shown.get_attribute("#map-0", "viewBox") == shown.get_attribute("#map-1", "viewBox")
    brink = shown.locator("#figures tbody tr", has_text="Brink").inner_text().split("\t")
    assert brink[2:5] == ["69.5%", "70.0%", "−0.5"], "1,390 and 1,399 of 2,000"


def test_levels_have_their_own_areas(shown: Page) -> None:
    shown.check("input[name='level'][value='lsoa']")
    assert len(_codes(shown)) == 7
    assert shown.locator("#legend button").count() == 5
    assert shown.locator("#map-0 .lsoa path[data-at]:visible").count() == 7
    assert "40" in shown.evaluate("told(2, '2025').join(' ')"), "a code that rests on several areas says how much is Core20"
    assert shown.inner_text("#h-ranking") == "Registered people by national decile"
    shown.check("input[name='level'][value='practice']")
    assert len(_codes(shown)) == 8
    assert shown.locator("#map-0 .practice circle:visible").count() == 8


def test_an_indicator_shows_everybody_core20_and_the_gap(shown: Page) -> None:
    shown.select_option("#measure", "hypertension_on_target")
    assert shown.inner_text("#h-shown") == "Hypertension treated to threshold, by PCN"
    assert "U00007" in _codes(shown)
    assert shown.inner_text("#legend li:last-child").startswith("Hidden")
    assert _fill(shown, "U00007") == "url(#hatch)"
    assert " 0.0 points since 1 June 2022" in shown.evaluate("told(0, '2025').join(' ')")
    assert "Change since 1 June 2022, points" in shown.locator("#figures thead").inner_text()
    shown.check("input[name='view'][value='gap']")
    assert _codes(shown)[0] == "U00004", "40 % against 65 %: the widest gap comes first"
    first = shown.locator("#figures tbody tr").first.inner_text().split("\t")
    assert first[2] == "−25.0"
    assert first[4:7] == ["40.0%", "65.0%", "250"]
    shown.click("#legend button[data-class='3']")
    assert _codes(shown) == ["U00003"], "there alone Core20 is better"


def test_an_indicator_by_small_area_and_practice_says_what_is_hidden(shown: Page, tmp_path: Path) -> None:
    shown.check("input[name='level'][value='lsoa']")
    shown.select_option("#measure", "hypertension_on_target")
    assert shown.inner_text("#h-shown") == "Hypertension treated to threshold, by small area"
    assert "nothing is shown of 1 of 7 small areas" in shown.inner_text("#note")
    assert shown.get_attribute("#map-0 .lsoa path[data-c=E01000007]", "fill") == "url(#hatch)"
    assert "20 of 200 people" in shown.evaluate("told(0, '2025').join(' ')")
    assert _codes(shown)[0] == "E01000001", "10 %: the fewest come first"
    got = {row["code"]: row for row in _saved(shown, "map", tmp_path)}
    assert (got["E01000003"]["numerator"], got["E01000003"]["percent"], got["E01000007"]["numerator"]) == ("60", "30", "")
    shown.check("input[name='level'][value='practice']")
    assert shown.locator("#map-0 .practice circle[fill='url(#hatch)']").count() == 1
    shown.check("input[name='view'][value='gap']")
    assert "against the rest, by PCN" in shown.inner_text("#h-shown")
    assert shown.locator("input[name='level'][value='lsoa']").is_disabled()
    assert shown.locator("#level-hint:visible").count() == 1


def test_the_slope_follows_indicator_and_area(shown: Page) -> None:
    assert "Choose an indicator" in shown.inner_text("#slope")
    shown.evaluate("() => { data.slopes.of.child_mmr_two_doses = undefined; }")
    shown.select_option("#measure", "child_mmr_two_doses")
    assert "Nothing can be shown of this indicator" in shown.inner_text("#slope")
    shown.select_option("#measure", "hypertension_on_target")
    assert shown.locator("svg.slope circle").count() == 5
    at = shown.evaluate("data.slopes.areas.findIndex((area) => area.code === 'U00002')")
    shown.select_option("#slope-area", str(at))
    assert shown.locator("svg.slope path.line").count() == 1, "a flat line is drawn too"
    at = shown.evaluate("data.slopes.areas.findIndex((area) => area.code === 'U00006')")
    shown.select_option("#slope-area", str(at))
    assert shown.locator("svg.slope circle").count() == 4
    assert shown.locator("svg.slope path.line").count() == 0
    assert "There is no slope" in shown.inner_text("#slope")
    shown.check("input[name='edition'][value='both']")
    assert shown.locator("svg.slope").count() == 2


def test_downloads_are_the_products_figures(shown: Page, tables: dict[str, pa.Table], tmp_path: Path) -> None:
    shown.check("input[name='edition'][value='both']")
    got = _saved(shown, "map", tmp_path)
    told = {(row["imd_edition"], row["code"]): row for row in got}
    for row in tables["products/core20_by_pcn"].to_pylist():
        one = told[row["imd_edition"], row["pcn_code"]]
        assert (int(one["numerator"]), int(one["denominator"]), one["class"]) == (row["q1_count"], row["registered_count"], row["band"])
        assert float(one["percent"]) == pytest.approx(row["core20_percent"], abs=1e-12)
        assert float(one["lower"]) == pytest.approx(row["core20_lower"], abs=1e-4)
    assert told["2025", "U00006"]["name"].startswith("'="), "nothing that a spreadsheet would run"
    shown.select_option("#measure", "smoking_current")
    slope = _saved(shown, "slope", tmp_path)
    assert [(row["quintile"], row["numerator"]) for row in slope if row["imd_edition"] == "2025"] == [
        ("1", "3050"),
        ("2", "3170"),
        ("3", "3290"),
        ("4", "3410"),
        ("5", "3530"),
    ]
    shown.select_option("#measure", "core20")
    shown.check("input[name='level'][value='lsoa']")
    assert sum(int(row["registered_count"]) for row in _saved(shown, "ranking", tmp_path) if row["imd_edition"] == "2019") == 14_634
    assert len(_saved(shown, "table", tmp_path)) == 14


def test_the_map_is_walked_by_keyboard_and_speaks(shown: Page) -> None:
    shown.focus("#clear, #legend button >> nth=0")
    shown.keyboard.press("Tab")
    for _ in range(12):
        if shown.evaluate("document.activeElement.id") == "map-0":
            break
        shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.id") == "map-0"
    said = [shown.inner_text("#spoken")]
    for key in ("ArrowRight", "End", "Home"):
        shown.keyboard.press(key)
        said.append(shown.inner_text("#spoken"))
    assert [line.split(",")[0] for line in said] == ["1. Alpha Town PCN", "2. Brink PCN", "7. Grange PCN", "1. Alpha Town PCN"]
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.tagName") == "TR"


def test_pointing_at_a_shape_tells_its_figures_and_marks_its_row(shown: Page) -> None:
    shown.hover("#map-0 .pcn path[data-c=U00003]")
    assert shown.inner_text("#tip").startswith("Castle View PCN")
    assert "1,485 of 3,000" in shown.inner_text("#tip")
    assert "Castle View" in shown.locator("#figures tr.hot").inner_text()


def test_search_finds_names_and_codes_in_any_case(shown: Page) -> None:
    shown.fill("#search", "castle view")
    assert _codes(shown) == ["U00003"]
    shown.fill("#search", "<script>")
    assert _codes(shown) == ["U00004"]


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_no_width_scrolls_sideways(shown: Page, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 844})
    for choose in ("input[value='lsoa']", "input[value='both']", "input[value='pcn']"):
        shown.check(choose)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.select_option("#measure", "smi_all_six_checks")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_print_shows_the_whole_table_and_no_controls(shown: Page) -> None:
    shown.emulate_media(media="print")
    assert shown.locator(".choices:visible").count() == 0
    assert shown.locator("button[data-download]:visible").count() == 0
    assert len(_codes(shown)) == 7


def test_without_scripts_the_shares_are_there(chromium: Browser, file: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(file.as_uri())
    assert tab.locator("noscript tbody tr").count() == 7
    assert "69.5%" in tab.locator("noscript").inner_text()
    assert tab.locator(".live:visible").count() == 0
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(shown: Page, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    shown.set_viewport_size({"width": width, "height": 1000})

    def serious() -> list[tuple[str, str]]:
        found = axe.run(shown).response["violations"]
        return [(one["id"], node["html"][:120]) for one in found if one["impact"] in {"serious", "critical"} for node in one["nodes"]]

    assert serious() == []
    shown.check("input[name='edition'][value='both']")
    shown.click("#legend button[data-class='0']")
    assert serious() == []
    shown.check("input[name='level'][value='lsoa']")
    assert serious() == []
    shown.select_option("#measure", "hypertension_on_target")
    assert serious() == []
    shown.check("input[name='view'][value='gap']")
    shown.locator("#about").evaluate("(about) => { about.open = true; }")
    assert serious() == []
