"""Tables that the house made itself, against their contract: cast to its schema, or refused whole with counts.

What does not belong here: files from outside; see checking.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.contracts.cells import cast_exactly, is_text, with_positions
from fuller_popheath.contracts.checking import checking_engine
from fuller_popheath.contracts.model import TYPE_WORDS, Column, Contract
from fuller_popheath.contracts.rules import find_breaks
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 2**31 - 1
"""What one Arrow array of texts holds."""
SAMPLE, FEW_TEXTS = 10_000, 1_000
"""A column recurs where so many rows at its head hold no more texts than that."""


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
    proven = ("primary_key",) if _key_never_recurs(conformed, contract.primary_key) else ()
    breaks = find_breaks(_with_few_texts(with_positions(conformed)), contract, references or {}, checking_engine(), proven)
    counts = breaks.counts(contract)
    if counts:
        listed = "; ".join(f"{rule}: {rows} row{'s' * (rows > 1)}" for rule, rows in counts.items())
        raise ContractBroken(f"{contract.id}: {len(set(breaks.positions.tolist()))} of {conformed.num_rows} rows break its rules ({listed})")
    return conformed


def _with_few_texts(table: pa.Table) -> pa.Table:
    """The same cells, each text held once where texts recur: an engine then holds a pattern against each text and not against each row."""
    for place, (name, cells) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if is_text(cells.type) and 0 < cells.nbytes < MOST_BYTES and len(cells.slice(0, SAMPLE).unique()) <= FEW_TEXTS:
            table = table.set_column(place, name, cells.combine_chunks().dictionary_encode())
    return table


def _key_never_recurs(table: pa.Table, key: tuple[str, ...]) -> bool:
    """Whether no two rows have the same key: exact where it says so, and in a tenth of the memory that an engine takes to count the keys.

    Each column's values are numbered, and each row's numbers made one whole number. False also where that cannot be done: a value is missing, or a
    column is of fractions, or so large that its values cannot be numbered in one go.
    """
    import numpy as np
    import pyarrow as pa

    places = np.zeros(table.num_rows, np.int64)
    so_far = 1
    for name in key:
        cells = table[name]
        if cells.null_count or pa.types.is_floating(cells.type) or cells.nbytes >= MOST_BYTES:
            return False
        told = cells.combine_chunks().dictionary_encode()
        so_far *= max(len(told.dictionary), 1)
        if so_far >= 2**62:
            return False
        if len(told.dictionary) > 1:
            places *= len(told.dictionary)
            places += told.indices.to_numpy()
    if not key or (places[1:] > places[:-1]).all():
        return bool(key)
    places.sort()
    return bool((places[1:] > places[:-1]).all())
