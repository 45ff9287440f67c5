"""Dagster's runs that the site keeps no longer: their counts are written down, then they go, with their events and logs.

Deleting a run deletes what it told of every asset. So a line of JSON a run is appended first: which assets it made, with their numbers, and how
each check ended; no words and no text. The run that holds the newest word on any asset always stays. What does not belong here: the store.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder

AUDIT = "audit"
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
AT_A_TIME = 200


def forget_runs(instance: dg.DagsterInstance, status: Path, now: datetime, run_days: int, assets: Iterable[dg.AssetKey]) -> int:
    """Write down and delete the runs that were created more than so many days ago. Returns how many went."""
    kept = newest_of(instance, assets)
    before, gone = now - timedelta(days=run_days), 0
    while records := [
        record
        for record in instance.get_run_records(dg.RunsFilter(created_before=before, statuses=FINISHED), ascending=True, limit=AT_A_TIME + len(kept))
        if record.dagster_run.run_id not in kept
    ]:
        for record in records:
            append(status, audit_line(instance, record), record.create_timestamp.year)
            run_id = record.dagster_run.run_id
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            instance.delete_run(run_id)
            gone += 1
    return gone


def newest_of(instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey]) -> set[str]:
    """The runs that made each asset last: the next night, the page and the audit log's witness ask them."""
    events = (instance.get_latest_materialization_event(key) for key in assets)
    return {event.run_id for event in events if event is not None}


def audit_line(instance: dg.DagsterInstance, record: dg.RunRecord) -> dict[str, Any]:
    """A run in numbers and names."""
    made, checks = [], []
    run = record.dagster_run
    for entry in instance.all_logs(run.run_id, of_type={dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION}):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            verdict: Any = event.event_specific_data
            ended = {"check": verdict.check_name, "passed": verdict.passed, "severity": verdict.severity.value}
            checks.append({"asset": verdict.asset_key.to_user_string(), **ended})
        else:
            found = event.step_materialization_data.materialization
            numbers = {name: value.value for name, value in found.metadata.items() if isinstance(value.value, int | float)}
            made.append(
                {"asset": found.asset_key.to_user_string(), "numbers": numbers, "version": (found.tags or {}).get("dagster/data_version", "")}
            )
    told = {"run": run.run_id, "job": run.job_name, "status": run.status.value, "created": record.create_timestamp.isoformat()}
    return {**told, "started": record.start_time, "ended": record.end_time, "assets": made, "checks": checks}


def append(status: Path, line: dict[str, Any], year: int) -> None:
    """Append a line to the year's file and wait until it is on the disk: what it tells of is deleted next."""
    make_folder(status, PRIVATE_FOLDER)
    make_folder(status / AUDIT, PRIVATE_FOLDER)
    opened = os.open(status / AUDIT / f"runs_{year}.jsonl", os.O_CREAT | os.O_APPEND | os.O_WRONLY, PRIVATE_FILE)
    try:
        os.write(opened, (json.dumps(line, separators=(",", ":")) + "\n").encode())
        os.fsync(opened)
    finally:
        os.close(opened)


def forget_records(status: Path, now: datetime, run_days: int, audit_years: int) -> int:
    """Remove what was written down for the status page of runs that ended so long ago, and years of the audit copy. Returns how many files went."""
    before = (now - timedelta(days=run_days)).strftime("%Y%m%dT%H%M%S")
    old = [path for path in (status / "runs").glob("*.json") if path.name < before]
    kept = {path.stem.partition("_")[2] for path in (status / "runs").glob("*.json") if path not in old}
    old += [path for path in (status / "told").glob("*") if path.name[:8] not in kept and path.stat().st_mtime < now.timestamp() - 86_400]
    old += [path for path in (status / AUDIT).glob("runs_*.jsonl") if int(path.stem.removeprefix("runs_")) < now.year - audit_years]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def compact(instance: dg.DagsterInstance) -> None:
    """Give back the disk space of deleted runs, where Dagster keeps them in SQLite. A database that is in use is left for the next time."""
    with suppress(Exception):
        for database in Path(instance.storage_directory()).glob("history/**/*.db"):
            with closing(sqlite3.connect(database, timeout=5)) as opened, suppress(sqlite3.Error):
                opened.execute("VACUUM")
