"""Tables of tonight as they are given: whole, or as the files that are their rows.

What does not belong here: which tables, and what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fuller_popheath.contracts import load_contract
from fuller_popheath.specs import ContractId, Parts

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.engine import Engine

EngineFactory = Callable[[], "Engine"]
"""Makes a fresh engine: `lambda: Engine.from_site(site)`."""

SourceOf = Callable[[ContractId], "Parts | pa.Table"]
"""Gives a table of tonight by its id. Raises InputMissing for one that has not been made."""


def each_part(given: Parts | pa.Table, name: ContractId, columns: tuple[str, ...] = ()) -> Iterator[pa.Table]:
    """A table file by file, so that it need not be held: the `columns` (none named: all) of its contract, in their types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = load_contract(name).schema
    wanted = pa.schema([schema.field(column) for column in columns]) if columns else schema
    if isinstance(given, Parts):
        yield from (pq.read_table(path, columns=wanted.names, partitioning=None).cast(wanted) for path in given.paths)
    else:
        yield given.select(wanted.names).cast(wanted)


def whole(given: Parts | pa.Table, name: ContractId, columns: tuple[str, ...] = ()) -> pa.Table:
    """A table as one, as `each_part` has it; no file gives no rows."""
    import pyarrow as pa

    parts = list(each_part(given, name, columns))
    schema = load_contract(name).schema
    return pa.concat_tables(parts) if parts else pa.schema([schema.field(c) for c in columns or schema.names]).empty_table()
