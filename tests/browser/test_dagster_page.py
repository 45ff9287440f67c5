"""Dagster's own page with the real webserver and daemon: what an analyst does there on a first evening, click by click.

One place and one server for the module; the tests are steps of one visit and run in their order.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dagster_page")]

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 8, 1)
SLOTS = 9
PATIENCE = 300
"""Seconds until a run must have ended: a night of this small place takes half a minute where nothing else runs."""

# the places that whole nights are tried in
_spec = importlib.util.spec_from_file_location("places_of_nights", ROOT / "tests" / "pipelines" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_places = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _places
_spec.loader.exec_module(_places)


@dataclass(frozen=True)
class Served:
    """A place, and where its page is."""

    place: Any
    url: str

    def table(self, contract_id: str) -> Any:
        return pq.read_table(self.place.store / contract_id / f"as_of={DAY}" / "part.parquet")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, small_landing: Path) -> Iterator[Served]:
    """A make-believe place with one file that nobody can read anything from, and webserver and daemon on it as `make ui` starts them."""
    place = _places.make_place(tmp_path_factory.mktemp("page") / "place")
    shutil.copytree(small_landing, place.landing, dirs_exist_ok=True)
    (place.landing / "diary.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT), "DAGSTER_REDACT_USER_CODE_ERRORS": "1"}
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "--host", "127.0.0.1", "--port", str(port)]
    with (place.folder / "server.log").open("w") as log:
        running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(f"http://127.0.0.1:{port}/server_info")
            yield Served(place, f"http://127.0.0.1:{port}")
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(timeout=60)


def _wait_for(url: str) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < until, f"nothing answers at {url}"
            time.sleep(1)


@pytest.fixture(scope="module")
def tab(chromium: Browser, served: Served) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(60_000)
    yield page
    page.close()


def _newest_run_ends_well(tab: Page, served: Served, job: str, runs: int) -> None:
    """Wait on the page of runs, as a person would, until there are so many and the newest, of this job, says Success."""
    tab.goto(f"{served.url}/runs")
    until = time.monotonic() + PATIENCE
    while (told := tab.inner_text("body")).count("Success") < runs:
        assert not {"Failure", "Canceled"} & set(told.split()), told
        assert time.monotonic() < until, told
        tab.wait_for_timeout(1_000)
    newest = told[: told.index("Success")]
    assert newest.rstrip().splitlines()[-2].strip() == job


def test_the_graph_shows_every_group_of_the_night(tab: Page, served: Served) -> None:
    tab.goto(f"{served.url}/asset-groups")
    for group in ("arrival", "reference", "place", "people", "features", "risk", "cohorts", "products", "lists", "releases"):
        tab.get_by_text(group, exact=True).first.wait_for()


def test_all_is_materialised_from_the_page_of_the_job(tab: Page, served: Served) -> None:
    tab.goto(f"{served.url}/locations/fuller/jobs/nightly")
    tab.get_by_role("button", name="Materialize all").click()
    tab.get_by_role("button", name="Confirm").click()  # of models, of which there are none yet
    tab.get_by_text("Launched run").or_(tab.get_by_text("View").last).first.wait_for()
    _newest_run_ends_well(tab, served, "nightly", 1)
    assert served.table("products/core20_by_pcn").num_rows > 0


def test_the_core20_asset_has_its_map(tab: Page, served: Served) -> None:
    tab.goto(f"{served.url}/assets/products/core20_by_pcn")
    tab.locator("tr", has_text="Map, IMD 2025").get_by_text("[Show Markdown]").click()
    picture = tab.get_by_role("dialog").locator("img").first
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 600


def test_a_failed_check_says_what_failed(tab: Page, served: Served) -> None:
    tab.goto(f"{served.url}/assets/core/landing_file?view=checks&checkDetail=files_recognised")
    tab.get_by_text("files_recognised").first.click()
    tab.get_by_text("1 not used: diary.csv").first.wait_for()


def test_a_team_gets_other_places_from_the_launchpad(tab: Page, served: Served) -> None:
    before = served.table("products/cohort_list_account").sort_by("team_id").to_pylist()
    chosen = next(row for row in before if row["listed_count"] > SLOTS > row["reserve_count"])
    team = chosen["team_id"]
    tab.goto(f"{served.url}/locations/fuller/jobs/team_lists")
    tab.get_by_role("button", name="Materialize all").locator("xpath=following::button[1]").click()
    tab.get_by_text("Open launchpad").click()
    _replace_in_launchpad(tab, "slots: 0", f"slots: {SLOTS}")
    _replace_in_launchpad(tab, "teams: []", f"teams: [{team}]")
    tab.get_by_text("No errors").wait_for()
    tab.locator("button").filter(has_text=re.compile("^Materialize$")).last.click()
    _newest_run_ends_well(tab, served, "team_lists", 2)
    listed = served.table("products/cohort_list")
    newest = pc.filter(listed, pc.and_(pc.equal(listed["team_id"], team), pc.equal(listed["state"], "listed")))
    assert newest.num_rows == SLOTS - chosen["reserve_count"]
    others = [row for row in served.table("products/cohort_list_account").sort_by("team_id").to_pylist() if row["team_id"] != team]
    assert others == [row for row in before if row["team_id"] != team]


def _replace_in_launchpad(tab: Page, old: str, new: str) -> None:
    """Click behind a line of the configuration, take its value away and type another, by mouse and keyboard."""
    name, _, value = old.partition(": ")
    tab.locator(".CodeMirror-line", has_text=old).first.click()
    tab.keyboard.press("End")
    for _ in value:
        tab.keyboard.press("Backspace")
    tab.keyboard.insert_text(new.removeprefix(f"{name}: "))
    tab.locator(".CodeMirror-line", has_text=new).first.wait_for()
