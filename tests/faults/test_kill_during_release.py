"""A release that is killed at any point: yesterday's stands or today's is whole, and the next one succeeds. Run by `make test-faults`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from fuller_popheath.publish.release import Part, all_releases, current_release, release
from fuller_popheath.publish.release_manifest import Statement, read_manifest, verify
from fuller_popheath.publish.release_signature import signing_key

pytestmark = pytest.mark.faults

KILLS, KEEP, FIRST = 70, 3, date(2026, 8, 1)
FILES = 24
RELEASE = """
import sys
from datetime import date
from pathlib import Path
from tests.faults.test_kill_during_release import publish
folder, day = Path(sys.argv[1]), date.fromisoformat(sys.argv[2])
print("ready", flush=True)
publish(folder, day)
"""


def publish(folder: Path, day: date) -> None:
    """Files that change every day, and as many that never do and so are links; of every purpose."""
    parts = [
        Part(purpose, f"{kind}{at}.csv", lambda path, at=at, kind=kind: path.write_text(content(day if kind == "daily" else FIRST, at)))
        for at in range(FILES // 2)
        for purpose, kind in (("direct_care" if at % 3 else "open", "daily"), ("secondary_use", "same"))
    ]
    key = signing_key(folder / "vault")
    release(folder / "products", folder / "releases", Statement(day, "run"), parts, key, KEEP)


def content(day: date, at: int) -> str:
    return f"{day} {at}\n" * 5_000


def killed(folder: Path, day: date, after: float | None) -> bool:
    """Start a release in a process of its own and kill it after so many seconds (None: not at all); whether that came before its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", RELEASE, str(folder), day.isoformat()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if after is not None:
        time.sleep(after)
    was_running = process.poll() is None and after is not None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL)
    _, complaints = process.communicate()
    assert was_running or process.returncode == 0, complaints
    return process.returncode == -signal.SIGKILL


def seconds_of(folder: Path, day: date) -> float:
    """How long a release takes in a process of its own, once that is ready."""
    (folder / "clock").write_text("")
    assert not killed(folder, day, after=None)
    manifest = folder / "products" / "manifest.json"
    return manifest.stat().st_mtime - (folder / "clock").stat().st_mtime


def assert_whole(folder: Path, days: tuple[date, ...]) -> date:
    """Whatever is called a release is one, as it was signed, and the pointer stands on one of these days. Returns which."""
    key = signing_key(folder / "vault").public
    current = current_release(folder / "products")
    assert current is not None and current in all_releases(folder / "releases")
    for each in all_releases(folder / "releases"):
        assert verify(each, key).is_good, verify(each, key).words
    told = read_manifest(current)
    assert told is not None and len(told["files"]) == FILES
    day = date.fromisoformat(told["as_of"])
    assert day in days
    assert (current / "open" / "daily0.csv").read_text() == content(day, 0)
    assert {path.name for path in (folder / "releases").iterdir() if not path.name.startswith(".")} == {
        "public_key.pem",
        *(each.name for each in all_releases(folder / "releases")),
    }
    return day


def test_a_release_that_is_killed_leaves_yesterdays_or_is_whole(tmp_path: Path) -> None:
    for number in range(KEEP + 1):
        publish(tmp_path, FIRST + timedelta(days=number))
    chance, yesterday = np.random.default_rng(70), FIRST + timedelta(days=KEEP + 1)
    takes = seconds_of(tmp_path, yesterday)
    stopped = moved = 0
    for _ in range(KILLS):
        today = yesterday + timedelta(days=1)
        stopped += killed(tmp_path, today, float(chance.uniform(0, takes)))
        moved += assert_whole(tmp_path, (yesterday, today)) == today
        yesterday = today + timedelta(days=1)
        publish(tmp_path, yesterday)
        assert assert_whole(tmp_path, (yesterday,)) == yesterday
        # The kill may have left one release beside those that are kept until then; now nothing of it is left.
        assert len(all_releases(tmp_path / "releases")) == KEEP
        assert not [path.name for path in tmp_path.rglob(".*")]
    assert stopped >= KILLS // 2, f"only {stopped} of {KILLS} were killed while they ran"
    assert moved >= KILLS // 10, f"only {moved} of {KILLS} had moved the pointer when they were killed"
