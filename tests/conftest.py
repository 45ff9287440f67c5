"""What every test may ask for: the published open data, the project's own settings, what is made once for all test processes; and their order."""

from __future__ import annotations

import fcntl
import os
import shutil

# Several test processes share the machine: a numerical library that takes every core in each of them waits more than it works. Set before any loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.pipelines.conftest import SoundNight

# The same cases in every run, and no test that fails because the machine is busy.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parents[1]
OPEN_DATA = ROOT.parent / "shared" / "data" / "open"
SYNTHETIC_DATA = ROOT.parent / "shared" / "data" / "synthetic"
SMALL: Any = {"seed": 11, "as_of": date(2026, 8, 1), "people": 2_500, "records": True, "years": 2}
"""The make-believe place that whole nights are tried on where its size does not matter."""
Once = Callable[[str, Callable[[Path], object]], Path]
"""`once(name, make)`: the folder of this name, which `make` filled for whichever test process asked first."""

LONGEST = (
    "pipelines/test_night.py",
    "pipelines/test_risk_assets.py",
    "browser/test_dagster_page.py",
    "contracts/test_nothing_lost.py",
    "contracts/test_rules.py",
    "pipelines/test_adding.py",
    "pipelines/test_supplier_night.py",
    "pipelines/test_lists_alone.py",
    "cli/test_core20_command.py",
    "cli/test_refresh.py",
    "pipelines/test_releasing.py",
    "contracts/test_by_value.py",
    "security/test_after_a_night.py",
    "security/test_door_of_the_page.py",
    "catalogue/test_no_look_ahead.py",
    "risk/test_training.py",
    "notebooks/test_notebooks.py",
    "people/test_forgetting.py",
    "people/test_key_rotation.py",
    "publish/test_delivery.py",
    "synthetic/test_records.py",
    "synthetic/test_omop_round_trip.py",
    "pipelines/test_days.py",
    "browser/test_atlas_of_real_files.py",
    "place/test_england.py",
)
"""The files that take longest, longest first: begun last, one of them would keep one process busy while the other has nothing left to do."""


def pytest_configure(config: pytest.Config) -> None:
    """xdist would begin with the files of most tests, which are not those that take longest."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others as they are."""
    places = {f"tests/{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def open_data() -> Path:
    if not OPEN_DATA.is_dir():
        pytest.skip("the published open data is not beside this checkout (../shared/data/open), so nothing real can be compared")
    return OPEN_DATA


@pytest.fixture(scope="session")
def synthetic_data() -> Path:
    if not SYNTHETIC_DATA.is_dir():
        pytest.skip("other people's synthetic data is not beside this checkout (../shared/data/synthetic), so their files cannot be read")
    return SYNTHETIC_DATA


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own FULLER_* and DAGSTER_* variables never reach a test."""
    for name in ("FULLER_SITE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What several test files need and none changes is made once, whichever test process comes first; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"

    def folder_of(name: str, make: Callable[[Path], object]) -> Path:
        folder, is_made = shared / name, shared / f"{name}.made"
        shared.mkdir(exist_ok=True)
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_made.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                is_made.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def small_landing(once: Once) -> Path:
    """The landing folder of 2,500 make-believe people and two years of their records, of 1 August 2026; copy it, do not change it."""

    def make(folder: Path) -> None:
        from fuller_popheath.synthetic import write_landing

        write_landing(folder / "landing", **SMALL, workers=1)

    return once("small", make) / "landing"


@pytest.fixture(scope="session")
def sound_night(once: Once, small_landing: Path) -> SoundNight:
    """One whole night for every test that needs one behind it. Only pipelines/test_night.py goes on in its place; the others copy what was kept."""
    from tests.pipelines.conftest import make_sound_night

    return make_sound_night(once, small_landing)
