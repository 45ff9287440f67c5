"""One make-believe place of the default size, drawn once; one small one on disk; one ICS with records on disk; and one simulated as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from fuller_popheath.arrival.door import Taken, take_extracts
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.arrival.files import survey
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.site import Site
from fuller_popheath.synthetic import SyntheticSummary, write_landing
from fuller_popheath.synthetic.people import make_people
from fuller_popheath.synthetic.place import Place, make_place
from fuller_popheath.synthetic.simulation.calibrating import whole_place
from fuller_popheath.synthetic.simulation.cohort import Cohort, form_cohort
from fuller_popheath.synthetic.simulation.conditions import History, live_with_conditions
from fuller_popheath.synthetic.simulation.practice import PracticeTables, simulate_practice

SEED = 1
AS_OF = date(2026, 8, 1)
KEY = PseudonymKey(b"a key of the tests, long enough")


@dataclass(frozen=True)
class Simulated:
    """40,000 people as if on one list: who they are, their conditions, and the tables of their records."""

    cohort: Cohort
    history: History
    tables: PracticeTables


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


@pytest.fixture(scope="session")
def ics(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SyntheticSummary]:
    """A place of 8,000 people with four years of records, as CSV. Read only."""
    folder = tmp_path_factory.mktemp("ics") / "landing"
    return folder, write_landing(folder, seed=SEED, as_of=AS_OF, people=8_000, records=True)


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    job = whole_place(40_000, SEED, AS_OF)
    cohort = form_cohort(job)
    return Simulated(cohort, live_with_conditions(cohort), simulate_practice(job))


def through_the_door(folder: Path, inbound: str, base: Path, as_of: date = AS_OF) -> Taken:
    """Take one inbound table of a landing folder through the door into a store below `base`."""
    return take_extracts(inbound, survey(folder), as_of, Site(), ExtractStore(base / "store"), base / "vault", base / "quarantine", None, {}, KEY)
