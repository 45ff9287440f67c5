"""Small tables about a few people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2024, 7, 1)
USUAL: Mapping[str, Mapping[str, Any]] = {
    "core/registration": {
        "practice_code": "A00001",
        "extract_date": DAY,
        "is_linked": True,
        "date_of_birth": date(1950, 1, 1),
        "sex": "female",
        "registration_start_date": date(2015, 4, 1),
        "registration_type": "regular",
        "is_sensitive": False,
    },
    "core/person": {
        "practice_code": "A00001",
        "pcn_code": "U00001",
        "neighbourhood_code": "U00001",
        "date_of_birth": date(1950, 1, 1),
        "age_years": 74,
        "sex": "female",
        "registration_start_date": date(2015, 4, 1),
        "registration_type": "regular",
        "is_linked": True,
        "is_temporary": False,
        "is_sensitive": False,
        "extract_date": DAY,
        "extract_age_days": 0,
        "is_from_later_extract": False,
        "settled_by": "only_registration",
    },
    "core/neighbourhood_practice": {
        "practice_name": "A PRACTICE",
        "pcn_code": "U00001",
        "pcn_name": "NORTH PCN",
        "neighbourhood_code": "U00001",
        "neighbourhood_name": "NORTH PCN",
        "place_code": "00Q",
        "membership_snapshot": "2024-07-01",
        "membership_source": "epcn",
    },
    "core/area_deprivation": {"imd_rank": 1.0, "share": 1.0, "derivation": "published", "change_code": "U"},
    "core/practice_extract": {
        "contract_id": "inbound/practice_list",
        "practice_code": "A00001",
        "state": "new",
        "extract_date": DAY,
        "age_days": 0,
        **dict.fromkeys(("rows_read", "rows_accepted", "rows_in_use"), 1),
        "rows_quarantined": 0,
    },
    "core/registered_count": {"practice_code": "A00001", "practice_name": "A PRACTICE", "lsoa_code": "E01000001", "registrations_extract": DAY},
    "core/objection": {"objection": "type_1", "state": "dissent", "recorded_date": date(2024, 1, 1)},
    "core/coded_objection": {"state": "dissent", "recorded_date": date(2024, 1, 1)},
}


def pseudonym(name: str) -> str:
    """A person id from a short name."""
    return name.ljust(12, "a")


def a_table(contract_id: str, /, *rows: Mapping[str, Any], **same: Any) -> pa.Table:
    """Rows of a contract from what matters to the test; a short person_id is filled up."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    full = [{"as_of": DAY, **USUAL.get(contract_id, {}), **same, **row} for row in rows]
    for row in full:
        if "person_id" in row:
            row["person_id"] = pseudonym(row["person_id"])
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema}), contract)


@pytest.fixture(scope="session")
def table() -> Callable[..., pa.Table]:
    return a_table


@pytest.fixture(scope="session")
def night() -> Callable[..., Night]:
    return lambda **sections: Night(as_of=DAY, site=Site(**sections))


def columns(table: pa.Table, *names: str) -> Sequence[tuple[Any, ...]]:
    """Some columns as rows."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., Sequence[tuple[Any, ...]]]:
    return columns
