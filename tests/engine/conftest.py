"""An ICS of 20,000 people whose records are chance alone: every code, status and empty cell that a core table may hold, and nothing medical."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import load_contract
from fuller_popheath.contracts.model import Column
from fuller_popheath.registry import facts, features
from fuller_popheath.site import Folders, Site
from fuller_popheath.specs import Night, Parts

AS_OF = date(2026, 9, 30)
PEOPLE = 20_000
TODAY = (AS_OF - date(1970, 1, 1)).days
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype="S1")
ROWS_A_PERSON = {"core/event": 25, "core/measurement": 15, "core/medication_issue": 20, "core/contact": 25, "core/spell": 1, "core/ed_attendance": 2}
KIND_OF_CODE = {
    "core/event": ("condition", "resolved", "other", "objection"),
    "core/measurement": ("measure",),
    "core/medication_issue": ("medicine",),
}
TEXTS = {
    "admission_method": ("11", "12", "21", "24", "2A", "31"),
    "primary_diagnosis_code": ("J45.9", "J46", "K02.1", "G40.9", "G41.0", "I50.0", "C34.9", "S72.0"),
}
PARTS = 5


def _cells(column: Column, rows: int, rng: np.random.Generator, codes: list[str]) -> Any:
    """Cells of a column by what its contract says of it; a fifth of those that may be empty are. Days reach from four years before to after AS_OF."""
    import pyarrow as pa

    empty = None if column.required else rng.random(rows) < 0.2
    kind = column.logical_type
    if kind == "date":
        days = TODAY + 30 - rng.integers(0, 1500, rows)
        if column.name == "date_of_birth":
            days = TODAY - rng.integers(0, 36_000, rows)
        return pa.array(days.astype(np.int32), pa.int32(), mask=empty).cast(pa.date32())
    if kind == "boolean":
        return pa.array(rng.random(rows) < 0.5, mask=empty)
    if kind == "number":
        return pa.array(np.round(rng.normal(60, 30, rows), 2), mask=empty)
    if kind == "integer":
        low, high = int(column.minimum or 0), int(column.maximum or 100)
        return pa.array(rng.integers(low, min(high, low + 100) + 1, rows), pa.int64(), mask=empty)
    texts = codes if column.name == "code" else list(column.allowed or TEXTS.get(column.name) or [f"X{number}" for number in range(30)])
    return pa.array(np.array(texts, dtype=object)[rng.integers(0, len(texts), rows)], pa.string(), mask=empty)


def _table(contract_id: str, who: np.ndarray, people: np.ndarray, rng: np.random.Generator) -> Any:
    import pyarrow as pa

    contract, lists = load_contract(contract_id), codelist()
    kinds = KIND_OF_CODE.get(contract_id, ())
    codes = [code for code, kind, system in zip(*(lists[c].to_pylist() for c in ("code", "kind", "code_system")), strict=True) if kind in kinds]
    codes = [code for code in codes if code.startswith("z.")] + ["z.nothing.1"]
    columns = {column.name: _cells(column, len(who), rng, codes) for column in contract.columns if column.name not in ("as_of", "person_id")}
    if "code_system" in columns:
        columns["code_system"] = pa.array(["synthetic"] * len(who))
    columns["person_id"] = pa.array(people[who])
    columns["as_of"] = pa.array([AS_OF] * len(who))
    return pa.table({name: columns[name].cast(contract.schema.field(name).type) for name in contract.column_names})


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return Night(AS_OF, Site(folders=Folders(spill=str(tmp_path_factory.mktemp("spill")))))


@pytest.fixture(scope="session")
def ics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parts | Any]:
    """Every table that a fact or feature asks for: those about persons as files of five practices, others empty, the people as Arrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(20)
    people = np.unique(LETTERS[rng.integers(0, 32, (PEOPLE, 12))].view("S12").ravel()).astype("U12")
    rng.shuffle(people)
    # Somebody who is on no list any more: the last id has records and no row in core/person.
    sources: dict[str, Parts | Any] = {"core/person": _table("core/person", np.arange(len(people) - 1), people, rng)}
    folder: Path = tmp_path_factory.mktemp("ics")
    asked = {name for spec in (*facts().values(), *features().values()) for name in spec.inputs} - set(facts()) - {"core/person"}
    for name in sorted(asked):
        if name not in ROWS_A_PERSON:
            sources[name] = load_contract(name).schema.empty_table()
            continue
        who = np.sort(rng.integers(0, len(people), len(people) * ROWS_A_PERSON[name]))
        table = _table(name, who, people, rng)
        paths = []
        for part in range(PARTS):
            paths.append(folder / f"{name.replace('/', '_')}_{part}.parquet")
            own = table.slice(part * (len(who) // PARTS), None if part == PARTS - 1 else len(who) // PARTS)
            texts = [field.name for field in own.schema if pa.types.is_string(field.type)]
            for text in texts:
                own = own.set_column(own.schema.get_field_index(text), text, own[text].dictionary_encode())
            pq.write_table(own, paths[-1], compression="zstd")
        sources[name] = Parts(name, tuple(paths))
    return sources
