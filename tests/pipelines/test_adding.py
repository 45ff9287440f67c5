"""Adding a published table, a supplier, a fact, a feature group or a product is one file and its contract.

Planted in a copy of the project, each is found, read or made, and stored.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipelines.conftest import AS_OF, Place

REFERENCE_CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: reference/green_space
name: green_space
version: 1.0.0
status: active
domain: population health
description: {purpose: "Green space of each LSOA."}
customProperties: [{property: purpose, value: open}]
schema:
  - name: green_space
    id: green_space
    logicalType: object
    physicalType: table
    dataGranularityDescription: "One row per LSOA."
    properties:
      - {name: lsoa_code, logicalType: string, physicalType: text, description: "LSOA.", primaryKey: true, primaryKeyPosition: 1, required: true,
         classification: open, logicalTypeOptions: {pattern: '^E01[0-9]{6}$'}}
      - {name: hectares, logicalType: number, physicalType: float64, description: "Hectares of it.", required: true, classification: open,
         logicalTypeOptions: {minimum: 0}}
"""
SOURCE_FILE = '''
"""Green space by LSOA."""
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import SourceSpec

LAYOUT = Layout((LayoutColumn("lsoa_code", ("Green LSOA",)), LayoutColumn("hectares", ("Green hectares",))))
SOURCE = SourceSpec("reference/green_space", "green space by LSOA", lambda head: recognised(LAYOUT, head), lambda head: read_layout(LAYOUT, head))
'''
PRODUCT_CONTRACT = (
    REFERENCE_CONTRACT.replace("reference/green_space", "products/green_total").replace("green_space", "green_total").replace("lsoa_code", "letter")
).replace("'^E01[0-9]{6}$'", "'^E$'")
PRODUCT_FILE = '''
"""Green space in all."""
from fuller_popheath.specs import TableSpec


def build(inputs, night):
    """One row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.table({"letter": ["E"], "hectares": [pc.sum(inputs["reference/green_space"]["hectares"]).as_py()]})


TABLE = TableSpec("products/green_total", ("reference/green_space",), build)
'''
KEY = """    properties:
      - {name: as_of, logicalType: date, physicalType: date32, description: "The day.", primaryKey: true, primaryKeyPosition: 1, required: true,
         classification: open}
      - {name: person_id, logicalType: string, physicalType: text, description: "Pseudonym.", primaryKey: true, primaryKeyPosition: 2,
         required: true, classification: sensitive, logicalTypeOptions: {pattern: '^[a-z2-7]{12}$'}}
"""


def _about_people(contract_id: str, columns: str) -> str:
    """A contract of facts or features: its key and these further columns."""
    head = REFERENCE_CONTRACT.partition("    properties:")[0].replace("value: open", "value: internal")
    return head.replace("reference/green_space", contract_id).replace("green_space", contract_id.partition("/")[2]) + KEY + columns


