"""What the pages of a whole ICS cost: the atlas and a neighbourhood profile for every PCN, in seconds, megabytes and peak memory.

    python -m bench.pages [--pcns 45] [--small-areas 1060] [--seed 5]

Areas are squares side by side, figures are drawn at random and written in the columns of the products, as many rows as an ICS has; nothing is read.
Asserts nothing. What does not belong here: making the products (bench.ics, bench.indicators).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from fuller_popheath import registry
from fuller_popheath.cohorts.population_profile import CONDITIONS, age_band_names
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.place.deprivation_domains import DOMAINS
from fuller_popheath.publish.atlas import publish_atlas
from fuller_popheath.publish.profile import publish_profiles
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

DAY = date(2026, 10, 1)
EDITIONS, QUINTILES, PLACES = ("2019", "2025"), ("1", "2", "3", "4", "5", "all"), 5
SIDE = 0.02
"""Degrees: the side of a small area."""


def table(contract_id: str, frame: pd.DataFrame, rng: np.random.Generator) -> pa.Table:
    """A frame as a contract's table: of what it does not say, numbers are drawn, marks are false, and required words one word."""
    columns: dict[str, Any] = {}
    for column in load_contract(contract_id).columns:
        kind = column.logical_type
        if column.name in frame:
            columns[column.name] = frame[column.name]
        elif kind in ("integer", "number"):
            columns[column.name] = rng.integers(20, 90, len(frame)).astype(float if kind == "number" else int)
        elif column.name == "as_of" or (kind == "date" and column.required):
            columns[column.name] = DAY
        else:
            columns[column.name] = False if kind == "boolean" else "undated" if column.required else None
    made = pd.DataFrame(columns, index=frame.index)
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(contract_id))


def crossed(**values: Iterable[object]) -> pd.DataFrame:
    """Every combination of the values, a column each; a tuple of names gives several columns."""
    return pd.DataFrame(list(product(*values.values())), columns=list(values))


def by_area(areas: list[tuple[str, str]], **values: Iterable[object]) -> pd.DataFrame:
    """The same with area_type and area_code."""
    rows = crossed(area=areas, **values)
    rows["area_type"], rows["area_code"] = zip(*rows.pop("area"), strict=True)
    return rows


