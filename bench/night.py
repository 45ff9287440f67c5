"""A whole night as Dagster runs it, on make-believe people: every step with its seconds and memory, after a tenth of the practices sent new files.

    make night SCALE=ics        python -m bench.night [--people 1800000] [--date 2026-11-22] [--keep] [--again]

First a night with everything new, in which models are trained so that there is something to score with; then, a day later, the one that is measured.
Each is a process of its own, started as `fuller refresh` starts it. Everything is written below var/bench and removed afterwards; `--again` measures
another night on what an earlier run kept. What does not belong here: a figure of anybody real.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from bench.ics import DAY, ROOT, WORK, generate, send_new_files
from fuller_popheath.night_records import RunRecord, newest

MINUTES, GIGABYTES = 12, 8
"""What a night of an ICS may take on two cores."""
FOLDERS = ("landing", "store", "quarantine", "products", "vault", "spill", "models")
TRAINING = ("--training-people", "40000", "--training-trials", "1", "--training-outcome", "emergency_admission_12m")
PAUSE = 0.2


@dataclass
class Watched:
    """What a night took: seconds on the clock, CPU seconds, the most memory it held at a time (its children's too), its exit code and last words."""

    wall: float
    cpu: float
    peak_gb: float
    code: int
    said: list[str] = field(default_factory=list)


def make_site(base: Path) -> dict[str, str]:
    """Write the settings of a place below one folder; returns the environment that names them."""
    folders = "\n".join(f'{name} = "{base / name}"' for name in FOLDERS)
    text = f'[folders]\n{folders}\n\n[engine]\nmemory_limit = "5GB"\nthreads = 2\n\n[releases]\nregistered_change_percent = 100.0\n'
    (base / "site.toml").write_text(text, encoding="utf-8")
    instance = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    (base / "dagster.yaml").write_text(instance.replace("base_dir: var/", f"base_dir: {base}/"), encoding="utf-8")
    return {"FULLER_SITE": str(base / "site.toml"), "DAGSTER_HOME": str(base)}


def watched(arguments: list[str], environment: dict[str, str]) -> Watched:
    """Run a night in a process of its own and look at its memory until it ends."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.night", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    held = [0.0]
    looking = threading.Thread(target=_look, args=(process, held), daemon=True)
    looking.start()
    said = process.stdout.read().splitlines() if process.stdout else []
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    looking.join()
    return Watched(wall, used.ru_utime + used.ru_stime, held[0], process.returncode, said)


def _look(process: subprocess.Popen[str], held: list[float]) -> None:
    while process.returncode is None and (found := _memory(process.pid)):
        held[0] = max(held[0], found)
        time.sleep(PAUSE)


def _memory(pid: int) -> float:
    """What a process and its children hold, in GB; shared pages count once for each."""
    total = 0.0
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        try:
            status = Path(f"/proc/{each}/status").read_text(encoding="ascii")
            waiting += [int(child) for child in Path(f"/proc/{each}/task/{each}/children").read_text(encoding="ascii").split()]
        except OSError:
            continue
        total += sum(float(line.split()[1]) * 1024 / 1e9 for line in status.splitlines() if line.startswith("VmRSS:"))
    return total


def table_of(record: RunRecord) -> str:
    """The steps of a night in Markdown, the longest first, and each group's sum."""
    lines = ["| step | group | seconds | CPU seconds | peak MB | rows |", "|---|---|---|---|---|---|"]
    for step in sorted(record.steps, key=lambda each: -each.seconds):
        cells = [_number(value, places) for value, places in ((step.cpu_seconds, 1), (step.peak_megabytes, 0), (step.rows, 0))]
        lines.append(f"| {step.name} | {step.group} | {step.seconds:.1f} | {' | '.join(cells)} |")
    seconds: dict[str, float] = defaultdict(float)
    for step in record.steps:
        seconds[step.group] += step.seconds
    lines += ["", "| group | seconds |", "|---|---|"]
    lines += [f"| {name} | {taken:.1f} |" for name, taken in sorted(seconds.items(), key=lambda item: -item[1])]
    lines.append(f"| all steps | {sum(seconds.values()):.1f} |")
    return "\n".join(lines)


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:,.{places}f}"


def told(name: str, night: Watched) -> str:
    """One line of a night."""
    outcome = "" if night.code == 0 else f" (exit code {night.code}: its last words stand above)"
    return f"{name}: {night.wall:.0f} s on the clock, {night.cpu:.0f} s of CPU, at most {night.peak_gb:.1f} GB{outcome}"


def measure(base: Path, people: int, is_again: bool) -> int:
    """Make the place and its first night, unless they are there; then the night that is measured. Returns the exit code."""
    environment = make_site(base)
    nights = newest(base / "status")
    if not is_again or not nights:
        started = time.perf_counter()
        print(f"{generate(base, DAY, people)} ({time.perf_counter() - started:.0f} s)", flush=True)
        first = watched(["--job", "first_night", *TRAINING], environment)
        print("\n".join(first.said[-12:]), told("first night, with training", first), sep="\n", flush=True)
        if not newest(base / "status") or newest(base / "status")[0].status != "success":
            return 1
    last: date = newest(base / "status")[0].as_of or DAY
    print(send_new_files(base, last, last + timedelta(days=1)), flush=True)
    night = watched([], environment)
    record = newest(base / "status")[0]
    problems = [f"{each.where}: {each.words}" for each in record.troubles if each.is_error]
    print(f"\n{table_of(record)}\n", *problems, told(f"night of {record.as_of}", night), sep="\n")
    took = sum(step.seconds for step in record.steps)
    is_kept = took <= 60 * MINUTES and night.peak_gb <= GIGABYTES
    limits = f"an ICS may take {MINUTES} min and {GIGABYTES} GB: {'kept' if is_kept else 'NOT KEPT'}"
    print(f"All steps {took / 60:.1f} min, at most {night.peak_gb:.1f} GB; {limits}")
    return int(record.status != "success" or not is_kept)


def main() -> int:
    """Measure, and print the tables; 1 where a night failed or took more than it may."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=30_000)
    asked.add_argument("--date", default="not given", help="printed beside the figures")
    asked.add_argument("--keep", action="store_true", help="leave the files in var/bench")
    asked.add_argument("--again", action="store_true", help="another night on what --keep left")
    given = asked.parse_args()
    base = WORK / f"night_{given.people}"
    if not given.again:
        shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True, exist_ok=True)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    print(
        f"Machine: {os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}, Python {platform.python_version()}; date: {given.date}\n",
        flush=True,
    )
    try:
        return measure(base, given.people, given.again)
    finally:
        if not (given.keep or given.again):
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
