"""`python -m pipelines.night`: one night from the terminal, as a real Dagster run that the page shows afterwards.

Ends with 0 only where every product was made and no check failed as an error; 3 a file was refused, 4 a table broke its contract, 5 something
needed has not arrived, 2 a setting cannot be used. What does not belong here: what a night does.
"""

from __future__ import annotations

import argparse
import errno
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from fuller_popheath.errors import FullerError, SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, load_site
from pipelines.after_night import GroupOf, finish, groups_in_code
from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.launch import FIRST_NIGHT, JOB, MISSED_DAY, events_of, fail_what_was_killed, instance_of, new_run
from pipelines.night_lock import one_night
from pipelines.progress import heard_by
from pipelines.risk_steps import TRAIN
from pipelines.summary import NightReport, print_summary
from pipelines.time_limit import at_most

if TYPE_CHECKING:
    from datetime import date

    import dagster as dg
    from rich.console import Console

    from fuller_popheath.site import Site

MONTHLY_TRAINING = "monthly_training"
TRAINING_JOBS = (FIRST_NIGHT, MONTHLY_TRAINING)
HOUSEKEEPING = "housekeeping"
NO_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
NO_DATABASE = (
    "Dagster's own database cannot be used: another process holds it (a backup, a page that hangs), or its disk is full or read-only. What is "
    "released stands; end that process or make room, then start again"
)
JOBS = (JOB, FIRST_NIGHT, MISSED_DAY, MONTHLY_TRAINING, "monthly_scorecard", HOUSEKEEPING)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one night; returns the exit code."""
    from rich.console import Console

    asked = parser().parse_args(arguments)
    redact_whatever_is_not_guarded()
    # Dagster redirects the process's own output into the logs of a step; what is for the person at the terminal goes past that.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as terminal:
        console = Console(file=terminal)
        try:
            return run_night(console, settings_of(asked), asked.job, training_of(asked))
        except FullerError as refused:
            console.print(f"[red]{type(refused).__name__}[/]: {refused}", highlight=False)
            return refused.exit_code
        except (SQLAlchemyError, sqlite3.Error, OSError) as failed:
            if isinstance(failed, OSError) and failed.errno not in NO_WRITING:
                raise
            console.print(f"[red]{type(failed).__name__}[/]: {NO_DATABASE}", highlight=False)
            return 1


def parser() -> argparse.ArgumentParser:
    """The options, all of which may be left out."""
    options = argparse.ArgumentParser(prog="python -m pipelines.night", description="From the files in the landing folder to every product.")
    options.add_argument("--landing", default="", help="the folder the files are in (default: the one site.toml names)")
    options.add_argument("--as-of", default="", help="the day the tables are about, YYYY-MM-DD (default: the newest extract date that arrived)")
    options.add_argument("--edition", default="both", choices=("both", "2019", "2025"), help="which Index of Multiple Deprivation")
    options.add_argument("--icb", default="", help="keep only this Integrated Care Board (default: the one site.toml names, or all)")
    options.add_argument("--job", default=JOB, choices=JOBS, help="what to run (default: the nightly job)")
    options.add_argument("--training-people", type=int, default=0, help="train on at most so many people an index date (default: as site.toml says)")
    options.add_argument("--training-trials", type=int, default=0, help="trials of hyper-parameters (default: as site.toml says)")
    options.add_argument("--training-outcome", action="append", default=[], help="train this outcome; may be repeated (default: as site.toml says)")
    return options


def training_of(asked: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The configuration of the training step, where the job has one."""
    if asked.job not in TRAINING_JOBS:
        return {}
    return {TRAIN: {"people": asked.training_people, "trials": asked.training_trials, "outcomes": asked.training_outcome}}


def settings_of(asked: argparse.Namespace) -> dict[str, str]:
    """The `night` resource's configuration; a relative landing folder is relative to where the command was given."""
    landing = str(Path(asked.landing).resolve()) if asked.landing else ""
    return {"as_of": asked.as_of, "landing": landing, "edition": asked.edition, "icb": asked.icb}


def run_night(console: Console, settings: dict[str, str], name: str = JOB, steps: Mapping[str, Mapping[str, Any]] | None = None) -> int:
    """Start a run of a job, show each step as it ends, then the summary; days that were missed come first, where the site wants them.

    Whatever becomes of it is written down and told, as after a run that the page started. Returns the exit code.
    """
    site = load_site()
    store = site.folder("store")
    with one_night(store), instance_of(PROJECT_ROOT) as instance:
        _tell_of_killed(console, instance, store)
        for day in _missed(site, settings, name):
            console.print(f"The tables of {day}, on which there was no night:", highlight=False)
            _run(console, instance, site, {**settings, "as_of": day.isoformat()}, MISSED_DAY, None)
        report = _run(console, instance, site, settings, name, steps)
    return report.exit_code


def _missed(site: Site, settings: Mapping[str, str], name: str) -> tuple[date, ...]:
    """The days whose tables come first: of the night itself only, and only where nobody named a day."""
    from pipelines.catch_up import missed_days
    from pipelines.tonight import read_folder

    if name != JOB or settings["as_of"]:
        return ()
    try:
        landing = read_folder(settings["landing"], site)
    except SettingsWrong:
        return ()  # the night itself fails of it, is kept as a run and told of
    return missed_days(site, landing)


def _tell_of_killed(console: Console, instance: dg.DagsterInstance, store: Path) -> None:
    """Runs that never ended are told of now: nobody was left to do it when they died."""
    killed = fail_what_was_killed(instance, store)
    for run_id in killed:
        _finish(console, instance, run_id, groups_in_code())


def _run(
    console: Console, instance: dg.DagsterInstance, site: Site, settings: Mapping[str, str], name: str, steps: Mapping[str, Mapping[str, Any]] | None
) -> NightReport:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    report = NightReport()
    job, run = new_run(instance, PROJECT_ROOT, site.folder("store"), settings, name, steps)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    try:
        with (
            Progress(*columns, console=console, transient=True) as progress,
            heard_by(lambda text: console.print(f"    {text}", style="dim")),
            at_most(60 * site.nights.run_minutes),
        ):
            report.planned = {node.name for node in job.get_definition().nodes}
            shown = progress.add_task("night", total=len(report.planned))
            for event in events_of(instance, job, run):
                if line := report.hear(event):
                    progress.console.print(line, highlight=False)
                progress.update(shown, completed=len(report.ended))
    finally:
        _finish(console, instance, run.run_id, groups_in_code())
    print_summary(console, report)
    console.print(f"Run {run.run_id} of the job {run.job_name}; `make ui` shows it.", highlight=False)
    return report


def _finish(console: Console, instance: dg.DagsterInstance, run_id: str, groups: GroupOf) -> None:
    """Write the run down and tell people; that this failed is said and costs nothing else."""
    _, failed = finish(instance, run_id, groups)
    for words in failed:
        console.print(f"[yellow]warning[/] {escape(words)}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