def place_tables(pcns: int, small_areas: int, rng: np.random.Generator) -> tuple[dict[str, pa.Table], list[tuple[str, str]]]:
    """Where everybody lives: practices, small areas, Core20 and domains; and the areas of the ICS, type and code."""
    import shapely

    codes = [f"U{number:05d}" for number in range(1, pcns + 1)]
    lsoas = [f"E0{number:07d}" for number in range(1_000_000, 1_000_000 + small_areas)]
    wide = int(np.ceil(small_areas**0.5))
    corners = [(-3.0 + SIDE * (at % wide), 53.5 + SIDE * (at // wide)) for at in range(small_areas)]
    shapes = [shapely.to_wkb(shapely.segmentize(shapely.box(x, y, x + SIDE, y + SIDE), SIDE / 12)) for x, y in corners]
    members = crossed(pcn_code=codes, number=range(5))
    members["practice_code"] = [f"A{at:05d}" for at in range(len(members))]
    members["place_code"] = [f"0{pcn % PLACES}X" for pcn in np.repeat(range(pcns), 5)]
    members = members.assign(pcn_name="PCN " + members["pcn_code"], place_name="Place", icb_code="QE1", icb_name="The ICB", membership_source="epcn")
    of_lsoa = np.minimum(np.arange(small_areas) * pcns // small_areas, pcns - 1)
    counts = pd.DataFrame({"lsoa_code": np.repeat(lsoas, 5), "practice_code": [f"A{5 * pcn + at:05d}" for pcn in of_lsoa for at in range(5)]})
    areas = [("icb", "QE1"), *(("place", f"0{at}X") for at in range(PLACES)), *(("pcn", code) for code in codes)]
    quintile = rng.integers(1, 6, small_areas)
    by_lsoa = crossed(imd_edition=EDITIONS, lsoa_code=lsoas).assign(imd_quintile=np.tile(quintile, 2), imd_decile=np.tile(2 * quintile, 2))
    by_lsoa = by_lsoa.assign(registered_count=1_700, registered_anywhere_count=1_800, lsoa_part_count=1, core20_percent=0.0)
    made = {
        "core/neighbourhood_practice": members.assign(practice_name="Practice"),
        "core/registered_count": counts.assign(registered_count=340),
        "products/core20_by_lsoa": by_lsoa,
        "reference/lsoa_boundary": pd.DataFrame({"lsoa_vintage": "2021", "lsoa_code": lsoas, "lsoa_name": lsoas, "geometry": shapes}),
        "products/deprivation_domains_by_area": by_area(areas, imd_edition=EDITIONS, domain=DOMAINS),
        "products/workforce_by_pcn": by_area(areas, census=[str(year) for year in range(2016, 2027)]).assign(
            source="gp_workforce", staff_group="gp", staff_role="all", is_newest=lambda rows: rows["census"] == "2026"
        ),
    }
    shares: dict[str, Any] = {f"q{at}_count": 8_000 for at in range(1, 6)} | {"registered_count": 40_000, "band": "20.0% to 29.9%"}
    for level, key, every in (
        ("pcn", "pcn_code", members[["pcn_code", "pcn_name", "icb_code"]].drop_duplicates()),
        ("practice", "practice_code", members[["practice_code", "pcn_code", "pcn_name", "icb_code"]].assign(practice_name="Practice")),
        ("place", "place_code", members[["place_code", "place_name", "icb_code"]].drop_duplicates()),
        ("icb", "icb_code", members[["icb_code", "icb_name"]].drop_duplicates()),
    ):
        rows = pd.concat([every.assign(imd_edition=edition) for edition in EDITIONS], ignore_index=True)
        made[f"products/core20_by_{level}"] = rows.assign(**shares).sort_values(key, ignore_index=True)
    return {name: table(name, frame.reset_index(drop=True), rng) for name, frame in made.items()}, areas


def record_tables(areas: list[tuple[str, str]], rng: np.random.Generator) -> dict[str, pa.Table]:
    """What is made from records, as many rows as an ICS has."""
    specs = registry.indicators()
    pairs = [(name, spec.age_group, spec.area, spec.direction) for name, spec in specs.items()]
    values = by_area(areas, imd_edition=EDITIONS, quintile=QUINTILES, pair=pairs)
    gaps = by_area(areas, imd_edition=EDITIONS, pair=pairs)
    for rows in (values, gaps):
        rows[["indicator_id", "age_group", "clinical_area", "direction"]] = pd.DataFrame(rows.pop("pair").tolist(), index=rows.index)
    numbers = rng.integers(100, 900, len(values))
    values = values.assign(numerator=numbers, denominator=1_000, value=numbers / 10, lower=numbers / 10 - 3, upper=numbers / 10 + 3)
    groups = [(scheme.name, group.name) for scheme in registry.segments().values() for group in scheme.groups]
    segments = by_area(areas, imd_edition=EDITIONS, group=groups)
    segments["scheme"], segments["segment"] = zip(*segments.pop("group"), strict=True)
    every: dict[str, Any] = {"sex": "all", "age_band": "all"}
    people = pd.concat(
        [
            by_area(areas, sex=("female", "male"), age_band=[*age_band_names(), "all"]).assign(topic="age_sex", group="all"),
            by_area(areas, topic=("age_sex", "condition", "plus")).assign(group="all", people_count=40_000, **every),
            by_area(areas, group=CONDITIONS).assign(topic="condition", **every),
            by_area(areas, group=tuple(registry.plus_groups())).assign(topic="plus", **every),
        ],
        ignore_index=True,
    )
    people["people_count"] = people["people_count"].fillna(1_000)
    made = {
        "products/core20plus5_by_pcn": values,
        "products/inequality_by_area": gaps,
        "products/segment_count": segments.assign(imd_quintile="all", people_group="all"),
        "products/activity_by_pcn": by_area(areas, imd_edition=EDITIONS, imd_quintile=QUINTILES),
        "products/continuity_gap_by_pcn": by_area(areas, imd_edition=EDITIONS, imd_quintile=QUINTILES),
        "products/population_profile": people,
    }
    return {name: table(name, frame, rng) for name, frame in made.items()}


def told(name: str, write: Callable[[Path], tuple[Path, ...]], folder: Path) -> float:
    """Write the pages, say what it took, and return the seconds."""
    start = time.perf_counter()
    written = write(folder)
    seconds = time.perf_counter() - start
    sizes = [path.stat().st_size / 1e6 for path in written]
    print(f"{seconds:8.2f} s  {name}: {len(written)} files, {sum(sizes):.1f} MB, the largest {max(sizes):.2f} MB", flush=True)
    return seconds


def main() -> None:
    """Draw the tables, write the pages, say what it took."""
    ask = argparse.ArgumentParser(description="what the pages of a whole ICS cost")
    ask.add_argument("--pcns", type=int, default=45)
    ask.add_argument("--small-areas", type=int, default=1_060)
    ask.add_argument("--seed", type=int, default=5)
    chosen = ask.parse_args()
    rng = np.random.default_rng(chosen.seed)
    place, areas = place_tables(chosen.pcns, chosen.small_areas, rng)
    tables: Mapping[str, pa.Table] = {**place, **record_tables(areas, rng)}
    print(f"{sum(each.num_rows for each in tables.values()):,} rows of {len(tables)} tables, {chosen.pcns} PCNs, {chosen.small_areas:,} small areas")
    night = Night(DAY, Site())
    with tempfile.TemporaryDirectory() as folder:
        seconds = told("atlas", lambda out: publish_atlas(out, tables, night), Path(folder))
        seconds += told("profiles", lambda out: publish_profiles(out, tables, night), Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{seconds:8.2f} s  together; peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()
