"""Every neighbourhood's continuity list as files: a workbook for people, a CSV that clinical systems import, Parquet without numbers for programs.

Folders have mode 0700 and files 0600. What does not belong here: how a workbook looks (`list_workbook.py`), and moving a release into place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.vault import COLUMNS, DIRECT_CARE, Vault
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.csv_files import write_csv
from fuller_popheath.publish.list_workbook import identified, write_workbook
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import ContractId, Night

LIST, ACCOUNT = "products/continuity_list", "products/continuity_list_account"
IMPORTED = ("nhs_number", "practice_code", "patient_id", "rank", "reasons", "age_years", "sex", "usual_gp_code", "issue_id")
"""The columns of the CSV: what a clinical system needs to find people and show why, and no more."""


def publish_lists(folder: Path, tables: Mapping[ContractId, pa.Table], night: Night, vault: Vault) -> tuple[Path, ...]:
    """Write the list of every neighbourhood with people into `folder`, also one with nobody on it, which says why. Returns the files, by name.

    `tables`: products/continuity_list and products/continuity_list_account of the night. Raises ContractBroken where the vault does not know
    somebody who is listed, or two neighbourhoods would have files of one name.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    listed, accounts = tables[LIST], tables[ACCOUNT].to_pylist()
    if sum(account["listed_count"] for account in accounts) != listed.num_rows:
        raise ContractBroken(f"{LIST} has {listed.num_rows} people, and its account another number: make both again from one night")
    identities = pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
    if listed.num_rows:
        identities = vault.reidentify(listed["person_id"], DIRECT_CARE, night.as_of)
    make_folder(folder, PRIVATE_FOLDER)
    written: dict[str, list[Path]] = {}
    for account in accounts:
        code = account["neighbourhood_code"]
        if code == NO_PCN or not account["registered_count"]:
            continue
        name = file_name(code, night)
        if name in written:
            raise ContractBroken(f"{LIST}: two neighbourhoods would have files of one name; give them codes that differ in letters or digits")
        rows = listed.filter(pc.equal(listed["neighbourhood_code"], code))
        written[name] = list(_files_of(folder, name, rows, identities, account, night))
    return tuple(sorted(path for paths in written.values() for path in paths))


def file_name(neighbourhood_code: str, night: Night) -> str:
    """The name of a neighbourhood's files without its ending: neighbourhood and day, and nothing about anybody."""
    return f"continuity_list_{re.sub(r'[^A-Za-z0-9]+', '-', neighbourhood_code)}_{night.as_of.isoformat()}"


def _files_of(folder: Path, name: str, rows: pa.Table, identities: pa.Table, account: Mapping[str, Any], night: Night) -> Iterator[Path]:
    import pyarrow.parquet as pq

    yield write_workbook(folder / f"{name}.xlsx", rows, identities, account, night)
    imported = identified(rows, identities).select(list(IMPORTED))
    yield replace_whole(folder / f"{name}.csv", lambda path: write_csv(imported, path), PRIVATE_FILE)
    yield replace_whole(folder / f"{name}.parquet", lambda path: pq.write_table(rows, path, compression="zstd"), PRIVATE_FILE)
