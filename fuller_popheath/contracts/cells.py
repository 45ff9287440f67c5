"""From cells as they were read to values of the declared types, with a mark where a cell is none.

What does not belong here: whether a value is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts.custom_rules import POSITION
from fuller_popheath.contracts.model import Column, Contract

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.engine import Engine

NOT_OF_TYPE = "_not_of_type_"
"""Prefix of the true-or-false columns that mark cells which are not of their column's type."""

LARGEST_WHOLE_NUMBER = 10**15 - 1
"""Fifteen digits: exact as a float too, and no rule's arithmetic can overflow."""

# DuckDB's own casts are too kind: '1.5' AS BIGINT gives 2, and ' 1e3', '1_000', 'infinity' and '2022-1-1' are read. So the text decides first.
INTEGER_TEXT = r"^-?[0-9]{1,15}$"
NUMBER_TEXT = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
DATE_TEXT = r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$"
BOOLEAN_TEXT = r"^(true|false)$"
MIDNIGHT = r" 00:00:00(\.0+)?$"


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is text, in any of Arrow's ways to hold it."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_binary(kind: pa.DataType) -> bool:
    """Whether an Arrow type is binary, in any of Arrow's ways to hold it."""
    import pyarrow as pa

    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def cast_exactly(cells: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Arrow's safe cast, and safe for times too, which Arrow would cut down to their day. Raises ArrowInvalid or ArrowNotImplementedError."""
    import pyarrow as pa

    cast = cells.cast(kind)
    if pa.types.is_timestamp(cells.type) and not cast.cast(cells.type).equals(cells):
        raise pa.ArrowInvalid("a time of day would be lost")
    return cast


def typed_or_text(cells: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """A column as read, as the column's own Arrow type where that loses nothing, else as text for the rules to judge.

    Raises ArrowInvalid or ArrowNotImplementedError where it is neither (lists, structs): callers turn that into an error without values.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if is_text(kind):
        return cells.cast(pa.string())
    if pa.types.is_null(kind) or kind == column.arrow_type:
        return cells.cast(column.arrow_type)
    if column.logical_type == "binary":
        return cells.cast(pa.binary()) if is_binary(kind) else cells.cast(pa.string())
    related = pa.types.is_boolean(kind) == (column.logical_type == "boolean")
    if related and column.logical_type != "string" and pa.types.is_temporal(kind) == (column.logical_type == "date"):
        try:
            return cast_exactly(cells, column.arrow_type)
        except pa.ArrowInvalid:
            pass
    text = cells.cast(pa.string())
    # Some cells of the column carry a time of day: those that do not are dates all the same.
    return pc.replace_substring_regex(text, MIDNIGHT, "") if column.logical_type == "date" and pa.types.is_timestamp(kind) else text


def with_positions(table: pa.Table) -> pa.Table:
    """The table with `_position` before its columns: 0 for the first row, and so on."""
    import numpy as np
    import pyarrow as pa

    return table.add_column(0, POSITION, pa.array(np.arange(table.num_rows)))


def in_order(table: pa.Table) -> pa.Table:
    """The rows sorted by `_position`; nothing is done where they are already, which is the rule."""
    import numpy as np

    positions = table[POSITION].to_numpy()
    return table if bool(np.all(positions[1:] > positions[:-1])) else table.sort_by(POSITION)


def typed_cells(cells: pa.Table, contract: Contract, engine: Engine) -> pa.Table:
    """The contract's columns typed, with `_position` and a mark `_not_of_type_<column>` for each column that was read from text; in order.

    `cells` holds exactly the contract's columns, each as `typed_or_text` gives it. Text is trimmed, and blank text becomes null; a cell that
    is not of its column's type becomes null and is marked.
    """
    whole = with_positions(cells)
    readable = [column for column in contract.columns if is_text(cells.schema.field(column.name).type)]
    source = engine.table("cells", whole.select([POSITION, *(column.name for column in readable)]))

    def values_and_marks() -> Any:
        read: dict[str, Any] = {}
        for column in readable:
            read.update(_read(source[column.name].strip().nullif(""), column))
        return source.select(POSITION, **read)

    key = (contract, "cells", tuple(column.name for column in readable))
    try:
        typed = in_order(engine.collect_again(key, values_and_marks, f"reading the cells of {contract.id}"))
    finally:
        engine.forget("cells")
    for column in contract.columns:
        if column not in readable:
            typed = typed.append_column(column.name, whole[column.name])
    return typed


def _read(text: Any, column: Column) -> dict[str, Any]:
    """The expressions of a text column's value and, where it is to be something else than text, of the mark for cells that are not."""
    import ibis

    name, kind = column.name, column.logical_type
    if kind == "string":
        return {name: text}
    if kind == "integer":
        value = ibis.ifelse(text.re_search(INTEGER_TEXT), text, None).try_cast("int64")
    elif kind == "number":
        number = ibis.ifelse(text.re_search(NUMBER_TEXT), text, None).try_cast("float64")
        value = ibis.ifelse(number.isinf(), None, number)
    elif kind == "date":
        value = ibis.ifelse(text.re_search(DATE_TEXT), text, None).try_cast("date")
    elif kind == "boolean":
        value = ibis.ifelse(text.lower().re_search(BOOLEAN_TEXT), text.lower() == "true", None)
    else:
        value = ibis.null("binary")  # text is never a shape
    return {name: value, NOT_OF_TYPE + name: text.notnull() & value.isnull()}
