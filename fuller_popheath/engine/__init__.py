"""The one place that knows which engine runs Ibis expressions: DuckDB in this process, or Spark.

What does not belong here: any rule or figure. Code elsewhere builds Ibis expressions on the tables that an `Engine` hands out and collects them.
"""

from fuller_popheath.engine.interface import Engine, EngineFailed

__all__ = ["Engine", "EngineFailed"]
