"""Cells that are left empty instead of refusing their row: where a contract says that a breach of a column costs the cell and not the row.

A slip in an optional column must not take a person out of everything. The row as read is kept in quarantine too, and each cell is counted by its
rule. What does not belong here: which columns those are (their contract says), and finding what is broken (`rules`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.contracts.cells import NOT_OF_TYPE
from fuller_popheath.contracts.model import Contract
from fuller_popheath.contracts.number_rules import NUMBER_KINDS
from fuller_popheath.contracts.rules import Breaks, find_breaks

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.engine import Engine


@dataclass(frozen=True)
class Told:
    """A typed table whose blanking cells are empty, the breaks that refuse rows of it, and those that cost a row that is kept no more than a cell."""

    typed: pa.Table
    refusing: Breaks
    blanking: Breaks


def blanked_by(contract: Contract) -> dict[int, str]:
    """The rules (by number in the contract) whose breach empties a cell, and the column of the cell: those that judge one blanking column alone."""
    blanking = {column.name for column in contract.columns if column.blanks}
    return {
        number: column
        for number, rule in enumerate(contract.rules)
        if (column := rule.column or (rule.arguments["column"] if rule.kind in NUMBER_KINDS else None)) in blanking
    }


def breaks_told_apart(typed: pa.Table, contract: Contract, references: Mapping[str, pa.Table], engine: Engine) -> Told:
    """`find_breaks`, then once more without the cells that are to be left empty where there are any: so a kept row is held against its rivals too.

    A row that breaks another rule besides is refused for all of them, and none of its cells counts as left empty.
    """
    import numpy as np

    found, rules = find_breaks(typed, contract, references, engine), blanked_by(contract)
    is_cell = np.isin(found.rules, list(rules))
    cells = Breaks(found.positions[is_cell], found.rules[is_cell])
    if not len(cells.positions):
        return Told(typed, found, cells)
    for name in dict.fromkeys(rules[number] for number in np.unique(cells.rules).tolist()):
        own = [number for number, column in rules.items() if column == name]
        typed = _without(typed, name, cells.positions[np.isin(cells.rules, own)])
    again = find_breaks(typed, contract, references, engine)
    of_refused = np.isin(cells.positions, again.positions)
    positions = np.concatenate([again.positions, cells.positions[of_refused]])
    numbers = np.concatenate([again.rules, cells.rules[of_refused]])
    order = np.lexsort((numbers, positions))
    kept = Breaks(cells.positions[~of_refused], cells.rules[~of_refused])
    return Told(typed, Breaks(positions[order], numbers[order]), kept)


def _without(typed: pa.Table, name: str, positions: np.ndarray) -> pa.Table:
    """The table, the cells of a column at these positions null, and no longer marked as being of no type."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    empty = np.zeros(typed.num_rows, bool)
    empty[positions] = True
    cells = pc.if_else(pa.array(empty), pa.scalar(None, typed[name].type), typed[name])
    typed = typed.set_column(typed.column_names.index(name), name, cells)
    mark = NOT_OF_TYPE + name
    if mark in typed.column_names:
        typed = typed.set_column(typed.column_names.index(mark), mark, pc.and_(typed[mark], pa.array(~empty)))
    return typed
