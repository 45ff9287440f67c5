"""Every neighbourhood's continuity list as files: workbooks for people, CSVs that clinical systems import, Parquet without numbers for programs.

Who is told whom a list means is decided here: people are re-identified for the practice that holds them alone, unless the site has chosen to tell
the whole neighbourhood (NHS England, "Information Governance and Risk Stratification: Advice and Options for CCGs and GPs", June 2013). Folders have
mode 0700 and files 0600. What does not belong here: how a workbook looks (`list_workbook.py`), and moving a release into place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.vault import COLUMNS, DIRECT_CARE, Vault
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.csv_files import write_csv
from fuller_popheath.publish.list_workbook import identified, practice_in_words, write_workbook
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import ContractId, Night

LIST, ACCOUNT = "products/continuity_list", "products/continuity_list_account"
IMPORTED = ("nhs_number", "practice_code", "patient_id", "rank", "reasons", "age_years", "sex", "usual_gp_code", "issue_id")
"""The columns of a CSV with NHS numbers: what a clinical system needs to find people and show why, and no more."""
UNNAMED = ("rank", "practice_code", "practice_name", "reasons", "age_years", "sex", "usual_gp_code", "issue_id")
"""The columns of a CSV without: the row number and the practice stand for the person."""


def publish_lists(folder: Path, tables: Mapping[ContractId, pa.Table], night: Night, vault: Vault) -> tuple[Path, ...]:
    """Write the list of every neighbourhood with people into `folder`, also one with nobody on it, which says why. Returns the files, by name.

    By `identities` of [first_list]: "practice": the neighbourhood's files have no NHS number and no patient id, and beside them lie those of each
    practice with anybody listed, with the numbers of its own people; "neighbourhood": the neighbourhood's files have all of them.
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
        written[name] = list(_files_of(folder, rows, identities, account, night))
    return tuple(sorted(path for paths in written.values() for path in paths))


def file_name(neighbourhood_code: str, night: Night, practice_code: str = "") -> str:
    """The name of a neighbourhood's or practice's files without its ending: neighbourhood, practice and day, and nothing about anybody."""
    codes = (neighbourhood_code, practice_code) if practice_code else (neighbourhood_code,)
    # Only what joins the parts is an underscore, so that a neighbourhood and a practice never have a name in common.
    return "_".join(("continuity_list", *(re.sub(r"[^A-Za-z0-9]+", "-", code) for code in codes), night.as_of.isoformat()))


def _files_of(folder: Path, rows: pa.Table, identities: pa.Table, account: Mapping[str, Any], night: Night) -> Iterator[Path]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    code = account["neighbourhood_code"]
    name = file_name(code, night)
    known = identified(rows, identities)
    if night.site.first_list.identities == "neighbourhood":
        yield write_workbook(folder / f"{name}.xlsx", known, account, night)
        yield _csv(folder / f"{name}.csv", known, IMPORTED)
    else:
        # What has no numbers is made from the rows that never had any: nothing needs to be taken out of it.
        yield write_workbook(folder / f"{name}.xlsx", rows, account, night)
        yield _csv(folder / f"{name}.csv", rows.sort_by("rank"), UNNAMED)
        for practice in sorted(set(known["practice_code"].to_pylist())):
            own = known.filter(pc.equal(known["practice_code"], practice))
            of_practice = file_name(code, night, practice)
            yield write_workbook(folder / f"{of_practice}.xlsx", own, account, night, practice_in_words(own.slice(0, 1).to_pylist()[0]))
            yield _csv(folder / f"{of_practice}.csv", own, IMPORTED)
    yield replace_whole(folder / f"{name}.parquet", lambda path: pq.write_table(rows, path, compression="zstd"), PRIVATE_FILE)


def _csv(path: Path, listed: pa.Table, columns: Sequence[str]) -> Path:
    return replace_whole(path, lambda part: write_csv(listed.select(list(columns)), part), PRIVATE_FILE)
