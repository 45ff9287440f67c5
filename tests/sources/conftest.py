"""Small files written as their publishers write them."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

Rows = Sequence[Sequence[object]]

REGISTRATION_HEADER = "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,LSOA_CODE,SEX,NUMBER_OF_PATIENTS"


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Write lines as a file, plain or by its name as .gz or .zip."""

    def write(name: str, lines: Sequence[str], encoding: str = "utf-8", end: str = "\n") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = (end.join(lines) + end).encode(encoding)
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(content))
        elif name.endswith(".zip"):
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name.replace(".zip", ".csv"), content)
        else:
            path.write_bytes(content)
        return path

    return write


@pytest.fixture
def write_workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write sheets as an .xlsx; `saved` goes into its document properties."""

    def write(name: str, sheets: dict[str, Rows], saved: datetime | None = None) -> Path:
        import xlsxwriter

        path = tmp_path / name
        book = xlsxwriter.Workbook(str(path))
        book.set_properties({"created": saved or datetime(2020, 1, 1, tzinfo=UTC)})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, list(row))
        book.close()
        return path

    return write


@pytest.fixture
def write_geojson(tmp_path: Path) -> Callable[..., Path]:
    """Write squares as GeoJSON: (properties, west, south, size); `crs` is the number of an EPSG system, None declares none."""

    def write(name: str, squares: Sequence[tuple[dict[str, str], float, float, float]], crs: int | None = None) -> Path:
        features = [
            {
                "type": "Feature",
                "properties": properties,
                "geometry": {"type": "Polygon", "coordinates": [[[x, y], [x + d, y], [x + d, y + d], [x, y + d], [x, y]]]},
            }
            for properties, x, y, d in squares
        ]
        declared = {"crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{crs}"}}} if crs else {}
        path = tmp_path / name
        text = json.dumps({"type": "FeatureCollection", **declared, "features": features}).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return write


@pytest.fixture
def registration_header() -> str:
    return REGISTRATION_HEADER
