"""Reads the chosen files of one contract, checks them together, and keeps the account: read = accepted + quarantined, per file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.arrival import quarantine
from fuller_popheath.arrival.choice import Arrival, landing_table, plan
from fuller_popheath.arrival.files import LandingFile, Sources, State, refuse_changed, survey_one
from fuller_popheath.errors import FileRefused, FullerError, InputMissing
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources.csv_text import ROW, SHAPE
from fuller_popheath.sources.own_layout import LAYOUTS, as_source
from fuller_popheath.specs import ContractId, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts import Checked

SHAPE_RULE = "row.shape"
"""Rule id of a line that has not as many fields as its header, or a quotation mark that is never closed."""
BROKEN_RULES = "broken_rules"
FILE = "_file"
MEMBER = "_member"
RULES_SHOWN = 8


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file: `rows_read == rows_accepted + rows_quarantined` where it was used.

    A refused file gives no row to the table; `reason` says why, `rows_quarantined` and `counts` (rows per rule id) what was found in it.
    """

    file: LandingFile
    is_used: bool
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    counts: Mapping[str, int]
    reason: str | None = None
    quarantined_in: Path | None = None


@dataclass(frozen=True)
class Arrived:
    """A contract's accepted rows, all its files together, and the account of the files that were used (refused ones: see `files`)."""

    contract_id: ContractId
    table: pa.Table
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    counts: Mapping[str, int]
    files: tuple[FileOutcome, ...]


@dataclass(frozen=True)
class _Read:
    file: LandingFile
    raw: pa.Table


def read_and_check(
    arrival: Arrival,
    contract_id: ContractId,
    quarantine_folder: Path | None = None,
    limits: ArrivalLimits | None = None,
    references: Mapping[ContractId, pa.Table] | None = None,
    sources: Sources | None = None,
) -> Arrived:
    """Read and check every file that was chosen for a contract; a refused one is in the account and the others go on.

    Rows that break the contract are kept below `quarantine_folder` (None: nowhere). Raises InputMissing where no file was chosen, FileRefused
    where none is left or one part of a whole (a file of one sex) is refused.
    """
    arrived = examine(arrival, contract_id, quarantine_folder, limits, references, sources)
    refuse_unusable(arrived, (registry.sources() if sources is None else sources)[contract_id])
    return arrived


def refuse_unusable(arrived: Arrived, spec: SourceSpec) -> None:
    """Raises FileRefused where no file of a contract is left, or one part of a whole (a file of one sex) is refused."""
    refused = [outcome for outcome in arrived.files if not outcome.is_used]
    parts = spec.tags["parts"].split(",") if "parts" in spec.tags else []
    is_part_of_whole = any(outcome.file.variant in parts for outcome in refused)
    if refused and (len(refused) == len(arrived.files) or is_part_of_whole):
        raise FileRefused(" | ".join(outcome.reason or outcome.file.name for outcome in refused))


def examine(
    arrival: Arrival,
    contract_id: ContractId,
    quarantine_folder: Path | None = None,
    limits: ArrivalLimits | None = None,
    references: Mapping[ContractId, pa.Table] | None = None,
    sources: Sources | None = None,
) -> Arrived:
    """As `read_and_check`, but a contract all of whose files are refused gives an empty table and the account instead of an error."""
    from fuller_popheath.contracts import load_contract

    spec = (registry.sources() if sources is None else sources)[contract_id]
    files = arrival.used.get(contract_id, ())
    if not files:
        raise InputMissing(_nothing_for(arrival, spec))
    load_contract(contract_id)
    read, outcomes = _read_files(spec, files)
    limit = 100.0 if spec.all_files else (limits or ArrivalLimits()).max_quarantined_percent
    while True:
        checked = _check(read, contract_id, references or {})
        quarantined = _by_file(checked.quarantined, read)
        poor = [at for at, rows in enumerate(quarantined) if 100 * rows.num_rows > limit * read[at].raw.num_rows]
        if not poor:
            break
        outcomes += [_refuse(read[at], quarantined[at], contract_id, limit, quarantine_folder) for at in poor]
        # Checked again without them: a row may have clashed only with one of theirs.
        read = [each for at, each in enumerate(read) if at not in poor]
    outcomes += [_account(each, rows) for each, rows in zip(read, quarantined, strict=True)]
    if quarantine_folder is not None:
        outcomes = _keep(quarantine_folder, contract_id, outcomes, read, quarantined)
    return Arrived(
        contract_id=contract_id,
        table=checked.accepted,
        rows_read=checked.rows_read,
        rows_accepted=checked.accepted.num_rows,
        rows_quarantined=checked.quarantined.num_rows,
        counts=dict(checked.counts),
        files=tuple(sorted(outcomes, key=lambda outcome: outcome.file.name)),
    )


