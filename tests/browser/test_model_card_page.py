"""The model card in a real browser: nothing is refused or fetched, nothing overflows, data can be downloaded, and paper says DEMONSTRATION."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath import registry
from fuller_popheath.publish.model_card import model_card, write
from fuller_popheath.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

_spec = importlib.util.spec_from_file_location("card_example", Path(__file__).parents[1] / "publish" / "card_example.py")
assert _spec is not None
assert _spec.loader is not None
_example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_example)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card of the hand-made example, in a folder."""
    given = _example.example()
    outcome = registry.outcomes()[_example.OUTCOME]
    card = model_card(given.manifest, given.evaluation, given.curves, outcome=outcome, site=Site(), training_population=given.population)
    return write(tmp_path_factory.mktemp("card"), card)


@pytest.fixture
def shown(chromium: Browser, file: Path) -> Iterator[Page]:
    """The card opened from a file. Fails the test on any console message, which a refused style would be, or request to the outside."""
    tab = chromium.new_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    troubles: list[str] = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else troubles.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    tab.close()
    assert troubles == []


def test_the_first_screen_holds_what_matters(shown: Page) -> None:
    assert shown.locator(".demo").bounding_box()["y"] == 0  # type: ignore[index]
    for words in (".glance dd", ".lead", ".checks .verdict.red"):
        box = shown.locator(words).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900, words


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_no_width_overflows(shown: Page, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 900})
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.locator("svg.plotted").count() == 5
    assert all(box["width"] > 250 for one in shown.locator("svg.plotted").all() if (box := one.bounding_box()))


def test_the_data_behind_a_picture_can_be_downloaded(shown: Page, file: Path) -> None:
    with shown.expect_download() as waiting:
        shown.locator("a[download='roc.csv']").click()
    got = Path(waiting.value.path()).read_bytes()
    assert got == (file.parent / "figures" / "roc.csv").read_bytes()


def test_a_table_of_data_opens_by_keyboard(shown: Page) -> None:
    summary = shown.locator("details.data summary").first
    summary.focus()
    shown.keyboard.press("Enter")
    assert shown.locator("details.data table").first.is_visible()


def test_it_prints_on_paper(shown: Page, file: Path) -> None:
    printed = shown.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    shown.emulate_media(media="print")
    assert shown.locator(".contents").is_hidden()
    assert shown.locator(".demo").is_visible()
