"""One file's rows against their contract: accepted, or quarantined with the ids of the rules they broke. Nothing is lost.

What does not belong here: where a quarantine is kept, and when a file is too poor to be used.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.contracts.blanking import breaks_told_apart
from fuller_popheath.contracts.cells import typed_cells, typed_or_text
from fuller_popheath.contracts.model import Checked, Contract
from fuller_popheath.contracts.rules import Breaks
from fuller_popheath.errors import FileRefused

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.engine import Engine

ROW = "_row"
BROKEN_RULES = "broken_rules"
MOST_NAMES_SHOWN = 40
LOOKS_LIKE_A_HEADER = re.compile(r"[^\W\d](?!.*\d[\d\s-]{4,})[\w .,:;()/%&'+-]{0,99}")
"""A column name that may be shown in an error. A file without its header has its first row's values there instead."""

_engines = threading.local()


def checking_engine() -> Engine:
    """The engine of this thread for checks: starting one costs more than checking a small file."""
    from fuller_popheath.engine import Engine

    if getattr(_engines, "one", None) is None:
        _engines.one = Engine.duckdb()
    return _engines.one


def check(raw: pa.Table, contract: Contract, references: Mapping[str, pa.Table] | None = None, file: str = "") -> Checked:
    """Check every row of `raw`, one row in, one row out: accepted (typed, of the contract's schema) or quarantined (as read, with its broken rules).

    `raw` has columns named as in the contract, of text or already typed, and `_row`, the row's number in the file (else rows are numbered
    from 1). Text is trimmed and blank text is null. A column that is not there and not required is null. Columns that the contract does not
    know are kept in quarantine only. Rules that refer to another table are judged where `references` has it, by contract id.
    `file` is what errors call the file. Raises FileRefused where a required column, or one of the key, is missing, stands twice or is no column of
    single values. Of copies of a row the first is accepted; of rows that differ under the same key, none is. A row that breaks rules of columns that
    are blanked alone is accepted without those cells.
    """
    where = file or f"the table for {contract.id}"
    engine = checking_engine()
    typed = typed_cells(_cells(raw, contract, where), contract, engine)
    told = breaks_told_apart(typed, contract, references or {}, engine)
    kept, broken = _split(raw.num_rows, told.refusing)
    _, blanked = _split(raw.num_rows, told.blanking)
    return Checked(
        accepted=told.typed.select(list(contract.column_names)).take(kept).cast(contract.schema),
        quarantined=_as_read(raw, broken, told.refusing, contract),
        rows_read=raw.num_rows,
        counts=told.refusing.counts(contract),
        blanked=_as_read(raw, blanked, told.blanking, contract),
        cells_blanked=told.blanking.counts(contract),
    )


def refuse_unfit_columns(raw: pa.Table, contract: Contract, where: str) -> None:
    """Raises FileRefused where a column of the contract stands twice, or a required one or one of the key is missing."""
    twice = [name for name in contract.column_names if raw.column_names.count(name) > 1]
    if twice:
        raise FileRefused(f"{where}: the column {twice[0]} stands twice, so it is not clear which one counts; remove one of them")
    missing = [c.name for c in contract.columns if (c.required or c.primary_key) and c.name not in raw.column_names]
    if missing:
        raise FileRefused(
            f"{where}: the column{'s' * (len(missing) > 1)} {', '.join(missing)} of {contract.id} missing; found {_found(raw, contract)}"
        )


def _cells(raw: pa.Table, contract: Contract, where: str) -> pa.Table:
    """The contract's columns of a file as read: text, or of their own type already; null throughout where an optional one is not there."""
    import pyarrow as pa

    refuse_unfit_columns(raw, contract, where)
    cells = {}
    for column in contract.columns:
        try:
            cells[column.name] = (
                typed_or_text(raw[column.name], column) if column.name in raw.column_names else pa.nulls(raw.num_rows, column.arrow_type)
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise FileRefused(f"{where}: the column {column.name} does not hold single values (its type is {raw[column.name].type})") from None
    return pa.table(cells)


def _found(raw: pa.Table, contract: Contract) -> str:
    """The file's column names for an error: those that look like names, and of tables about persons only those that the contract knows."""
    personal = any(c.classification != "open" for c in contract.columns)
    names = [n for n in raw.column_names if n != ROW]
    shown = [n for n in names if n in contract.column_names or (not personal and LOOKS_LIKE_A_HEADER.fullmatch(n))][:MOST_NAMES_SHOWN]
    hidden = len(names) - len(shown)
    more = f"{hidden} column{'s' * (hidden > 1)} not named here" if hidden else ""
    return " and ".join(part for part in (", ".join(shown), more) if part) or "no columns"


def _split(rows: int, breaks: Breaks) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the rows that broke no rule, and of those that broke one."""
    import numpy as np

    broken = np.unique(breaks.positions)
    kept = np.ones(rows, dtype=bool)
    kept[broken] = False
    return np.flatnonzero(kept), broken


def _as_read(raw: pa.Table, broken: np.ndarray, breaks: Breaks, contract: Contract) -> pa.Table:
    """The broken rows with every column as it was read, their numbers and the rules they broke."""
    import numpy as np
    import pyarrow as pa

    as_read = raw.drop_columns([name for name in (ROW, BROKEN_RULES) if name in raw.column_names]).take(broken)
    rows = raw[ROW].take(broken) if ROW in raw.column_names else pa.array(broken + 1)
    offsets = np.append(np.searchsorted(breaks.positions, broken), len(breaks.positions))
    ids = pa.array([rule.id for rule in contract.rules], pa.string()).take(pa.array(breaks.rules))
    return as_read.append_column(ROW, rows).append_column(BROKEN_RULES, pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), ids))
