"""LSOA boundaries of 2011 or 2021 (GeoJSON or GeoPackage, also .gz), turned into longitude and latitude (EPSG:4326).

The CRS that a file declares is believed only where the coordinates fit it: National Grid metres declared as degrees would draw an empty map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.csv_text import ROW
from fuller_popheath.sources.heads import OpenedHead, header_key
from fuller_popheath.sources.opening import as_opened, shapes_table
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Bounds = tuple[float, float, float, float]

CODE_HEADERS = {"2011": ("lsoa11cd", "lsoa11 code"), "2021": ("lsoa21cd", "lsoa21 code")}
NAME_HEADERS = {"2011": ("lsoa11nm", "lsoa11 name"), "2021": ("lsoa21nm", "lsoa21 name")}
UK_DEGREES: Bounds = (-9.5, 49.0, 2.5, 61.5)
NATIONAL_GRID: Bounds = (0.0, 0.0, 700_000.0, 1_300_000.0)
DEGREES = "EPSG:4326"
WHAT_TO_DO = "save it again as GeoJSON in EPSG:4326 (longitude, latitude), or with the right coordinate reference system in the file"


def _inside(bounds: Bounds, box: Bounds) -> bool:
    west, south, east, north = bounds
    return box[0] <= west <= east <= box[2] and box[1] <= south <= north <= box[3]


def wrong_projection(bounds: Bounds, crs: str) -> str | None:
    """Why coordinates cannot be in the CRS that the file declares, or None. `bounds` are west, south, east, north as written in the file."""
    import pyproj

    try:
        is_degrees = not crs or pyproj.CRS.from_user_input(crs).is_geographic
    except pyproj.exceptions.CRSError:
        return "its coordinate reference system is not a known one"
    declared = f"declared as degrees ({crs})" if crs else "with no coordinate reference system"
    if is_degrees and not _inside(bounds, UK_DEGREES):
        if _inside((bounds[1], bounds[0], bounds[3], bounds[2]), UK_DEGREES):
            return f"its coordinates look like latitude before longitude, {declared}"
        if _inside(bounds, NATIONAL_GRID):
            return f"its coordinates look like British National Grid (EPSG:27700), in metres, {declared}"
        return f"its coordinates lie outside the United Kingdom, {declared}"
    if not is_degrees and _inside(bounds, (-180.0, -90.0, 180.0, 90.0)):
        return f"its coordinates look like degrees (EPSG:4326) declared as {crs}"
    return None


def _column(head: FileHead, known: tuple[str, ...]) -> str | None:
    return next((column for column in head.columns if header_key(column) in known), None)


def recognise(head: FileHead) -> Recognised | None:
    """By its code property; the variant is the vintage, `richness` the number of shapes. Refuses (FileRefused) coordinates that do not fit."""
    if head.kind != "boundaries":
        return None
    vintage = next((vintage for vintage, known in CODE_HEADERS.items() if _column(head, known)), None)
    if vintage is None:
        return None
    opened = as_opened(head)
    problem = wrong_projection(opened.bounds, opened.crs) if opened.bounds and opened.row_count else None
    if problem:
        raise FileRefused(f"{opened.name}: {problem}; {WHAT_TO_DO}")
    return Recognised(variant=vintage, richness=opened.row_count or 0)


def read(head: FileHead) -> pa.Table:
    """One row per shape: vintage, code, name where given, geometry as WKB in EPSG:4326 (null where a shape is empty or broken)."""
    import numpy as np
    import pyarrow as pa

    vintage = next(vintage for vintage, known in CODE_HEADERS.items() if _column(head, known))
    code, name = _column(head, CODE_HEADERS[vintage]), _column(head, NAME_HEADERS[vintage])
    shapes = shapes_table(head, [column for column in (code, name) if column])
    opened = as_opened(head)
    columns = {
        "lsoa_vintage": pa.repeat(pa.scalar(vintage, pa.string()), shapes.num_rows),
        "lsoa_code": shapes[code].cast(pa.string()),
        "lsoa_name": shapes[name].cast(pa.string()) if name else pa.nulls(shapes.num_rows, pa.string()),
        "geometry": pa.array(_in_degrees(shapes["geometry"].to_numpy(zero_copy_only=False), opened), pa.binary()),
        ROW: pa.array(np.arange(1, shapes.num_rows + 1, dtype=np.int64)),
    }
    return pa.table(columns)


def _in_degrees(wkb: np.ndarray, opened: OpenedHead) -> np.ndarray:
    import numpy as np
    import pyproj
    import shapely

    shapes = shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore"))
    if opened.crs and not pyproj.CRS.from_user_input(opened.crs).equals(pyproj.CRS.from_user_input(DEGREES), ignore_axis_order=True):
        to_degrees = pyproj.Transformer.from_crs(opened.crs, DEGREES, always_xy=True)
        shapes = shapely.transform(shapes, lambda at: np.column_stack(to_degrees.transform(at[:, 0], at[:, 1])))
        west, south, east, north = (float(edge) for edge in shapely.total_bounds(shapes))
        if not _inside((west, south, east, north), UK_DEGREES):
            raise FileRefused(f"{opened.name}: its coordinates, taken as {opened.crs}, lie outside the United Kingdom; {WHAT_TO_DO}")
    written: np.ndarray = shapely.to_wkb(shapes)
    written[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = None
    return written


SOURCE = SourceSpec(
    contract="reference/lsoa_boundary",
    expects="LSOA boundaries (.geojson or .gpkg, also .gz, with a property LSOA11CD, LSOA21CD, lsoa11_code or lsoa21_code)",
    recognise=recognise,
    read=read,
)
