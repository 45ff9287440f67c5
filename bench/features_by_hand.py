"""Twenty columns of the feature store against the same in hand-written SQL (features_by_hand.sql): equal in every cell, and at what price in CPU.

    python -m bench.features_by_hand STORE AS_OF [--runs 5] [--threads 2]

STORE: a store with a night of AS_OF (`make bench SCALE=ics` makes one), or a folder with one folder of Parquet files a core table. Both sides start
from the same files, in turn, in one process, each with an engine of its own; ours is asked for these columns and codes alone, as the SQL is.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.engine import Engine
from fuller_popheath.feature_store import CODELISTS, FeatureBuild
from fuller_popheath.site import Site
from fuller_popheath.specs import Night, Parts

if TYPE_CHECKING:
    import pyarrow as pa

SQL = Path(__file__).with_suffix(".sql")
LIMIT = 1.25
COLUMNS = {
    "features/conditions": ("has_hypertension", "has_asthma", "has_obesity", "days_since_first_atrial_fibrillation"),
    "features/frailty": ("efi_deficit_count", "efi_category"),
    "features/medicines": ("medicine_count_365", "issue_count_90"),
    "features/measurements": ("latest_systolic_bp", "days_since_systolic_bp", "systolic_bp_change_per_year"),
    "features/contacts": ("gp_contact_count_365", "telephone_contact_count_730", "clinician_count_365"),
    "features/continuity": ("continuity_upc", "continuity_secon", "usual_gp_share"),
    "features/hospital": ("emergency_admission_count_365", "bed_day_count_365", "ed_attendance_count_90"),
}
"""Of each group some that need what is dear in it: resolutions, what a register asks besides, a trend, distinct clinicians, an order of visits."""
FACT_COLUMNS = {
    "core/person_cluster": ("first_date", "last_date", "is_current"),
    "core/person_medicine": ("last_date", "count_365", "count_90"),
    "core/person_measurement": ("latest_value", "latest_date", "slope_per_year"),
}
"""What the groups above read of the facts."""
MEASURES = ("systolic_bp", "bmi")
RECORDS = ("event", "measurement", "medication_issue", "contact", "spell", "ed_attendance")
Sources = dict[str, Any]


def sources_in(store: Path, as_of: date) -> Sources:
    """The core tables of a store, or of a folder of Parquet files; core/person as Arrow; the code lists that the columns need."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def paths(name: str) -> tuple[Path, ...]:
        manifest = store / "core" / name / f"as_of={as_of.isoformat()}" / "parts.json"
        if manifest.is_file():
            return tuple(store / part["path"] for part in json.loads(manifest.read_text(encoding="utf-8"))["parts"])
        night = sorted(manifest.parent.glob("*.parquet"))
        return tuple(night or sorted((store / name).glob("*.parquet")))

    found: Sources = {f"core/{name}": Parts(f"core/{name}", paths(name)) for name in RECORDS}
    found["core/person"] = pa.concat_tables([pq.read_table(path) for path in paths("person")])
    found[CODELISTS] = codes_asked_for()
    return found


