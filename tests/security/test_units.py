"""The systemd units: systemd itself finds nothing wrong with them, and each may do no more than it needs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.security.conftest import DEPLOY, ROOT

UNITS = sorted((DEPLOY / "systemd").glob("*"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]
MOST_EXPOSED = 2.0
"""Of 10, as systemd-analyze counts; a unit without any hardening has 9.6."""


def here(folder: Path) -> Path:
    """The units with the project in place of /opt/fuller, so that what they start is there."""
    for path in UNITS:
        (folder / path.name).write_text(path.read_text(encoding="utf-8").replace("/opt/fuller", str(ROOT)), encoding="utf-8")
    return folder


@pytest.fixture
def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    if not found:
        pytest.skip("no systemd-analyze here, so the units cannot be verified (Debian: apt-get install systemd)")
    return found


def test_systemd_finds_nothing_wrong(systemd_analyze: str, tmp_path: Path) -> None:
    paths = [str(path) for path in sorted(here(tmp_path).iterdir())]
    ended = subprocess.run([systemd_analyze, "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_a_unit_may_do_little(systemd_analyze: str, unit: Path) -> None:
    ended = subprocess.run([systemd_analyze, "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True, check=False)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", ended.stdout)
    assert level, ended.stdout + ended.stderr
    assert float(level[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_only_what_reads_people_sees_them(unit: Path) -> None:
    """The page and the daemon answer questions; the code, the night and the scan are what opens the store."""
    text = unit.read_text(encoding="utf-8")
    assert "User=fuller\n" in text and "UMask=0077\n" in text and "IPAddressDeny=any\n" in text
    assert "KEY" not in text.upper().replace("/KEYS", ""), "a secret has no place in a unit, which everybody can read"
    works_with_people = unit.name in ("fuller-code.service", "fuller-night.service", "fuller-scan.service")
    hidden = set(re.findall(r"-(/\S+)", "\n".join(re.findall(r"^InaccessiblePaths=.*$", text, re.MULTILINE))))
    wanted = {f"/srv/fuller/{name}" for name in ("landing", "quarantine", "vault", "store", "releases", "models")} | {"/etc/fuller/keys"}
    assert hidden == (set() if works_with_people else wanted)


def test_an_installations_dagster_differs_from_the_checkouts_in_places_and_in_who_asked() -> None:
    ours, deployed = ((yaml.safe_load((folder / "dagster.yaml").read_text(encoding="utf-8"))) for folder in (ROOT, DEPLOY))
    assert deployed.pop("run_coordinator")["module"] == "pipelines.requested_by"
    assert json.loads(json.dumps(deployed).replace("/srv/fuller/", "var/").replace("/srv/fuller", "var")) == ours


def test_webservers_listen_on_the_loopback_and_the_readers_one_is_read_only() -> None:
    commands = {path.name: path.read_text(encoding="utf-8") for path in SERVICES if "dagster-webserver" in path.read_text(encoding="utf-8")}
    assert len(commands) == 2 and all("--host 127.0.0.1 " in text for text in commands.values())
    assert [name for name, text in commands.items() if "--read-only" in text] == ["fuller-webserver-readonly.service"]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-12-24"])
def test_the_timer_names_a_moment_that_each_day_has_once(systemd_analyze: str, day: str) -> None:
    """The clocks change at 01:00 UTC: of the hours of a British day, one from 01:00 is missing in March and twice there in October."""
    (when,) = re.findall(r"^OnCalendar=(.+)$", (DEPLOY / "systemd" / "fuller-night.timer").read_text(encoding="utf-8"), re.MULTILINE)
    command = [systemd_analyze, "calendar", "--base-time", f"{day} 00:00 UTC", "--iterations", "2", when]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}).stdout
    moments = re.findall(r"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d UTC", told)
    assert moments[0] == day and moments[1] > day
