"""Small tables from a few words, and the real England of 1 July 2022 where the published files are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.contracts import conform, empty_table, load_contract, refuse_if_broken
from fuller_popheath.registry import tables
from fuller_popheath.site import Geography, Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2022, 7, 1)
Tables = dict[str, "pa.Table"]

REGISTRATIONS = "gp-reg-pat-prac-lsoa-all_2022-07.zip"
EPCN = "ePCN_2022-04-27.xlsx"
EPCN_LATER = "ePCN_2023-01-26.xlsx"
REAL_FILES = {
    "reference/practice_lsoa_count": REGISTRATIONS,
    "reference/pcn_membership": EPCN,
    "reference/practice_map": "gp-reg-pat-prac-map_2022-01.csv",
    "reference/imd_2019": "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_RECONSTRUCTED.zip",
    "reference/imd_2025": "File_7_IoD2025_All_Ranks_Scores_Deciles_RECONSTRUCTED.zip",
    "reference/lsoa_2011_2021": "LSOA_(2011)_to_LSOA_(2021)_to_Local_Authority_District_(2022)_Lookup_for_England_and_Wales.csv.gz",
}


def a_night(icb: str = "", **geography: Any) -> Night:
    return Night(as_of=DAY, site=Site(geography=Geography(icb=icb, **geography)))


def a_table(contract_id: str, rows: Sequence[Mapping[str, Any]], **same: Any) -> pa.Table:
    """Rows of a contract from what matters to the test; `same` for every row, as_of is DAY, everything else is empty."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    full = [{"as_of": DAY, **same, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema}), contract)


def made_from(arrived: Mapping[str, pa.Table], wanted: Sequence[str], night: Night) -> Tables:
    """Build `wanted` and what it rests on, each checked against its contract; what did not arrive is empty."""
    made = dict(arrived)

    def get(contract_id: str) -> pa.Table:
        if contract_id not in made:
            spec = tables().get(contract_id)
            if spec is None:
                made[contract_id] = empty_table(load_contract(contract_id))
            else:
                built = spec.build({needed: get(needed) for needed in spec.inputs}, night)
                made[contract_id] = refuse_if_broken(built, load_contract(contract_id))
        return made[contract_id]

    for contract_id in wanted:
        get(contract_id)
    return made


@pytest.fixture(scope="session")
def night() -> Callable[..., Night]:
    return a_night


@pytest.fixture(scope="session")
def table() -> Callable[..., pa.Table]:
    return a_table


@pytest.fixture(scope="session")
def build() -> Callable[..., Tables]:
    return made_from


@pytest.fixture(scope="session")
def read_real(open_data: Path) -> Callable[[str, str], pa.Table]:
    """A published file as the contract's table; no row of these files breaks its contract."""
    from fuller_popheath.arrival.reading import read_file

    def read(contract_id: str, name: str) -> pa.Table:
        arrived = read_file(open_data / name, contract_id)
        assert arrived.rows_quarantined == 0
        return arrived.table

    return read


@pytest.fixture(scope="session")
def real_files(read_real: Callable[[str, str], pa.Table]) -> Tables:
    return {contract_id: read_real(contract_id, name) for contract_id, name in REAL_FILES.items()}


@pytest.fixture(scope="session")
def england(real_files: Tables) -> Tables:
    """Every table of place and every product for all of England, both editions, as at 1 July 2022."""
    return made_from(real_files, [contract_id for contract_id in tables() if contract_id != "core/listed_count"], a_night())


@pytest.fixture(scope="session")
def lancashire(real_files: Tables, england: Tables) -> Tables:
    """The same for Lancashire and South Cumbria (QE1) alone."""
    kept = {**real_files, **{name: england[name] for name in ("core/registered_count", "core/area_deprivation")}}
    return made_from(kept, [contract_id for contract_id in tables() if contract_id != "core/listed_count"], a_night("QE1"))
