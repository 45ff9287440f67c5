"""Forgetting somebody: out of every snapshot, extract, list, quarantine and of the vault, so that nothing that is made from now on knows of them.

What was counted stays counted: figures of areas that somebody was part of do not name them. A model that has been trained keeps no row; the next
training reads a store without them. Rows of extracts that go are told apart in the extract's account, so that none is lost unseen. A forgetting that
was interrupted is gone on with by the next: who is meant lies in the vault until it is done. What does not belong here: releases
(`publish/remade_releases.py`), and what landing folders and recipients hold.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.people.audit_log import AuditLog
from fuller_popheath.people.person_rows import PERSON, ROW, People, change_csv, change_parquet
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.people.suppressed import Suppressed
from fuller_popheath.people.vault import COLUMNS, IDENTITY
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

UNDER_WAY = "forgetting.json"
FORGOTTEN = "forgotten"
"""What an extract's account calls the rows that were taken out."""
LISTS, ACCOUNT = "products/cohort_list", "products/cohort_list_account"
PART, PARTS, EXTRACTS, EXTRACT_FOLDER = "part.parquet", "parts.json", "extracts.json", "extracts"


@dataclass(frozen=True)
class Counts:
    """What was taken out: rows and files of the store, of quarantine and of the vault, workbooks removed, and keys of the audit log destroyed."""

    people: int = 0
    store_rows: int = 0
    store_files: int = 0
    workbooks: int = 0
    quarantine_rows: int = 0
    vault_rows: int = 0
    audit_keys: int = 0


def people_of_numbers(vault: Path, key: PseudonymKey, numbers: Iterable[str]) -> People:
    """The people with these NHS numbers: their ids, made with the key and as the vault has them, and their records at practices."""
    told = frozenset(numbers)
    asked = People(ids=frozenset(key.person_id(f"nhs:{number}") for number in told), numbers=told)
    return asked | _known(vault, key, asked)


def people_of_rows(store: Path, vault: Path, key: PseudonymKey, rows: Iterable[tuple[str, str, str]]) -> People:
    """The people behind rows of lists: (issue, team, row reference). No ids where no list that is kept has such a row."""
    asked = People(rows=frozenset(rows))
    ids = {person for table in _tables(store, (PERSON, *ROW)) for person in table.filter(asked.among(table))[PERSON].to_pylist()}
    return asked | (_known(vault, key, People(ids=frozenset(ids))) | People(ids=frozenset(ids)) if ids else People())


def with_rows(store: Path, people: People) -> People:
    """The same people with every row of a list that ever stood for them, by which returns and workbooks know them."""
    import pyarrow.compute as pc

    found: set[tuple[str, str, str]] = set()
    for table in _tables(store, (PERSON, *ROW)):
        own = table.filter(pc.and_(people.among(table), pc.is_valid(table[ROW[2]]))).select(list(ROW))
        found |= set(zip(*(own[name].cast("string").to_pylist() for name in ROW), strict=True))
    return people | People(rows=frozenset(found))


