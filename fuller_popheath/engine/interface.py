"""What an engine does for those who build table expressions, whichever engine it is.

What does not belong here: how one engine does it; see duck.py and spark.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import FullerError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Parts


class EngineFailed(FullerError):
    """The engine could not compute something. The engine's own message is not passed on: it may quote values."""


class Engine(ABC):
    """Ibis on an engine. Make one with `Engine.duckdb()`, `Engine.spark()` or `Engine.from_site()`, and close it, or use it in a `with`.

    Not to be shared by threads. Tables registered in it live as long as the engine knows them.
    """

    def __init__(self, connection: Any, spill_folder: Path | None = None) -> None:
        """`connection`: the Ibis backend. `spill_folder`: a folder of this engine alone, removed with everything in it when the engine closes."""
        self._connection = connection
        self._spill_folder = spill_folder
        self._compiled: dict[Hashable, str] = {}

    @classmethod
    def duckdb(cls, memory_limit: str | None = None, threads: int | None = None, spill_to: Path | None = None) -> Engine:
        """A fresh DuckDB in memory. `memory_limit` as DuckDB writes it ("2GB"; default 80 % of the machine), `threads` (default every core).

        Work that does not fit into memory fails unless `spill_to` names a folder: DuckDB's default would write rows about persons below
        the current directory. Raises EngineFailed where these settings cannot be used.
        """
        from fuller_popheath.engine.duck import DuckEngine

        return DuckEngine.start(memory_limit, threads, spill_to)

    @classmethod
    def spark(
        cls, master: str = "local[2]", databricks_connect: bool = False, memory_limit: str | None = None, spill_to: Path | None = None
    ) -> Engine:
        """Spark at a master URL, or (`databricks_connect`) the cluster that Databricks Connect is configured for.

        `memory_limit` ("4g") and `spill_to` are for a Spark that this process starts. Raises EngineFailed where pyspark, Java or the
        cluster is not there.
        """
        from fuller_popheath.engine.spark import SparkEngine

        return SparkEngine.start(master, databricks_connect, memory_limit, spill_to)

    @classmethod
    def from_site(cls, site: Site) -> Engine:
        """The engine that `[engine]` of site.toml asks for. What does not fit into memory goes to a folder of its own (mode 0700) in the site's
        spill folder, which is gone when the engine is closed; folders of processes that were killed are removed first.
        """
        choice = site.engine
        own = _own_folder(site.folder("spill"))
        limit = choice.memory_limit or None
        try:
            if choice.engine == "spark":
                engine = cls.spark(choice.spark_master, choice.databricks_connect, limit, own)
            else:
                engine = cls.duckdb(limit, choice.threads or None, own)
        except EngineFailed:
            shutil.rmtree(own, ignore_errors=True)
            raise
        engine._spill_folder = own
        return engine

    def table(self, name: str, rows: pa.Table | Parts, schema: pa.Schema | None = None, may_lack: Collection[str] = ()) -> ir.Table:
        """Make a table known under `name` (letters, digits, underscores; an earlier one is replaced) and return it as an Ibis table.

        An Arrow table is not copied by DuckDB. `Parts` are read where they lie, only as far as an expression needs them, with the columns of
        `schema` (required for them, cast where a file holds a narrower type); no file gives no rows. Files that were written before there was a
        column of `may_lack` have nothing in it. Raises EngineFailed.
        """
        import ibis

        from fuller_popheath.specs import Parts

        if isinstance(rows, Parts) and schema is None:
            raise EngineFailed(f"the table {name} is made of {len(rows.paths)} files and needs its schema said")
        shape = schema if schema is not None else rows.schema  # type: ignore[union-attr]
        try:
            if not isinstance(rows, Parts):
                self._know(name, rows)
            elif rows.paths:
                self._know_files(name, rows.paths, shape, frozenset(may_lack))
            else:
                self._know(name, shape.empty_table())
        except Exception as failed:
            raise EngineFailed(f"the engine cannot read the table {name} with {len(shape.names)} columns ({type(failed).__name__})") from None
        # Not connection.table(): Ibis 12 asks DuckDB 2 for the schema through a deprecated call, and Arrow knows it already.
        return ibis.table(ibis.Schema.from_pyarrow(shape), name=name)

    def collect(self, expression: ir.Expr, doing: str = "computing a table", as_written: bool = False) -> pa.Table:
        """Run an expression; rows come in no particular order unless it sorts. Raises EngineFailed, naming `doing` and never a value.

        `as_written`: joins are better done in the order they stand in, as their small sides are known to come second.
        """
        try:
            run = self._run_as_written if as_written else self._run
            return run(self._sql(expression)).cast(expression.as_table().schema().to_pyarrow())
        except Exception as failed:
            raise EngineFailed(f"the engine failed while {doing} ({type(failed).__name__})") from None

    def collect_again(self, key: Hashable, build: Callable[[], ir.Expr], doing: str = "computing a table") -> pa.Table:
        """Like `collect(build())`, but the expression is built and compiled once for each `key`, which takes longer than to run it on a small table.

        `key` must say everything that the expression depends on but the rows of its tables: their names, columns and types too.
        """
        try:
            if key not in self._compiled:
                self._compiled[key] = str(self._connection.compile(build()))
            return self._run(self._compiled[key])
        except Exception as failed:
            raise EngineFailed(f"the engine failed while {doing} ({type(failed).__name__})") from None

    def _sql(self, expression: ir.Expr) -> str:
        """The expression in the engine's SQL, its selections one in another as they were built: engines fuse them in a fraction of Ibis' time."""
        import ibis

        fuses = ibis.options.sql.fuse_selects
        ibis.options.sql.fuse_selects = False
        try:
            return str(self._connection.compile(expression))
        finally:
            ibis.options.sql.fuse_selects = fuses

    @abstractmethod
    def forget(self, name: str) -> None:
        """Let go of a table, so that its memory can be freed."""

    @abstractmethod
    def _know(self, name: str, arrow: pa.Table) -> None: ...

    @abstractmethod
    def _know_files(self, name: str, paths: tuple[Path, ...], schema: pa.Schema, may_lack: frozenset[str]) -> None: ...

    @abstractmethod
    def _run(self, sql: str) -> pa.Table: ...

    def _run_as_written(self, sql: str) -> pa.Table:
        return self._run(sql)

    @abstractmethod
    def _disconnect(self) -> None: ...

    def close(self) -> None:
        """Let go of every table and of the engine, and empty its spill folder. Closing twice is fine."""
        if self._connection is not None:
            self._disconnect()
            self._connection = None
        if self._spill_folder is not None:
            shutil.rmtree(self._spill_folder, ignore_errors=True)
            self._spill_folder = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _own_folder(spill: Path) -> Path:
    """A new folder of this process in `spill`; those of processes that are no more are removed."""
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in spill.glob("engine-*-*"):
        with contextlib.suppress(ValueError):
            if not _runs(int(left.name.split("-")[1])):
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"engine-{os.getpid()}-", dir=spill))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
