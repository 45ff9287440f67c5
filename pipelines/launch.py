"""Starts the nightly job in this process as the same run that Dagster's page would start: same instance, same job, same code location.

What does not belong here: what is shown of it (`summary.py`).
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, chdir, closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.workspace.load_target import get_origins_from_toml
from sqlalchemy import Engine, event

JOB, FIRST_NIGHT, MISSED_DAY = "nightly", "first_night", "missed_day"
DEFINITIONS, ATTRIBUTE, REPOSITORY = "pipelines.definitions", "defs", "__repository__"
STORE_TAG = "fuller/store"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


@contextmanager
def instance_of(root: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance: $DAGSTER_HOME where it is set, else the dagster.yaml of the project, whose paths are relative to it."""
    with chdir(root), dg.DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else dg.DagsterInstance.from_config(str(root)) as instance:
        yield instance


def new_run(
    instance: dg.DagsterInstance,
    root: Path,
    store: Path,
    night: Mapping[str, str],
    name: str = JOB,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[ReconstructableJob, dg.DagsterRun]:
    """Create a run of a job, with the origin that makes the page show it under that job of the location `fuller`.

    `night` is the configuration of the `night` resource, `steps` that of single steps by name. The caller holds the lock of `store`
    (`night_lock.one_night`) until the run has ended.
    """
    fail_what_was_killed(instance, store)
    repository = ReconstructableRepository.for_module(DEFINITIONS, ATTRIBUTE, working_directory=str(root))
    job = repository.get_reconstructable_job(name)
    location = get_origins_from_toml(str(root / "pyproject.toml"))[0]
    run = instance.create_run_for_job(
        job_def=job.get_definition(),
        run_config={
            "resources": {"night": {"config": dict(night)}},
            "ops": {step: {"config": dict(c)} for step, c in (steps or {}).items()},
            **QUIET,
        },
        tags={STORE_TAG: this_store(store)},
        remote_job_origin=RemoteJobOrigin(repository_origin=RemoteRepositoryOrigin(location, REPOSITORY), job_name=name),
        job_code_origin=job.get_python_origin(),
    )
    return job, run


def events_of(instance: dg.DagsterInstance, job: ReconstructableJob, run: dg.DagsterRun) -> Iterator[Any]:
    """Execute the run step by step; yields Dagster's events as they happen."""
    with _unhurried(Path(instance.storage_directory()).glob("history/**/*.db")):
        yield from execute_run_iterator(job, run, instance)


@contextmanager
def _unhurried(databases: Iterable[Path]) -> Iterator[None]:
    """Spare the disk: Dagster commits and closes its SQLite files for each of some 900 events a night, and waits for the disk every time.

    While the run lasts the files stay open (the last to close one has to flush it) and a commit leaves the flushing to the next checkpoint. A
    process that dies loses nothing by that; a machine that loses power may lose the last events, never the files. Measured on 2 cores and a small
    make-believe place: 14.9 and 14.8 s a night with it, 16.1 and 17.1 s without.
    """
    with ExitStack() as held:
        event.listen(Engine, "connect", _flush_at_checkpoints)
        held.callback(event.remove, Engine, "connect", _flush_at_checkpoints)
        for database in databases:
            held.enter_context(closing(sqlite3.connect(database))).execute("PRAGMA schema_version")
        yield


def _flush_at_checkpoints(connection: object, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=NORMAL")


def this_store(store: Path) -> str:
    """Host and store, as the tag of a run that a terminal started."""
    return f"{socket.gethostname()}:{store.resolve()}"


def fail_what_was_killed(instance: dg.DagsterInstance, store: Path) -> tuple[str, ...]:
    """Mark as failed the runs that a terminal started on this store and that never ended: whoever holds its lock knows that none of them lives.

    Runs that the page or the schedule started are Dagster's own to watch (`run_monitoring` in dagster.yaml). Returns the ids of the runs.
    """
    killed = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags={STORE_TAG: this_store(store)}))
    for run in killed:
        instance.report_run_failed(run, "The process that ran this ended before the run did.")
    return tuple(run.run_id for run in killed)
