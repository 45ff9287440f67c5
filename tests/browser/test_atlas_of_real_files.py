"""The atlas of Lancashire and South Cumbria from published files and real boundaries, in a real browser, by both editions and at both widths."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.atlas_command import from_files
from fuller_popheath.publish.atlas import publish_atlas
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.open_data]
FILES = (
    (("reference/practice_lsoa_count",), ("gp-reg-pat-prac-lsoa-all_2022-07.zip",)),
    (("reference/imd_2019", "reference/imd_2025"), ("File_1_-_IMD2019_*.xlsx", "File_1_IoD2025_*.xlsx")),
    (("reference/pcn_membership", "reference/practice_map"), ("ePCN_2022-04-27.xlsx", "gp-reg-pat-prac-map_2022-01.csv")),
    (("reference/lsoa_2011_2021",), ("LSOA_(2011)_to_LSOA_(2021)_*.csv.gz",)),
    (("reference/lsoa_boundary",), ("lsoa21_QE1.geojson",)),
)
DAY, MOST_BYTES = date(2022, 7, 1), 6_000_000


@pytest.fixture(scope="module")
def file(open_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    site = Site()
    site = site.model_copy(update={"geography": site.geography.model_copy(update={"icb": "QE1"})})
    given = tuple((contracts, tuple(next(open_data.glob(name)) for name in names)) for contracts, names in FILES)
    tables = from_files(given, DAY, site, folder, lambda _: None)
    return publish_atlas(folder, tables, Night(DAY, site))[0]


@pytest.fixture(params=[1440, 390])
def shown(request: pytest.FixtureRequest, chromium: Browser, file: Path) -> Iterator[Page]:
    """The atlas at one width. Fails the test on any script error, console message or request to the outside."""
    tab = chromium.new_page(viewport={"width": request.param, "height": 1000})
    troubles: list[str] = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda asked: None if asked.url.startswith("file:") else troubles.append(asked.url))
    tab.goto(file.as_uri())
    yield tab
    tab.close()
    assert troubles == []


def test_it_is_light_and_has_both_editions_by_pcn_and_small_area(shown: Page, file: Path) -> None:
    """Figures: 556,212 of 1,818,958 people by IMD 2019 in 41 PCNs and 200 practices (the published registrations of July 2022)."""
    assert file.stat().st_size < MOST_BYTES
    told = shown.inner_text(".headline")
    assert "556,212 of 1,818,958 people" in told
    assert "200 practices in PCNs" in told
    assert shown.locator("#figures tbody tr").count() == 41
    assert shown.locator("#map-0 .pcn path[data-at]").count() == 41
    shown.check("input[name='edition'][value='both']")
    assert shown.locator(".map-frame:visible").count() == 2
    shown.check("input[name='level'][value='lsoa']")
    drawn = shown.locator("#map-0 .lsoa path[data-at]").count()
    assert drawn == shown.locator("#figures tbody tr").count()
    assert 1_000 < drawn <= 1_060
    of_quintile = [shown.locator(f"#map-{place} .lsoa path[fill='#191c54']").count() for place in (0, 1)]
    assert all(200 < count < 400 for count in of_quintile), "about 30 % of its small areas are in Core20, by either edition"
    assert shown.evaluate("document.documentElement.scrollWidth") <= (shown.viewport_size or {"width": 0})["width"]
