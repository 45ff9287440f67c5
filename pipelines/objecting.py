"""Somebody objects, and it holds at once: the register, the newest night's tables of objections and lists, their files, and the current release.

The next night goes on from the register (`told_objections`), and so does the next training. The clock and the passwords of workbooks come
in here. What does not belong here: what an objection keeps a person out of (`fuller_popheath/people/objections.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people.audit_log import AuditLog, Disclosure, RunAudit
from fuller_popheath.people.forgetting import people_of_numbers, people_of_rows
from fuller_popheath.people.objection_register import ObjectionRegister
from fuller_popheath.people.person_rows import ROW, People
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.people.pseudonyms import key as key_in_use
from fuller_popheath.publish.release import INTERNAL
from fuller_popheath.registry import LIST_TABLES, tables
from fuller_popheath.specs import Night
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole
from pipelines.erasing import PAGE, files_anew, newest_lists, without
from pipelines.list_history import standing
from pipelines.stores import LANDING_KEY, Store, prove, with_columns_of, write_parquet
from pipelines.told_objections import add_told_ones

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.publish.remade_releases import Fate
    from fuller_popheath.site import Site

OBJECTION, TAKEN_BACK = "objection", "objection_taken_back"
JUDGED, CANDIDATE, PERSON = "core/person_objection", "core/list_candidate", "core/person"
LIST = LIST_TABLES[0]
CARE_GAPS = "care_gap_list"
WHY = {"because": "somebody objected"}


@dataclass(frozen=True)
class Objected:
    """What was done: people meant, entries taken back, rows of lists taken off, files of lists made again, and releases written anew."""

    people_count: int
    taken_back: int = 0
    rows_taken_off: int = 0
    files_made: int = 0
    releases: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    is_judged: bool = False


@dataclass(frozen=True)
class _Out:
    """Who is off: rows of lists that were taken off, and people who may be on no list made by rules."""

    rows: frozenset[tuple[str, str, str]] = field(repr=False)
    ids: frozenset[str] = field(repr=False)


def object_people(site: Site, kind: str, numbers: Sequence[str] = (), rows: Iterable[tuple[str, str, str]] = (), run: str = OBJECTION) -> Objected:
    """Write down that people object, and take them off what stands. Only while the store is locked; may be done again where it was interrupted.

    Raises SettingsWrong where a row of a list is nobody's.
    """
    vault, store = site.folder("vault"), Store(site.folder("store"), site.folder("products"))
    key = key_in_use(site, os.environ)
    people = _whom(site, store, key, numbers, rows)
    now = datetime.now(UTC)
    ObjectionRegister(vault).add(people, kind, now.date(), key)
    audit = RunAudit(AuditLog(vault), run, now.isoformat(timespec="seconds"))
    audit.record([Disclosure(f"{OBJECTION}_{kind}", "", "", "nobody", (), tuple(sorted(people.ids)))])
    lists = newest_lists(store)
    days = {day for day in (max(store.days(JUDGED), default=None), lists) if day is not None}
    judged = [_judge_again(site, store, key, day) for day in sorted(days)]
    out, made = (_lists_again(site, store, lists, people, audit) if lists else (None, 0)) or (None, 0)
    anew, removed = _release_again(site, store, lists, out) if out and (out.rows or out.ids) else ((), ())
    return Objected(max(len(numbers), 1), 0, len(out.rows) if out else 0, made, anew, removed, bool(judged) and all(judged))


def take_back(
    site: Site, kinds: Sequence[str], numbers: Sequence[str] = (), rows: Iterable[tuple[str, str, str]] = (), run: str = TAKEN_BACK
) -> Objected:
    """Take objections out of the register: from the next night on only files and records say what holds. Nobody comes back onto a list before."""
    vault, store = site.folder("vault"), Store(site.folder("store"), site.folder("products"))
    key = key_in_use(site, os.environ)
    people = _whom(site, store, key, numbers, rows)
    gone = ObjectionRegister(vault).take_back(people, kinds, key)
    audit = RunAudit(AuditLog(vault), run, datetime.now(UTC).isoformat(timespec="seconds"))
    audit.record([Disclosure(f"{TAKEN_BACK}_{kind}", "", "", "nobody", (), tuple(sorted(people.ids))) for kind in kinds])
    return Objected(max(len(numbers), 1), gone)


def _whom(site: Site, store: Store, key: PseudonymKey, numbers: Sequence[str], rows: Iterable[tuple[str, str, str]]) -> People:
    vault = site.folder("vault")
    asked = tuple(rows)
    found = [people_of_rows(store.folder, vault, key, [row]) for row in asked]
    if nobody := sum(not each.ids for each in found):
        raise SettingsWrong(f"{nobody} of {len(asked)} --reference stand for nobody on a list that is kept; look at the list, nothing was done")
    people = people_of_numbers(vault, key, numbers) if numbers else People()
    for each in found:
        people |= each
    return people


def _judge_again(site: Site, store: Store, key: PseudonymKey, day: date) -> bool:
    """Make the table of who objects to what again, with the register. Returns whether the night had got so far."""
    spec = tables()[JUDGED]
    if not all(store.has(name, day) for name in (*spec.inputs, JUDGED)):
        return False
    add_told_ones(store.extracts, site.folder("vault"), key, day)
    given = {name: with_columns_of(store.read(name, day), load_contract(name)) for name in spec.inputs}
    _write(store, spec.build(given, Night(as_of=day, site=site)), JUDGED, day)
    return True


def _lists_again(site: Site, store: Store, day: date, people: People, audit: RunAudit) -> tuple[_Out, int] | None:
    """Prune the newest lists by it, and make their files again. None where the night lacks what they are pruned by."""
    from fuller_popheath.cohorts.pruning import INPUTS, prune, standing_of
    from fuller_popheath.publish.lists import INPUTS as PUBLISHED

    spec = tables()[CANDIDATE]
    if not all(store.has(name, day) for name in (*INPUTS, PERSON, JUDGED)):
        return None
    given = {name: store.read(name, day) if store.has(name, day) else empty_table(load_contract(name)) for name in spec.inputs}
    before = standing_of(standing(store, day))
    candidates = prove(conform(spec.build(given, Night(as_of=day, site=site)), load_contract(CANDIDATE)), load_contract(CANDIDATE))
    read = {name: candidates.table if name == CANDIDATE else store.read(name, day) for name in INPUTS}
    made = prune(day, before, read)
    proven = [candidates, *(prove(conform(made[name], load_contract(name)), load_contract(name)) for name in LIST_TABLES)]
    for each in proven:
        store.write(each, day, _landing(store, each.contract.id, day))
    # Whoever another attempt had taken off already counts too: the release may not know yet.
    out = _Out(_off(made[LIST], people), _excluded(store, day, people))
    published = {name: made[name] if name in made else store.read(name, day) for name in PUBLISHED}
    return out, files_anew(site, store, day, published, audit)


def _off(listed: pa.Table, people: People) -> frozenset[tuple[str, str, str]]:
    rows = listed.filter(people.among(listed)).select([*ROW, "state"]).to_pylist()
    return frozenset((row[ROW[0]], row[ROW[1]], row[ROW[2]]) for row in rows if row["state"] == "removed")


def _excluded(store: Store, day: date, people: People) -> frozenset[str]:
    told = store.read(JUDGED, day, ["person_id", "excluded_from_rule_list"])
    return frozenset(row["person_id"] for row in told.filter(people.among(told)).to_pylist() if row["excluded_from_rule_list"])


def _release_again(site: Site, store: Store, day: date | None, out: _Out) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the current release anew without who is off; older ones stay as they were, for going back prunes them."""
    from fuller_popheath.publish.release_manifest import read_manifest
    from fuller_popheath.publish.release_signature import signing_key
    from fuller_popheath.publish.remade_releases import remade

    current = store.products.resolve()
    if not _is_on(current, out):
        return (), ()
    is_same_day = day is not None and (read_manifest(current) or {}).get("people_as_of") == day.isoformat()
    # What the house keeps to go back to says that they were taken off; of another day's lists they are in it no more.
    kept = {name.rpartition("/")[2]: store.read(name, day) for name in LIST_TABLES} if is_same_day and day else {}
    change = partial(_released, current, out, store.page_folder(PAGE, day) if day else None, kept)
    return remade(store.products, store.releases, signing_key(site.folder("vault")), change, WHY)


