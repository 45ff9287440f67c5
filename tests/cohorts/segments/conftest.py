"""A small ICS for needs, segments and gaps: tables of people as a test describes them, by any column of any input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath import graph
from fuller_popheath.catalogue.products import continuity_gap_by_pcn, segment_count
from fuller_popheath.cohorts import continuity_gap, continuity_need, segment, segment_of_practice
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 8, 1)
USUAL: dict[str, Any] = {
    "practice_code": "A00001",
    "pcn_code": "U00001",
    "neighbourhood_code": "U00001",
    "place_code": "00Q",
    "age_years": 40,
    "sex": "female",
    "imd_2019_quintile": 3,
    "imd_2025_quintile": 3,
    "registration_start_date": date(2010, 1, 1),
    "date_of_birth": date(1986, 1, 1),
    "registration_type": "regular",
    "extract_date": DAY,
    "type_1_reason": "no_record",
}
SCORE = {"outcome": "emergency_admission_12m", "age_group": "adult", "is_demonstration": True, "log_odds": 0.0, "risk_rank": 1}
MODULES = (continuity_need, segment, continuity_gap, segment_of_practice, segment_count, continuity_gap_by_pcn)
OF_PEOPLE = ("core/person", "core/person_objection")


def a_table(contract_id: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of a contract; of what is not said, required numbers are 0, required marks false, and everything else is empty."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    nothing = {c.name: {"integer": 0, "number": 0.0, "boolean": False}.get(c.logical_type) if c.required else None for c in contract.columns}
    full = [{**nothing, "as_of": DAY, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row[f.name] for row in full], f.type) for f in contract.schema}), contract)


def inputs_of(people: Sequence[Mapping[str, Any]], practices: Sequence[Mapping[str, Any]] = ()) -> dict[str, pa.Table]:
    """Every input of everything here. A person: `name`, and any column; `risk` and `band` make a score, `plus` lists PLUS groups."""
    rows = [{**USUAL, **person, "person_id": person["name"].ljust(12, "a")} for person in people]
    wanted = {name for module in MODULES for name in module.TABLE.inputs if name.startswith("features/")} | set(OF_PEOPLE)
    made = {name: a_table(name, rows) for name in sorted(wanted)}
    scored = [{**SCORE, **row, "probability": row["risk"], "band": row.get("band", "low")} for row in rows if "risk" in row]
    made["risk/score"] = a_table("risk/score", scored)
    plus = [{**row, "plus_group": group, "membership": "yes"} for row in rows for group in row.get("plus", ())]
    made["core/person_plus"] = a_table("core/person_plus", plus)
    given = practices or [{"practice_code": "A00001", "pcn_code": "U00001", "pcn_name": "NORTH", "icb_code": "QE1"}]
    made["core/neighbourhood_practice"] = a_table("core/neighbourhood_practice", given)
    return made


@pytest.fixture(scope="session")
def table() -> Callable[..., pa.Table]:
    return a_table


@pytest.fixture(scope="session")
def inputs() -> Callable[..., dict[str, pa.Table]]:
    return inputs_of


@pytest.fixture(scope="session")
def make() -> Callable[..., dict[str, pa.Table]]:
    """Inputs and tables of people: `wanted` and all that it is made from, each held against its contract; further words are settings."""

    def made_of(people: Sequence[Mapping[str, Any]], *wanted: str, practices: Sequence[Mapping[str, Any]] = (), **site: Any) -> dict[str, pa.Table]:
        night = Night(as_of=DAY, site=Site(**site))
        tables, specs = inputs_of(people, practices), {module.CONTRACT: module.TABLE for module in MODULES}
        for name in graph.order(specs, wanted):
            built = specs[name].build({needed: tables[needed] for needed in specs[name].inputs}, night)
            tables[name] = refuse_if_broken(built, load_contract(name))
        return tables

    return made_of
