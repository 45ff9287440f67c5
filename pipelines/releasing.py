"""`python -m pipelines.releasing`: release what the store has, or go back to an earlier release, as a real Dagster run that the page shows.

Ends as `pipelines.night` does. What does not belong here: what either of them does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fuller_popheath.errors import FullerError
from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.night import run_night

RELEASE, ROLLBACK = "release", "rollback"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two; returns the exit code."""
    from rich.console import Console

    asked = parser().parse_args(arguments)
    redact_whatever_is_not_guarded()
    settings = {"as_of": asked.as_of, "landing": "", "edition": "both", "icb": ""}
    if asked.what == RELEASE:
        steps = {"releases__current": {"accept_changes": asked.accept_changes, "reason": asked.because}}
    else:
        steps = {"go_back": {"to": asked.to, "because": asked.because}}
    # Dagster redirects the process's own output into the logs of a step; what is for the person at the terminal goes past that.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as terminal:
        console = Console(file=terminal)
        try:
            return run_night(console, settings, asked.what, steps)
        except FullerError as refused:
            console.print(f"[red]{type(refused).__name__}[/]: {refused}", highlight=False)
            return refused.exit_code


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(prog="python -m pipelines.releasing", description="Release by hand, or go back to an earlier release.")
    options.add_argument("what", choices=(RELEASE, ROLLBACK), help="what to do")
    options.add_argument("--as-of", default="", help="of a release: the day, YYYY-MM-DD (default: the last night)")
    options.add_argument("--accept-changes", action="store_true", help="of a release: let changes beyond the limits through")
    options.add_argument("--to", default="", help="of going back: the name of the release (default: the one before the current one)")
    options.add_argument("--because", default="", help="why; it stands in the manifest")
    return options


if __name__ == "__main__":
    sys.exit(main())
