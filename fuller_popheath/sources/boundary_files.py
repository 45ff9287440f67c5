"""Layers of GeoJSON and GeoPackage files, with pyogrio, from a path or from unpacked bytes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.archives import ASK_AGAIN

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Layer:
    """One layer: its position in the file, its name, property names, number of shapes, declared CRS ("" if none) and bounds in that CRS."""

    position: int
    name: str
    fields: tuple[str, ...]
    features: int
    crs: str
    bounds: tuple[float, float, float, float]


def _reader() -> ModuleType:
    # pyogrio silences GDAL in the one thread that imported it; in every other GDAL prints its errors, which can quote the file.
    import pyogrio

    pyogrio.set_gdal_config_options({"CPL_LOG": os.devnull})
    return pyogrio


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    # GDAL's warnings and errors can quote the file, so neither goes any further. All of pyogrio's errors are RuntimeErrors.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (RuntimeError, OSError, ValueError):
        raise FileRefused(f"{name}: the boundary file cannot be read, it is cut short, damaged or not GeoJSON or GeoPackage; {ASK_AGAIN}") from None


def layers(content: Path | bytes, name: str) -> list[Layer]:
    """Every layer of a boundary file that has shapes. Raises FileRefused if it cannot be read."""
    pyogrio = _reader()
    found = []
    with _quiet(name):
        for position, (layer_name, geometry_type) in enumerate(pyogrio.list_layers(content).tolist()):
            if geometry_type is None:
                continue
            info = pyogrio.read_info(content, layer=position, force_feature_count=True, force_total_bounds=True)
            if info["total_bounds"] is None:
                raise ValueError("no shape of the layer has coordinates")
            west, south, east, north = (float(edge) for edge in info["total_bounds"])
            fields = tuple(str(field) for field in info["fields"])
            found.append(Layer(position, str(layer_name), fields, int(info["features"]), str(info["crs"] or ""), (west, south, east, north)))
    return found


def read_shapes(content: Path | bytes, name: str, layer: int, columns: Sequence[str]) -> pa.Table:
    """The named properties of every shape, and last `geometry`, its WKB in the layer's CRS. Raises FileRefused if it cannot be read."""
    pyogrio = _reader()
    with _quiet(name):
        about, table = pyogrio.read_arrow(content, layer=layer, columns=list(columns))
    geometry = about["geometry_name"] or "wkb_geometry"
    ordered = table.select([*columns, geometry])
    return ordered.rename_columns([*columns, "geometry"])
