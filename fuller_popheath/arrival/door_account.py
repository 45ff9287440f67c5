"""The account of a night at the door: why a sender's rows are not used, in words, and the table `core/practice_extract`.

What does not belong here: choosing, reading, writing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.arrival.extract_store import InUse, Loaded, SenderRows
from fuller_popheath.arrival.extracts import Extract
from fuller_popheath.registry import PRACTICE_EXTRACT
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.arrival.loading import Door

RULES_SHOWN = 8
MAY_BE_EMPTY: tuple[ContractId, ...] = ("inbound/objection",)
"""Nobody objecting is good news; nobody registered, or nothing recorded, is a fault."""

GONE = "in no membership file any more: what it sends is left out; take it out of the landing folder if the practice closed"
"""How a reason ends that is no fault of a file: a practice closed or left, and what it sent still lies there."""

ALWAYS_USED: tuple[ContractId, ...] = ("inbound/objection",)
"""An objection is honoured however poor the rest of its file: refusing the file would share the data of who objects in it for the first time.
Its sound rows are used whatever their share; the others are in quarantine, which makes the check of the night an error."""


@dataclass(frozen=True)
class Choice:
    """What is in use of a sender: `loaded` its extract's account, `extract` its files if they lie in the folder tonight, `against` why nothing newer.

    `rows` are of the extract that was looked at first: the one in use, or one that was refused. `set_aside`: what was in use until the key changed.
    """

    sender: str
    in_use: InUse | None
    loaded: Loaded | None
    extract: Extract | None
    is_new: bool
    against: tuple[str, ...]
    rows: SenderRows | None
    set_aside: InUse | None = None


def why_refused(door: Door, name: str, sender: str, rows: SenderRows, last_rows: int | None) -> str | None:
    """Why a sender's rows of an extract are not used, in words without values; None where they may be. `last_rows`: accepted in its last good one."""
    if door.was_ours(sender):
        return f"{name}: {sender} is {GONE}"
    if not door.is_ours(sender):
        return (
            f"{name}: {sender} is not one of the practices here, so none of its {rows.rows_read:,} rows is kept; look for it in the membership file"
        )
    if rows.rows_read == 0 and not (door.contract.id in MAY_BE_EMPTY and not last_rows):
        return f"{name}: holds no rows for {sender}; ask for it again"
    if door.contract.id in ALWAYS_USED:
        return None
    if door.is_poor(rows):
        worst = sorted((Counter(rows.rules) + Counter(rows.blanked)).items(), key=lambda each: (-each[1], each[0]))
        shown = "; ".join(f"{rule}: {count:,} rows" for rule, count in worst[:RULES_SHOWN])
        return (
            f"{name}: {rows.rows_faulty:,} of {rows.rows_read:,} rows break the contract {door.contract.id}, more than "
            f"{door.site.arrival.max_quarantined_percent:g} % (arrival.max_quarantined_percent), so none of it is used: {shown}; "
            "have the file mended and put it in again"
        )
    least = (last_rows or 0) * (100 - door.site.arrival.shrunken_percent)
    if last_rows and 100 * rows.rows_accepted < least:
        limit = f"{door.site.arrival.shrunken_percent:g} % (arrival.shrunken_percent)"
        fewer = 100 * (1 - rows.rows_accepted / last_rows)
        return (
            f"{name}: {rows.rows_accepted:,} sound rows, {fewer:.1f} % fewer than the {last_rows:,} of the extract in use, more than {limit}; "
            "ask whether it is whole, and raise the limit if it is"
        )
    return None


def account_table(door: Door, choices: Sequence[Choice], as_of: date) -> pa.Table:
    """The rows of `core/practice_extract` for one inbound table: one a sender."""
    import pyarrow as pa

    from fuller_popheath.contracts import conform, empty_table, load_contract

    contract = load_contract(PRACTICE_EXTRACT)
    by_sender: dict[str, list[Choice]] = {}
    for choice in choices:
        by_sender.setdefault(choice.sender, []).append(choice)
    rows = [_row(door, sender, several, as_of) for sender, several in sorted(by_sender.items())]
    return conform(pa.Table.from_pylist(rows, schema=contract.schema), contract) if rows else empty_table(contract)


def _row(door: Door, sender: str, several: Sequence[Choice], as_of: date) -> Mapping[str, Any]:
    # Several only where files add up: the newest speaks for the day, all of them for the rows.
    newest = max(several, key=lambda choice: (choice.in_use is not None, (choice.in_use and choice.in_use.extract_date) or ""))
    day = newest.in_use.day if newest.in_use else None
    age = max(0, (as_of - day).days) if day else None
    state, reason = _state(door, newest, any(choice.is_new for choice in several), day, age, as_of)
    lost = [why for choice in several if choice.in_use is None and choice is not newest for why in choice.against]
    lost = [why for why in dict.fromkeys(lost) if why not in (reason or "")]
    if lost:
        state, reason = "stale", " | ".join([*([reason] if reason else []), *lost])
    looked_at = [choice.rows for choice in several if choice.rows is not None]
    return {
        "as_of": as_of,
        "contract_id": door.contract.id,
        "practice_code": sender,
        "supplier": newest.loaded.supplier if newest.loaded else None,
        "state": state,
        "reason": reason,
        "extract_date": day,
        "age_days": age,
        "rows_read": sum(rows.rows_read for rows in looked_at),
        "rows_accepted": sum(rows.rows_accepted for rows in looked_at),
        "rows_quarantined": sum(rows.rows_quarantined for rows in looked_at),
        "cells_blanked": sum(sum(rows.blanked.values()) for rows in looked_at),
        "rows_in_use": sum(sum(choice.in_use.parts.values()) for choice in several if choice.in_use),
    }


def _state(door: Door, choice: Choice, is_new: bool, day: date | None, age: int | None, as_of: date) -> tuple[str, str | None]:
    against = " | ".join(choice.against) or None
    if choice.in_use is None:
        return "never", against or "nothing has come yet"
    if against:
        return "stale", (f"{against}; the extract of {day} stands in" if day else against) + _otherwise_withheld(door, choice)
    if choice.extract is None:
        told = f"nothing came; the extract of {day} stands in" if day else "nothing came; an older extract stands in"
        return "stale", told + _otherwise_withheld(door, choice)
    if day is not None and day > as_of:
        return ("new" if is_new else "unchanged"), f"nothing up to {as_of} is here; of what is later this is the earliest"
    if age is not None and age > door.site.arrival.stale_after_days:
        return "stale", f"the newest extract is {age} days old, more than {door.site.arrival.stale_after_days} (arrival.stale_after_days)"
    return ("new" if is_new else "unchanged"), None


def _otherwise_withheld(door: Door, choice: Choice) -> str:
    """What is to be said of an extract that stands in and cannot be read again, where the codes to be withheld are others by now."""
    if choice.extract is not None or choice.loaded is None or choice.loaded.withheld == door.withholding:
        return ""
    return "; other sensitive codes were withheld from it than are tonight, so ask for it again"
