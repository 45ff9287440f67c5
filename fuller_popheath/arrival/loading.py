"""One extract from its files to its parts: read, checked, quarantined, pseudonymised, made into core rows, and written, its account last.

Every row that was read is accepted or quarantined; every accepted one becomes one core row, or is withheld for a reason that is counted.
What does not belong here: which extracts are read, and which are used.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.arrival.core_rows import POSTCODE_LSOA, as_part, own_words, with_lsoa, with_persons
from fuller_popheath.arrival.door_account import ALWAYS_USED
from fuller_popheath.arrival.extract_store import ExtractStore, Loaded, SenderRows
from fuller_popheath.arrival.extracts import Extract
from fuller_popheath.arrival.files import refuse_changed
from fuller_popheath.arrival.guarding import refusing
from fuller_popheath.arrival.linking import Lists, lacking_number, with_numbers
from fuller_popheath.arrival.quarantine import BLANKED, keep_extract
from fuller_popheath.arrival.reading import BROKEN_RULES, SHAPE_RULE
from fuller_popheath.arrival.unmapped import write_unmapped
from fuller_popheath.arrival.withholding import REASONS, withheld_because
from fuller_popheath.errors import FileRefused, FullerError
from fuller_popheath.people.pseudonyms import PseudonymKey, pseudonymise
from fuller_popheath.people.suppressed import Suppressed
from fuller_popheath.people.vault import Vault
from fuller_popheath.site import Site
from fuller_popheath.sources.csv_text import ROW, SHAPE
from fuller_popheath.sources.supplier_files import REMOVED
from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts import Contract

SENDER = "_sender"
NATIONAL = "national"
"""Whose rows are that no practice sent: the national data opt-out service's."""
NOT_KNOWN = "V81999"
"""GP practice code not known (NHS Data Dictionary, GENERAL MEDICAL PRACTICE CODE, default codes): a feed that names no practice is of none of ours,
and of nobody else's either; its people belong to no neighbourhood."""
ACCEPTED, FAULTY, NO_RECORD = 0, 1, 2


@dataclass(frozen=True)
class Door:
    """What every extract of one inbound table is taken with.

    `codelists`: those in use, shipped and the site's own (cluster, kind, code_system, code). `sensitive`: the (code_system, code) whose rows are
    withheld; None: nothing is. `objections`: those that never are, because an objection that nobody sees is not honoured. `lists`: the practice
    lists in use on the day, of which records without an NHS number have theirs.
    """

    spec: ExtractSpec
    contract: Contract
    site: Site
    store: ExtractStore
    vault: Vault
    quarantine_folder: Path | None
    key: PseudonymKey
    codelists: pa.Table
    known_practices: frozenset[str] | None = None
    references: Mapping[ContractId, pa.Table] = field(default_factory=dict)
    sensitive: frozenset[tuple[str, str]] | None = None
    objections: frozenset[tuple[str, str]] = frozenset()
    lists: Lists | None = None

    @property
    def sender_column(self) -> str:
        """Which column says whose rows they are."""
        return "provider_code" if "provider_code" in self.contract.column_names else "practice_code"

    def is_ours(self, sender: str) -> bool:
        """Whether a sender's rows may be kept: hospitals' and national ones always, practices' where they are ours or it is not known whose."""
        known = self.known_practices
        return known is None or self.sender_column == "provider_code" or sender in (NATIONAL, NOT_KNOWN) or sender in known

    def was_ours(self, sender: str) -> bool:
        """Whether a practice is ours no longer: rows of it were kept on an earlier night."""
        return not self.is_ours(sender) and any(self.store.has_sent(core, sender) for core in self.spec.becomes)

    @property
    def withholding(self) -> str:
        """Tells two sets of withheld codes apart."""
        told = "all" if self.sensitive is None else repr((sorted(self.sensitive), sorted(self.objections)))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def is_poor(self, rows: SenderRows) -> bool:
        """Whether so many of a sender's rows are faulty, or lack a faulty cell, that none is used; never so of what is always used."""
        return self.contract.id not in ALWAYS_USED and 100 * rows.rows_faulty > self.site.arrival.max_quarantined_percent * rows.rows_read


@dataclass(frozen=True)
class _Sorted:
    """The rows of an extract, each with its fate and its sender; `accepted` are those of `ACCEPTED`, `quarantined` those of `FAULTY`, in order.

    `blanked`: rows as read that are accepted but for some cells; `blanked_at`: which rows of `raw` they are.
    """

    raw: pa.Table
    accepted: pa.Table
    quarantined: pa.Table
    blanked: pa.Table
    blanked_at: np.ndarray
    fate: np.ndarray
    senders: Sequence[str]
    sender: np.ndarray


