"""Which earlier table a trend is told against: the first of the newest earlier month that has rows, because that one left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.site import Site
from fuller_popheath.specs import Night
from pipelines.release_days import released_before
from pipelines.stores import Store, prove


@dataclass(frozen=True)
class Tonight:
    """What is asked of a night here."""

    as_of: date
    store: Store
    night: Night


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made, contract = Store(tmp_path / "store", tmp_path / "products"), load_contract("core/person_plus")
    for day, rows in ((date(2026, 5, 3), 1), (date(2026, 6, 1), 0), (date(2026, 6, 2), 1), (date(2026, 6, 9), 1), (date(2026, 7, 1), 1)):
        row = {"as_of": day, "person_id": "a" * 12, "plus_group": "carer", "membership": "yes"}
        table = conform(pa.Table.from_pylist([row] * rows, schema=contract.schema), contract)
        made.write(prove(table, contract), day, tmp_path)
    return made


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (date(2026, 7, 30), date(2026, 6, 2)),
        (date(2026, 6, 30), date(2026, 5, 3)),
        (date(2027, 1, 1), date(2026, 7, 1)),
        (date(2026, 5, 31), None),
    ],
)
def test_it_is_the_first_with_rows_of_the_newest_earlier_month(store: Store, as_of: date, expected: date | None) -> None:
    found = released_before(Tonight(as_of, store, Night(as_of, Site())), "core/person_plus")  # type: ignore[arg-type]
    assert (found["as_of"][0].as_py() if found is not None else None) == expected
