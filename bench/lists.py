"""Lists for all teams of a make-believe ICS, from the tables they rest on: who could be listed, and who is, with every floor and what it costs.

    python -m bench.lists [--people 1800000] [--teams 45] [--seed 5] [--slots 40] [--store FOLDER]

The tables are drawn at random in the shape of the contracts: quick to make, and as large as the real ones. `--store` keeps core/list_candidate and
core/team_capacity there as the nightly job does, for `fuller what-if`. What does not belong here: how good a list is.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.cohorts.capacity import TeamChoice
    from fuller_popheath.specs import Night

PEOPLE, TEAMS, SEED, SLOTS = 1_800_000, 45, 5, 40
DAY = date(2026, 11, 22)
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
REASONS = (
    None,
    "two_or_three_conditions",
    "four_or_more_conditions",
    "severe_frailty,four_or_more_conditions",
    "dementia,housebound",
    "child_high_use",
)
PLUS_GROUPS = ("ethnic_minority", "inclusion_health", "learning_disability_or_autism", "carer")


def made_up(contract_id: str, rows: int, given: dict[str, Any]) -> pa.Table:
    """So many rows of a contract with the columns given, the others empty."""
    import pyarrow as pa

    from fuller_popheath.contracts import load_contract

    schema = load_contract(contract_id).schema
    columns = {"as_of": pa.repeat(pa.scalar(DAY, pa.date32()), rows), **given}
    return pa.table([columns[f.name] if f.name in columns else pa.nulls(rows, f.type) for f in schema], schema=schema)


def inputs_of(people: int, teams: int, seed: int) -> dict[str, pa.Table]:
    """What core/list_candidate is made from, for people in as many neighbourhoods as teams."""
    import pyarrow as pa

    from fuller_popheath.contracts import load_contract

    rng = np.random.default_rng(seed)
    digits = rng.integers(0, 32, (people, 12))
    letters = np.frombuffer(LETTERS.encode(), np.uint8)
    ids = pa.array(np.sort(letters[digits].reshape(-1).view("S12")).astype("U12"))
    age = np.minimum(rng.gamma(2.2, 19, people), 105).astype(np.int64)
    quintile = rng.choice(np.arange(1, 6), people, p=(0.3, 0.2, 0.2, 0.15, 0.15))
    risk = np.clip(rng.beta(1.1, 16, people) * (0.4 + age / 60) * (1.3 - quintile / 10), 0, 1)
    points = np.minimum(rng.poisson(0.3 + age / 60, people), 14)
    gap = np.where(points >= 4, 1.0, np.where(points >= 2, 0.5, 0.0)) * rng.random(people)
    objects = rng.random(people) < 0.03
    everybody = {"person_id": ids}
    reason = pa.array(REASONS, pa.string()).take(pa.array(np.where(points == 0, 0, rng.integers(1, len(REASONS), people))))
    level = pa.array(("none", "some", "high")).take(pa.array((points >= 2) + (points >= 4).astype(np.int64)))
    area = pa.array([f"U{n:05d}" for n in range(teams)]).take(pa.array(rng.integers(0, teams, people)))
    plus = rng.random(people) < 0.35
    member = np.flatnonzero(plus)
    codes = [f"U{n:05d}" for n in range(teams)]
    return {
        "inbound/team_capacity": load_contract("inbound/team_capacity").schema.empty_table(),
        "core/neighbourhood_practice": made_up("core/neighbourhood_practice", teams, {"neighbourhood_code": codes, "neighbourhood_name": codes}),
        "core/person": made_up(
            "core/person",
            people,
            everybody | {"neighbourhood_code": area, "age_years": age, "is_sensitive": rng.random(people) < 0.001, "imd_2025_quintile": quintile},
        ),
        "core/person_objection": made_up(
            "core/person_objection",
            people,
            everybody
            | {"has_type_1_objection": objects, "excluded_from_rule_list": objects, "excluded_from_score_list": objects}
            | {"type_1_reason": pa.array(("no_record", "dissent")).take(pa.array(objects.astype(np.int8)))},
        ),
        "core/continuity_need": made_up("core/continuity_need", people, everybody | {"points": points, "level": level, "reason_codes": reason}),
        "core/continuity_gap": made_up("core/continuity_gap", people, everybody | {"gap": pa.array(gap, mask=rng.random(people) < 0.4)}),
        "core/person_plus": pa.table(
            {
                "person_id": ids.take(pa.array(member)),
                "plus_group": pa.array(PLUS_GROUPS).take(pa.array(rng.integers(0, len(PLUS_GROUPS), len(member)))),
                "membership": pa.repeat("yes", len(member)),
            }
        ),
        "core/review": made_up("core/review", 0, {}),
        "risk/score": made_up("risk/score", people, everybody | {"outcome": pa.repeat("emergency_admission_12m", people), "probability": risk}),
        "features/hospital": made_up("features/hospital", people, everybody | {"emergency_admission_count_730": rng.poisson(0.12, people)}),
        "features/contacts": made_up("features/contacts", people, everybody | {"contact_count_365": rng.poisson(5, people)}),
        "features/conditions": made_up(
            "features/conditions",
            people,
            everybody | {name: rng.random(people) < 0.01 for name in ("has_palliative_care", "has_care_home", "has_housebound")},
        ),
    }


def choices(candidates: pa.Table, teams: pa.Table, night: Night, slots: int) -> list[TeamChoice]:
    """Every team's list, half of each one's people having stood on the last one."""
    import pyarrow.compute as pc

    from fuller_popheath.cohorts.capacity import choose_team

    made = []
    for team in teams.to_pylist():
        own = candidates.filter(pc.and_(pc.equal(candidates["team_id"], team["team_id"]), pc.equal(candidates["verdict"], "eligible")))
        asked = {**team, "slots_count": slots, "core20_floor": 1.2, "plus_floor": 1.1, "under_18_floor": 0.8, "newly_surfaced_percent": 70.0}
        best = own.take(pc.sort_indices(own, sort_keys=[("score", "descending")])[: slots // 2])
        made.append(choose_team(own, asked, set(best["person_id"].to_pylist()), f"list-{DAY.isoformat()}", night.site.lists))
    return made


def keep(store: Path, table: pa.Table, contract_id: str) -> None:
    """Write a table as the nightly job lays it in the store."""
    import pyarrow.parquet as pq

    path = store / contract_id / f"as_of={DAY.isoformat()}" / "part.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def main() -> int:
    """Time each step and print the figures in Markdown."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("people", PEOPLE), ("teams", TEAMS), ("seed", SEED), ("slots", SLOTS)):
        asked.add_argument(f"--{name}", type=int, default=default)
    asked.add_argument("--store", type=Path, help="keep the tables there, as in the store of a night")
    given = asked.parse_args()

    from fuller_popheath.cohorts import list_candidate, team_capacity
    from fuller_popheath.contracts import load_contract, refuse_if_broken
    from fuller_popheath.site import Site
    from fuller_popheath.specs import Night

    night = Night(DAY, Site())
    tables = inputs_of(given.people, given.teams, given.seed)
    lines = ["| step | wall | CPU | |", "|---|---|---|---|"]

    def timed(name: str, work: Any, said: Any) -> Any:
        started, busy = time.perf_counter(), time.process_time()
        made = work()
        lines.append(f"| {name} | {time.perf_counter() - started:.1f} s | {time.process_time() - busy:.1f} s | {said(made)} |")
        print(lines[-1], file=sys.stderr, flush=True)
        return made

    tables[team_capacity.CONTRACT] = timed("teams", lambda: team_capacity.build(tables, night), lambda made: f"{made.num_rows} teams")
    candidates = timed("who could be listed", lambda: list_candidate.build(tables, night), lambda made: f"{made.num_rows:,} rows")
    timed(
        "its contract", lambda: refuse_if_broken(candidates, load_contract(list_candidate.CONTRACT)), lambda made: f"{made.num_rows:,} rows checked"
    )
    timed(
        f"lists of {given.slots} with three floors and a quota, and their prices",
        lambda: choices(candidates, tables[team_capacity.CONTRACT], night, given.slots),
        lambda made: f"{sum(int(each.chosen.sum()) for each in made):,} listed of {sum(len(each.chosen) for each in made):,} who could be",
    )
    if given.store:
        for name, table in ((list_candidate.CONTRACT, candidates), (team_capacity.CONTRACT, tables[team_capacity.CONTRACT])):
            keep(given.store, table, name)
    print("\n".join(lines))
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