def codes_asked_for() -> pa.Table:
    """The code lists without the measures that none of the columns needs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = codelist(kinds=("condition", "resolved", "other", "medicine", "measure"))
    unused = pc.and_(pc.equal(lists["kind"], "measure"), pc.invert(pc.is_in(lists["cluster"], value_set=pa.array(MEASURES))))
    return lists.filter(pc.invert(unused))


def by_feature_store(sources: Sources, night: Night, threads: int, spill: Path) -> pa.Table:
    """The columns as the feature store makes them in one go: the facts they need, handed on, then each group, of which only the columns asked for.

    Writing and reading the store between the steps, as a night does, is on neither side.
    """
    import pyarrow as pa

    with Engine.duckdb(threads=threads, spill_to=spill) as engine, FeatureBuild(engine, sources, night) as build:
        for name, needed in FACT_COLUMNS.items():
            build.hand_on(registry.facts()[name], needed)
        groups = [build.feature(registry.features()[name], wanted) for name, wanted in COLUMNS.items()]
    columns = {name: group[name] for group, wanted in zip(groups, COLUMNS.values(), strict=True) for name in wanted}
    return pa.table({"person_id": groups[0]["person_id"], **columns})


def by_hand(sources: Sources, night: Night, threads: int, spill: Path) -> pa.Table:
    """The columns as features_by_hand.sql makes them."""
    import duckdb
    import numpy as np
    import pyarrow as pa

    settings = {"threads": threads, "temp_directory": str(spill), "preserve_insertion_order": False}
    with duckdb.connect(config=settings) as connection:
        person = sources["core/person"].select(["person_id", "practice_code", "age_years", "ethnic_category", "usual_gp_code"])
        connection.register("person", person.append_column("person_row", pa.array(np.arange(person.num_rows, dtype=np.int32))))
        connection.register("codelist", sources[CODELISTS])
        for name in RECORDS:
            connection.read_parquet([str(path) for path in sources[f"core/{name}"].paths], hive_partitioning=False).create_view(name)
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET VARIABLE as_of = DATE '{night.as_of.isoformat()}'")
        steps = [step for step in SQL.read_text(encoding="utf-8").split(";\n") if step.strip()]
        for step in steps[:-1]:
            connection.execute(step)
        # Not execute() for the rows: with preserve_insertion_order off, DuckDB 2.0 then hands them out in another order than the one asked for.
        return connection.sql(steps[-1]).to_arrow_table()


def differences(ours: pa.Table, theirs: pa.Table) -> dict[str, int]:
    """In how many cells each column differs; a number only from the ninth digit on, as one side divides other whole numbers first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {}
    for name in ours.column_names:
        one = ours[name].combine_chunks()
        other = theirs[name].combine_chunks().cast(one.type)
        if pa.types.is_floating(one.type):
            equal = pc.less_equal(pc.abs(pc.subtract(one, other)), pc.multiply(pc.abs(one), 1e-9))
        else:
            equal = pc.equal(one, other)
        both_empty = pc.and_(pc.is_null(one), pc.is_null(other))
        found[name] = len(one) - int(pc.sum(pc.or_(pc.fill_null(equal, False), both_empty)).as_py() or 0)
    return {name: cells for name, cells in found.items() if cells}


def cpu_and_wall(work: Callable[[], object]) -> tuple[float, float]:
    """User and system seconds of this process, and seconds on the clock."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started


def main() -> int:
    """Print the table; 1 where a cell differs."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("store", type=Path)
    asked.add_argument("as_of", type=date.fromisoformat)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--threads", type=int, default=2)
    given = asked.parse_args()
    sources, night = sources_in(given.store, given.as_of), Night(given.as_of, Site())
    with tempfile.TemporaryDirectory() as spill:
        sides = {"feature store": by_feature_store, "by hand": by_hand}
        tables = {side: make(sources, night, given.threads, Path(spill)) for side, make in sides.items()}
        differing = differences(*tables.values())
        people = tables["by hand"].num_rows
        del tables
        taken: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
        for _ in range(given.runs):
            for side, make in sides.items():
                taken[side].append(cpu_and_wall(lambda make=make: make(sources, night, given.threads, Path(spill))))  # type: ignore[misc]
    cpu = {side: statistics.median(c for c, _ in runs) for side, runs in taken.items()}
    wall = {side: statistics.median(w for _, w in runs) for side, runs in taken.items()}
    columns = sum(map(len, COLUMNS.values()))
    print(f"| {columns} columns of {people:,} people, medians of {given.runs} | CPU | wall |\n|---|---|---|")
    for side in sides:
        print(f"| {side} | {cpu[side]:.1f} s | {wall[side]:.1f} s |")
    print(
        f"| feature store / by hand (limit {LIMIT}) | {cpu['feature store'] / cpu['by hand']:.2f} | {wall['feature store'] / wall['by hand']:.2f} |"
    )
    print(f"| cells that differ | {', '.join(f'{name}: {cells:,}' for name, cells in differing.items()) or 'none'} | |")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
