"""What every test may ask for: the published open data where it is there, and settings that are the project's own."""

from __future__ import annotations

import os

# Several test processes share the machine: a numerical library that takes every core in each of them waits more than it works. Set before any loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPEN_DATA = ROOT.parent / "shared" / "data" / "open"
SYNTHETIC_DATA = ROOT.parent / "shared" / "data" / "synthetic"


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
