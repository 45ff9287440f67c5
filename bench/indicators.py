"""What counting every indicator of a whole ICS costs, on make-believe facts and features of so many people.

    python -m bench.indicators [--people 1800000] [--seed 5] [--shown]

Prints seconds for the exact counts, and with --shown for hiding small ones and for the products; and the highest memory. Asserts nothing.
What does not belong here: people whose records hang together (bench.ics).
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fuller_popheath import registry
from fuller_popheath.catalogue.products import core20plus5_by_pcn, indicator_by_small_area, inequality_by_area
from fuller_popheath.cohorts import indicator_count, indicators_shown
from fuller_popheath.contracts import load_contract
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = date(2026, 8, 1)
TODAY = (DAY - date(1970, 1, 1)).days
PCNS, PLACES = 45, 9
PRACTICES, LSOAS = 4, 24
"""Of each PCN."""
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype="S1")
SHARE = 0.15
"""Of each subject of long facts: the share of people who have it."""


def ids(count: int) -> pa.Array:
    """So many person ids in order."""
    digits = (np.arange(count)[:, None] >> np.arange(55, -1, -5)) & 31
    return pa.array(LETTERS[digits].view("S12").ravel().astype("U12"))


def wide(contract_id: str, people: pa.Array, rng: np.random.Generator) -> pa.Table:
    """The columns of a wide table that indicators read."""
    count = len(people)
    columns: dict[str, Any] = {"person_id": people}
    for name in indicator_count.TABLE.columns[contract_id][1:]:
        kind = load_contract(contract_id).column(name).logical_type
        if kind == "boolean":
            columns[name] = rng.random(count) < 0.1
        elif kind == "string":
            columns[name] = pa.array(["current", "former", "never"]).take(pa.array(rng.integers(0, 3, count)))
        else:
            columns[name] = pa.array(rng.integers(1, 900, count), mask=rng.random(count) < 0.4)
    return pa.table(columns)


def long(contract_id: str, people: pa.Array, rng: np.random.Generator) -> pa.Table:
    """Long facts of every subject that indicators ask for, in the order of people."""
    subjects = sorted({subject for spec in registry.indicators().values() for subject in spec.facts.get(contract_id, {})})
    person, subject = np.nonzero(rng.random((len(people), len(subjects))) < SHARE)
    contract = load_contract(contract_id)
    columns: dict[str, Any] = {}
    for name in indicator_count.TABLE.columns[contract_id]:
        kind = contract.column(name).logical_type
        if name == "person_id":
            columns[name] = people.take(pa.array(person))
        elif name == contract.primary_key[2]:
            columns[name] = pa.array(subjects).take(pa.array(subject))
        elif kind == "boolean":
            columns[name] = np.ones(len(person), bool)
        elif kind == "date":
            columns[name] = pa.array((TODAY - rng.integers(1, 900, len(person))).astype(np.int32)).cast(pa.date32())
        else:
            columns[name] = rng.integers(0, 7, len(person))
    return pa.table(columns)


def inputs(count: int, seed: int) -> dict[str, pa.Table]:
    """Everything that indicators read of so many people."""
    rng = np.random.default_rng(seed)
    people = ids(count)
    pcn: NDArray[np.int64] = rng.integers(0, PCNS, count)
    practice, lsoa = pcn * PRACTICES + rng.integers(0, PRACTICES, count), pcn * LSOAS + rng.integers(0, LSOAS, count)
    pcns = pa.array([f"U{number:05d}" for number in range(PCNS)])
    places = pa.array([f"{number % PLACES:02d}A" for number in range(PCNS)])
    practices = pa.array([f"A{number:05d}" for number in range(PCNS * PRACTICES)])
    lsoas = pa.array([f"E01{number:06d}" for number in range(PCNS * LSOAS)])
    person = {
        "person_id": people,
        "practice_code": practices.take(pa.array(practice)),
        "lsoa_code": lsoas.take(pa.array(lsoa)),
        "pcn_code": pcns.take(pa.array(pcn)),
        "place_code": places.take(pa.array(pcn)),
        "age_years": rng.integers(0, 95, count),
        "sex": pa.array(["female", "male"]).take(pa.array(rng.integers(0, 2, count))),
        "imd_2019_quintile": lsoa % 5 + 1,
        "imd_2025_quintile": lsoa % 7 % 5 + 1,
    }
    made = {
        "core/person": pa.table(person),
        "core/neighbourhood_practice": pa.table({"practice_code": practices, "icb_code": pa.array(["QZZ"] * len(practices))}),
    }
    made["inbound/indicator_supplement"] = load_contract("inbound/indicator_supplement").schema.empty_table()
    for contract_id in indicator_count.TABLE.columns:
        is_long = len(load_contract(contract_id).primary_key) > 2
        made[contract_id] = (long if is_long else wide)(contract_id, people, rng)
    return made


def main() -> None:
    """Make people, count, and say what it took."""
    ask = argparse.ArgumentParser(description="what counting every indicator costs")
    ask.add_argument("--people", type=int, default=1_800_000)
    ask.add_argument("--seed", type=int, default=5)
    ask.add_argument("--shown", action="store_true")
    chosen = ask.parse_args()
    night, tables = Night(as_of=DAY, site=Site()), inputs(chosen.people, chosen.seed)
    released = [core20plus5_by_pcn.TABLE, indicator_by_small_area.TABLE, inequality_by_area.TABLE]
    steps = [indicator_count.TABLE, *([indicators_shown.TABLE, *released] if chosen.shown else [])]
    print(f"{sum(table.num_rows for table in tables.values()):,} rows given; {len(registry.indicators())} indicators", flush=True)
    for spec in steps:
        start = time.perf_counter()
        tables[spec.contract] = spec.build(tables, night)
        took = time.perf_counter() - start
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{took:8.2f} s  {spec.contract}: {tables[spec.contract].num_rows:,} rows; at most {highest:.1f} GiB so far", flush=True)


if __name__ == "__main__":
    main()
