"""An in-process DuckDB behind Ibis, set up so that nothing of a table leaves memory unasked or shows up in an error."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.engine.interface import Engine, EngineFailed

if TYPE_CHECKING:
    import pyarrow as pa


class DuckEngine(Engine):
    """Made by `Engine.duckdb()`."""

    @classmethod
    def start(cls, memory_limit: str | None, threads: int | None, spill_to: Path | None) -> DuckEngine:
        """See `Engine.duckdb`."""
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
        if spill_to is not None:
            # Large work is done here: without an order to keep, results stream in less memory. Nothing relies on an order it did not ask for.
            settings["preserve_insertion_order"] = False
        try:
            connection = ibis.duckdb.connect(**settings)
            # In a notebook without its widgets there is no bar, and DuckDB refuses to be told so.
            with contextlib.suppress(duckdb.InvalidInputException):
                connection.raw_sql("SET enable_progress_bar = false")
        except Exception as failed:
            raise EngineFailed(f"DuckDB would not start with these settings: {', '.join(sorted(settings))} ({type(failed).__name__})") from None
        return cls(connection)

    def _know(self, name: str, arrow: pa.Table) -> None:
        self._connection.con.register(name, arrow)

    def _know_files(self, name: str, paths: tuple[Path, ...], schema: pa.Schema, may_lack: frozenset[str]) -> None:
        import ibis

        self.forget(name)
        types = ibis.Schema.from_pyarrow(schema)
        mapper = self._connection.compiler.type_mapper
        files = self._connection.con.read_parquet([str(path) for path in paths], hive_partitioning=False, union_by_name=bool(may_lack))
        said = {column: f'"{column}"' for column in schema.names} | dict.fromkeys(may_lack - set(files.columns), "NULL")
        cells = ", ".join(f'CAST({said[column]} AS {mapper.to_string(kind)}) AS "{column}"' for column, kind in types.items())
        files.project(cells).create_view(name)

    def forget(self, name: str) -> None:
        """See `Engine.forget`."""
        self._connection.con.unregister(name)
        self._connection.con.execute(f'DROP VIEW IF EXISTS "{name}"')

    def _run(self, sql: str) -> pa.Table:
        return self._connection.con.sql(sql).to_arrow_table()

    def _run_as_written(self, sql: str) -> pa.Table:
        # Without statistics of Arrow tables DuckDB takes a join with a short code list to leave next to nothing, and hashes millions of rows
        # for the few hundred thousand persons, rather than the persons.
        self._connection.con.execute("SET disabled_optimizers = 'build_side_probe_side'")
        try:
            return self._run(sql)
        finally:
            self._connection.con.execute("SET disabled_optimizers = ''")

    def _disconnect(self) -> None:
        self._connection.disconnect()
