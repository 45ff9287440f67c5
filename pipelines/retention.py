"""What of earlier nights goes, once the site keeps it no longer: snapshots of the store that nothing reads any more, and Dagster's runs.

Days are counted back from the newest night in the store, not from today: after weeks without a night nothing has aged. Each folder goes by one
rename before its files do, so that a reader finds a day whole or not at all. What does not belong here: when it is done (`defs/housekeeping.py`).
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from fuller_popheath.contracts import contract_ids, load_contract
from fuller_popheath.registry import LIST_TABLES, REVIEW, SCORE_TABLES, TRAINING_TABLES, extracts, features
from fuller_popheath.sound_parquet import removing_damaged
from pipelines.stores import AS_OF, LANDING_KEY
from pipelines.tonight import OF_EVERY_NIGHT

if TYPE_CHECKING:
    from fuller_popheath.site_nights import Retention
    from pipelines.stores import Store

SCORE, PERSON, CANDIDATE, ACCOUNT = SCORE_TABLES[0], "core/person", "core/list_candidate", LIST_TABLES[1]
KEPT_WHOLE = frozenset({*LIST_TABLES, REVIEW, *TRAINING_TABLES, "risk/drift"})
"""Every day stays: what was issued and what came back of it has to be known for good (a row reference may come back after years), and what a model
was made and judged with belongs to its card. All of them are small."""
NEWEST = 3
"""So many days of every table stay whatever their age: the night before is read by the next."""
FILES = ("pages", "lists")
"""Folders of the store whose days are files; a release has its own copies."""


@dataclass
class Swept:
    """What was removed: days by table, parts of extracts, and bytes."""

    days: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    accounts: int = 0
    size_bytes: int = 0


def sweep(store: Store, retention: Retention) -> Swept:
    """Remove what the site keeps no longer. The caller holds the store's lock. Nothing, where there has been no night."""
    swept = Swept()
    nights = store.days(OF_EVERY_NIGHT)
    if not nights:
        return swept
    oldest = nights[-1] - timedelta(days=retention.days)
    for left in store.folder.rglob(".gone-*"):
        shutil.rmtree(left, ignore_errors=True)
    for contract_id, day in old_days(store, retention, oldest, nights[-1]):
        swept.size_bytes += _remove(store.folder / contract_id / f"{AS_OF}{day.isoformat()}")
        swept.days[contract_id] += 1
    _sweep_parts(store, swept)
    return swept


def old_days(store: Store, retention: Retention, oldest: date, newest: date) -> Iterator[tuple[str, date]]:
    """The tables and days that go. `oldest`: the first day that stays whatever the table; `newest`: the last night."""
    scored = scored_days(store, newest, retention.scored_months)
    issued = issue_days(store)
    for contract_id in contract_ids():
        if contract_id in KEPT_WHOLE:
            continue
        days = _days(store, contract_id)
        old = {day for day in days[:-NEWEST] if day < oldest}
        old -= scored if contract_id in {SCORE, PERSON, *features()} else set()
        old -= issued if contract_id == CANDIDATE else set()
        if old and load_contract(contract_id).purpose == "secondary_use":
            old -= first_of_months(store, contract_id)
        if old and contract_id.startswith(("inbound/", "reference/")) and not store.is_in_parts(contract_id):
            old -= last_good_days(store, contract_id)
        yield from ((contract_id, day) for day in sorted(old))
    for folder in (path for name in FILES for path in sorted((store.folder / name).glob("*")) if path.is_dir()):
        name = folder.relative_to(store.folder).as_posix()
        yield from ((name, day) for day in _folder_days(folder)[:-NEWEST] if day < oldest)


def _days(store: Store, contract_id: str) -> list[date]:
    """The days of a table; of what practices sent too, whose rows lie in parts beside them."""
    is_extract = contract_id in extracts() or store.is_in_parts(contract_id)
    return list(store.extracts.days(contract_id) if is_extract else store.days(contract_id))


