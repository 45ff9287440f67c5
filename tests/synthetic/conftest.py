"""One make-believe place of the default size, drawn once, and one small one written to disk."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from fuller_popheath.synthetic import SyntheticSummary, write_landing
from fuller_popheath.synthetic.people import make_people
from fuller_popheath.synthetic.place import Place, make_place

SEED = 1
AS_OF = date(2026, 8, 1)


@pytest.fixture(scope="session")
def place() -> Place:
    return make_place(SEED, AS_OF)


@pytest.fixture(scope="session")
def people(place: Place) -> pa.Table:
    return make_people(place, SEED, AS_OF)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SyntheticSummary]:
    """A place of 12,000 people in a folder. Read only: a test that breaks something copies it first."""
    folder = tmp_path_factory.mktemp("landing")
    return folder, write_landing(folder, seed=SEED, as_of=AS_OF, people=12_000)
