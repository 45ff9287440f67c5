"""Adding a published table, or a product, is one contract and one file: planted in a copy of the project, they are read, made and published."""

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
PLANTED = {
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


def test_a_planted_file_is_read_and_a_planted_product_is_made(copy: Path, landed: Place) -> None:
    (landed.landing / "green.csv").write_text("Green LSOA,Green hectares\nE01000001,1.5\nE01000002,2.25\nW01000001,9\n", encoding="utf-8")
    (landed.folder / "site.toml").write_text(
        (landed.folder / "site.toml").read_text(encoding="utf-8") + "[arrival]\nmax_quarantined_percent = 50\n", encoding="utf-8"
    )
    listed = subprocess.run([sys.executable, "-c", LIST], cwd=copy, env={"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    groups = json.loads(listed.stdout)
    assert groups["reference/green_space"] == "reference" and groups["products/green_total"] == "products"
    night = landed.run_night(root=copy)
    assert night.returncode == 0, night.stdout + night.stderr
    assert pq.read_table(landed.store / "reference" / "green_space" / f"as_of={AS_OF}" / "part.parquet").num_rows == 2
    assert (landed.products / "open" / "green_total.csv").read_text(encoding="utf-8") == "letter,hectares\nE,3.75\n"
