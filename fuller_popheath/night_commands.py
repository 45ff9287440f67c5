"""`fuller status`, `fuller lineage` and `fuller housekeeping`: what the nights left, from the command line.

What belongs here: options. What does not: Dagster, which runs in a process of its own, and anything that is said.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import PROJECT_ROOT

Say = Callable[[str], None]


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the commands to the command line."""

    @app.command("status")
    def status_command() -> None:
        """Does last night stand, who is covered, what failed and what to do: as the status page. Ends with 1 where it does not."""
        raise typer.Exit(run("pipelines.status"))

    @app.command("lineage")
    def lineage_command(
        out: Annotated[Path, typer.Option(help="The file to write, a line of JSON (OpenLineage) a table", dir_okay=False)],
    ) -> None:
        """Which table is made of which, and which column of which, as OpenLineage events for the ICS's data catalogue."""
        if not out.resolve().parent.is_dir():
            raise SettingsWrong(f"--out: the folder {out.resolve().parent.name} is not there; make it first")
        raise typer.Exit(run("pipelines.lineage", "--out", str(out.resolve())))

    @app.command("housekeeping")
    def housekeeping_command() -> None:
        """Remove what site.toml keeps no longer: old snapshots of the store, and old runs after a copy of their counts."""
        raise typer.Exit(run("pipelines.night", "--job", "housekeeping"))


def run(module: str, *options: str) -> int:
    """Run a module of the pipelines in a process of its own: the domain does not know the orchestrator. Returns its exit code."""
    return subprocess.run([sys.executable, "-m", module, *options], cwd=PROJECT_ROOT, check=False).returncode
