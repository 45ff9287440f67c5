"""What a layout's asset takes into the night: what arrived; where nothing usable did, the last good snapshot, or the bare columns.

What does not belong here: reading and checking files (`fuller_popheath.arrival`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.errors import FileRefused, InputMissing
from pipelines import describe
from pipelines.summary import ACCEPTED, FILES, QUARANTINED, READ

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.arrival.landing import Arrived
    from fuller_popheath.contracts import Contract
    from fuller_popheath.specs import SourceSpec
    from pipelines.tonight import Tonight

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@dataclass(frozen=True)
class Taken:
    """A layout's table of the night and what there is to say of it; `from_day` is the day it arrived where an earlier one stands in."""

    table: pa.Table
    is_good: bool
    sentence: str
    from_day: date | None = None
    severity: dg.AssetCheckSeverity = ERROR
    metadata: Mapping[str, Any] = field(default_factory=dict)
    check_metadata: Mapping[str, Any] = field(default_factory=dict)


def take(tonight: Tonight, spec: SourceSpec, contract: Contract) -> Taken:
    """The accepted rows of what arrived, without identifiers, and the account of every file.

    Of files that add up none is no warning, and what cannot be read of them is told by row number, so that whoever sent it can mend it.
    A damaged file that is not required costs nothing else: the last good snapshot stands in, and the check says so as an error. So it does,
    as a warning, where no file came but one did before. Raises InputMissing or FileRefused where the layout is required; that none came costs a
    night of practice lists nothing else.
    """
    from fuller_popheath.arrival.landing import State, examine, refuse_unusable
    from fuller_popheath.contracts import empty_table, without_identifiers

    refused = [file.problem for file in tonight.arrival.files if file.state is State.REFUSED and file.contract == contract.id and file.problem]
    if contract.id not in tonight.arrival.used and spec.all_files and not refused:
        return Taken(without_identifiers(empty_table(contract), contract), is_good=True, sentence="no file arrived", metadata={"files": 0})
    if contract.id not in tonight.arrival.used and (not spec.required or tonight.can_do_without((contract.id,))):
        return _instead(tonight, contract, " | ".join(refused), f"no file arrived; expected, where there is one, {spec.expects}")
    try:
        arrived = examine(tonight.arrival, contract.id, tonight.quarantine, tonight.night.site.arrival)
        tonight.outcomes.extend(arrived.files)
        refuse_unusable(arrived, spec)
    except FileRefused as problem:
        if spec.required:
            raise
        return _instead(tonight, contract, " | ".join([*refused, str(problem)]), "")
    except InputMissing as missing:
        raise FileRefused(" | ".join(refused)) if refused else missing from None
    return _told(arrived, contract, refused, tells_rows=spec.all_files)


def _told(arrived: Arrived, contract: Contract, refused: list[str], tells_rows: bool) -> Taken:
    from fuller_popheath.arrival.returned_rows import rows_not_read
    from fuller_popheath.contracts import without_identifiers

    lost = [*refused, *(file.reason for file in arrived.files if not file.is_used and file.reason)]
    broken = "; ".join(f"{rule}: {count:,} rows" for rule, count in sorted(arrived.counts.items()) if count)
    if tells_rows and arrived.rows_quarantined:
        broken = rows_not_read(arrived.files)
    told = f"{arrived.rows_read:,} rows read, {arrived.rows_accepted:,} accepted, {arrived.rows_quarantined:,} quarantined"
    if not_judged := describe.references_of(contract):
        told += f"; {len(not_judged)} rules not judged: {', '.join(not_judged)}"
    files = [
        {"file": file.file.name, READ: file.rows_read, ACCEPTED: file.rows_accepted, QUARANTINED: file.rows_quarantined} for file in arrived.files
    ]
    account = {READ: arrived.rows_read, ACCEPTED: arrived.rows_accepted, QUARANTINED: arrived.rows_quarantined}
    return Taken(
        table=without_identifiers(arrived.table, contract),
        is_good=not lost and not arrived.rows_quarantined,
        severity=ERROR if lost else WARN,
        sentence=" | ".join([*lost, f"{told} ({broken})" if broken else told]),
        metadata={**account, FILES: dg.MetadataValue.json(files)},
        check_metadata={**account, **{f"rows: {rule}": count for rule, count in arrived.counts.items() if count}, "error": _kind(bool(lost))},
    )


def _instead(tonight: Tonight, contract: Contract, refused: str, absent: str) -> Taken:
    """What stands in where nothing usable arrived: the newest snapshot of the same landing folder, else the columns without rows."""
    from fuller_popheath.contracts import empty_table, without_identifiers

    last = tonight.store.last_good(contract.id, tonight.as_of, tonight.landing)
    table = last[1] if last else without_identifiers(empty_table(contract), contract)
    stands_in = f"the table of {last[0].isoformat()} stands in{_age(last[0], tonight.as_of)}" if last else "the table is empty"
    return Taken(
        table=table,
        is_good=not refused and last is None,
        severity=ERROR if refused else WARN,
        sentence=f"{refused or absent}; {stands_in}",
        from_day=last[0] if last else None,
        metadata={"stands in": last[0].isoformat() if last else "nothing"},
        check_metadata={"error": _kind(bool(refused))},
    )


def _age(day: date, as_of: date) -> str:
    days = (as_of - day).days
    return f", {days} {'day' if days == 1 else 'days'} old" if days else ""


def _kind(is_refused: bool) -> str:
    return FileRefused.__name__ if is_refused else ""
