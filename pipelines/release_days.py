"""Of which day counts of people leave: the month's, or tonight's where they can stand beside those that left before.

All products of counts leave together, so that two of them never tell of the same people on different days. What was decided stands in the store, in
RECORD. What does not belong here: writing a release, and what several releases tell (`disclosure/between_releases.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import MOVEMENT, tables
from fuller_popheath.stored_tables import LET_THROUGH, StoredTables
from fuller_popheath.whole_files import OPEN_FILE, replace_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.contracts import Contract
    from fuller_popheath.site import Site
    from pipelines.stores import Store
    from pipelines.tonight import Tonight

SECONDARY_USE, NIGHTLY = "secondary_use", "nightly"
RECORD = LET_THROUGH
COUNT_DAYS = ["releases", "count_days"]
"""The step that decides; whatever shows counts comes after it."""
WINDOW_DAYS = 31
"""Releases further back tell nothing of small counts: with one person a night more or less, even 35 can have become any of them by then."""
COUNTS = ("_count", "numerator", "denominator")
"""How the names of columns of counts end; rates, limits and what is derived are made of these."""


@dataclass(frozen=True)
class Decision:
    """Whether tonight's counts leave, and why not: how many cells of which products they would give away beside the last releases."""

    leaves: bool
    words: str
    given_away: dict[str, int]


def counts_products() -> tuple[str, ...]:
    """Every product that is made of the records of single people and leaves as counts."""
    declared = [name for name in (*(spec.contract for spec in tables().values()), MOVEMENT) if name.startswith("products/")]
    return tuple(name for name in declared if load_contract(name).purpose == SECONDARY_USE)


def day_released(tonight: Tonight, contract_id: str) -> date:
    """The day of a product that leaves tonight: counts of people leave once a month unless the site chose otherwise, because those of two nights
    could be held against each other. The first of the month that has rows is the month's. With nightly releases it is the newest day that
    `decide` let through; before there is any, the month's."""
    return day_of(tonight.store, tonight.as_of, tonight.night.site, contract_id)


def day_of(store: Store, as_of: date, site: Site, contract_id: str) -> date:
    """As `day_released`; commands that make pages from the store go by the same rule."""
    return StoredTables(store.folder).released(contract_id, as_of, site)


def decide(store: Store, as_of: date, site: Site) -> Decision:
    """Whether tonight's counts leave, and write it down. Asked once all products of the night stand.

    Monthly releases need no check. With nightly ones tonight's tables are held against all that left in the WINDOW_DAYS before: where a small count
    or what was rounded away could be worked out from them together, none of tonight's leaves. A night that was let through and made anew since with
    other counts leaves no second time. Raises InputMissing where a product is not in the store.
    """
    if site.disclosure.release != NIGHTLY:
        return Decision(True, "counts leave once a month", {})
    hashes = {name: _hash(store.path(name, as_of)) for name in counts_products() if store.has(name, as_of)}
    before = _record(store).get(as_of.isoformat())
    if before and before["leaves"] and before["tables"] != hashes:
        given = {name: 0 for name in hashes if before["tables"].get(name) != hashes[name]}
        made = Decision(
            False, f"{len(given)} products of this day left already and were made anew with other counts: they leave with a later night", {}
        )
    elif before and before["tables"] == hashes:
        return Decision(before["leaves"], before["words"], before["given_away"])
    else:
        made = _checked(store, as_of, site)
    _write(store, as_of, {"leaves": made.leaves, "words": made.words, "given_away": made.given_away, "tables": hashes})
    return made


def _checked(store: Store, as_of: date, site: Site) -> Decision:
    from fuller_popheath.disclosure.between_releases import releases_differ_safely
    from fuller_popheath.disclosure.rules import rule_named

    rule = rule_named(site.disclosure.rule)
    given_away: dict[str, int] = {}
    for name in counts_products():
        contract = load_contract(name)
        key, counts = _key(contract), counts_of(contract)
        if name == MOVEMENT or not counts or not _has_rows(store, name, as_of):
            continue
        earlier = [day for day in _let_through(store, as_of - timedelta(days=1)) if _has_rows(store, name, day)]
        months = _of_month(store, name, as_of - timedelta(days=1))
        days = sorted({*earlier, *([months] if _has_rows(store, name, months) else []), as_of})
        near = [day for day in days if (as_of - day).days <= WINDOW_DAYS]
        told = releases_differ_safely([(day, _frame(store, name, day, [*key, *counts])) for day in near], key, counts, rule)
        if not told.is_safe:
            given_away[name] = len(told.cells)
    if not given_away:
        return Decision(True, "nothing can be worked out from tonight's counts beside those that left before", {})
    cells, products = sum(given_away.values()), ", ".join(given_away)
    return Decision(False, f"{cells:,} cells of {products} could be worked out beside what left before; the last counts stand", given_away)


def counts_of(contract: Contract) -> tuple[str, ...]:
    """The columns of a product that are counts after disclosure control."""
    own = (column for column in contract.columns if column.name not in contract.primary_key and column.logical_type == "integer")
    return tuple(column.name for column in own if column.name.endswith(COUNTS))


def _key(contract: Contract) -> tuple[str, ...]:
    return tuple(name for name in contract.primary_key if name != "as_of")


def _frame(store: Store, contract_id: str, day: date, columns: list[str]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    # Numbers that are empty where they are hidden, not floats.
    return store.read(contract_id, day, columns).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


def _has_rows(store: Store, contract_id: str, day: date) -> bool:
    return store.has(contract_id, day) and bool(store.read(contract_id, day, ["as_of"]).num_rows)


def _of_month(store: Store, contract_id: str, as_of: date) -> date:
    """The first day of the month up to `as_of` that has rows; `as_of` where none has."""
    of_month = (day for day in store.days(contract_id) if (day.year, day.month) == (as_of.year, as_of.month) and day <= as_of)
    return next((day for day in of_month if _has_rows(store, contract_id, day)), as_of)


def _let_through(store: Store, until: date) -> list[date]:
    return [day for text, said in _record(store).items() if said["leaves"] and (day := date.fromisoformat(text)) <= until]


def _record(store: Store) -> dict[str, Any]:
    path = store.folder / RECORD
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return told


def _write(store: Store, as_of: date, said: dict[str, Any]) -> None:
    every = {**_record(store), as_of.isoformat(): said}
    kept = {day: every[day] for day in sorted(every) if (as_of - date.fromisoformat(day)).days <= 2 * WINDOW_DAYS}
    replace_whole(store.folder / RECORD, lambda temporary: temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8"), OPEN_FILE)


def _hash(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def released_before(tonight: Tonight, contract_id: str) -> pa.Table | None:
    """A table as it left in the newest month before tonight's that the store knows of: what a trend may be told against, since it is out already."""
    as_of, store = tonight.as_of, tonight.store
    earlier = [day for day in store.days(contract_id) if (day.year, day.month) < (as_of.year, as_of.month)]
    if tonight.night.site.disclosure.release == NIGHTLY and (passed := set(_let_through(store, as_of))):
        earlier = [day for day in earlier if day in passed]
    for month in sorted({(day.year, day.month) for day in earlier}, reverse=True):
        for day in sorted(day for day in earlier if (day.year, day.month) == month):
            table = store.read(contract_id, day)
            if table.num_rows:
                return table
    return None
