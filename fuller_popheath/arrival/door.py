"""The door: which extract of each practice is taken on a night, what it becomes, and the account of it all.

Newest first a practice. One that cannot be read, is empty, has shrunken, is too faulty or is not ours leaves its practice on an older one of the
folder, or on its last good extract, and the others go on. What does not belong here: reading and writing rows (`loading`), wiring (`pipelines`).
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.arrival.choice import landing_table
from fuller_popheath.arrival.damaged import remove_damaged
from fuller_popheath.arrival.door_account import ALWAYS_USED, GONE, Choice, account_table, why_refused
from fuller_popheath.arrival.extract_store import ExtractStore, InUse, Loaded, remove_unfinished
from fuller_popheath.arrival.extracts import LINKED, Extract, extracts_among, nearness
from fuller_popheath.arrival.files import LandingFile
from fuller_popheath.arrival.linking import Lists
from fuller_popheath.arrival.loading import Door, load
from fuller_popheath.errors import FileRefused
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.people.vault import Vault
from fuller_popheath.site import Site
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa

Say = Callable[[str], None]
PRACTICE_LIST: ContractId = "inbound/practice_list"
SAID_EVERY = 20


@dataclass(frozen=True)
class Taken:
    """What a night took of one inbound table.

    `account` has the contract core/practice_extract, `core` names the core tables that now stand for the day, `files` says of each landing file
    whether it is used, not used or refused, and why. Rows and `counts` (rows a rule) are of the extracts in use and of those refused tonight.
    `code_systems`: accepted rows in use a code system; `sensitive`: codes to be withheld a code system, None where nothing is withheld.
    `cells_blanked`: cells of accepted rows that were left empty because they broke a rule, a rule.
    """

    contract_id: ContractId
    account: pa.Table
    core: tuple[ContractId, ...]
    files: Mapping[LandingFile, tuple[str, str | None]]
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    counts: Mapping[str, int]
    code_systems: Mapping[str, int] = field(default_factory=dict)
    sensitive: Mapping[str, int] | None = None
    cells_blanked: Mapping[str, int] = field(default_factory=dict)


@dataclass
class _Night:
    """What is known while extracts are tried: accounts by extract, why an extract cannot be read, what was in use last, and who was read tonight.

    `identity` of each extract, and `bare` the one it has without the practice lists that its records without NHS numbers hang on.
    """

    door: Door
    as_of: date
    last: Mapping[str, InUse]
    bare: Mapping[Extract, str]
    identity: dict[Extract, str]
    loaded: dict[Extract, Loaded] = field(default_factory=dict)
    unreadable: dict[Extract, str] = field(default_factory=dict)
    read_tonight: set[Extract] = field(default_factory=set)

    def standing(self, sender: str) -> InUse | None:
        """What a sender may stand on: its extract in use last, unless that was made with another key, so that nobody in it can be linked."""
        last = self.last.get(sender)
        return last if last is not None and self.other_key(last) is None else None

    def other_key(self, last: InUse) -> str | None:
        """Why an extract may not stand in for want of the key of its person ids; None where it may."""
        known = self.door.store.loaded(self.door.contract.id, last.extract)
        if known is None or known.key == self.door.key.fingerprint:
            return None
        return f"the extract of {last.day} was made with another key, so that nobody in it is known by any other table; send it again"

    def known(self, extract: Extract) -> Loaded | None:
        """The account of an extract that need not be read again; None where it must, or where a list's identities are no longer in the vault."""
        loaded = self.door.store.loaded(self.door.contract.id, self.identity[extract])
        if loaded is not None and self.door.contract.id == PRACTICE_LIST:
            kept = [sender for sender, rows in loaded.senders.items() if rows.rows_in_use]
            return loaded if all(self.door.vault.part_path(sender, loaded.identity).is_file() for sender in kept) else None
        return loaded

    def refused(self, extract: Extract, sender: str) -> str | None:
        """Why a sender's rows of an extract are not used; None where they may be."""
        rows = self.loaded[extract].senders[sender]
        last = self.last.get(sender)
        if last is not None and last.extract == self.identity[extract] and self.door.is_ours(sender):
            return None
        rows_before = None if extract.supplier.files_add_up else self._rows_before(extract, sender, last)
        return why_refused(self.door, extract.name, sender, rows, rows_before)

    def _rows_before(self, extract: Extract, sender: str, last: InUse | None) -> int | None:
        """How many sound rows the sender's extract in use has; on a first night, the fullest older one of the folder that was read."""
        if last is None:
            day = self.loaded[extract].day
            others = (each for each in self.loaded.values() if each.day and day and each.day < day and sender in each.senders)
            return max((each.senders[sender].rows_accepted for each in others), default=None)
        known = self.door.store.loaded(self.door.contract.id, last.extract)
        return known.senders[last.sender].rows_accepted if known and last.sender in known.senders else sum(last.parts.values())