def load(extract: Extract, identity: str, door: Door) -> Loaded:
    """Read an extract and write its parts and its account. Raises FileRefused where it cannot be read, SettingsWrong where there is no key for it.

    `identity` is told without practice lists; where they matter to what becomes of it, the account has another.
    """
    with refusing(extract.name, door.contract.id):
        return _load(extract, identity, door)


def _load(extract: Extract, identity: str, door: Door) -> Loaded:
    rows = _sorted(_read(extract, door), extract, door)
    counted = _counted(rows)
    if door.quarantine_folder is not None:
        keep_extract(door.quarantine_folder, extract, Suppressed(door.vault.folder).kept(_with_sender(rows)), counted)
    write_unmapped(extract, door.store)
    kept = [sender for sender, each in counted.items() if door.is_ours(sender) and not door.is_poor(each)]
    rows, identity = _numbered(rows, extract, identity, door)
    without, systems = _without_number(rows), _code_systems(rows)
    parts, withheld = _write(rows, kept, extract, identity, door)
    told = {
        sender: replace(
            each,
            withheld={**each.withheld, **withheld.get(sender, {})},
            code_systems=systems[sender],
            without_number=without[sender],
            parts=parts[sender] if sender in kept else None,
        )
        for sender, each in counted.items()
    }
    day = extract.extract_date.isoformat() if extract.extract_date else _latest_day(rows.accepted)
    known_by = (door.key.fingerprint, door.withholding, extract.content_hash)
    loaded = Loaded(identity, door.contract.id, extract.supplier.name, extract.name, day, told, *known_by)
    door.store.write_loaded(loaded)
    return loaded


def _numbered(rows: _Sorted, extract: Extract, identity: str, door: Door) -> tuple[_Sorted, str]:
    """The rows with the numbers that practices' lists have for those without one, and the identity of what becomes of them."""
    lacking = lacking_number(rows.accepted, extract)
    if door.lists is None or not lacking.any():
        return rows, identity
    sender = rows.sender[rows.fate == ACCEPTED]
    practices = [rows.senders[number] for number in np.unique(sender[lacking]).tolist()]
    door.store.write_without_numbers(door.contract.id, identity, practices)
    accepted = with_numbers(rows.accepted, rows.senders, sender, lacking, door.lists)
    return replace(rows, accepted=accepted), door.lists.identity(identity, practices)


def _without_number(rows: _Sorted) -> dict[str, int]:
    """How many of each sender's accepted rows have no NHS number."""
    import pyarrow.compute as pc

    lacking = pc.is_null(rows.accepted["nhs_number"]).to_numpy()
    counted = np.bincount(rows.sender[rows.fate == ACCEPTED][lacking], minlength=len(rows.senders))
    return dict(zip(rows.senders, counted.tolist(), strict=True))


def _code_systems(rows: _Sorted) -> dict[str, dict[str, int]]:
    """How many of each sender's accepted rows have a code of which code system."""
    import pyarrow as pa

    found: dict[str, dict[str, int]] = {sender: {} for sender in rows.senders}
    if "code_system" in rows.accepted.column_names and rows.accepted.num_rows:
        pairs = pa.table({"sender": pa.array(rows.sender[rows.fate == ACCEPTED]), "system": rows.accepted["code_system"].cast(pa.string())})
        counted = pairs.group_by(["sender", "system"], use_threads=False).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            found[rows.senders[row["sender"]]][row["system"]] = row["count_all"]
    return found


def _read(extract: Extract, door: Door) -> pa.Table:
    try:
        read = extract.supplier.read(extract.contract, extract.heads, door.codelists)
        refuse_changed(extract.files)
        return read
    except FullerError:
        raise
    except Exception as wrong:  # a reader's own error may quote the file: its kind is told, its text is not
        raise FileRefused(
            f"{extract.name}: reading it as {extract.contract} failed with {type(wrong).__name__}; compare its columns with "
            f"{extract.supplier.expects}, and report it if they are the same"
        ) from None


