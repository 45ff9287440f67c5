"""All of England, from the published zip and workbooks to every product; and the aggregation against a bare scan of the same CSV.

`make bench` prints a table in Markdown for BENCHMARKS.md. Needs the published files in ../shared/data/open.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPEN_DATA = ROOT.parent / "shared" / "data" / "open"
AS_OF = date(2022, 7, 1)
WHOLE_RUNS = 3
PART_RUNS = 5
REGISTRATIONS = OPEN_DATA / "gp-reg-pat-prac-lsoa-all_2022-07.zip"


def command(out: Path) -> list[str]:
    """The command line an analyst would type for all of England with both editions and boundaries."""
    lookup = next(OPEN_DATA.glob("LSOA_(2011)_to_LSOA_(2021)*.csv.gz"))
    files = {
        "--registrations": [REGISTRATIONS],
        "--imd": [next(OPEN_DATA.glob("File_7_-_All_IoD2019*.zip")), next(OPEN_DATA.glob("File_7_IoD2025*.zip"))],
        "--pcn": [OPEN_DATA / "ePCN_2022-04-27.xlsx", OPEN_DATA / "gp-reg-pat-prac-map_2022-01.csv"],
        "--lsoa-lookup": [lookup],
        "--boundaries": [OPEN_DATA / "lsoa21.gpkg.gz"],
    }
    options = [text for option, paths in files.items() for path in paths for text in (option, str(path))]
    return [str(ROOT / ".venv/bin/fuller"), "core20", *options, "--as-of", AS_OF.isoformat(), "--out", str(out)]


def whole_run() -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in GB of one whole run in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(command(Path(out)), check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1e6


def seconds(work: Callable[[], object]) -> float:
    """Median wall seconds of PART_RUNS runs after one that is not counted."""
    work()
    taken = []
    for _ in range(PART_RUNS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def aggregation_against_scan() -> tuple[float, float]:
    """Seconds of practice x quintile counts in one edition from checked tables, and of a bare DuckDB scan of the same CSV."""
    import duckdb

    from fuller_popheath import graph, registry
    from fuller_popheath.arrival import landing
    from fuller_popheath.site import Site
    from fuller_popheath.specs import Night

    night = Night(AS_OF, Site())
    files = {
        "reference/practice_lsoa_count": REGISTRATIONS,
        "reference/pcn_membership": OPEN_DATA / "ePCN_2022-04-27.xlsx",
        "reference/imd_2019": next(OPEN_DATA.glob("File_1_-_IMD2019*.xlsx")),
    }
    arrived = {contract: landing.read_file(path, (contract,)).table for contract, path in files.items()}
    spec = registry.tables()["core/practice_quintile"]
    made = graph.build(spec.inputs, arrived, night)
    inputs = {contract: made[contract] for contract in spec.inputs}
    ours = seconds(lambda: spec.build(inputs, night))
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(REGISTRATIONS) as archive:
        csv = archive.extract(archive.namelist()[0], folder)
        query = f"select sum(NUMBER_OF_PATIENTS) from read_csv('{csv}', quote='\"', escape='\"', header=true)"
        scan = seconds(lambda: duckdb.sql(query).fetchall())
    return ours, scan


def main() -> int:
    """Print the figures; 5 where the published files are not there."""
    if not OPEN_DATA.is_dir():
        print("the published files are not in ../shared/data/open: nothing to measure", file=sys.stderr)
        return 5
    runs = [whole_run() for _ in range(WHOLE_RUNS)]
    ours, scan = aggregation_against_scan()
    wall, cpu, memory = (statistics.median(values) for values in zip(*runs, strict=True))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"Machine: {machine}; scale: all of England, 865,965 rows, both editions\n")
    print("| what | figure | limit |\n|---|---|---|")
    print(f"| files to every product, wall (median of {WHOLE_RUNS}) | {wall:.1f} s | 25 s |")
    print(f"| the same, CPU | {cpu:.1f} s | |\n| the same, peak memory | {memory:.2f} GB | 2 GB |")
    print(f"| aggregation, one edition (median of {PART_RUNS}) | {ours:.2f} s | |\n| bare DuckDB scan of the CSV | {scan:.2f} s | |")
    print(f"| aggregation / scan | {ours / scan:.2f} | 3 |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
