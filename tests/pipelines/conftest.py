"""A place of a test's own: settings, landing folder, store and Dagster instance below a temporary folder, so that nothing is shared."""

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

import dagster as dg
import pytest

from fuller_popheath.people.pseudonyms import KEY_VARIABLE
from tests.conftest import SMALL, Once

ROOT = Path(__file__).resolve().parents[2]
AS_OF: date = SMALL["as_of"]
FOLDERS = ("landing", "store", "quarantine", "products", "vault", "spill", "models")


@dataclass(frozen=True)
class Place:
    """The folders of one test, and how to run a night in them."""

    folder: Path
    key: str = ""
    """A secret of the place's own, as real people need; without one the people are make-believe."""

    @property
    def landing(self) -> Path:
        return self.folder / "var" / "landing"

    @property
    def store(self) -> Path:
        return self.folder / "var" / "store"

    @property
    def products(self) -> Path:
        return self.folder / "var" / "products"

    @property
    def environment(self) -> dict[str, str]:
        of_its_own = {KEY_VARIABLE: self.key} if self.key else {}
        return {"FULLER_SITE": str(self.folder / "site.toml"), "DAGSTER_HOME": str(self.folder), "HOME": str(self.folder / "home"), **of_its_own}

    def run_night(self, *options: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """One night in a process of its own, as `make run` starts it."""
        command = [sys.executable, "-m", "pipelines.night", *options]
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(root), "COLUMNS": "200"}
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)

    def stored_bytes(self) -> Iterator[tuple[Path, bytes]]:
        """Everything that is kept outside landing, quarantine, vault and the files of direct care, file by file."""
        for path in sorted((self.folder / "var").rglob("*")):
            if path.is_file() and not is_private(path.relative_to(self.folder / "var")):
                yield path, path.read_bytes()


def is_private(below: Path) -> bool:
    """Whether a file below var/ may hold a person's number: as it was sent, in quarantine, in the vault, and on a list for direct care."""
    parts = below.parts
    return parts[0] in ("landing", "quarantine", "vault") or "direct_care" in parts or parts[:2] == ("store", "lists")


def make_place(folder: Path, key: str = "") -> Place:
    """Write the settings of a place: the project's own dagster.yaml, with its folders moved below `folder`."""
    place = Place(folder, key)
    place.landing.mkdir(parents=True)
    folders = "\n".join(f'{name} = "{folder / "var" / name}"' for name in FOLDERS)
    (folder / "site.toml").write_text(f"[folders]\n{folders}\n", encoding="utf-8")
    instance = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    assert "base_dir: var/" in instance
    (folder / "dagster.yaml").write_text(instance.replace("base_dir: var/", f"base_dir: {folder}/var/"), encoding="utf-8")
    return place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = make_place(tmp_path / "place")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def instance(place: Place) -> Iterator[dg.DagsterInstance]:
    """A real instance with its storage on disk."""
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture(scope="session")
def make_believe(small_landing: Path) -> Path:
    """A small make-believe landing folder; copy it, do not change it."""
    return small_landing


@pytest.fixture
def landed(place: Place, make_believe: Path) -> Place:
    """A place whose landing folder is the make-believe one."""
    shutil.copytree(make_believe, place.landing, dirs_exist_ok=True)
    return place


@dataclass(frozen=True)
class SoundNight:
    """A place after one sound night, which real people could have had, and how that night ended. `kept` is a copy of it, and nobody's to change."""

    place: Place
    kept: Place
    ended: subprocess.CompletedProcess[str]


SOUND_KEY = "one two three four five six seven"


def make_sound_night(once: Once, small_landing: Path) -> SoundNight:
    """The night of the fixture `sound_night`, run once for all test processes."""

    def run(folder: Path) -> None:
        place = make_place(folder / "place", SOUND_KEY)
        shutil.copytree(small_landing, place.landing, dirs_exist_ok=True)
        ended = place.run_night()
        copy_place(place, folder / "kept")
        (folder / "ended.json").write_text(json.dumps(vars(ended)), encoding="utf-8")

    folder = once("sound_night", run)
    ended = subprocess.CompletedProcess(**json.loads((folder / "ended.json").read_text(encoding="utf-8")))
    return SoundNight(Place(folder / "place", SOUND_KEY), Place(folder / "kept", SOUND_KEY), ended)


def copy_place(place: Place, folder: Path) -> Place:
    """A place as it is, with its settings moved. Its landing folder is another, so that no older file of the place it was copied from stands in."""
    shutil.copytree(place.folder, folder, symlinks=True)
    for name in ("site.toml", "dagster.yaml"):
        settings = folder / name
        settings.write_text(settings.read_text(encoding="utf-8").replace(str(place.folder), str(folder)), encoding="utf-8")
    return Place(folder, place.key)


@pytest.fixture
def after_a_night(sound_night: SoundNight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place of the test's own as a sound night left it, without its release, which was made from another landing folder."""
    assert sound_night.ended.returncode == 0, sound_night.ended.stdout + sound_night.ended.stderr
    place = copy_place(sound_night.kept, tmp_path / "place")
    place.products.unlink()
    shutil.rmtree(place.folder / "var" / "releases")
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return place