def _sorted(raw: pa.Table, extract: Extract, door: Door) -> _Sorted:
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.contracts.by_value import check_by_value

    def marked(name: str) -> np.ndarray:
        return pc.is_valid(raw[name]).to_numpy() if name in raw.column_names else np.zeros(raw.num_rows, bool)

    misshapen, no_record = marked(SHAPE), marked(REMOVED)
    fate = np.where(misshapen, FAULTY, np.where(no_record, NO_RECORD, ACCEPTED)).astype(np.int8)
    judged = np.flatnonzero(fate == ACCEPTED)
    rows = raw.drop_columns([name for name in (SHAPE, REMOVED) if name in raw.column_names])
    rows = rows if len(judged) == raw.num_rows else rows.take(pa.array(judged))
    checked = check_by_value(rows, door.contract, door.references, extract.name)
    faulty = np.delete(judged, checked.positions)
    fate[faulty] = FAULTY
    quarantined = checked.quarantined
    if misshapen.any():
        lines = raw.filter(pa.array(misshapen)).drop_columns([REMOVED] if REMOVED in raw.column_names else [])
        lines = lines.append_column(BROKEN_RULES, pa.array([[SHAPE_RULE]] * lines.num_rows, pa.list_(pa.string())))
        both = pa.concat_tables([_plain(quarantined), _plain(lines)], promote_options="default")
        quarantined = both.take(pa.array(np.argsort(np.concatenate([faulty, np.flatnonzero(misshapen)]), kind="stable")))
    senders, sender = _whose(raw, checked.accepted, fate, extract, door)
    return _Sorted(raw, checked.accepted, quarantined, checked.blanked, judged[checked.blanked_at], fate, senders, sender)


