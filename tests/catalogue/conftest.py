"""Small core tables from a few words, run through the feature store as every night does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.engine import Engine
from fuller_popheath.feature_store import build_fact, build_feature
from fuller_popheath.site import Continuity, Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 8, 1)
PRACTICE = "P81001"
FILLED_IN = {"practice_code": PRACTICE, "provider_code": "RXN", "code_system": "synthetic", "settled_by": "only_registration", "sex": "female"}
Rows = Sequence[Mapping[str, Any]]


def a_person(number: int) -> str:
    """The person_id of a number: 0 is aaaaaaaaaaaa, 1 aaaaaaaaaaab."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(letters[number >> shift & 31] for shift in range(55, -1, -5))


def days_before(days: int) -> date:
    return DAY - timedelta(days=days)


def a_night(**continuity: Any) -> Night:
    return Night(as_of=DAY, site=Site(continuity=Continuity(**continuity)))


def a_table(contract_id: str, rows: Rows) -> pa.Table:
    """Rows of a core table from what matters: `person` is a number; what is required and not given is something that fits."""
    import pyarrow as pa

    contract = load_contract(contract_id)

    def cell(row: Mapping[str, Any], name: str) -> Any:
        if name in row:
            return row[name]
        column = contract.column(name)
        if name == "person_id":
            return a_person(row["person"])
        if name == "recorded_date":
            return row[contract.known_by[0]]
        if not column.required:
            return None
        fitting = {"date": days_before(2000), "boolean": False, "integer": column.minimum or 0, "number": 0.0}
        return FILLED_IN.get(name) or (column.allowed or (fitting.get(column.logical_type, "x"),))[0]

    full = [{"as_of": DAY, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([cell(row, f.name) for row in full], f.type) for f in contract.schema}), contract)


def people(count: int, **same: Any) -> pa.Table:
    """core/person with this many people, numbered from 0."""
    return a_table("core/person", [{"person": number, **same} for number in range(count)])


def build_one(contract_id: str, tables: Mapping[str, pa.Table], night: Night) -> pa.Table:
    """A fact or feature group; what it rests on and is not given is built too, or empty. Refuses what breaks its contract."""
    spec: Any = registry.features().get(contract_id) or registry.facts()[contract_id]
    sources = dict(tables)
    for name in spec.inputs:
        if name not in sources:
            known = name in registry.facts() or name in registry.features()
            sources[name] = build_one(name, tables, night) if known else a_table(name, [])
    with Engine.duckdb() as engine:
        made = (build_feature if contract_id in registry.features() else build_fact)(spec, engine, sources, night)
    return refuse_if_broken(made, load_contract(contract_id))


@pytest.fixture(scope="session")
def core_table() -> Callable[[str, Rows], pa.Table]:
    return a_table


@pytest.fixture(scope="session")
def persons() -> Callable[..., pa.Table]:
    return people


@pytest.fixture(scope="session")
def night() -> Callable[..., Night]:
    return a_night


@pytest.fixture(scope="session")
def ago() -> Callable[[int], date]:
    """The day so many days before the night's."""
    return days_before


@pytest.fixture(scope="session")
def build() -> Callable[[str, Mapping[str, pa.Table], Night], pa.Table]:
    return build_one
