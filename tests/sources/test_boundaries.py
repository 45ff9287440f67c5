"""Boundaries: the vintage by the property, always longitude and latitude, and a refusal where the declared projection cannot be true."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely

from fuller_popheath import registry
from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.opening import heads

GeoWriter = Callable[..., Path]
BOUNDARY = "reference/lsoa_boundary"

# Caister water tower, the worked example of Ordnance Survey's "A guide to coordinate systems in Great Britain", annex C:
# 651409.903 E, 313177.270 N. Its OSGB36 position 52 39 27.2531 N, 1 43 4.5177 E lies within 0.002 degrees of the WGS84 one.
CAISTER_GRID = (651_409.903, 313_177.270)
CAISTER_DEGREES = (1.717921, 52.657570)


@pytest.mark.parametrize(
    ("code", "name", "vintage"),
    [
        ("lsoa11_code", "lsoa11_name", "2011"),
        ("LSOA11CD", "LSOA11NM", "2011"),
        ("lsoa21_code", "lsoa21_name", "2021"),
        ("LSOA21CD", "LSOA21NM", "2021"),
    ],
)
@pytest.mark.parametrize("file_name", ["b.geojson", "b.geojson.gz"])
def test_the_vintage_is_told_by_the_property_name(write_geojson: GeoWriter, code: str, name: str, vintage: str, file_name: str) -> None:
    squares = [({code: "E01012571", name: "Blackburn 007A"}, -2.46, 53.74, 0.01), ({code: "E01012572", name: "Blackburn 007B"}, -2.45, 53.74, 0.01)]
    (head,) = heads(write_geojson(file_name, squares))
    spec = registry.sources()[BOUNDARY]
    answer = spec.recognise(head)
    assert answer is not None
    assert (answer.variant, answer.richness) == (vintage, 2)
    read = spec.read(head)
    assert read.select(["lsoa_vintage", "lsoa_code", "lsoa_name", "_row"]).to_pylist()[1] == {
        "lsoa_vintage": vintage,
        "lsoa_code": "E01012572",
        "lsoa_name": "Blackburn 007B",
        "_row": 2,
    }
    assert shapely.from_wkb(read["geometry"].to_pylist()[0]).bounds == pytest.approx((-2.46, 53.74, -2.45, 53.75))


def test_national_grid_that_is_declared_is_turned_into_degrees(write_geojson: GeoWriter) -> None:
    (head,) = heads(write_geojson("grid.geojson", [({"LSOA21CD": "E01026600"}, *CAISTER_GRID, 1.0)], crs=27700))
    read = registry.sources()[BOUNDARY].read(head)
    west, south, _, _ = shapely.from_wkb(read["geometry"].to_pylist()[0]).bounds
    assert (west, south) == pytest.approx(CAISTER_DEGREES, abs=0.003)
    assert read["lsoa_name"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("west", "south", "crs", "said"),
    [
        (*CAISTER_GRID, None, r"look like British National Grid \(EPSG:27700\), in metres, declared as degrees \(EPSG:4326\)"),
        (52.65, 1.71, None, "look like latitude before longitude"),
        (-74.0, 40.7, None, "lie outside the United Kingdom"),
        (-2.4, 53.7, 27700, r"look like degrees \(EPSG:4326\) declared as EPSG:27700"),
    ],
)
def test_coordinates_that_do_not_fit_are_refused_with_what_to_do(
    write_geojson: GeoWriter, west: float, south: float, crs: int | None, said: str
) -> None:
    (head,) = heads(write_geojson("wrong.geojson", [({"LSOA21CD": "E01026600"}, west, south, 0.5)], crs=crs))
    with pytest.raises(FileRefused, match=rf"^wrong\.geojson: its coordinates {said}.*; save it again as GeoJSON in EPSG:4326"):
        registry.sources()[BOUNDARY].recognise(head)


def test_declared_metres_that_end_up_elsewhere_are_refused_when_read(write_geojson: GeoWriter) -> None:
    # UTM zone 33 reads these metres as a place near Denmark.
    (head,) = heads(write_geojson("utm.geojson", [({"LSOA21CD": "E01026600"}, 651_409.0, 5_836_000.0, 1.0)], crs=32633))
    with pytest.raises(FileRefused, match=r"taken as EPSG:32633, lie outside the United Kingdom"):
        registry.sources()[BOUNDARY].read(head)


def test_an_empty_shape_comes_out_as_null_so_that_the_contract_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "holes.geojson.gz"
    square = '{"type":"Polygon","coordinates":[[[-2,53],[-1.9,53],[-1.9,53.1],[-2,53]]]}'
    features = ",".join(
        f'{{"type":"Feature","properties":{{"lsoa21_code":"{code}"}},"geometry":{shape}}}'
        for code, shape in (("E01000001", square), ("E01000002", "null"))
    )
    path.write_bytes(gzip.compress(f'{{"type":"FeatureCollection","features":[{features}]}}'.encode()))
    geometry = registry.sources()[BOUNDARY].read(heads(path)[0])["geometry"].to_pylist()
    assert geometry[0] is not None
    assert geometry[1] is None


def test_other_boundaries_are_not_lsoas(write_geojson: GeoWriter) -> None:
    (head,) = heads(write_geojson("icb.geojson", [({"icb_code": "E54000048"}, -2.4, 53.7, 0.1)]))
    assert registry.sources()[BOUNDARY].recognise(head) is None
