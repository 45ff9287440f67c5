"""Parquet files as they arrive: what their columns are called, their first row, and their rows with text that recurs kept coded.

What does not belong here: knowing any layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.archives import ASK_AGAIN, too_large
from fuller_popheath.sources.names import file_told

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


MOST_CELLS = 5_000_000_000
"""Rows times columns: a few bytes can say that a value stands in as many rows as anybody likes."""


def head(path: Path, name: str, max_bytes: int) -> tuple[list[str], list[str], int]:
    """The names of the columns, the first row as text (null: ""), and how many rows there are.

    Of the columns that hold other things than single values the first row says nothing. Raises FileRefused if it cannot be read, holds more than
    `max_bytes` once unpacked or more than MOST_CELLS cells: it is looked at before anything is unpacked.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _refuse_too_large(file, name, max_bytes)
            columns = list(file.schema_arrow.names)
            batch = next(file.iter_batches(batch_size=1), None)
            rows = file.metadata.num_rows
    except FileRefused:
        raise
    except Exception as wrong:  # Arrow's own text may quote the file
        raise _damaged(name, wrong) from None
    first = batch.to_pylist()[0] if batch is not None and batch.num_rows and len(set(columns)) == len(columns) else {}
    return columns, [_text(first.get(column)) for column in columns], rows


def _refuse_too_large(file: pq.ParquetFile, name: str, max_bytes: int) -> None:
    told = file.metadata
    if sum(told.row_group(group).total_byte_size for group in range(told.num_row_groups)) > max_bytes:
        raise too_large(name, max_bytes)
    if told.num_rows * max(1, told.num_columns) > MOST_CELLS:
        raise FileRefused(f"{name}: says that it has {told.num_rows:,} rows of {told.num_columns:,} columns, more than any extract; {ASK_AGAIN}")


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, bytes | list | dict) else str(value)


def read(path: Path, columns: Sequence[str]) -> pa.Table:
    """The named columns, typed as the file has them; text comes dictionary-encoded. Raises FileRefused if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = file_told(path.name)
    try:
        with pq.ParquetFile(path) as file:
            text = [field.name for field in file.schema_arrow if field.name in columns and pa.types.is_string(field.type)]
        with pq.ParquetFile(path, read_dictionary=text, memory_map=True) as file:
            return file.read(columns=list(columns), use_threads=False)
    except Exception as wrong:
        raise _damaged(name, wrong) from None


def _damaged(name: str, wrong: Exception) -> FileRefused:
    return FileRefused(f"{name}: the Parquet file is cut short or damaged, it cannot be read ({type(wrong).__name__}); {ASK_AGAIN}")
