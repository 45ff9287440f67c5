"""What a step costs: seconds, CPU seconds and the peak of memory beside every table it makes, as numbers that Dagster's page plots over nights.

Measured around the step's own work, from one result to the next; reading its inputs and writing its table come beside it. What does not belong
here: knowing what a step does.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

SECONDS, CPU, PEAK, RISE = "seconds", "CPU seconds", "peak memory MB", "memory rise MB"
RESET = Path("/proc/self/clear_refs")
"""Linux: writing 5 makes the process's highest memory start again at what it holds now."""
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Reading:
    """What the process has used: seconds on the clock, of CPU (its children's too), and MB of memory at the time."""

    clock: float
    cpu: float
    megabytes: float


def costed(results: Iterator[Any]) -> Iterator[Any]:
    """Pass a step's results on; each table it made tells what it cost since the last one. A number that the step tells itself stays."""
    before = reading()
    for result in results:
        if isinstance(result, dg.MaterializeResult):
            peak = highest()
            after = reading()
            yield result._replace(metadata={**cost(before, after, peak), **(result.metadata or {})})
            before = reading()
        else:
            yield result


def reading() -> Reading:
    """Take the figures now, and have the highest memory start again."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    held = _status("VmRSS") or used[0].ru_maxrss / 1000
    found = Reading(time.perf_counter(), cpu, held)
    _start_again()
    return found


def highest() -> float:
    """The most memory the process held since it was last started again, in MB; since it began, where the system cannot start again."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def cost(before: Reading, after: Reading, peak: float) -> dict[str, float]:
    """The numbers that stand beside a table, rounded because they are printed raw."""
    return {
        SECONDS: round(after.clock - before.clock, 2),
        CPU: round(after.cpu - before.cpu, 2),
        PEAK: round(peak, 1),
        RISE: round(max(0.0, peak - before.megabytes), 1),
    }


def _start_again() -> None:
    try:
        RESET.write_text("5", encoding="ascii")
    except OSError:
        return


def _status(name: str) -> float:
    """One line of the process's own status, in MB; 0 where the system has none."""
    try:
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return float(line.split()[1]) * 1024 / 1e6
    except OSError:
        return 0.0
    return 0.0