def _known(vault: Path, key: PseudonymKey, people: People) -> People:
    """What the vault knows of people: numbers, ids, and (practice, the practice's own number) with the ids of records without an NHS number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [pq.read_table(path, columns=list(COLUMNS), partitioning=None) for path in sorted((vault / IDENTITY / "parts").glob("*/*.parquet"))]
    rows = [
        row for table in parts for row in table.filter(people.among(table)).cast(pa.schema([(name, pa.string()) for name in COLUMNS])).to_pylist()
    ]
    records = {(row["practice_code"], row["patient_id"]) for row in rows if row["patient_id"]}
    ids = {row["person_id"] for row in rows} | {key.person_id(f"local:{practice}|{own}") for practice, own in records}
    return People(frozenset(ids), frozenset(row["nhs_number"] for row in rows if row["nhs_number"]), frozenset(records))


def under_way(vault: Path) -> People:
    """Whom an interrupted forgetting meant; nobody where none was interrupted."""
    path = vault / UNDER_WAY
    if not path.is_file():
        return People()
    told = json.loads(path.read_text(encoding="utf-8"))
    records, rows = (frozenset(tuple(each) for each in told[name]) for name in ("records", "rows"))
    return People(frozenset(told["ids"]), frozenset(told["numbers"]), records, rows)


def begin(vault: Path, people: People) -> None:
    """Write down whom is to be forgotten, and keep them out of whatever comes from now on. On the disk when this returns."""
    make_folder(vault, PRIVATE_FOLDER)
    told = {"ids": sorted(people.ids), "numbers": sorted(people.numbers), "records": sorted(people.records), "rows": sorted(people.rows)}
    replace_whole(vault / UNDER_WAY, lambda part: part.write_text(json.dumps(told), encoding="utf-8"), PRIVATE_FILE)
    Suppressed(vault).add(people.numbers, people.records)


def forget(people: People, store: Path, quarantine: Path, is_resumed: bool = False) -> Counts:
    """Take people out of the store and of quarantine. May be done twice; `is_resumed`: counts in accounts are looked at in every extract."""
    found = Counter[str]()
    touched: set[str] = set()
    for path in _files(store, ".parquet"):
        before = _rows(path)
        left = change_parquet(path, path, people.taken_out, path.stat().st_mode & 0o777)
        if left is not None:
            touched.add(path.relative_to(store).as_posix())
            found.update(store_rows=before - left, store_files=1)
    for path in _files(store, ".csv"):
        changed = change_csv(path.read_text(encoding="utf-8"), people.taken_out)
        if changed is not None:
            _write_text(path, changed, path.stat().st_mode & 0o777)
            found.update(store_files=1)
    for path in _files(store, ".xlsx"):
        if is_list_of(path.name, people):
            path.unlink()
            found.update(workbooks=1)
    recount(store, None if is_resumed else touched)
    for path in _files(quarantine, ".parquet"):
        before = _rows(path)
        left = change_parquet(path, path, people.taken_out, PRIVATE_FILE)
        found.update(quarantine_rows=before - left if left is not None else 0)
    return Counts(
        store_rows=found["store_rows"], store_files=found["store_files"], workbooks=found["workbooks"], quarantine_rows=found["quarantine_rows"]
    )


def end(vault: Path, people: People, counts: Counts) -> Counts:
    """Take people out of the vault, destroy their keys in the audit log, and forget who was meant: the last thing that is done."""
    rows = 0
    for path in _files(vault / IDENTITY, ".parquet"):
        before = _rows(path)
        left = change_parquet(path, path, people.taken_out, PRIVATE_FILE)
        rows += before - left if left is not None else 0
    log = AuditLog(vault)
    keys = sum(log.forget_person(person) for person in sorted(people.ids))
    (vault / UNDER_WAY).unlink(missing_ok=True)
    told = (counts.store_rows, counts.store_files, counts.workbooks, counts.quarantine_rows)
    return Counts(max(len(people.numbers), 1 if people.ids else 0), *told, rows, keys)


def is_list_of(name: str, people: People) -> bool:
    """Whether a file is a list, or part of one, that somebody stood on, by its name: issue, team, perhaps practice, day."""
    parts = name.split("_")
    lists = {(issue, re.sub(r"[^A-Za-z0-9]+", "-", team)) for issue, team, _ in people.rows}
    return len(parts) >= 3 and (parts[0], parts[1]) in lists


def recount(store: Path, touched: set[str] | None) -> None:
    """Say in the accounts of extracts and lists how many rows they have now; `touched`: the files that changed, None for all."""
    rows: dict[str, int] = {}

    def rows_of(path: str) -> int:
        if path not in rows:
            rows[path] = _rows(store / path)
        return rows[path]

    of_parts = {name for name in touched if "/parts/" in name} if touched is not None else None
    for path in sorted(store.glob(f"*/*/as_of=*/{PARTS}")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for part in told["parts"]:
            if (of_parts is None or part["path"] in of_parts) and (store / part["path"]).is_file():
                part["rows"] = rows_of(part["path"])
        _write_json(path, told)
    for path in sorted(store.glob(f"*/*/{EXTRACT_FOLDER}/*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for sender, own in told.get("senders", {}).items():
            _recount_one(own, sender, told["identity"], of_parts, store, rows_of)
        _write_json(path, told)
    for path in sorted(store.glob(f"*/*/as_of=*/{EXTRACTS}")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for each in [*told.get("in_use", ()), *told.get("set_aside", ())]:
            _recount_one(each, each["sender"], each["extract"], of_parts, store, rows_of)
        _write_json(path, told)
    for path in sorted((store / LISTS).glob(f"as_of=*/{PART}")):
        if touched is None or path.relative_to(store).as_posix() in touched:
            _recount_lists(path, store / ACCOUNT / path.parent.name / PART)


def _recount_one(own: dict[str, Any], sender: str, identity: str, among: set[str] | None, store: Path, rows_of: Any) -> None:
    gone = 0
    for core, had in (own.get("parts") or {}).items():
        part = f"{core}/parts/{sender}/{identity}.parquet"
        if (among is None or part in among) and (store / part).is_file():
            own["parts"][core] = rows_of(part)
            gone += had - own["parts"][core]
    if gone and "withheld" in own:
        own["withheld"] = {**own["withheld"], FORGOTTEN: own["withheld"].get(FORGOTTEN, 0) + gone}


def _recount_lists(listed: Path, account: Path) -> None:
    import pyarrow.parquet as pq

    if account.is_file():
        table = accounts_anew(pq.read_table(account, partitioning=None), pq.read_table(listed, partitioning=None))
        replace_whole(account, lambda part: pq.write_table(table, part, compression="zstd"), account.stat().st_mode & 0o777)


def accounts_anew(account: pa.Table, listed: pa.Table) -> pa.Table:
    """The accounts of lists (one row an issue and team) with how many rows each list has now: issued is still listed and removed together."""
    import pyarrow as pa

    counted = Counter(zip(*(listed[name].cast("string").to_pylist() for name in ("issue_id", "team_id", "state")), strict=True))
    keys = list(zip(account["issue_id"].to_pylist(), account["team_id"].to_pylist(), strict=True))
    now = {state: [counted[(*key, state)] for key in keys] for state in ("listed", "removed")}
    now["issued"] = [sum(both) for both in zip(now["listed"], now["removed"], strict=True)]
    for state, values in now.items():
        place = account.column_names.index(f"{state}_count")
        account = account.set_column(place, account.schema.field(place), pa.array(values, account.schema.field(place).type))
    return account


def _tables(store: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    for path in _files(store, ".parquet"):
        if set(columns) <= set(pq.read_schema(path).names):
            yield pq.read_table(path, columns=list(columns), partitioning=None)


def _files(folder: Path, ending: str) -> list[Path]:
    return sorted(path for path in folder.rglob(f"*{ending}") if path.is_file() and not path.name.startswith(".")) if folder.is_dir() else []


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _write_text(path: Path, text: str, mode: int) -> None:
    replace_whole(path, lambda part: part.write_text(text, encoding="utf-8", newline=""), mode)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1)
    if text != path.read_text(encoding="utf-8"):
        _write_text(path, text, path.stat().st_mode & 0o777)
