"""A place of a test's own: settings, landing folder, store and Dagster instance below a temporary folder, so that nothing is shared."""

from __future__ import annotations

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

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("landing", "store", "quarantine", "products", "vault", "spill", "models")


@dataclass(frozen=True)
class Place:
    """The folders of one test, and how to run a night in them."""

    folder: Path

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
        return {"FULLER_SITE": str(self.folder / "site.toml"), "DAGSTER_HOME": str(self.folder), "HOME": str(self.folder / "home")}

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


def make_place(folder: Path) -> Place:
    """Write the settings of a place: the project's own dagster.yaml, with its folders moved below `folder`."""
    place = Place(folder)
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


AS_OF = date(2026, 8, 1)
PEOPLE = 6_000


@pytest.fixture(scope="session")
def make_believe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small make-believe landing folder; copy it, do not change it."""
    from fuller_popheath.synthetic import write_landing

    folder = tmp_path_factory.mktemp("make_believe")
    write_landing(folder, seed=7, as_of=AS_OF, people=PEOPLE, records=True, years=2, workers=1)
    return folder


@pytest.fixture
def landed(place: Place, make_believe: Path) -> Place:
    """A place whose landing folder is the make-believe one."""
    shutil.copytree(make_believe, place.landing, dirs_exist_ok=True)
    return place
