"""Parquet files as they arrive: what their columns are called, their first row, and their rows with text that recurs kept coded.

What does not belong here: knowing any layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.archives import ASK_AGAIN
from fuller_popheath.sources.names import file_told

if TYPE_CHECKING:
    import pyarrow as pa


def head(path: Path, name: str) -> tuple[list[str], list[str], int]:
    """The names of the columns, the first row as text (null: ""), and how many rows there are. Raises FileRefused if it cannot be read.

    Of the columns that hold other things than single values the first row says nothing.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = list(file.schema_arrow.names)
            batch = next(file.iter_batches(batch_size=1), None)
            rows = file.metadata.num_rows
    except Exception as wrong:  # Arrow's own text may quote the file
        raise _damaged(name, wrong) from None
    first = batch.to_pylist()[0] if batch is not None and batch.num_rows and len(set(columns)) == len(columns) else {}
    return columns, [_text(first.get(column)) for column in columns], rows


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
