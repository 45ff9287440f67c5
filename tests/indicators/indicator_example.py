"""Make-believe people and everything that indicators read about them: some have no quintile, some no place."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 8, 1)
NIGHT = Night(as_of=DAY, site=Site())
PEOPLE = 6_000
PRACTICES = {
    "A00001": ("U00001", "01A", "QZZ"),
    "A00002": ("U00001", "01A", "QZZ"),
    "A00003": ("U00002", "01A", "QZZ"),
    "A00004": ("U00003", "02B", "QZZ"),
}
UNPLACED = "A00009"
INDICATORS = registry.indicators()


def person_ids(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return ["".join(letters[number >> shift & 31] for shift in range(55, -1, -5)) for number in range(count)]


def wide(contract_id: str, count: int, columns: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    schema = load_contract(contract_id).schema
    given = {"as_of": [DAY] * count, "person_id": person_ids(count), **columns}
    return pa.table({f.name: pa.array(given[f.name], f.type, from_pandas=True) if f.name in given else pa.nulls(count, f.type) for f in schema})


def long(contract_id: str, rng: np.random.Generator, subjects: dict[str, float]) -> pa.Table:
    """Facts in the order of people and subjects: each subject of a share of people, with days and counts drawn."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    ids = person_ids(PEOPLE)
    pairs = sorted((ids[i], subject) for subject, share in subjects.items() for i in np.flatnonzero(rng.random(PEOPLE) < share))
    days = [DAY - timedelta(days=int(d)) for d in rng.integers(1, 900, len(pairs))]
    key = contract.primary_key[2]
    cells: dict[str, Any] = {"as_of": [DAY] * len(pairs), "person_id": [p for p, _ in pairs], key: [s for _, s in pairs]}
    for column in contract.columns:
        if column.logical_type == "date" and column.name != "as_of":
            cells[column.name] = days
        elif column.logical_type == "integer":
            cells[column.name] = rng.integers(0, 7, len(pairs))
        elif column.logical_type == "number":
            cells[column.name] = np.round(rng.uniform(1, 4, len(pairs)), 1)
        elif column.logical_type == "boolean":
            cells[column.name] = rng.random(len(pairs)) < 0.9
    return pa.table({f.name: pa.array(cells[f.name], f.type) for f in contract.schema})


def subjects_of(contract_id: str) -> dict[str, float]:
    return {subject: 0.4 for spec in INDICATORS.values() for subject in spec.facts.get(contract_id, {})}


def inputs_of_people() -> dict[str, pa.Table]:
    """Everything that indicators read, about make-believe people; some have no quintile, some no place."""
    rng = np.random.default_rng(3)
    quintiles = rng.choice([1, 2, 3, 4, 5, np.nan], (2, PEOPLE), p=[0.3, 0.2, 0.2, 0.15, 0.13, 0.02])
    practice = rng.choice([*PRACTICES, UNPLACED], PEOPLE, p=[0.35, 0.2, 0.3, 0.13, 0.02])
    lsoa = [f"E0100{a:.0f}{b:.0f}{row % 2:02d}" if a == a and b == b else None for row, (a, b) in enumerate(quintiles.T)]
    pcn, place = ([PRACTICES.get(p, ("U", None))[turn] for p in practice] for turn in (0, 1))
    people = {
        "practice_code": practice,
        "pcn_code": pcn,
        "place_code": place,
        "age_years": rng.integers(0, 95, PEOPLE),
        "sex": rng.choice(["female", "male"], PEOPLE),
        "lsoa_code": lsoa,
        "imd_2019_quintile": quintiles[0],
        "imd_2025_quintile": quintiles[1],
    }
    made = {"core/person": wide("core/person", PEOPLE, people)}
    for contract_id in ("features/conditions", "features/measurements", "features/medicines"):
        columns: dict[str, Any] = {}
        for name in dict.fromkeys(name for spec in INDICATORS.values() for name in spec.columns.get(contract_id, ())):
            if name.startswith("has_"):
                columns[name] = rng.random(PEOPLE) < 0.3
            elif name == "smoking_status":
                columns[name] = rng.choice(["current", "former", "never", None], PEOPLE)
            elif name.startswith("days_since"):
                columns[name] = np.where(rng.random(PEOPLE) < 0.7, rng.integers(1, 800, PEOPLE), np.nan)
            else:
                columns[name] = np.round(rng.uniform(2, 160, PEOPLE), 1)
        made[contract_id] = wide(contract_id, PEOPLE, columns)
    for contract_id in ("core/person_cluster", "core/person_medicine", "core/person_admission_reason", "core/person_measurement"):
        made[contract_id] = long(contract_id, rng, subjects_of(contract_id))
    import pyarrow as pa

    names = ("practice_code", "pcn_code", "sub_icb_code", "icb_code")
    told = [(code, *area) for code, area in PRACTICES.items()]
    made["inbound/indicator_supplement"] = load_contract("inbound/indicator_supplement").schema.empty_table()
    made["core/neighbourhood_practice"] = pa.table({name: [row[turn] for row in told] for turn, name in enumerate(names)})
    return made
