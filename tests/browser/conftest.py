"""A real Chromium, where there is one, and the page of the make-believe report that tests/publish makes."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# the fixtures of the small report, so that both folders look at the same page
_spec = importlib.util.spec_from_file_location("small_report", Path(__file__).parents[1] / "publish" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_small_report = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_small_report)
for _name in ("night", "neighbourhood_practice", "registered_count", "lsoa_boundary", "products", "shapes", "landing_file", "page"):
    globals()[_name] = getattr(_small_report, _name)

# nothing that would ask the network for anything
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", *QUIET]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or the one that FULLER_CHROMIUM names; the test is skipped where there is none.

    For a module, not for the session: Playwright keeps an event loop open, and Dagster runs of later tests in the same process stumble over it.
    """
    path = os.environ.get("FULLER_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium here: install the package chromium, or name one in FULLER_CHROMIUM, to try the pages in a browser")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed, so no page can be clicked")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
