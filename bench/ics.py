"""A whole ICS, from CSV to features: each step in a process of its own, with its wall time, CPU and peak memory, at full size and at a tenth of it.

    make bench SCALE=ics        python -m bench.ics [--people 1800000] [--tenth] [--date 2026-11-22] [--keep] [--no-hand]

Steps: write a make-believe ICS with four years of records; take it all in from CSV (checked, quarantined, stored); settle who is a person; build
every fact and feature group, with much memory and with 4 GB; a night in which a tenth of the practices sent new files; and the hand-written SQL of
`features_by_hand`. Everything is written below var/bench and removed afterwards. What does not belong here: a figure of anybody real.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "var" / "bench"
DAY = date(2026, 8, 1)
NEXT_DAY = DAY + timedelta(days=1)
PEOPLE = 1_800_000
SEED = 20260801
FEATURE_MEMORY, LITTLE_MEMORY = "6GB", "4GB"
"""What DuckDB may use: the process has its Arrow tables besides."""
SHARE_THAT_SENT = 0.1
PLACES = ("core/neighbourhood_practice", "core/registered_count", "core/area_deprivation")
LIMITS = {
    "generate": "15 min, 8 GB",
    "load": "16 min",
    "features": "130 s, 8 GB",
    "features, 4 GB": "completes",
    "night: load, person and features": "5 min",
}


@dataclass(frozen=True)
class Measured:
    """What a step took: seconds on the clock and of CPU (with its children), GB of its largest process, and what it said."""

    name: str
    wall: float
    cpu: float
    peak_gb: float
    said: str
    failed: bool = False


def site_of(base: Path, memory: str = "") -> Site:
    """The settings of a place that lies below one folder."""
    from fuller_popheath.site import EngineChoice, Folders, Pseudonyms, Site

    folders = {name: str(base / name) for name in ("landing", "store", "quarantine", "products", "vault", "spill", "models")}
    return Site(folders=Folders(**folders), engine=EngineChoice(memory_limit=memory, threads=2), pseudonyms=Pseudonyms(data_is_synthetic=True))


def generate(base: Path, day: date, people: int) -> str:
    """Write the make-believe ICS as CSV."""
    from fuller_popheath.synthetic.landing import write_landing

    made = write_landing(base / "landing", seed=SEED, as_of=day, people=people, records=True, workers=2)
    return f"{made.people:,} people, {made.practices} practices, {sum(made.records.values()):,} records"


def load(base: Path, day: date) -> str:
    """Take in everything that lies in the landing folder: the published tables, then what practices and trusts sent about persons."""
    from fuller_popheath import graph, registry
    from fuller_popheath.arrival.door import take_extracts
    from fuller_popheath.arrival.extract_store import ExtractStore
    from fuller_popheath.arrival.landing import plan, read_and_check, survey
    from fuller_popheath.people.pseudonyms import key
    from fuller_popheath.specs import Night

    site = site_of(base)
    arrival = plan(survey(site.folder("landing"), registry.sources(), site.arrival), day)
    published = [name for name in arrival.used if name.startswith("reference/") and name != "reference/lsoa_boundary"]
    arrived = {name: read_and_check(arrival, name, site.folder("quarantine"), site.arrival).table for name in published}
    places = graph.build(PLACES, arrived, Night(day, site))
    for name in PLACES:
        keep(base, name, day, places[name])
    store = ExtractStore(site.folder("store"), str(site.folder("landing")))
    practices = frozenset(places[PLACES[0]]["practice_code"].to_pylist())
    read = quarantined = 0
    # Lists first, as in the nightly job: what comes without an NHS number takes it from them.
    for inbound in sorted(registry.extracts(), key=lambda name: name != "inbound/practice_list"):
        taken = take_extracts(
            inbound, arrival.files, day, site, store, site.folder("vault"), site.folder("quarantine"), practices, {}, key(site, os.environ)
        )
        read, quarantined = read + taken.rows_read, quarantined + taken.rows_quarantined
    in_use = sum(part["rows"] for spec in registry.extracts().values() for core in spec.becomes for part in store.manifest(core, day)["parts"])
    return f"{in_use:,} rows in use; the extracts in use had {read:,} rows, of which {quarantined:,} in quarantine"


def person(base: Path, day: date) -> str:
    """One row a registered person."""
    from fuller_popheath import registry
    from fuller_popheath.arrival.extract_store import ExtractStore
    from fuller_popheath.contracts import load_contract, refuse_if_broken
    from fuller_popheath.specs import Night

    site = site_of(base)
    spec = registry.tables()["core/person"]
    inputs = {name: kept(base, name, day) for name in PLACES if name in spec.inputs}
    extracts = ExtractStore(site.folder("store"))
    inputs |= {name: extracts.read(name, day) for name in spec.inputs if name not in inputs}
    made = refuse_if_broken(spec.build(inputs, Night(day, site)), load_contract(spec.contract))
    keep(base, spec.contract, day, made)
    return f"{made.num_rows:,} persons"


def features(base: Path, day: date, memory: str) -> str:
    """Every fact and every feature group, one after the other as in the nightly job, each written to the store."""
    from fuller_popheath import registry
    from fuller_popheath.arrival.extract_store import ExtractStore
    from fuller_popheath.contracts import load_contract
    from fuller_popheath.engine import Engine
    from fuller_popheath.feature_store import build_fact, build_feature
    from fuller_popheath.specs import Night, Parts

    site = site_of(base, memory)
    night, extracts = Night(day, site), ExtractStore(site.folder("store"))
    from_extracts = {core for spec in registry.extracts().values() for core in spec.becomes}
    columns = 0
    works: tuple[tuple[Mapping[str, Any], Callable[..., pa.Table]], ...] = ((registry.facts(), build_fact), (registry.features(), build_feature))
    for specs, build in works:
        for name, spec in specs.items():
            started = time.perf_counter()
            wanted = dict.fromkeys(("core/person", *spec.inputs))
            sources = {i: extracts.parts(i, day) if i in from_extracts else Parts(i, (path_of(base, i, day),)) for i in wanted}
            with Engine.from_site(site) as engine:
                made = build(spec, engine, sources, night)
            keep(base, name, day, made)
            columns += len(load_contract(name).columns) - 2 if name in registry.features() else 0
            print(f"  {name}: {made.num_rows:,} rows, {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return f"{len(registry.facts())} facts, {len(registry.features())} groups of features with {columns} columns"


def send_new_files(base: Path, day: date, next_day: date) -> str:
    """A tenth of the practices sends everything again, dated the next day. Not measured."""
    landing = base / "landing"
    lists = sorted((landing / "practice_lists").glob("*.csv"))
    senders = [path.stem for path in lists if "_" not in path.stem]
    senders = senders[: max(1, round(len(senders) * SHARE_THAT_SENT))]
    old, new = f"\n{day.isoformat()},".encode(), f"\n{next_day.isoformat()},".encode()
    sent = 0
    for path in (*lists, *landing.glob("extracts/*/*.csv")):
        if path.stem.split("_")[0] in senders:
            # Extracts begin with their date.
            path.with_name(f"{path.stem.split('_')[0]}_{next_day:%Y%m%d}.csv").write_bytes(path.read_bytes().replace(old, new))
            sent += 1
    return f"{sent} files of {len(senders)} practices"


def path_of(base: Path, name: str, day: date) -> Path:
    """Where a table of a night lies."""
    return base / "store" / name / f"as_of={day.isoformat()}" / f"{name.split('/')[1]}.parquet"


def keep(base: Path, name: str, day: date, table: pa.Table) -> None:
    """Write a table of a night."""
    import pyarrow.parquet as pq

    path = path_of(base, name, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def kept(base: Path, name: str, day: date) -> pa.Table:
    """A table of a night."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(path_of(base, name, day)).read()


