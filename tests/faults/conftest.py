"""Fault-injection runs take minutes: they run where they are asked for (`pytest -m faults`), and are left out everywhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from fuller_popheath.publish.release import all_releases, current_release
from fuller_popheath.publish.release_manifest import read_manifest, verify
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.sound_parquet import is_sound
from tests.pipelines.conftest import ROOT, Place, make_place

YESTERDAY, TODAY = date(2026, 8, 1), date(2026, 8, 2)
PEOPLE = 2_500


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "faults" in str(config.getoption("-m")):
        return
    left_out = [item for item in items if item.get_closest_marker("faults")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@dataclass(frozen=True)
class Home:
    """A small place after yesterday's night, with today's files landed; it can be had again as it was."""

    place: Place
    kept: Path

    @property
    def var(self) -> Path:
        return self.place.folder / "var"

    def as_it_was(self) -> None:
        """Yesterday's night is over and today's has not begun."""
        for path in self.var.iterdir():
            path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        shutil.copytree(self.kept, self.var, symlinks=True, dirs_exist_ok=True)

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Today's night in a process group of its own."""
        command = [sys.executable, "-m", "pipelines.night", "--as-of", TODAY.isoformat(), *options]
        told = {**os.environ, **self.place.environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=told, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def run(self, *options: str) -> None:
        """Today's night, which has to be green."""
        ended = self.place.run_night("--as-of", TODAY.isoformat(), *options)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def released(self) -> dict[str, str]:
        """The hash of every file of the current release."""
        told = read_manifest(self.place.products)
        assert told is not None
        return {file["file"]: file["sha256"] for file in told["files"]}

    def assert_whole(self) -> date:
        """Yesterday's release stands or today's is whole; whatever is a release is as it was signed, and no file is half. Returns whose it is."""
        key, releases = signing_key(self.var / "vault").public, self.var / "releases"
        current = current_release(self.place.products)
        assert current is not None and current in all_releases(releases)
        for each in all_releases(releases):
            assert verify(each, key).is_good, verify(each, key).words
        for path in self.files():
            if path.suffix == ".parquet":
                assert is_sound(path), path
            elif path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
        told = read_manifest(current)
        assert told is not None and told["as_of"] in (YESTERDAY.isoformat(), TODAY.isoformat())
        return date.fromisoformat(told["as_of"])

    def files(self) -> Iterator[Path]:
        """Everything that is called a file of ours: not what is being written, and not Dagster's own."""
        for path in self.var.rglob("*"):
            below = path.relative_to(self.var).parts
            if path.is_file() and below[0] not in ("dagster", "logs", "landing") and not any(part.startswith(".") for part in below):
                yield path

    def unfinished(self) -> list[str]:
        """What somebody was writing, Dagster left out."""
        below = [path.relative_to(self.var) for path in self.var.rglob(".*") if path.name != ".night.lock"]
        return [path.as_posix() for path in below if path.parts[0] not in ("dagster", "logs")]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    from fuller_popheath.synthetic import write_landing

    folder = tmp_path_factory.mktemp("faults")
    made = Home(make_place(folder / "place"), folder / "kept")
    for day in (YESTERDAY, TODAY):
        # The same people a day later: every practice and every publisher sends again.
        write_landing(folder / str(day), seed=7, as_of=day, people=PEOPLE, records=True, years=2, workers=1)
    shutil.copytree(folder / str(YESTERDAY), made.place.landing, dirs_exist_ok=True)
    ended = made.place.run_night("--as-of", YESTERDAY.isoformat())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shutil.copytree(folder / str(TODAY), made.place.landing, dirs_exist_ok=True)
    shutil.copytree(made.var, made.kept, symlinks=True)
    return made


@pytest.fixture(scope="session")
def undisturbed(home: Home) -> dict[str, str]:
    """Today's release where nothing happens to the night: the hash of every file."""
    home.as_it_was()
    home.run()
    assert home.assert_whole() == TODAY
    return home.released()