def _folder_days(folder: Path) -> list[date]:
    return sorted(date.fromisoformat(path.name.removeprefix(AS_OF)) for path in folder.glob(f"{AS_OF}*") if path.is_dir())


def scored_days(store: Store, newest: date, months: int) -> set[date]:
    """The first night with scores of each month, of so many months: held against what happened a year later, with the people and features of
    that night."""
    since = newest - timedelta(days=31 * months)
    return {day for day in first_of_months(store, SCORE) if day >= since}


def first_of_months(store: Store, contract_id: str) -> set[date]:
    """The first day of each month on which a table has rows: the one that was released, where counts of people leave once a month, and the one
    that later months are held against."""
    first: dict[tuple[int, int], date] = {}
    for day in store.days(contract_id):
        if (day.year, day.month) not in first and _rows(store, contract_id, day):
            first[day.year, day.month] = day
    return set(first.values())


def last_good_days(store: Store, contract_id: str) -> set[date]:
    """Of each landing folder the newest day with rows: it stands in while no file comes."""
    import pyarrow.parquet as pq

    newest: dict[bytes, date] = {}
    for day in store.days(contract_id):
        if _rows(store, contract_id, day):
            noted = pq.read_schema(store.path(contract_id, day)).metadata or {}
            newest[noted.get(LANDING_KEY, b"")] = day
    return set(newest.values())


def issue_days(store: Store) -> set[date]:
    """The days on which a list was issued: who could have been listed then is asked when it is seen what lists did."""
    return {day for each in store.days(ACCOUNT) for day in store.read(ACCOUNT, each, ["issued_on"])["issued_on"].to_pylist() if day}


def _rows(store: Store, contract_id: str, day: date) -> int:
    import pyarrow.parquet as pq

    path = store.path(contract_id, day)
    with removing_damaged(path, f"{contract_id} of {day}"):
        return int(pq.read_metadata(path).num_rows)


def _sweep_parts(store: Store, swept: Swept) -> None:
    """Remove the parts of extracts that no day which is left names, and the accounts of those extracts."""
    used = {identity for inbound in extracts() for identity in _identities(store.folder / inbound)}
    cores = {core for spec in extracts().values() for core in spec.becomes}
    named = {part["path"] for core in cores for day in store.extracts.days(core) for part in store.extracts.manifest(core, day)["parts"]}
    for core in sorted(cores):
        for path in sorted((store.folder / core / "parts").glob("*/*.parquet")):
            if path.relative_to(store.folder).as_posix() not in named and path.stem not in used:
                swept.size_bytes += path.stat().st_size
                path.unlink()
                swept.parts += 1
    for inbound in extracts():
        for path in sorted((store.folder / inbound / "extracts").glob("*.json")):
            # Without its parts an account is no use: the extract would be read again, if it were chosen again.
            if path.name.partition(".")[0] not in used and not _has_parts(store, inbound, path):
                path.unlink()
                swept.accounts += 1


def _identities(folder: Path) -> Iterator[str]:
    """The extracts that the days of an inbound table name, in use or set aside."""
    for path in folder.glob(f"{AS_OF}*/extracts.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        yield from (each["extract"] for name in ("in_use", "set_aside") for each in told.get(name, ()))


def _has_parts(store: Store, inbound: str, account: Path) -> bool:
    identity = account.name.partition(".")[0]
    return any(any((store.folder / core / "parts").glob(f"*/{identity}.parquet")) for core in extracts()[inbound].becomes)


def _remove(folder: Path) -> int:
    """Remove a day; returns its bytes."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    gone = folder.with_name(f".gone-{uuid4().hex}")
    folder.rename(gone)
    shutil.rmtree(gone)
    return size


def told(swept: Swept) -> str:
    """What was removed, in words."""
    days = sum(swept.days.values())
    return f"{days:,} days of {len(swept.days):,} tables, {swept.parts:,} parts of extracts, {swept.size_bytes / 1e6:,.1f} MB"
