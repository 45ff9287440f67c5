"""Whole nights while something around them fails: a locked database, a full or read-only disk, a clock that jumps, a second night.

After each yesterday's release stands or today's is whole, and the next night is as if nothing had been. Run by `make test-faults`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from fuller_popheath.errors import SettingsWrong
from tests.faults.conftest import TODAY, YESTERDAY, Home

pytestmark = pytest.mark.faults

PATIENCE = 400
YEAR = 365 * 86_400
CAN_MOUNT = os.geteuid() == 0 and shutil.which("mount") is not None
needs_mount = pytest.mark.skipif(not CAN_MOUNT, reason="only root can mount a small file system, so a full or read-only disk cannot be made here")


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and all that was said."""
    said, complaints = process.communicate(timeout=PATIENCE)
    return process.returncode, said + complaints


def assert_next_night_is_green(home: Home, undisturbed: Mapping[str, str]) -> None:
    home.run()
    assert home.assert_whole() == TODAY and home.released() == undisturbed
    assert home.unfinished() == []


def wait_for_run(home: Home, process: subprocess.Popen[str], runs: int) -> None:
    """Until the night has begun: its run has a database of its own."""
    until = time.monotonic() + PATIENCE
    while len(list((home.var / "dagster").rglob("runs/*.db"))) < runs and process.poll() is None and time.monotonic() < until:
        time.sleep(0.2)


@contextmanager
def locked(databases: list[Path]) -> Iterator[None]:
    """Hold databases, as a backup or a hung process does: nobody else writes, nor reads where they are not in WAL mode."""
    with ExitStack() as held:
        for database in databases:
            connection = held.enter_context(closing(sqlite3.connect(database, timeout=60, isolation_level=None)))
            connection.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("seconds", [3, 60])
def test_a_database_that_is_locked(home: Home, undisturbed: Mapping[str, str], seconds: int) -> None:
    home.as_it_was()
    runs = len(list((home.var / "dagster").rglob("runs/*.db")))
    process = home.start()
    wait_for_run(home, process, runs + 1)
    time.sleep(4)
    with locked(list((home.var / "dagster").rglob("*.db"))):
        time.sleep(seconds)
    code, said = end_of(process)
    day = home.assert_whole()
    if seconds == 3:
        assert (code, day) == (0, TODAY), said
    assert (code == 0) == (day == TODAY), said
    assert_next_night_is_green(home, undisturbed)


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    subprocess.run(["mount", *options, str(folder)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def remount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", "-o", ",".join(("remount", *options)), str(folder)], check=True, capture_output=True)


@needs_mount
@pytest.mark.parametrize("room", [1, 6, 14], ids=lambda room: f"{room} MB left")
def test_a_disk_that_is_full_before_the_night_is_over(home: Home, undisturbed: Mapping[str, str], room: int) -> None:
    used = sum(path.stat().st_blocks * 512 for path in home.kept.rglob("*") if path.is_file())
    with mounted(home.var, "-t", "tmpfs", "-o", f"size={used + (room << 20)}", "tmpfs"):
        home.as_it_was()
        before = home.released()
        code, said = end_of(home.start())
        assert code != 0, said
        assert home.assert_whole() == YESTERDAY and home.released() == before
        remount(home.var, "size=1g")
        assert_next_night_is_green(home, undisturbed)
    home.as_it_was()


@needs_mount
def test_a_store_that_may_only_be_read(home: Home, undisturbed: Mapping[str, str]) -> None:
    home.as_it_was()
    store = home.var / "store"
    with mounted(store, "--bind", str(store)):
        remount(store, "bind", "ro")
        code, said = end_of(home.start())
        assert code == SettingsWrong.exit_code and "nothing can be written to the store's folder (Read-only file system)" in said, said
        assert home.assert_whole() == YESTERDAY
    assert_next_night_is_green(home, undisturbed)


@pytest.fixture(scope="module")
def moved_clock(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A library that moves a process's clock, and the file that says by how much."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("there is no C compiler, so a process cannot be given another clock")
    folder = tmp_path_factory.mktemp("clock")
    source = Path(__file__).with_name("moved_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(folder / "moved.so"), str(source), "-ldl"], check=True)
    return folder / "moved.so", folder / "seconds"


def set_clock(path: Path, seconds: int) -> None:
    """In place: the process looks at this very file."""
    if not path.is_file():
        path.write_bytes(struct.pack("q", 0))
    with path.open("r+b") as file:
        file.write(struct.pack("q", seconds))


@pytest.mark.parametrize(
    ("first", "then"), [(YEAR, 0), (0, -YEAR), (0, YEAR)], ids=["ahead, then right", "back in the middle", "ahead in the middle"]
)
def test_a_clock_that_jumps(home: Home, undisturbed: Mapping[str, str], moved_clock: tuple[Path, Path], first: int, then: int) -> None:
    home.as_it_was()
    library, seconds = moved_clock
    set_clock(seconds, first)
    runs = len(list((home.var / "dagster").rglob("runs/*.db")))
    process = home.start(LD_PRELOAD=str(library), MOVED_CLOCK=str(seconds))
    wait_for_run(home, process, runs + 1)
    time.sleep(8)
    set_clock(seconds, then)
    code, said = end_of(process)
    day = home.assert_whole()
    assert (code == 0) == (day == TODAY), said
    assert_next_night_is_green(home, undisturbed)


def test_a_clock_that_is_behind_the_files_makes_no_night_of_them(home: Home, undisturbed: Mapping[str, str], moved_clock: tuple[Path, Path]) -> None:
    home.as_it_was()
    library, seconds = moved_clock
    set_clock(seconds, -30 * YEAR)
    told = {**os.environ, **home.place.environment, "PYTHONPATH": str(Path.cwd()), "LD_PRELOAD": str(library), "MOVED_CLOCK": str(seconds)}
    ended = subprocess.run([sys.executable, "-m", "pipelines.night"], env=told, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == SettingsWrong.exit_code, ended.stdout + ended.stderr
    assert f"the newest extract date in the landing folder, {TODAY}, has not come yet" in " ".join(ended.stdout.split())
    assert home.assert_whole() == YESTERDAY
    assert_next_night_is_green(home, undisturbed)


def test_two_nights_at_once(home: Home, undisturbed: Mapping[str, str]) -> None:
    home.as_it_was()
    told = [end_of(process) for process in [home.start(), home.start()]]
    assert sorted(code for code, _ in told) == [0, SettingsWrong.exit_code], told
    assert any("another night is still running in this store" in said for _, said in told)
    assert home.assert_whole() == TODAY and home.released() == undisturbed
    assert_next_night_is_green(home, undisturbed)