def take_extracts(
    inbound_id: ContractId,
    surveyed: Iterable[LandingFile],
    as_of: date,
    site: Site,
    store: ExtractStore,
    vault_folder: Path,
    quarantine_folder: Path | None,
    known_practices: frozenset[str] | None,
    references: Mapping[ContractId, pa.Table],
    key: PseudonymKey,
    say: Say | None = None,
) -> Taken:
    """Take what came of one inbound table into its core tables, and write down what they are made of on the day.

    An extract whose parts are in the store is not read again. Raises SettingsWrong where there is no key for people who may be real; a file that
    cannot be used raises nothing.
    """
    door = _door(inbound_id, site, store, vault_folder, quarantine_folder, known_practices, references, key)
    for folder in (*(store.folder / name for name in (inbound_id, *door.spec.becomes)), vault_folder, quarantine_folder):
        if folder is not None:
            remove_unfinished(folder)
    if inbound_id in LINKED:
        door = replace(door, lists=Lists(door.vault, {each.sender: each.extract for each in store.last_in_use(PRACTICE_LIST, as_of)}))
    found, reasons = extracts_among(surveyed, inbound_id)
    salt = _settings_told(door)
    bare = {extract: extract.identity(door.contract.version, key, *salt) for extract in found}
    last = (*store.last_set_aside(inbound_id, as_of), *store.last_in_use(inbound_id, as_of))
    night = _Night(door, as_of, {each.sender: each for each in last}, bare, _with_lists(bare, door))
    remove_damaged(door, (*night.identity.values(), *(each.extract for each in last)), say or (lambda _: None))
    _try_in_turn(_in_turn(found, as_of), night, say or (lambda _: None))
    choices = _choose(found, last, night)
    in_use = [each.in_use for each in choices if each.in_use is not None]
    if inbound_id in ALWAYS_USED:
        in_use += _kept_beside(choices, store.last_in_use(inbound_id, as_of), night)
    if inbound_id == PRACTICE_LIST:
        door.vault.write_night(as_of, [(each.sender, each.extract) for each in in_use if any(each.parts.values())])
        if night.read_tonight:
            door.vault.refuse_double(as_of)
    account = account_table(door, choices, as_of)
    store.write_night(inbound_id, door.spec.becomes, as_of, in_use, account, [each.set_aside for each in choices if each.set_aside is not None])
    return _told(account, choices, night, reasons)


def _kept_beside(choices: Sequence[Choice], last: Sequence[InUse], night: _Night) -> list[InUse]:
    """Earlier extracts that count beside a newer one which may not be whole, until a whole one comes: what only they tell must not be lost."""
    kept: list[InUse] = []
    least = 1 - night.door.site.arrival.shrunken_percent / 100
    for choice in choices:
        if choice.in_use is None or choice.loaded is None:
            continue
        rows, newest = choice.loaded.senders[choice.sender], choice.in_use.extract
        earlier = [each for each in last if each.sender == choice.sender and each.extract != newest and night.other_key(each) is None]
        most = max((sum(each.parts.values()) for each in earlier), default=0)
        if rows.rows_quarantined or rows.rows_accepted < least * most:
            kept += earlier
    return kept