def _nothing_for(arrival: Arrival, spec: SourceSpec) -> str:
    problems = [file.problem for file in arrival.files if file.problem and file.state is State.REFUSED and file.contract in (None, spec.contract)]
    problems += [
        f"{row['file_name']} {row['reason']}" for row in arrival.table.to_pylist() if (row["contract_id"], row["use"]) == (spec.contract, "not used")
    ]
    others = f"; what is wrong with others: {'; '.join(problems)}" if problems else ""
    return f"{spec.contract}: no file for it that can be used has arrived; expected {spec.expects}{others}"


def _read_files(spec: SourceSpec, files: Sequence[LandingFile]) -> tuple[list[_Read], list[FileOutcome]]:
    read, refused = [], []
    for file in files:
        try:
            raw = _read_one(spec, file)
        except FileRefused as refusal:
            refused.append(FileOutcome(file, False, 0, 0, 0, {}, reason=str(refusal)))
        else:
            read.append(_Read(file, raw))
    return read, refused


def _read_one(spec: SourceSpec, file: LandingFile) -> pa.Table:
    if file.head is None:
        raise FileRefused(f"{file.name}: was not looked at")
    try:
        read = spec.read(file.head)
        refuse_changed([file])
        return read
    except FullerError:
        raise
    except Exception as wrong:  # a reader's own error may quote the file: its kind is told, its text is not
        raise FileRefused(
            f"{file.name}: reading it as {spec.contract} failed with {type(wrong).__name__}; compare its columns with {spec.expects}, "
            "and report it if they are the same"
        ) from None


