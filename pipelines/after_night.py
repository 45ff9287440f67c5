"""What happens once a run has ended, however it was started: it is written down, the status page is made anew, and people are told, once.

A run is read back from Dagster's own events, so that one that was killed is told of too. What does not belong here: what is shown (`publish`), and
how people are reached (`fuller_popheath.notices`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.errors import FullerError, without_values
from fuller_popheath.night_records import PAGE, RunRecord, Step, Trouble, current_release, first_to_tell, keep, newest, not_told, status_folder
from fuller_popheath.site import load_site
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole
from pipelines.costs import CPU, PEAK
from pipelines.summary import NightReport, Problem, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from fuller_popheath.site import Site

ASSET_JOB = "__ASSET_JOB"
"""What Dagster calls a run of single assets that somebody materialises by hand: written down, but nobody is told."""
WILL_RETRY = "dagster/will_retry"
ROWS = "dagster/row_count"
GroupOf = Callable[[dg.AssetKey], str]


def groups_in(repository: dg.RepositoryDefinition) -> GroupOf:
    """A function that tells the group of an asset; empty for one that is gone."""
    graph = repository.asset_graph
    return lambda key: graph.get(key).group_name or "" if graph.has(key) else ""


def groups_in_code() -> GroupOf:
    """The same of the code location of this process."""
    from pipelines.definitions import defs

    return groups_in(defs().get_repository_def())


def finish(instance: dg.DagsterInstance, run_id: str, group_of: GroupOf, is_retried: bool = False) -> tuple[RunRecord, tuple[str, ...]]:
    """Write a run down, make the status page anew, and tell people, unless somebody has already or the run is tried again.

    Returns the record, and what could not be done: who cannot be told costs the night nothing. Raises SettingsWrong where site.toml is unusable.
    """
    site = load_site()
    folder = status_folder(site)
    record = record_of(instance, run_id, group_of, site)
    failed = [*_kept(folder, record), *_written(site)]
    if not is_retried and record.job != ASSET_JOB:
        failed += told(record, site)
    return record, tuple(failed)


def told(record: RunRecord, site: Site) -> tuple[str, ...]:
    """Tell people of a run, each way once. Returns what could not be done; it is tried again by whoever looks at the run next."""
    from fuller_popheath.notices import is_to_be_told, notice_of, send, ways

    folder, failed = status_folder(site), []
    if not is_to_be_told(record, site.notices):
        return ()
    for way in ways(site.notices):
        if _is_first(folder, record.run_id, way) and (words := send(notice_of(record, site.notices), site.notices, os.environ, way)):
            not_told(folder, record.run_id, way)
            failed.append(words)
    return tuple(failed)


def _is_first(folder: Path, run_id: str, way: str) -> bool:
    """Whether nobody has told of the run yet in this way; where that cannot be written down (a full disk), rather twice than not at all."""
    try:
        return first_to_tell(folder, run_id, way)
    except OSError:
        return True


def _kept(folder: Path, record: RunRecord) -> Iterator[str]:
    try:
        keep(folder, record)
    except OSError as raised:
        yield f"the run could not be written down: {without_values(raised)}"


def _written(site: Site) -> Iterator[str]:
    try:
        write_page(site)
    except (FullerError, OSError, ValueError) as raised:
        yield f"the status page could not be written: {str(raised) if isinstance(raised, FullerError) else without_values(raised)}"


def write_page(site: Site) -> None:
    """Make the status page anew from what is written down."""
    from fuller_popheath.publish.status_page import status_page

    folder = status_folder(site)
    text = status_page(newest(folder), site.nights, datetime.now(UTC))
    replace_whole(folder / PAGE, lambda path: path.write_text(text, encoding="utf-8"), PRIVATE_FILE)


def record_of(instance: dg.DagsterInstance, run_id: str, group_of: GroupOf, site: Site) -> RunRecord:
    """A run as it is written down, read from Dagster's events."""
    kept = instance.get_run_record_by_id(run_id)
    run = kept.dagster_run if kept else None
    report = NightReport()
    steps = StepsOfRun(group_of)
    for entry in instance.all_logs(run_id):
        if entry.dagster_event is not None:
            report.hear(entry.dagster_event)
            steps.hear(entry.dagster_event, entry.timestamp)
    status = run.status.value.lower() if run else "failure"
    report.planned, report.ended = set(steps.planned), set(steps.ended)
    release, release_as_of = current_release(site)
    started = kept.start_time if kept and kept.start_time else (kept.create_timestamp.timestamp() if kept else 0.0)
    ended = kept.end_time if kept and kept.end_time else started
    return RunRecord(
        run_id=run_id,
        job=run.job_name if run else "",
        status=status,
        started=datetime.fromtimestamp(started, UTC),
        ended=datetime.fromtimestamp(ended, UTC),
        as_of=steps.as_of,
        troubles=tuple(_troubles(report.problems, status, steps)),
        steps=tuple(steps.all()),
        not_made=tuple(report.not_made),
        coverage=_coverage(site, steps.as_of),
        release=release,
        release_as_of=release_as_of,
    )