def _door(
    inbound_id: ContractId,
    site: Site,
    store: ExtractStore,
    vault_folder: Path,
    quarantine_folder: Path | None,
    known_practices: frozenset[str] | None,
    references: Mapping[ContractId, pa.Table],
    key: PseudonymKey,
) -> Door:
    from fuller_popheath.codelists.loading import codelist
    from fuller_popheath.contracts import load_contract

    codelists = codelist(extra_folder=site.codelists_folder())

    def codes_of(kind: str) -> frozenset[tuple[str, str]]:
        return frozenset((row["code_system"], row["code"]) for row in codelists.to_pylist() if row["kind"] == kind)

    sensitive = codes_of("sensitive") if site.arrival.drop_sensitive_codes else None
    spec = registry.extracts()[inbound_id]
    contract, vault = load_contract(inbound_id), Vault(vault_folder)
    return Door(spec, contract, site, store, vault, quarantine_folder, key, codelists, known_practices, references, sensitive, codes_of("objection"))


def _settings_told(door: Door) -> tuple[str, ...]:
    """What else the rows of an extract hang on: the contracts of its core tables, codes withheld, translated and ethnic, places of postcodes."""
    from fuller_popheath.contracts import load_contract

    lists = sorted(tuple(row.values()) for row in door.codelists.to_pylist() if row["kind"] in ("ethnicity", "sensitive", "objection"))
    told = [f"{core} {load_contract(core).version}" for core in door.spec.becomes]
    told += ["all" if door.sensitive is None else "withheld", hashlib.sha256(repr(lists).encode()).hexdigest()]
    places = door.references.get("reference/postcode_lsoa")
    if door.contract.id == PRACTICE_LIST and places is not None:
        import pyarrow as pa

        digest = hashlib.sha256()
        for batch in places.combine_chunks().to_batches():
            digest.update(batch.serialize().to_pybytes() if isinstance(batch, pa.RecordBatch) else b"")
        told.append(digest.hexdigest())
    return tuple(told)


def _with_lists(bare: Mapping[Extract, str], door: Door) -> dict[Extract, str]:
    """The identity of each extract, which hangs on the lists of the practices whose rows of it came without NHS numbers."""
    if door.lists is None:
        return dict(bare)
    return {extract: door.lists.identity(told, door.store.without_numbers(door.contract.id, told)) for extract, told in bare.items()}


def _in_turn(found: Sequence[Extract], as_of: date) -> list[list[Extract]]:
    """The extracts of each sender in the order in which they are tried; those of no one sender, and those that add up, by themselves."""
    turns: dict[str, list[Extract]] = defaultdict(list)
    for extract in found:
        alone = extract.sender is None or extract.supplier.files_add_up
        turns[f"/{extract.name}" if alone else f"{extract.supplier.name if extract.supplier.is_set else ''}:{extract.sender}"].append(extract)
    return [sorted(each, key=lambda extract: (*nearness(extract.extract_date, as_of), extract.name)) for each in turns.values()]


def _try_in_turn(turns: Sequence[Sequence[Extract]], night: _Night, say: Say) -> None:
    """Read what has to be read: of each turn the first that is not known yet, until one of it is good for all its senders."""
    done, rows = 0, 0
    while wanted := [extract for turn in turns for extract in _next_of(turn, night)]:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            running = {pool.submit(load, extract, night.bare[extract], night.door): extract for extract in wanted}
            try:
                for finished in as_completed(running):
                    extract = running[finished]
                    try:
                        night.loaded[extract] = finished.result()
                        night.identity[extract] = night.loaded[extract].identity
                        night.read_tonight.add(extract)
                        rows += sum(each.rows_read for each in night.loaded[extract].senders.values())
                    except FileRefused as refusal:
                        night.unreadable[extract] = str(refusal)
                    done += 1
                    if done % SAID_EVERY == 0 or done == len(wanted):
                        say(f"{night.door.contract.id}: {done:,} of {max(done, len(wanted)):,} extracts, {rows / 1e6:.1f} M rows")
            finally:
                for each in running:
                    each.cancel()