FACT_CONTRACT = _about_people(
    "core/person_green",
    """      - {name: cluster, logicalType: string, physicalType: text, description: "Cluster.", primaryKey: true, primaryKeyPosition: 3,
         required: true, classification: sensitive}
      - {name: event_count, logicalType: integer, physicalType: int64, description: "How often.", required: true, classification: sensitive}
""",
)
FACT_FILE = '''
"""How often each cluster was coded."""
from fuller_popheath.specs import FactSpec


def build(tables, night):
    """One row per person and cluster."""
    found = tables["core/event"].inner_join(tables["codelists"], ["code_system", "code"])
    return found.group_by(["person_row", "cluster"]).agg(event_count=found.count().cast("int64"))


FACT = FactSpec("core/person_green", ("core/event",), build)
'''
FEATURE_CONTRACT = _about_people(
    "features/green",
    """      - {name: green_count, logicalType: integer, physicalType: int64, description: "How many clusters.", required: true,
         classification: sensitive, customProperties: [{property: unit, value: clusters}, {property: absent, value: 0}]}
""",
)
FEATURE_FILE = '''
"""How many clusters each person has."""
from fuller_popheath.specs import FeatureSpec


def build(tables, night):
    """One row per person with any."""
    facts = tables["core/person_green"]
    return facts.group_by("person_row").agg(green_count=facts.count().cast("int64"))


FEATURE = FeatureSpec("features/green", ("core/person_green",), build)
'''
SUPPLIER_FILE = '''
"""Objections as one more system sends them: one file, one table."""
from datetime import date

from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import SupplierSpec

HEADERS = {"practice_code": "practice", "nhs_number": "number", "objection": "kind", "state": "state", "recorded_date": "day"}
LAYOUT = Layout(tuple(LayoutColumn(name, (f"Leaf {header}",)) for name, header in HEADERS.items()))


def read(contract_id, files, codelists):
    """Row for row."""
    return read_layout(LAYOUT, files["Leaf"][0], {"record_id": "L-1", "extract_date": "2026-08-01", "_file": "Leaf"})


SUPPLIER = SupplierSpec(
    name="leaf",
    expects="objections as Leaf sends them",
    contracts=("inbound/objection",),
    recognise=lambda head: "Leaf" if recognised(LAYOUT, head) else None,
    needs={"inbound/objection": ("Leaf",)},
    read=read,
    extract_date=lambda files: date(2026, 8, 1),
    practice_code=lambda files: "Y90017",
    is_set=False,
)
'''
PLANTED = {
    "data_contracts/core/person_green.yaml": FACT_CONTRACT,
    "fuller_popheath/catalogue/facts/person_green.py": FACT_FILE,
    "data_contracts/features/green.yaml": FEATURE_CONTRACT,
    "fuller_popheath/catalogue/features/green.py": FEATURE_FILE,
    "fuller_popheath/sources/leaf.py": SUPPLIER_FILE,
    "data_contracts/reference/green_space.yaml": REFERENCE_CONTRACT,
    "fuller_popheath/sources/open_data/green_space.py": SOURCE_FILE,
    "data_contracts/products/green_total.yaml": PRODUCT_CONTRACT,
    "fuller_popheath/catalogue/products/green_total.py": PRODUCT_FILE,
}
LIST = """
import json
from pipelines.definitions import defs

found = defs().resolve_asset_graph()
print(json.dumps({key.to_user_string(): found.get(key).group_name for key in found.get_all_asset_keys()}))
"""


@pytest.fixture
def copy(project_root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    for part in ("fuller_popheath", "pipelines", "data_contracts"):
        shutil.copytree(project_root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(project_root / file, folder / file)
    for name, content in PLANTED.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_what_is_planted_is_read_and_made(copy: Path, landed: Place) -> None:
    (landed.landing / "green.csv").write_text("Green LSOA,Green hectares\nE01000001,1.5\nE01000002,2.25\nW01000001,9\n", encoding="utf-8")
    (landed.folder / "site.toml").write_text(
        (landed.folder / "site.toml").read_text(encoding="utf-8") + "[arrival]\nmax_quarantined_percent = 50\n", encoding="utf-8"
    )
    somebody = (landed.landing / "practice_lists" / "Y90017.csv").read_text(encoding="utf-8").splitlines()
    number = somebody[1].split(",")[somebody[0].split(",").index("nhs_number")]
    for sent in (landed.landing / "extracts" / "objection").glob("Y90017_*"):
        sent.unlink()
    leaf = f"Leaf practice,Leaf number,Leaf kind,Leaf state,Leaf day\nY90017,{number},type_1,dissent,2026-07-01\n"
    (landed.landing / "leaf.csv").write_text(leaf, encoding="utf-8")
    listed = subprocess.run([sys.executable, "-c", LIST], cwd=copy, env={"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    groups = json.loads(listed.stdout)
    assert groups["reference/green_space"] == "reference" and groups["products/green_total"] == "products"
    assert groups["core/person_green"] == "facts" and groups["features/green"] == "features"
    night = landed.run_night(root=copy)
    assert night.returncode == 0, night.stdout + night.stderr
    assert pq.read_table(landed.store / "reference" / "green_space" / f"as_of={AS_OF}" / "part.parquet").num_rows == 2
    assert (landed.products / "open" / "green_total.csv").read_text(encoding="utf-8") == "letter,hectares\nE,3.75\n"
    people, facts, features = (
        pq.read_table(landed.store / name / f"as_of={AS_OF}" / "part.parquet") for name in ("core/person", "core/person_green", "features/green")
    )
    assert facts.num_rows > 0 and features["person_id"].equals(people["person_id"])
    assert sum(features["green_count"].to_pylist()) == facts.num_rows
    (objections,) = (landed.store / "core" / "objection" / "parts" / "Y90017").glob("*.parquet")
    assert pq.ParquetFile(objections).read(["objection", "state"]).to_pylist() == [{"objection": "type_1", "state": "dissent"}]