def _troubles(problems: list[Problem], status: str, steps: StepsOfRun) -> Iterator[Trouble]:
    for problem in problems:
        # A step that stops at its own check says it again, with what to do.
        if any(
            other is not problem and other.is_error and problem.where.startswith(f"{other.where} ·") and problem.words in other.words
            for other in problems
        ):
            continue
        yield Trouble(problem.where, problem.is_error, problem.words, problem.kind)
    if status != "success" and not any(problem.is_error for problem in problems):
        last = f"; {name_of(list(steps.running)[-1])} was at work" if steps.running else ""
        yield Trouble("the run", True, f"the run ended before its end as {status}{last}: it was stopped, killed, or took longer than it may")


def _coverage(site: Site, as_of: date | None) -> Any:
    from fuller_popheath.night_coverage import coverage_of

    # A table that cannot be read is told of by the night itself.
    with suppress(FullerError, OSError, ValueError):
        return coverage_of(site.folder("store"), as_of) if as_of else None
    return None


class StepsOfRun:
    """Hears a run's events and keeps what each step took."""

    def __init__(self, group_of: GroupOf) -> None:
        self.group_of = group_of
        self.as_of: date | None = None
        self.planned: set[str] = set()
        self.ended: dict[str, tuple[float, bool]] = {}
        self.running: dict[str, float] = {}
        self._groups: dict[str, str] = {}
        self._numbers: dict[str, list[dict[str, Any]]] = {}

    def hear(self, event: dg.DagsterEvent, moment: float) -> None:
        """Take one event and when it happened."""
        kind, step = event.event_type, event.step_key or ""
        if kind == dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key:
            self.planned.add(step)
            self._groups[step] = self.group_of(event.asset_key)
        elif kind == dg.DagsterEventType.STEP_START:
            self.running[step] = moment
        elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            made = {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}
            self._numbers.setdefault(step, []).append(made)
            if self.as_of is None and isinstance(day := made.get("as of"), str):
                self.as_of = date.fromisoformat(day)
        elif kind in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
            is_made = kind == dg.DagsterEventType.STEP_SUCCESS
            self.ended[step] = (moment - self.running.pop(step, moment), is_made)

    def all(self) -> Iterator[Step]:
        """Every step that ended, in order."""
        for step, (seconds, is_made) in self.ended.items():
            if step not in self._groups:
                continue
            numbers = self._numbers.get(step, [])
            yield Step(
                name=name_of(step),
                group=self._groups[step],
                seconds=round(seconds, 2),
                is_made=is_made,
                cpu_seconds=_sum(numbers, CPU),
                peak_megabytes=max((made[PEAK] for made in numbers if PEAK in made), default=None),
                rows=_sum(numbers, ROWS),
            )


def _sum(numbers: list[dict[str, Any]], name: str) -> Any:
    found = [made[name] for made in numbers if isinstance(made.get(name), int | float)]
    return round(sum(found), 2) if found else None
