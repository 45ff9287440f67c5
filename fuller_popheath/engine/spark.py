"""Spark behind Ibis: the same expressions where one machine is too small.

pyspark is imported only when a Spark engine is asked for; it is the extra `spark` of the project. Tables go in and come out as Arrow, never through
pandas. What does not belong here: anything that one engine computes and the other does not.
"""

from __future__ import annotations

import warnings
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.engine.interface import Engine, EngineFailed

if TYPE_CHECKING:
    import pyarrow as pa

LOCAL_PARTITIONS = "4"
"""Shuffle partitions of a Spark in this process; Spark's own default of 200 is for clusters and costs seconds on small tables."""


class SparkEngine(Engine):
    """Made by `Engine.spark()`."""

    _session: Any = None
    _stops: bool = True

    @classmethod
    def start(cls, master: str, databricks_connect: bool, memory_limit: str | None, spill_to: Path | None) -> SparkEngine:
        """See `Engine.spark`."""
        try:
            # pyspark warns of pandas 3 as it is imported; no table here goes through pandas.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import ibis
                import ibis.backends.pyspark

                session = _databricks() if databricks_connect else _session(master, memory_limit, spill_to)
                engine = cls(ibis.pyspark.connect(session))
        except ImportError as failed:
            raise EngineFailed(f"Spark needs the package {failed.name}: install the extra `spark` (or databricks-connect)") from None
        except Exception as failed:
            what = "Databricks Connect" if databricks_connect else "Spark (does Java 17 or later run here? can the master be reached?)"
            raise EngineFailed(f"{what} would not start ({type(failed).__name__})") from None
        engine._session, engine._stops = session, not databricks_connect
        return engine

    def _know(self, name: str, arrow: pa.Table) -> None:
        import pyarrow as pa

        plain = pa.schema([pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in arrow.schema])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._session.createDataFrame(arrow.cast(plain)).createOrReplaceTempView(name)

    def _know_files(self, name: str, paths: tuple[Path, ...], schema: pa.Schema, may_lack: frozenset[str]) -> None:
        import ibis
        import pyarrow.parquet as pq

        types = ibis.Schema.from_pyarrow(schema)
        mapper = self._connection.compiler.type_mapper
        # Spark takes one file's columns for those of all.
        alike: dict[frozenset[str], list[str]] = {}
        for path in paths:
            alike.setdefault(may_lack - set(pq.read_schema(path).names) if may_lack else may_lack, []).append(str(path))
        frames = []
        for absent, files in alike.items():
            said = {column: f"`{column}`" for column in schema.names} | dict.fromkeys(absent, "NULL")
            cells = [f"CAST({said[column]} AS {mapper.to_string(kind)}) AS `{column}`" for column, kind in types.items()]
            frames.append(self._session.read.parquet(*files).selectExpr(*cells))
        reduce(lambda one, other: one.union(other), frames).createOrReplaceTempView(name)

    def forget(self, name: str) -> None:
        """See `Engine.forget`."""
        self._session.catalog.dropTempView(name)

    def _run(self, sql: str) -> pa.Table:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._session.sql(sql).toArrow()

    def _disconnect(self) -> None:
        if self._stops:
            self._session.stop()


def _session(master: str, memory_limit: str | None, spill_to: Path | None) -> Any:
    """A session of our own. Nothing is written below the current directory, and no log shows a row."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Rows that stand within the plan are looked at by every step that plans: a table of 300,000 facts then takes half a minute to plan.
        "spark.sql.execution.arrow.localRelationThreshold": "0",
        # One step of a long row of joins may be larger than what Spark lets a driver collect by default.
        "spark.driver.maxResultSize": "0",
    }
    if master.startswith("local"):
        settings |= {"spark.sql.shuffle.partitions": LOCAL_PARTITIONS, "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if memory_limit is not None:
        settings["spark.driver.memory"] = memory_limit.lower().removesuffix("b")
    if spill_to is not None:
        settings |= {"spark.local.dir": str(spill_to), "spark.sql.warehouse.dir": str(spill_to / "warehouse")}
    builder = SparkSession.builder.master(master).appName("fuller")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _databricks() -> Any:
    from databricks.connect import DatabricksSession

    return DatabricksSession.builder.getOrCreate()