def _plain(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    kinds = ((name, table[name]) for name in table.column_names)
    return pa.table({name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for name, column in kinds})


def _whose(raw: pa.Table, accepted: pa.Table, fate: np.ndarray, extract: Extract, door: Door) -> tuple[list[str], np.ndarray]:
    """The senders, and of each row whose it is. A faulty row that does not name one of them is of the sender of the file, or of most of its rows.

    Raises FileRefused where nothing says whose the rows are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = door.sender_column
    written = raw[column] if column in raw.column_names else pa.chunked_array([pa.nulls(raw.num_rows, pa.string())])
    coded = pc.dictionary_encode(pc.utf8_upper(_text(written))).combine_chunks()
    coded = coded if isinstance(coded, pa.Array) else pa.concat_arrays(coded.chunks)
    named = coded.dictionary.to_pylist()
    at = coded.indices.fill_null(len(named)).to_numpy(zero_copy_only=False).astype(np.int64)
    of_no_practice = column == "practice_code" and not door.contract.column(column).required
    sound = Counter(at[fate == ACCEPTED].tolist())
    names = {code: named[code] if code < len(named) else NATIONAL for code in sound}
    main = extract.sender or (names[sound.most_common(1)[0][0]] if sound else None) or (NATIONAL if of_no_practice else None)
    if main is None and column == "provider_code" and extract.supplier.is_set and not raw.num_rows:
        return [], np.zeros(0, np.int64)  # a feed of practices' records that tells of no hospital
    if main is None:
        what = "no row of it says" if raw.num_rows else "it has no rows, so nothing says"
        raise FileRefused(f"{extract.name}: {what} whose it is; ask for it again")
    senders = sorted({main, *names.values()})
    place = {name: number for number, name in enumerate(senders)}
    moved = np.full(len(named) + 1, place[main])
    for code, name in names.items():
        moved[code] = place[name]
    return senders, moved[at]


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _counted(rows: _Sorted) -> dict[str, SenderRows]:
    """How many of each sender's rows were read, accepted and quarantined, which rules were broken, and what its system called no record."""
    made = {}
    faulty_sender = rows.sender[rows.fate == FAULTY]
    reasons = rows.raw[REMOVED].filter(rows.fate == NO_RECORD).to_pylist() if REMOVED in rows.raw.column_names else []
    removed = Counter(zip(rows.sender[rows.fate == NO_RECORD].tolist(), reasons, strict=True)) if reasons else Counter()
    broken = _by_sender_and_rule(rows.quarantined, faulty_sender)
    blanked = _by_sender_and_rule(rows.blanked, rows.sender[rows.blanked_at])
    for number, sender in enumerate(rows.senders):
        read, faulty = int((rows.sender == number).sum()), int((faulty_sender == number).sum())
        made[sender] = SenderRows(
            read,
            read - faulty,
            faulty,
            {rule: count for (at, rule), count in sorted(broken.items()) if at == number},
            {f"no_record: {reason}": count for (at, reason), count in sorted(removed.items()) if at == number},
            blanked={rule: count for (at, rule), count in sorted(blanked.items()) if at == number},
            rows_blanked=int((rows.sender[rows.blanked_at] == number).sum()),
        )
    return made


def _by_sender_and_rule(rows: pa.Table, sender: np.ndarray) -> Counter[tuple[int, str]]:
    """How often each rule is named by the rows of each sender (by place); `sender`: of each row."""
    import pyarrow.compute as pc

    if not rows.num_rows:
        return Counter()
    parents = pc.list_parent_indices(rows[BROKEN_RULES]).to_numpy()
    return Counter(zip(sender[parents].tolist(), pc.list_flatten(rows[BROKEN_RULES]).to_pylist(), strict=True))


def _with_sender(rows: _Sorted) -> pa.Table:
    """What quarantine keeps, in the order of the file: the faulty rows, and those that are in use without some of their cells (`_blanked`)."""
    import pyarrow as pa

    at = np.concatenate([np.flatnonzero(rows.fate == FAULTY), rows.blanked_at])
    kept = [_plain(rows.quarantined), *([_plain(rows.blanked)] if rows.blanked.num_rows else [])]
    together = pa.concat_tables(kept, promote_options="default")
    names = pa.array(rows.senders, pa.string()).take(pa.array(rows.sender[at]))
    is_blanked = pa.array(np.arange(len(at)) >= rows.quarantined.num_rows)
    return together.append_column(SENDER, names).append_column(BLANKED, is_blanked).take(pa.array(np.argsort(at, kind="stable")))


def _latest_day(accepted: pa.Table) -> str | None:
    import pyarrow.compute as pc

    day = pc.max(accepted["extract_date"]).as_py() if accepted.num_rows else None
    return day.isoformat() if day else None


def _write(
    rows: _Sorted, kept: Sequence[str], extract: Extract, identity: str, door: Door
) -> tuple[dict[str, dict[ContractId, int]], dict[str, Counter[str]]]:
    """Write the parts of the senders whose rows are kept. Returns rows a sender and core table, and rows withheld a sender and reason."""
    import pyarrow as pa

    from fuller_popheath.contracts import load_contract

    at = np.flatnonzero(rows.fate == ACCEPTED)
    sender = rows.sender[at]
    wanted = [rows.senders.index(name) for name in kept]
    reason = withheld_because(rows.accepted, door.sensitive, door.objections)
    is_forgotten = Suppressed(door.vault.folder).among(rows.accepted["nhs_number"], rows.accepted["patient_id"], rows.senders, sender)
    reason[is_forgotten] = REASONS.index("forgotten")
    use = np.isin(sender, wanted) & (reason == 0)
    told = Counter(zip(sender[reason > 0].tolist(), reason[reason > 0].tolist(), strict=True))
    withheld = {name: Counter({REASONS[why]: n for (number, why), n in told.items() if number == rows.senders.index(name)}) for name in kept}
    parts = {name: dict.fromkeys(door.spec.becomes, 0) for name in kept}
    if not use.any():
        return parts, withheld
    # The dictionaries are those of the whole file: without what only quarantined, withheld or other senders' rows say.
    accepted = own_words(rows.accepted if use.all() else rows.accepted.filter(pa.array(use)))
    at, sender = at[use], sender[use]
    numbers = rows.raw[ROW].to_numpy()[at] if ROW in rows.raw.column_names else at + 1
    accepted = with_lsoa(accepted, door.references.get(POSTCODE_LSOA))
    scopes = [extract.supplier.name] * len(rows.senders) if extract.supplier.is_one_scope else list(rows.senders)
    scope = pa.array(scopes, pa.string()).take(pa.array(sender))
    persons = pseudonymise(
        door.key,
        accepted["nhs_number"],
        accepted["patient_id"],
        scope,
        (extract.content_hash, numbers),
        door.site.pseudonyms.data_is_synthetic,
    )
    anonymous = with_persons(accepted, persons, door.contract)
    several = len(np.unique(sender)) > 1
    for name in kept:
        own = sender == rows.senders.index(name)
        if not own.any():
            continue
        # Of several senders each would write the words of all.
        table = own_words(anonymous.filter(pa.array(own))) if several else anonymous
        if door.contract.id == "inbound/practice_list":
            mine = accepted.filter(pa.array(own)) if several else accepted
            door.vault.write_part(name, identity, _identities(mine, table["person_id"], name, door.key.version))
        for core, made in door.spec.to_core(table).items():
            part = as_part(made, load_contract(core))
            parts[name][core] = part.num_rows
            door.store.write_part(core, name, identity, part)
    return parts, withheld


def _identities(accepted: pa.Table, person_id: pa.ChunkedArray, practice: str, version: int) -> pa.Table:
    import pyarrow as pa

    rows = pa.table(
        {
            "person_id": person_id.cast(pa.string()),
            "nhs_number": accepted["nhs_number"].cast(pa.string()),
            "patient_id": accepted["patient_id"].cast(pa.string()),
        }
    )
    rows = rows.group_by(rows.column_names, use_threads=False).aggregate([])
    rows = rows.append_column("practice_code", pa.repeat(pa.scalar(practice), rows.num_rows))
    return rows.append_column("key_version", pa.repeat(pa.scalar(version, pa.int64()), rows.num_rows))
