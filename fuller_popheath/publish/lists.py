"""Every team's list as files: workbooks for people, CSVs that clinical systems import, Parquet without numbers for programs.

Who is told whom a list means is decided here: people are re-identified for the practice that holds them alone, unless the site has chosen to tell
the whole team (NHS England, "Information Governance and Risk Stratification: Advice and Options for CCGs and GPs", June 2013), and the audit log
has it before the first file is there. Folders have mode 0700 and files 0600. What does not belong here: how a workbook looks, and moving a release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.audit_log import Disclosure, RunAudit
from fuller_popheath.people.vault import COLUMNS, DIRECT_CARE, Vault
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.csv_files import write_csv
from fuller_popheath.publish.list_columns import LISTED, NUMBER, RECORD, practice_in_words
from fuller_popheath.publish.list_identities import ACCOUNT, LIST, identified, may_be_named, named_in, refuse_other_people
from fuller_popheath.publish.list_workbook import ListBook, write_workbook
from fuller_popheath.publish.workbook_password import Passwords, passwords
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import ContractId, Night

CHANGE, PRACTICE = "core/list_change", "core/neighbourhood_practice"
INPUTS: tuple[ContractId, ...] = (LIST, ACCOUNT, CHANGE, PRACTICE)
"""The tables that files of lists are made from."""
SHOWN = ("row_reference", "rank", "reasons", "age_years", "sex", "usual_gp_code", "issue_id", "team_id")
IMPORTED = ("nhs_number", "practice_code", "patient_id", *SHOWN)
"""The columns of a CSV with NHS numbers: what a clinical system needs to find people and show why, and no more."""
UNNAMED = ("practice_code", "practice_name", *SHOWN)
"""The columns of a CSV without: the row reference and the practice stand for the person."""
XLSX, CSV, PARQUET = "xlsx", "csv", "parquet"


@dataclass(frozen=True)
class _Recipient:
    """One team or practice and what it is told: `told`, the columns of its CSV, and whom its files name."""

    name: str
    told: ListBook
    csv: tuple[str, ...]
    code: str
    named: tuple[str, ...] = field(default=(), repr=False)


def publish_lists(
    folder: Path, tables: Mapping[ContractId, pa.Table], night: Night, vault: Vault, audit: RunAudit, environment: Mapping[str, str]
) -> tuple[Path, ...]:
    """Write the list of every team with people into `folder`, also one with nobody on it, which says why. Returns the files, by name.

    By `identities` of [lists]: "practice": the team's files have no NHS number and no patient id, and beside them lie those of each practice with
    anybody on the list, with the numbers of its own people; "neighbourhood": the team's files have all of them. Where the folder is not
    access-controlled, every workbook is encrypted with its team's password (`environment`, or the site's file), and nothing else is written: a CSV or
    Parquet file cannot be. `tables`: INPUTS of the night. Raises ContractBroken where a list has other people than its team's own, the vault does not
    know somebody who is listed, two teams would have files of one name, or the audit log is broken; SettingsWrong for passwords.
    """
    listed, accounts = tables[LIST], tables[ACCOUNT].to_pylist()
    places = tables[PRACTICE].select(["practice_code", "neighbourhood_code"]).to_pylist()
    # Where no file says which practice belongs where, the site's own map does.
    neighbourhoods = {place["practice_code"]: place["neighbourhood_code"] for place in places} | dict(night.site.geography.neighbourhood_of_practice)
    refuse_other_people(listed, accounts, neighbourhoods)
    teams = [account for account in accounts if account["neighbourhood_code"] != NO_PCN and account["registered_count"]]
    if _rows_of(listed, *teams) != listed.num_rows:
        raise ContractBroken(f"{LIST} has rows of a team without people; make the lists again")
    secrets = passwords(night.site, environment, (account["team_id"] for account in teams))
    recipients = list(_recipients(tables, teams, _identities(listed, night, vault), night))
    _refuse_one_name([recipient.name for recipient in recipients])
    kinds = (XLSX,) if secrets else (XLSX, CSV)
    make_folder(folder, PRIVATE_FOLDER)
    audit.record([_disclosure(recipient, kinds) for recipient in recipients if recipient.named])
    return tuple(sorted(path for recipient in recipients for path in _files_of(folder, recipient, kinds, secrets)))


def file_name(issue_id: str, team_id: str, night: Night, practice_code: str = "") -> str:
    """The name of a team's or practice's files without its ending: issue, team, practice and day, and nothing about anybody.

    The day is in it so that what a team has written into its copy is not written over by the next night's.
    """
    codes = (issue_id, team_id, practice_code) if practice_code else (issue_id, team_id)
    # Only what joins the parts is an underscore, so that a team and a practice never have a name in common.
    return "_".join((*(re.sub(r"[^A-Za-z0-9]+", "-", code) for code in codes), night.as_of.isoformat()))


def _rows_of(listed: pa.Table, *teams: Mapping[str, Any]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    return int(pc.sum(pc.is_in(listed["team_id"], value_set=pa.array([team["team_id"] for team in teams], pa.string()))).as_py() or 0)


def _identities(listed: pa.Table, night: Night, vault: Vault) -> pa.Table:
    import pyarrow as pa

    if not listed.num_rows:
        return pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
    return vault.reidentify(may_be_named(listed)["person_id"], DIRECT_CARE, night.as_of)


def _recipients(
    tables: Mapping[ContractId, pa.Table], teams: Sequence[Mapping[str, Any]], identities: pa.Table, night: Night
) -> Iterator[_Recipient]:
    """Who gets files: each team, and each practice of it with anybody on the list unless the team itself is told who they are."""
    import pyarrow.compute as pc

    for account in teams:
        issue, team = account["issue_id"], account["team_id"]
        rows, changes = (_of(tables[name], issue, team) for name in (LIST, CHANGE))
        known, name = identified(rows, identities), file_name(issue, team, night)
        if night.site.lists.identities == "neighbourhood":
            yield _Recipient(name, ListBook(account, known, changes, night), IMPORTED, team, named_in(known))
            continue
        # What has no numbers is made from the rows that never had any: nothing needs to be taken out of it.
        yield _Recipient(name, ListBook(account, rows, changes, night), UNNAMED, team)
        for practice in sorted(set(known["practice_code"].to_pylist())):
            own, moves = (table.filter(pc.equal(table["practice_code"], practice)) for table in (known, changes))
            told = ListBook(account, own, moves, night, practice_in_words(own.slice(0, 1).to_pylist()[0]))
            yield _Recipient(file_name(issue, team, night, practice), told, IMPORTED, practice, named_in(own))


def _of(table: pa.Table, issue_id: str, team_id: str) -> pa.Table:
    import pyarrow.compute as pc

    return table.filter(pc.and_(pc.equal(table["issue_id"], issue_id), pc.equal(table["team_id"], team_id)))


def _refuse_one_name(names: Sequence[str]) -> None:
    if len({name.casefold() for name in names}) < len(names):
        raise ContractBroken(f"{LIST}: two teams would have files of one name; give them codes that differ in letters or digits")


def _disclosure(recipient: _Recipient, kinds: Sequence[str]) -> Disclosure:
    account = recipient.told.account
    files = tuple(f"{recipient.name}.{kind}" for kind in sorted(kinds))
    return Disclosure(DIRECT_CARE, account["issue_id"], account["team_id"], recipient.code, files, recipient.named)


def _files_of(folder: Path, recipient: _Recipient, kinds: Sequence[str], secrets: Passwords | None) -> Iterator[Path]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    told, team = recipient.told, recipient.told.account["team_id"]
    password = secrets.find(team, recipient.code) if secrets else ""
    yield write_workbook(folder / f"{recipient.name}.{XLSX}", told, password)
    if CSV not in kinds:
        return
    still = told.rows.filter(pc.equal(told.rows["state"], LISTED)).sort_by("rank").select(list(recipient.csv))
    yield replace_whole(folder / f"{recipient.name}.{CSV}", lambda part: write_csv(still, part), PRIVATE_FILE)
    if recipient.code == team:
        plain = may_be_named(told.rows).drop_columns([name for name in (NUMBER, RECORD) if name in told.rows.column_names])
        yield replace_whole(folder / f"{recipient.name}.{PARQUET}", lambda part: pq.write_table(plain, part, compression="zstd"), PRIVATE_FILE)
