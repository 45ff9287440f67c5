"""The Core20 page in a real browser: it sorts, filters, switches, downloads, works by keyboard, and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pyarrow as pa
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def shown(chromium: Browser, page: str, tmp_path: Path) -> Iterator[Page]:
    """The page opened from a file. Fails the test on any script error, console message or request to the outside."""
    file = tmp_path / "core20.html"
    file.write_text(page, encoding="utf-8")
    tab = chromium.new_page(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    troubles: list[str] = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: None if request.url.startswith(("file:", "blob:")) else troubles.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    tab.close()
    assert troubles == []


def _codes(tab: Page) -> list[str]:
    """The PCNs that the table shows, in its order."""
    return tab.evaluate("[...document.querySelectorAll('table.pcns tbody tr')].filter(r => r.offsetParent).map(r => r.dataset.c)")


IN_ORDER = ["U00001", "U00002", "U00003", "U00005", "U00004", "U00006", "U00007"]


def test_it_opens_with_the_newest_edition_and_all_pcns(shown: Page) -> None:
    assert shown.locator("input[value='2025']").is_checked()
    assert _codes(shown) == IN_ORDER
    assert shown.inner_text("#status") == "7 PCNs by IMD 2025."
    assert shown.locator(".headline:visible").count() == 1


def test_every_column_sorts_both_ways(shown: Page) -> None:
    headings = shown.locator("table.pcns:visible thead th")
    assert headings.count() == 12
    for place in range(headings.count()):
        heading = headings.nth(place)
        heading.locator("button").click()
        first = heading.get_attribute("aria-sort")
        up_or_down = _codes(shown)
        heading.locator("button").click()
        assert {first, heading.get_attribute("aria-sort")} == {"ascending", "descending"}
        assert shown.locator("table.pcns:visible th[aria-sort]").count() == 1
        distinct = len(set(shown.locator(f"table.pcns:visible tbody tr > :nth-child({place + 1})").all_inner_texts()))
        assert sorted(_codes(shown)) == sorted(IN_ORDER)
        assert distinct == 1 or _codes(shown) != up_or_down


def test_sorting_uses_values_not_their_text_and_works_by_keyboard(shown: Page) -> None:
    button = shown.locator("#table").get_by_role("button", name="Registered")
    button.focus()
    shown.keyboard.press("Enter")
    assert _codes(shown) == ["U00001", "U00003", "U00002", "U00004", "U00005", "U00007", "U00006"]
    shown.keyboard.press("Enter")
    assert _codes(shown)[0] == "U00006"


def test_a_band_filters_table_map_and_ranking(shown: Page) -> None:
    shown.click("ul.ed-2025 button[data-band='2']")
    assert _codes(shown) == []
    shown.click("ul.ed-2025 button[data-band='3']")
    assert _codes(shown) == ["U00003"]
    assert shown.inner_text("#status") == "1 of 7 PCNs by IMD 2025 shown."
    assert shown.locator("ul.ed-2025 button[aria-pressed='true']").count() == 2
    assert shown.locator("path.pcn:not(.dim)").count() == 1
    assert shown.locator(".ed-2025 .ranked li[data-c]:not(.dim)").count() == 1
    shown.click("#clear")
    assert _codes(shown) == IN_ORDER


def test_the_switch_changes_figures_colours_and_filtered_rows(shown: Page) -> None:
    def fill(code: str) -> str:
        return str(shown.evaluate(f"getComputedStyle(document.querySelector('path[data-c={code}]')).fill"))

    before = fill("U00002")
    shown.click("ul.ed-2025 button[data-band='0']")
    assert _codes(shown) == ["U00001"]
    shown.check("input[value='2019']")
    assert _codes(shown) == ["U00001", "U00002"], "69.95 % is in the top band by IMD 2019"
    assert fill("U00002") == "rgb(25, 28, 84)" != before
    assert "70.0%" in str(shown.get_attribute("path[data-c=U00002]", "aria-label"))
    assert shown.locator(".headline:visible dt").first.inner_text() == "Share in Core20, IMD 2019"


def test_search_finds_names_and_codes_in_any_case(shown: Page) -> None:
    shown.fill("#search", "castle view")
    assert _codes(shown) == ["U00003"]
    shown.fill("#search", "u00006")
    assert _codes(shown) == ["U00006"]
    shown.fill("#search", "<script>")
    assert _codes(shown) == ["U00004"]
    shown.fill("#search", "nowhere")
    assert _codes(shown) == []


def test_the_download_is_the_product(shown: Page, products: dict[str, pa.Table], tmp_path: Path) -> None:
    import csv

    with shown.expect_download() as waiting:
        shown.click("[data-download='by_pcn']")
    assert waiting.value.suggested_filename == "core20_by_pcn_2022-07-01.csv"
    waiting.value.save_as(tmp_path / "got.csv")
    with (tmp_path / "got.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert [(row["imd_edition"], row["pcn_code"], int(row["q1_count"]), float(row["core20_percent"])) for row in read] == [
        (row["imd_edition"], row["pcn_code"], row["q1_count"], row["core20_percent"]) for row in products["by_pcn"].to_pylist()
    ]


def test_pointing_at_a_shape_tells_its_figures_and_marks_its_row(shown: Page) -> None:
    shown.hover("path[data-c=U00003]")
    assert shown.inner_text("#tip").startswith("3. Castle View PCN")
    assert "49.5% in Core20" in shown.inner_text("#tip")
    assert shown.locator("table.pcns:visible tr.hot").get_attribute("data-c") == "U00003"
    shown.click("path[data-c=U00003]")
    assert shown.evaluate("document.activeElement.dataset.c") == "U00003"


def test_the_map_is_walked_by_arrow_keys_in_the_order_of_shares(shown: Page) -> None:
    shown.focus("path.pcn[tabindex='0']")
    seen = []
    for key in ("ArrowRight", "ArrowDown", "End", "Home", "ArrowLeft"):
        shown.keyboard.press(key)
        seen.append(shown.evaluate("document.activeElement.dataset.c"))
    assert seen == ["U00002", "U00003", "U00007", "U00001", "U00007"]
    assert shown.inner_text("#tip").startswith("7. Grange PCN")
    assert shown.locator("path.pcn[tabindex='0']").count() == 1
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.tagName") == "TR"


def test_the_map_is_enlarged_and_moved(shown: Page) -> None:
    whole = shown.get_attribute("#map", "viewBox")
    shown.click("[data-zoom='in']")
    near = shown.get_attribute("#map", "viewBox")
    assert near != whole
    box = shown.locator("#map").bounding_box()
    assert box is not None
    shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.mouse.down()
    shown.mouse.move(box["x"] + box["width"] / 2 - 60, box["y"] + box["height"] / 2, steps=4)
    shown.mouse.up()
    assert shown.get_attribute("#map", "viewBox") not in {whole, near}
    assert shown.evaluate("document.activeElement.tagName") != "TR", "dragging is no click"
    shown.click("[data-zoom='all']")
    assert [float(n) for n in str(shown.get_attribute("#map", "viewBox")).split()] == [float(n) for n in str(whole).split()]


def test_a_telephone_needs_no_sideways_scrolling_of_the_page(shown: Page) -> None:
    shown.set_viewport_size({"width": 390, "height": 844})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.locator("#h-table").is_visible()


def test_print_shows_the_whole_table_and_no_buttons(shown: Page) -> None:
    shown.emulate_media(media="print")
    assert shown.locator(".controls:visible").count() == 0
    assert len(_codes(shown)) == 7
    assert shown.locator("path.pcn:visible").count() == 6


def test_without_scripts_the_figures_are_all_there(chromium: Browser, page: str, tmp_path: Path) -> None:
    file = tmp_path / "core20.html"
    file.write_text(page, encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(file.as_uri())
    assert tab.locator("table.pcns:visible tbody tr").count() == 7
    assert tab.locator("noscript").inner_text().startswith("Scripts are off")
    assert tab.locator(".controls:visible").count() == 0
    context.close()