def measured(name: str, *arguments: str, module: str = "bench.ics") -> Measured:
    """Run a step in a process of its own and wait for it. What it prints last is what it says."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    last = said.strip() if module != "bench.ics" else (said.strip().splitlines() or [""])[-1]
    return Measured(name, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6, last, process.returncode != 0)


def whole(people: int, keep_files: bool, with_hand: bool) -> tuple[list[Measured], str]:
    """All steps for a place of this size, and what the hand-written SQL said. Stops at the first step that fails."""
    base = WORK / f"ics_{people}"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    day, night = DAY.isoformat(), NEXT_DAY.isoformat()
    steps = (
        ("generate", "generate", day, str(people)),
        ("load", "load", day),
        ("person", "person", day),
        ("features", "features", day, FEATURE_MEMORY),
        ("features, 4 GB", "features", day, LITTLE_MEMORY),
        ("new files", "new_files", day, night),
        ("night: load", "load", night),
        ("night: person", "person", night),
        ("night: features", "features", night, FEATURE_MEMORY),
    )
    done: list[Measured] = []
    hand = ""
    try:
        for name, step, *arguments in steps:
            done.append(measured(name, "--step", step, str(base), *arguments))
            if done[-1].failed:
                return done, hand
        if with_hand:
            hand = measured("by hand", str(base / "store"), day, module="bench.features_by_hand").said
    finally:
        if not keep_files:
            shutil.rmtree(base, ignore_errors=True)
    return done, hand


def table_of(done: Iterable[Measured], people: int) -> str:
    """The figures in Markdown."""
    rows = [each for each in done if each.name != "new files"]
    night = [each for each in rows if each.name.startswith("night: ")]
    if len(night) == 3:
        together = (sum(each.wall for each in night), sum(each.cpu for each in night), max(each.peak_gb for each in night))
        rows.append(Measured("night: load, person and features", *together, said=""))
    lines = [f"| {people:,} people | wall | CPU | largest process | limit at full size | |", "|---|---|---|---|---|---|"]
    for each in rows:
        said = f"FAILED {each.said}" if each.failed else each.said
        lines.append(f"| {each.name} | {each.wall:.0f} s | {each.cpu:.0f} s | {each.peak_gb:.1f} GB | {LIMITS.get(each.name, '')} | {said} |")
    return "\n".join(lines)


def growth(small: Iterable[Measured], large: Iterable[Measured], times: float) -> str:
    """How many times as long each step took for so many times the people."""
    before = {each.name: each for each in small}
    lines = [f"| {times:.0f} times the people | wall | CPU |", "|---|---|---|"]
    for each in large:
        if each.name in before and each.name != "new files":
            lines.append(f"| {each.name} | {each.wall / before[each.name].wall:.1f} times | {each.cpu / before[each.name].cpu:.1f} times |")
    return "\n".join(lines)


STEPS: Mapping[str, Callable[..., str]] = {
    "generate": lambda base, day, people: generate(Path(base), date.fromisoformat(day), int(people)),
    "load": lambda base, day: load(Path(base), date.fromisoformat(day)),
    "person": lambda base, day: person(Path(base), date.fromisoformat(day)),
    "features": lambda base, day, memory: features(Path(base), date.fromisoformat(day), memory),
    "new_files": lambda base, day, next_day: send_new_files(Path(base), date.fromisoformat(day), date.fromisoformat(next_day)),
}


def main() -> int:
    """Run one step (for ourselves), or all of them and print the tables; 1 where a step failed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=PEOPLE)
    asked.add_argument("--tenth", action="store_true", help="at a tenth of the size alone, not at both")
    asked.add_argument("--date", default="not given", help="printed beside the figures")
    asked.add_argument("--keep", action="store_true", help="leave the files in var/bench")
    asked.add_argument("--no-hand", action="store_true", help="without the hand-written SQL")
    asked.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.step:
        print(STEPS[given.step[0]](*given.step[1:]))
        return 0
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    print(f"Machine: {os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}, Python {platform.python_version()}; date: {given.date}\n")
    sizes = [given.people // 10] if given.tenth else [given.people // 10, given.people]
    runs = []
    for people in sizes:
        done, hand = whole(people, given.keep, not given.no_hand)
        runs.append(done)
        print(f"{table_of(done, people)}\n\n{hand}\n", flush=True)
    if len(runs) == 2:
        print(growth(*runs, times=sizes[1] / sizes[0]))
    return int(any(each.failed for done in runs for each in done))


if __name__ == "__main__":
    sys.exit(main())