def _check(read: Sequence[_Read], contract_id: ContractId, references: Mapping[ContractId, pa.Table]) -> Checked:
    """All files at once, so that keys are unique across them; every quarantined row carries `_file`, the position of its file in `read`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.contracts import Checked, check, empty_table, load_contract

    contract = load_contract(contract_id)
    if not read:
        return Checked(empty_table(contract), _no_rows(), 0, {})
    marked = [each.raw.append_column(FILE, pa.array([at] * each.raw.num_rows, pa.int64())) for at, each in enumerate(read)]
    raw = pa.concat_tables(marked, promote_options="default")
    misshapen = None
    if SHAPE in raw.column_names:
        is_misshapen = pc.is_valid(raw[SHAPE])
        misshapen, raw = raw.filter(is_misshapen), raw.filter(pc.invert(is_misshapen)).drop_columns([SHAPE])
    checked = check(raw, contract, references, file=", ".join(each.file.name for each in read[:3]))
    if misshapen is None:
        return checked
    rules = pa.array([[SHAPE_RULE]] * misshapen.num_rows, pa.list_(pa.string()))
    quarantined = pa.concat_tables([checked.quarantined, misshapen.append_column(BROKEN_RULES, rules)], promote_options="default")
    counts = {**checked.counts, SHAPE_RULE: misshapen.num_rows}
    return Checked(checked.accepted, quarantined, checked.rows_read + misshapen.num_rows, counts)


def _no_rows() -> pa.Table:
    import pyarrow as pa

    return pa.table({FILE: pa.array([], pa.int64()), ROW: pa.array([], pa.int64()), BROKEN_RULES: pa.array([], pa.list_(pa.string()))})


def _by_file(quarantined: pa.Table, read: Sequence[_Read]) -> list[pa.Table]:
    import pyarrow.compute as pc

    if quarantined.num_rows == 0:
        return [quarantined] * len(read)
    return [quarantined.filter(pc.equal(quarantined[FILE], at)).drop_columns([FILE]) for at in range(len(read))]


def _account(read: _Read, quarantined: pa.Table) -> FileOutcome:
    rows = read.raw.num_rows
    return FileOutcome(read.file, True, rows, rows - quarantined.num_rows, quarantined.num_rows, counts_per_rule(quarantined))


def counts_per_rule(quarantined: pa.Table) -> dict[str, int]:
    """How many rows broke each rule, by rule id; a row that broke two counts for both."""
    import pyarrow.compute as pc

    broken = pc.list_flatten(quarantined[BROKEN_RULES])
    return {str(each["values"]): int(each["counts"]) for each in sorted(pc.value_counts(broken).to_pylist(), key=lambda each: str(each["values"]))}


def _refuse(read: _Read, quarantined: pa.Table, contract_id: ContractId, limit: float, folder: Path | None) -> FileOutcome:
    counts = counts_per_rule(quarantined)
    worst = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown = "; ".join(f"{rule}: {count:,} rows" for rule, count in worst[:RULES_SHOWN])
    kept = quarantine.keep(folder, contract_id, read.file.content_hash, quarantined) if folder is not None else None
    reason = (
        f"{read.file.name}: {quarantined.num_rows:,} of {read.raw.num_rows:,} rows break the contract {contract_id}, more than "
        f"{limit:g} % (arrival.max_quarantined_percent), so none of it is used: {shown}; "
        f"{'the rows are in quarantine, ' if kept else ''}have the file mended and put it in again"
    )
    return FileOutcome(read.file, False, read.raw.num_rows, 0, quarantined.num_rows, counts, reason, kept)


def _keep(
    folder: Path, contract_id: ContractId, outcomes: Sequence[FileOutcome], read: Sequence[_Read], quarantined: Sequence[pa.Table]
) -> list[FileOutcome]:
    """Write the quarantined rows of the used files, one Parquet file a content hash: members of one zip share theirs, told apart by `_member`."""
    import pyarrow as pa

    by_hash: dict[str, list[pa.Table]] = {}
    for each, rows in zip(read, quarantined, strict=True):
        member = pa.array([each.file.member] * rows.num_rows, pa.string())
        by_hash.setdefault(each.file.content_hash, []).append(rows.append_column(MEMBER, member) if each.file.member else rows)
    kept = {
        content_hash: quarantine.keep(folder, contract_id, content_hash, pa.concat_tables(tables, promote_options="default"))
        for content_hash, tables in by_hash.items()
    }
    return [
        replace(outcome, quarantined_in=kept[outcome.file.content_hash]) if outcome.is_used and outcome.rows_quarantined else outcome
        for outcome in outcomes
    ]


def read_file(
    path: Path,
    contract_id: ContractId | tuple[ContractId, ...],
    quarantine_folder: Path | None = None,
    limits: ArrivalLimits | None = None,
    references: Mapping[ContractId, pa.Table] | None = None,
    sources: Sources | None = None,
) -> Arrived:
    """Read and check one named file as one of the given contracts.

    Raises FileRefused, "expected ...; found ...", where it is something else, and wherever `read_and_check` does.
    """
    known = {**registry.sources(), **{contract: as_source(contract) for contract in LAYOUTS}} if sources is None else sources
    expected = (contract_id,) if isinstance(contract_id, str) else contract_id
    found = survey_one(path, expected, known, limits or ArrivalLimits())
    best = max(found, key=lambda file: file.richness)
    chosen = [file for file in found if file.contract == best.contract]
    days = [file.extract_date for file in chosen if file.extract_date]
    arrival = plan(chosen, max(days, default=date.max), known)
    return read_and_check(arrival, next(iter(arrival.used), expected[0]), quarantine_folder, limits, references, known)


def with_outcomes(arrival: Arrival, outcomes: Sequence[FileOutcome]) -> pa.Table:
    """The table `core/landing_file` after reading: files that were chosen and then refused say so, with the reason."""
    refused = {(o.file.file_name, o.file.member): o.reason for o in outcomes if not o.is_used}
    rows = arrival.table.to_pylist()
    for row in rows:
        key = (row["file_name"], row["member"])
        if key in refused:
            row.update(use="refused", reason=refused[key])
    return landing_table(rows)
