"""`python -m pipelines.night`: one night from the terminal, as a real Dagster run that the page shows afterwards.

Ends with 0 only where every product was made and no check failed as an error; 3 a file was refused, 4 a table broke its contract, 5 something
needed has not arrived, 2 a setting cannot be used. What does not belong here: what a night does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import FullerError
from fuller_popheath.site import PROJECT_ROOT, load_site
from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.launch import events_of, instance_of, nightly_run
from pipelines.night_lock import one_night
from pipelines.summary import NightReport, print_summary

if TYPE_CHECKING:
    from rich.console import Console


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one night; returns the exit code."""
    from rich.console import Console

    asked = parser().parse_args(arguments)
    redact_whatever_is_not_guarded()
    # Dagster redirects the process's own output into the logs of a step; what is for the person at the terminal goes past that.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as terminal:
        console = Console(file=terminal)
        try:
            return run_night(console, settings_of(asked))
        except FullerError as refused:
            console.print(f"[red]{type(refused).__name__}[/]: {refused}", highlight=False)
            return refused.exit_code


def parser() -> argparse.ArgumentParser:
    """The options, all of which may be left out."""
    options = argparse.ArgumentParser(prog="python -m pipelines.night", description="From the files in the landing folder to every product.")
    options.add_argument("--landing", default="", help="the folder the files are in (default: the one site.toml names)")
    options.add_argument("--as-of", default="", help="the day the tables are about, YYYY-MM-DD (default: the newest extract date that arrived)")
    options.add_argument("--edition", default="both", choices=("both", "2019", "2025"), help="which Index of Multiple Deprivation")
    options.add_argument("--icb", default="", help="keep only this Integrated Care Board (default: the one site.toml names, or all)")
    return options


def settings_of(asked: argparse.Namespace) -> dict[str, str]:
    """The `night` resource's configuration; a relative landing folder is relative to where the command was given."""
    landing = str(Path(asked.landing).resolve()) if asked.landing else ""
    return {"as_of": asked.as_of, "landing": landing, "edition": asked.edition, "icb": asked.icb}


def run_night(console: Console, settings: dict[str, str]) -> int:
    """Start the run, show each step as it ends, then the summary."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    report = NightReport()
    store = load_site().folder("store")
    with one_night(store), instance_of(PROJECT_ROOT) as instance:
        job, run = nightly_run(instance, PROJECT_ROOT, store, settings)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            report.planned = {node.name for node in job.get_definition().nodes}
            steps = progress.add_task("night", total=len(report.planned))
            for event in events_of(instance, job, run):
                if line := report.hear(event):
                    progress.console.print(line, highlight=False)
                progress.update(steps, completed=len(report.ended))
    print_summary(console, report)
    console.print(f"Run {run.run_id} of the job {run.job_name}; `make ui` shows it.", highlight=False)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