def _is_on(release: Path, out: _Out) -> bool:
    """Whether a release still lists any of them; it is said to, where it holds workbooks alone."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    lists, gaps = release / INTERNAL / f"{LIST.rpartition('/')[2]}.parquet", release / "direct_care" / f"{CARE_GAPS}.parquet"
    if not lists.is_file():
        return release.is_dir()
    listed = pq.read_table(lists, partitioning=None)
    found = [(listed.filter(pc.equal(listed["state"], "listed")), People(rows=out.rows))]
    found += [(pq.read_table(gaps, partitioning=None), People(ids=out.ids))] if gaps.is_file() else []
    return any(pc.any(people.among(table)).as_py() for table, people in found)


def _released(current: Path, out: _Out, fresh: Path | None, kept: Mapping[str, pa.Table], source: Path, target: Path) -> Fate:
    from fuller_popheath.publish.remade_releases import KEPT, Written

    if source.parent.parent != current:
        return KEPT
    if source.parent.name == INTERNAL and source.stem in kept:
        table = kept[source.stem]
        replace_whole(target, lambda part: write_parquet(table, part), PRIVATE_FILE)
        return Written(table.num_rows)
    gone = People(ids=out.ids) if source.stem == CARE_GAPS else People(rows=out.rows)
    return without(gone, fresh, source, target)


def _write(store: Store, table: pa.Table, contract_id: str, day: date) -> None:
    contract = load_contract(contract_id)
    store.write(prove(conform(table, contract), contract), day, _landing(store, contract_id, day))


def _landing(store: Store, contract_id: str, day: date) -> Path:
    """The landing folder that a table of a day came from, as the store noted it."""
    import pyarrow.parquet as pq

    noted: Mapping[bytes, bytes] = pq.read_schema(store.path(contract_id, day)).metadata or {}
    return Path(noted.get(LANDING_KEY, b"").decode())