def _next_of(turn: Sequence[Extract], night: _Night) -> list[Extract]:
    for extract in turn:
        if extract in night.unreadable:
            continue
        last = night.standing(extract.sender or "")
        is_last = last is not None and last.extract == night.identity[extract]
        if last is not None and not is_last and _is_further(extract.extract_date, last.day, night.as_of):
            return []  # what is in use is nearer to the day than anything that is left
        if extract not in night.loaded:
            known = night.known(extract)
            if known is None or _would_be_kept_now(known, night.door):
                return [extract]
            night.loaded[extract] = known
        if all(night.refused(extract, sender) is None for sender in night.loaded[extract].senders):
            return []
    return []


def _is_further(day: date | None, last: date | None, as_of: date) -> bool:
    """Whether an extract is further from the day than the one in use. One without rows has no day, and is told about."""
    return day is not None and nearness(last, as_of) < nearness(day, as_of)


def _would_be_kept_now(known: Loaded, door: Door) -> bool:
    """Whether rows that were not kept would be by today's settings."""
    return any(rows.parts is None and door.is_ours(sender) and not door.is_poor(rows) for sender, rows in known.senders.items())


def _choose(found: Sequence[Extract], last: Sequence[InUse], night: _Night) -> list[Choice]:
    """For every sender that is known of, what is in use: the nearest to the day of what may be used, else what was; and why nothing nearer."""
    by_place: dict[tuple[str, str], list[Extract]] = defaultdict(list)
    for extract, loaded in night.loaded.items():
        for sender in loaded.senders:
            by_place[sender, str(loaded.extract_date) if extract.supplier.files_add_up else ""].append(extract)
    adding = {name for name, spec in registry.suppliers().items() if spec.files_add_up}
    before: dict[tuple[str, str], InUse] = {}
    for each in last:
        known = night.door.store.loaded(night.door.contract.id, each.extract)
        before[each.sender, str(each.extract_date) if known and known.supplier in adding else ""] = each
    unread = {extract.sender: reason for extract, reason in night.unreadable.items() if extract.sender is not None}
    places = {*by_place, *before, *((sender, "") for sender in unread), *((sender, "") for sender in _expected(night.door))}
    return [_choose_one(sender, by_place.get((sender, day), []), before.get((sender, day)), night) for sender, day in sorted(places)]


def _expected(door: Door) -> frozenset[str]:
    return (door.known_practices or frozenset()) if door.sender_column == "practice_code" else frozenset()


def _choose_one(sender: str, offered: Sequence[Extract], last: InUse | None, night: _Night) -> Choice:
    # Of one day the fullest: a stray row of one practice in another's file is not its list.
    order = {each: (*nearness(night.loaded[each].day, night.as_of), -night.loaded[each].senders[sender].rows_accepted, each.name) for each in offered}
    ranked = sorted(offered, key=order.__getitem__)
    against = [reason for extract, reason in night.unreadable.items() if extract.sender == sender]
    other_key = night.other_key(last) if last is not None else None
    set_aside, last = (last, None) if other_key else (None, last)
    refused_rows = None
    for extract in ranked:
        loaded, identity = night.loaded[extract], night.identity[extract]
        if last is not None and last.extract != identity and _is_further(loaded.day, last.day, night.as_of):
            break
        reason = night.refused(extract, sender)
        if reason is None:
            rows = loaded.senders[sender]
            in_use = InUse(sender, identity, loaded.extract_date, rows.parts or {})
            is_new = last is None or last.extract != identity
            return Choice(sender, in_use, loaded, extract, is_new, tuple(against), refused_rows or rows)
        against.append(reason)
        refused_rows = refused_rows or loaded.senders[sender]
    if last is None:
        return Choice(sender, None, None, None, False, (*against, *([other_key] if other_key else [])), refused_rows, set_aside)
    known = night.door.store.loaded(night.door.contract.id, last.extract)
    if known is None or not night.door.is_ours(sender):
        against += [] if known else [f"the extract of {last.day} is neither whole in the store nor in the landing folder; ask for it again"]
        return Choice(sender, None, None, None, False, tuple(against), refused_rows)
    return Choice(sender, last, known, None, False, tuple(against), refused_rows or known.senders[sender])


