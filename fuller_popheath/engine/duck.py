"""An in-process DuckDB behind Ibis, set up so that nothing of a table leaves memory or shows up in an error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import FullerError

if TYPE_CHECKING:
    from pathlib import Path

    import ibis.expr.types as ir
    import pyarrow as pa


class EngineFailed(FullerError):
    """The engine could not compute something. The engine's own message is not passed on: it may quote values."""


class Engine:
    """Ibis on an engine. Make one with `Engine.duckdb()`, and close it, or use it in a `with`.

    Not to be shared by threads. Tables registered in it are not copied: they live as long as the engine knows them.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._compiled: dict[Hashable, str] = {}

    @classmethod
    def duckdb(cls, memory_limit: str | None = None, threads: int | None = None, spill_to: Path | None = None) -> Engine:
        """A fresh DuckDB in memory. `memory_limit` as DuckDB writes it ("2GB"; default 80 % of the machine), `threads` (default every core).

        Work that does not fit into memory fails unless `spill_to` names a folder: DuckDB's default would write rows about persons below
        the current directory.
        """
        import duckdb
        import ibis

        settings: dict[str, Any] = {
            "temp_directory": str(spill_to) if spill_to else "",
            # No extension is fetched or loaded behind our back: the house works without a network.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if memory_limit is not None:
            settings["memory_limit"] = memory_limit
        if threads is not None:
            settings["threads"] = threads
        try:
            connection = ibis.duckdb.connect(**settings)
            # In a notebook without its widgets there is no bar, and DuckDB refuses to be told so.
            with contextlib.suppress(duckdb.InvalidInputException):
                connection.raw_sql("SET enable_progress_bar = false")
        except Exception as failed:
            raise EngineFailed(f"DuckDB would not start with these settings: {', '.join(sorted(settings))} ({type(failed).__name__})") from None
        return cls(connection)

    def table(self, name: str, arrow: pa.Table) -> ir.Table:
        """Make an Arrow table known under `name` (replacing an earlier one) and return it as an Ibis table. Nothing is copied."""
        import ibis

        try:
            self._connection.con.register(name, arrow)
            # Not connection.table(): Ibis 12 asks DuckDB 2 for the schema through a deprecated call. Arrow knows it already.
            return ibis.table(ibis.Schema.from_pyarrow(arrow.schema), name=name)
        except Exception as failed:
            raise EngineFailed(f"the engine cannot read the table {name} with {arrow.num_columns} columns ({type(failed).__name__})") from None

    def forget(self, name: str) -> None:
        """Let go of a table, so that its memory can be freed."""
        self._connection.con.unregister(name)

    def collect(self, expression: ir.Expr, doing: str = "computing a table") -> pa.Table:
        """Run an expression; rows come in no particular order unless it sorts. Raises EngineFailed, naming `doing` and never a value."""
        try:
            return self._connection.to_pyarrow(expression)
        except Exception as failed:
            raise EngineFailed(f"the engine failed while {doing} ({type(failed).__name__})") from None

    def collect_again(self, key: Hashable, build: Callable[[], ir.Expr], doing: str = "computing a table") -> pa.Table:
        """Like `collect(build())`, but the expression is built and compiled once for each `key`, which takes longer than to run it on a small table.

        `key` must say everything that the expression depends on but the rows of its tables: their names, columns and types too.
        """
        try:
            if key not in self._compiled:
                self._compiled[key] = str(self._connection.compile(build()))
            return self._connection.con.sql(self._compiled[key]).to_arrow_table()
        except Exception as failed:
            raise EngineFailed(f"the engine failed while {doing} ({type(failed).__name__})") from None

    def close(self) -> None:
        """Let go of every table and of the engine. Closing twice is fine."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
