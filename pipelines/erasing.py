"""Somebody is forgotten everywhere at once: the store, quarantine, today's lists, every release, the audit log and the vault, in that order.

The clock and the passwords of workbooks come in here. What does not belong here: what is taken out of a table
(`fuller_popheath/people/forgetting.py`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.people.audit_log import AuditLog, Disclosure, RunAudit
from fuller_popheath.people.forgetting import (
    Counts,
    accounts_anew,
    begin,
    end,
    forget,
    is_list_of,
    people_of_numbers,
    people_of_rows,
    under_way,
    with_rows,
)
from fuller_popheath.people.objection_register import KINDS, ObjectionRegister
from fuller_popheath.people.person_rows import People, change_csv, change_parquet
from fuller_popheath.people.pseudonyms import key as key_in_use
from fuller_popheath.registry import LIST_TABLES
from pipelines.stores import Store, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.publish.remade_releases import Fate
    from fuller_popheath.site import Site

ERASURE = "erasure"
LIST, ACCOUNT = LIST_TABLES[:2]
PAGE = "lists/continuity"
ACCOUNT_FILE, LIST_FILE = "cohort_list_account", "cohort_list.parquet"
WHY = {"because": "somebody was forgotten"}


@dataclass(frozen=True)
class Forgotten:
    """What was done: counts, the releases that were written anew and those removed, and how many people of those asked for anything knew."""

    counts: Counts
    known_count: int
    releases: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    workbooks_made: int = 0
    is_resumed: bool = False


def forget_people(site: Site, numbers: Iterable[str] = (), rows: Iterable[tuple[str, str, str]] = (), run: str = ERASURE) -> Forgotten:
    """Forget people by NHS number, or by a row of a list (issue, team, reference); and go on with whoever was being forgotten when it was stopped.

    Only while the store is locked. Nobody of them is brought back by a later file that has their NHS number, or their practice's own number for them.
    """
    vault, store = site.folder("vault"), Store(site.folder("store"), site.folder("products"))
    key = key_in_use(site, os.environ)
    before = under_way(vault)
    asked = people_of_numbers(vault, key, numbers) | people_of_rows(store.folder, vault, key, rows)
    people = with_rows(store.folder, asked | before)
    begin(vault, people)
    audit = RunAudit(AuditLog(vault), run, datetime.now(UTC).isoformat(timespec="seconds"))
    if people.ids:
        audit.record([Disclosure(ERASURE, "", "", "nobody", (), tuple(sorted(people.ids)))])
    is_resumed = before != People()
    counts = forget(people, store.folder, site.folder("quarantine"), is_resumed)
    made = _lists_anew(site, store, people, audit)
    releases, removed = _releases_anew(site, store, people)
    ObjectionRegister(vault).take_back(people, KINDS, key)
    counts = end(vault, people, counts)
    return Forgotten(counts, int(counts.store_rows + counts.vault_rows > 0), releases, removed, made, is_resumed)


def _lists_anew(site: Site, store: Store, people: People, audit: RunAudit) -> int:
    """Make the files of the newest lists again, where somebody stood on one. Returns how many were made."""
    from fuller_popheath.publish.lists import INPUTS

    day = newest_lists(store)
    if day is None or not people.rows or not all(store.has(name, day) for name in INPUTS):
        return 0
    return files_anew(site, store, day, {name: store.read(name, day) for name in INPUTS}, audit)


def files_anew(site: Site, store: Store, day: date, tables: Mapping[str, pa.Table], audit: RunAudit) -> int:
    """Make the files of a day's lists again, where it has any. `tables`: the inputs of `publish_lists`. Returns how many were made."""
    from fuller_popheath.people.vault import Vault
    from fuller_popheath.publish.lists import publish_lists
    from fuller_popheath.specs import Night

    if not store.page_folder(PAGE, day).is_dir():
        return 0
    night, vault = Night(as_of=day, site=site), Vault(site.folder("vault"))
    return len(publish_lists(store.fresh_folder(PAGE, day), tables, night, vault, audit, os.environ))


def newest_lists(store: Store) -> date | None:
    """The newest day with lists."""
    return max((day for day in store.days(LIST) if store.has(ACCOUNT, day)), default=None)


def _releases_anew(site: Site, store: Store, people: People) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from fuller_popheath.publish.release_signature import signing_key
    from fuller_popheath.publish.remade_releases import remade

    day = newest_lists(store)
    fresh = store.page_folder(PAGE, day) if day else None
    return remade(store.products, store.releases, signing_key(site.folder("vault")), partial(without, people, fresh), WHY)


def without(people: People, fresh: Path | None, source: Path, target: Path) -> Fate:
    """A file of a release without somebody: rows taken out, accounts counted again, a workbook as it was made again or gone."""
    import pyarrow.parquet as pq

    from fuller_popheath.publish.csv_files import write_csv
    from fuller_popheath.publish.remade_releases import GONE, KEPT, Written
    from fuller_popheath.whole_files import replace_whole

    mode = source.stat().st_mode & 0o777
    if source.stem == ACCOUNT_FILE:
        listed, account = source.with_name(LIST_FILE), source.with_suffix(".parquet")
        rows = pq.read_table(listed, partitioning=None) if listed.is_file() else None
        if rows is None or people.taken_out(rows) is rows:
            return KEPT
        table = accounts_anew(pq.read_table(account, partitioning=None), people.taken_out(rows))
        write = write_parquet if source.suffix == ".parquet" else write_csv
        replace_whole(target, lambda part: write(table, part), mode)
        return Written()
    if source.suffix == ".parquet":
        left = change_parquet(source, target, people.taken_out, mode)
        return KEPT if left is None else Written(left)
    if source.suffix == ".csv":
        changed = change_csv(source.read_text(encoding="utf-8"), people.taken_out)
        if changed is None:
            return KEPT
        replace_whole(target, lambda part: part.write_text(changed, encoding="utf-8", newline=""), mode)
        return Written()
    if source.suffix == ".xlsx" and is_list_of(source.name, people):
        anew = fresh / source.name if fresh else None
        if anew is None or not anew.is_file():
            return GONE
        replace_whole(target, lambda part: shutil.copyfile(anew, part), mode)
        return Written()
    return KEPT