def _told(account: pa.Table, choices: Sequence[Choice], night: _Night, reasons: Mapping[LandingFile, str]) -> Taken:
    files: dict[LandingFile, tuple[str, str | None]] = {file: ("not used", reason) for file, reason in reasons.items()}
    used = {choice.extract for choice in choices if choice.extract is not None}
    for extract in night.identity:
        if extract in night.unreadable:
            told: tuple[str, str | None] = ("refused", night.unreadable[extract])
        elif extract in used:
            told = ("used", None)
        elif extract in night.loaded:
            senders = night.loaded[extract].senders
            refusals = list(dict.fromkeys(why for sender in senders if (why := night.refused(extract, sender))))
            instead = "a newer extract of the same practice is used" if senders else f"tells nothing for {night.door.contract.id.partition('/')[2]}"
            is_fault = not all(why.endswith(GONE) for why in refusals)
            told = ("refused" if is_fault else "not used", "; ".join(refusals) or instead)
        else:
            told = ("not used", "a newer extract of the same practice is used")
        files.update(dict.fromkeys(extract.files, told))
    looked_at = [choice.rows for choice in choices if choice.rows is not None]
    return Taken(
        contract_id=night.door.contract.id,
        account=account,
        core=night.door.spec.becomes,
        files=files,
        rows_read=sum(rows.rows_read for rows in looked_at),
        rows_accepted=sum(rows.rows_accepted for rows in looked_at),
        rows_quarantined=sum(rows.rows_quarantined for rows in looked_at),
        counts=_added(rows.rules for rows in looked_at),
        code_systems=_code_systems(choices),
        sensitive=None if night.door.sensitive is None else Counter(system for system, _ in night.door.sensitive),
        cells_blanked=_added(rows.blanked for rows in looked_at),
    )


def _added(several: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    """Counts by name, added up, in the order of the names."""
    return dict(sorted(sum(map(Counter, several), Counter[str]()).items()))


def _code_systems(choices: Sequence[Choice]) -> Mapping[str, int]:
    """How many accepted rows of the extracts in use have a code of which code system."""
    counted: Counter[str] = Counter()
    for choice in choices:
        if choice.in_use is not None and choice.loaded is not None and choice.sender in choice.loaded.senders:
            counted.update(choice.loaded.senders[choice.sender].code_systems)
    return dict(sorted(counted.items()))


def with_extracts(table: pa.Table, taken: Iterable[Taken]) -> pa.Table:
    """The table `core/landing_file` after the door: of a supplier's file whether it is used for any table, and if for none why."""
    told: dict[tuple[str, str], list[tuple[str, str | None]]] = defaultdict(list)
    for each in taken:
        for file, outcome in each.files.items():
            told[file.file_name, file.member].append(outcome)
    rows = table.to_pylist()
    for row in rows:
        outcomes = told.get((row["file_name"], row["member"]))
        if outcomes:
            use = next(use for use in ("used", "refused", "not used") if any(outcome[0] == use for outcome in outcomes))
            reasons = [reason for outcome, reason in outcomes if reason and outcome != "used"]
            row.update(use=use, reason=" | ".join(dict.fromkeys(reasons)) or (row["reason"] if use == "used" else None))
    return landing_table(rows)
