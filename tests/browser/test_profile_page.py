"""A neighbourhood profile in a real browser: no scripts, no requests, downloads, keyboard, paper and narrow screens; axe finds nothing serious."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.publish.profile import publish_profiles

if TYPE_CHECKING:
    import pyarrow as pa
    from playwright.sync_api import Browser, Page

    from fuller_popheath.specs import Night

pytestmark = pytest.mark.browser

_spec = importlib.util.spec_from_file_location("profile_example", Path(__file__).parents[1] / "publish" / "profile_example.py")
assert _spec is not None
assert _spec.loader is not None
_example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_example)


@pytest.fixture(scope="module")
def folder(
    products: dict[str, pa.Table],
    registered_count: pa.Table,
    neighbourhood_practice: pa.Table,
    lsoa_boundary: pa.Table,
    landing_file: pa.Table,
    night: Night,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    tables = _example.tables(products, registered_count, neighbourhood_practice, lsoa_boundary, landing_file, night)
    made = tmp_path_factory.mktemp("profiles")
    publish_profiles(made, tables, night)
    return made


@pytest.fixture
def shown(chromium: Browser, folder: Path) -> Iterator[Page]:
    """The index opened from a file, and the profile reached from it. Fails the test on any console message or request to the outside."""
    tab = chromium.new_page(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    tab.set_default_timeout(10_000)
    troubles: list[str] = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("request", lambda request: None if request.url.startswith(("file:", "data:text/csv")) else troubles.append(request.url[:200]))
    tab.goto((folder / "neighbourhood_profiles.html").as_uri())
    tab.click("text=Alpha Town PCN")
    yield tab
    tab.close()
    assert troubles == []


def test_every_chapter_is_reached_from_the_contents(shown: Page) -> None:
    assert shown.title() == "Alpha Town PCN: neighbourhood profile"
    for link in shown.locator("#contents a[href^='#']").all():
        target = str(link.get_attribute("href"))
        link.click()
        assert shown.evaluate("(id) => document.querySelector(id).getBoundingClientRect().top < innerHeight", target)


def test_a_figure_is_saved_as_csv(shown: Page, tmp_path: Path) -> None:
    with shown.expect_download() as waiting:
        shown.click("section[aria-labelledby='f-conditions'] a.csv")
    assert waiting.value.suggested_filename == "U00001_conditions_2022-07-01.csv"
    waiting.value.save_as(tmp_path / "got.csv")
    with (tmp_path / "got.csv").open(encoding="utf-8-sig", newline="") as got:
        rows = list(csv.DictReader(got))
    assert [row["people_count"] for row in rows if row["measure"] == "hypertension"] == ["150"]


def test_a_plot_stands_where_its_value_does(shown: Page) -> None:
    places = shown.evaluate(
        """() => {
            const plot = [...document.querySelectorAll("section[aria-labelledby='f-conditions'] .plot")][0];
            const box = plot.getBoundingClientRect();
            const at = (one) => { const b = plot.querySelector(one).getBoundingClientRect(); return (b.left + b.width / 2 - box.left) / box.width; };
            return [at(".here"), at(".whole")];
        }"""
    )
    # On a scale of ratios from 0.4 to 2.5, within 2 and 98 %: 1 stands in the middle, 1.5 at 2 + 96 x log(3.75) / log(6.25).
    assert places == pytest.approx([0.7124, 0.5], abs=0.01)


def test_the_sheet_is_filled_in_by_keyboard(shown: Page) -> None:
    first = shown.locator("input[name='same_day-1']").first
    first.focus()
    shown.keyboard.press("Space")
    shown.keyboard.press("ArrowRight")
    assert shown.locator("input[name='same_day-1']").nth(1).is_checked()
    shown.fill("#w-same_day", "Two ways in")
    assert shown.input_value("#w-same_day") == "Two ways in"


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_no_width_scrolls_sideways(shown: Page, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 844})
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.locator(".plot:visible").count() > 20


def test_paper_has_the_figures_and_no_links_to_files(shown: Page) -> None:
    shown.emulate_media(media="print")
    assert shown.locator("a.csv:visible").count() == 0
    assert shown.locator("table:visible").count() >= 10
    pages = shown.pdf(prefer_css_page_size=True)
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", pages)) <= 12


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(shown: Page, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    shown.set_viewport_size({"width": width, "height": 1000})
    shown.locator("details").evaluate_all("(each) => each.forEach((one) => { one.open = true; })")
    found = axe.run(shown).response["violations"]
    assert [(one["id"], node["html"][:120]) for one in found if one["impact"] in {"serious", "critical"} for node in one["nodes"]] == []
    shown.click("text=All profiles")
    found = axe.run(shown).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
