"""Tables that the house made itself, against their contract: cast to its schema, or refused whole with counts.

What does not belong here: files from outside; see checking.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.contracts.cells import cast_exactly, with_positions
from fuller_popheath.contracts.checking import checking_engine
from fuller_popheath.contracts.model import TYPE_WORDS, Column, Contract
from fuller_popheath.contracts.rules import find_breaks
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import pyarrow as pa


def empty_table(contract: Contract) -> pa.Table:
    """No rows, with the columns of the contract."""
    return contract.schema.empty_table()


def without_identifiers(table: pa.Table, contract: Contract) -> pa.Table:
    """The same rows without the columns that the contract classifies as identifiers."""
    return table.drop_columns([c.name for c in contract.columns if c.classification == "identifier" and c.name in table.column_names])


def conform(table: pa.Table, contract: Contract) -> pa.Table:
    """The same rows with exactly the contract's columns, in its order and types; other columns are left out.

    Columns are cast only where no value changes. Raises ContractBroken, with counts and no values, where a column is missing or cannot be cast.
    """
    import pyarrow as pa

    missing = [name for name in contract.column_names if name not in table.column_names]
    twice = [name for name in contract.column_names if table.column_names.count(name) > 1]
    if missing or twice:
        raise ContractBroken(f"{contract.id}: {'missing' if missing else 'there twice'}: the columns {', '.join(missing or twice)}")
    return pa.table({c.name: _cast(table[c.name], c, contract) for c in contract.columns}, schema=contract.schema)


def _cast(cells: pa.ChunkedArray, column: Column, contract: Contract) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        return cast_exactly(cells, column.arrow_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        what = f"the column {column.name} ({cells.type}, {len(cells)} rows)"
        raise ContractBroken(f"{contract.id}: {what} cannot be made {TYPE_WORDS[column.logical_type]} without changing values") from None


def refuse_if_broken(table: pa.Table, contract: Contract, references: Mapping[str, pa.Table] | None = None) -> pa.Table:
    """`conform`, and every rule of the contract; returns the conformed table, in which no row breaks a rule.

    Values are taken as they are: nothing is trimmed, and an empty text is a value. References are judged where `references` has the other
    table, by contract id. Raises ContractBroken listing "rule: n rows".
    """
    conformed = conform(table, contract)
    breaks = find_breaks(with_positions(conformed), contract, references or {}, checking_engine())
    counts = breaks.counts(contract)
    if counts:
        listed = "; ".join(f"{rule}: {rows} row{'s' * (rows > 1)}" for rule, rows in counts.items())
        raise ContractBroken(f"{contract.id}: {len(set(breaks.positions.tolist()))} of {conformed.num_rows} rows break its rules ({listed})")
    return conformed
