"""`fuller deliver`: the current release's files to the recipients of the register, as the night sends them.

What belongs here: options. What does not: sending, which holds the store's lock and reads the clock, in a process of its own (`pipelines.by_hand`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from fuller_popheath.site import PROJECT_ROOT

Say = Callable[[str], None]


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command("deliver")
    def deliver_command(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent")] = False,
        recipient: Annotated[list[str] | None, typer.Option(help="Of this recipient of site.toml alone; may be repeated")] = None,
    ) -> None:
        """Send each recipient that site.toml names their own files of the current release: once, with a receipt."""
        words = [*(["--dry-run"] if dry_run else []), *(word for name in recipient or () for word in ("--recipient", name))]
        raise typer.Exit(by_hand("deliver", words))


def by_hand(what: str, words: Sequence[str] = (), given: bytes | None = None) -> int:
    """Do something between nights in a process of its own: the domain does not know the orchestrator. Returns its exit code.

    `given` goes in by the standard input, where nobody who looks at the list of processes can read it.
    """
    command = [sys.executable, "-m", "pipelines.by_hand", what, *words]
    return subprocess.run(command, cwd=PROJECT_ROOT, input=given, check=False).returncode
