"""`python -m pipelines.status`: what the status page says, for a terminal, and the page made anew.

Ends with 0 only where the last night stands; 1 where it does not, or none has come for as long as site.toml says: for a watchdog outside this
machine. What does not belong here: what is said (`fuller_popheath.publish.status_page`).
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from fuller_popheath.errors import FullerError
from fuller_popheath.night_records import PAGE, newest, status_folder
from fuller_popheath.site import load_site


def main() -> int:
    """Print the status; returns the exit code."""
    from rich.console import Console

    from fuller_popheath.publish.status_page import status_lines, verdict
    from pipelines.after_night import write_page

    console = Console(highlight=False)
    try:
        site = load_site()
        records, now = newest(status_folder(site)), datetime.now(UTC)
        for line in status_lines(records, site.nights, now):
            console.print(line, markup=False, soft_wrap=True)
        write_page(site)
        console.print(f"The page: {status_folder(site) / PAGE}", markup=False, soft_wrap=True)
    except FullerError as refused:
        console.print(f"{type(refused).__name__}: {refused}", markup=False, soft_wrap=True)
        return refused.exit_code
    return 0 if verdict(records, site.nights, now).state == "stands" else 1


if __name__ == "__main__":
    sys.exit(main())
