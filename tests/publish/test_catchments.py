"""Who gets an LSOA, and what becomes of LSOAs of the other vintage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.publish.catchments import catchments

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa


def _counts(*rows: tuple[str, str, int]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([{"practice_code": p, "lsoa_code": lsoa, "registered_count": n} for p, lsoa, n in rows])


def _members(**pcn_of_practice: str) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([{"practice_code": practice, "pcn_code": pcn} for practice, pcn in pcn_of_practice.items()])


def _boundary(vintages: dict[str, list[str]], sides: dict[str, tuple[float, float, float, float]] | None = None) -> pa.Table:
    """Unit squares side by side unless `sides` says otherwise."""
    import pyarrow as pa
    import shapely

    def square(place: int, code: str) -> bytes:
        return bytes(shapely.to_wkb(shapely.box(*(sides or {}).get(code, (place, 52, place + 1, 53)))))

    rows = [
        {"lsoa_vintage": vintage, "lsoa_code": code, "geometry": square(place, code)}
        for vintage, codes in vintages.items()
        for place, code in enumerate(codes)
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([("lsoa_vintage", pa.string()), ("lsoa_code", pa.string()), ("geometry", pa.binary())]))


def _by_code(shapes: gpd.GeoDataFrame) -> dict[str, Any]:
    return {row.pcn_code: row for row in shapes.itertuples()}


def test_an_lsoa_goes_to_the_pcn_with_most_of_its_people_counted_over_practices() -> None:
    counts = _counts(("P1", "L1", 30), ("P2", "L1", 30), ("P3", "L1", 50), ("P3", "L2", 10))
    shapes = _by_code(catchments(counts, _members(P1="U1", P2="U1", P3="U2"), _boundary({"2011": ["L1", "L2"]})))
    assert {code: (row.lsoa_count, row.people_mapped_count) for code, row in shapes.items()} == {"U1": (1, 60), "U2": (1, 10)}
    assert shapes["U1"].geometry.bounds == (0, 52, 1, 53)


def test_a_tie_goes_to_the_lower_code() -> None:
    counts = _counts(("P9", "L1", 20), ("P1", "L1", 20))
    assert list(catchments(counts, _members(P9="U2", P1="U3"), _boundary({"2011": ["L1"]})).pcn_code) == ["U2"]


def test_lsoas_of_one_pcn_become_one_shape_in_degrees() -> None:
    counts = _counts(("P1", "L1", 5), ("P1", "L2", 7))
    shapes = catchments(counts, _members(P1="U1"), _boundary({"2011": ["L1", "L2"]}))
    assert shapes.crs.to_epsg() == 4326
    assert (shapes.geometry.iloc[0].geom_type, shapes.geometry.iloc[0].area, shapes.lsoa_count.iloc[0]) == ("Polygon", 2.0, 2)


def test_where_another_pcn_or_none_leads_the_lsoa_is_left_out() -> None:
    counts = _counts(("P1", "L1", 10), ("P2", "L1", 11), ("P1", "L2", 10), ("P3", "L2", 11), ("P1", "L3", 10), ("P4", "L3", 11), ("P1", "L4", 1))
    members = _members(P1="U1", P2="U2", P3="U")  # P4 is in no row: it belongs to no area that was asked for
    shapes = catchments(counts, members, _boundary({"2011": ["L1", "L2", "L3", "L4"]}), pcn_codes=["U1"])
    assert [(row.pcn_code, row.lsoa_count) for row in shapes.itertuples()] == [("U1", 1)]


def test_the_vintage_that_knows_the_codes_of_more_people_is_drawn() -> None:
    counts = _counts(("P1", "OLD", 10), ("P1", "SAME", 1))
    both = _boundary({"2011": ["OLD", "SAME"], "2021": ["NEW", "SAME"]})
    assert list(catchments(counts, _members(P1="U1"), both).lsoa_vintage) == ["2011"]
    only_unchanged = _counts(("P1", "SAME", 1))
    assert list(catchments(only_unchanged, _members(P1="U1"), both).lsoa_vintage) == ["2021"], "where both fit, the newer is drawn"


def test_codes_of_the_other_vintage_are_placed_by_the_lookup() -> None:
    import pyarrow as pa

    lookup = pa.Table.from_pylist([{"lsoa11_code": "OLD", "lsoa21_code": code} for code in ("NEW1", "NEW2")])
    counts = _counts(("P1", "OLD", 10), ("P2", "SAME", 5))
    boundary = _boundary({"2021": ["NEW1", "NEW2", "SAME"]})
    members = _members(P1="U1", P2="U2")
    assert list(catchments(counts, members, boundary).pcn_code) == ["U2"]
    with_lookup = catchments(counts, members, boundary, lsoa_lookup=lookup)
    assert [(r.pcn_code, r.lsoa_count, r.people_mapped_count) for r in with_lookup.itertuples()] == [("U1", 2, 10), ("U2", 1, 5)]


def test_boundaries_that_overlap_are_still_dissolved() -> None:
    sides = {"L1": (0.0, 52.0, 1.0, 53.0), "L2": (0.9, 52.2, 2.0, 52.8)}
    counts = _counts(("P1", "L1", 5), ("P1", "L2", 7))
    shape = catchments(counts, _members(P1="U1"), _boundary({"2011": ["L1", "L2"]}, sides)).geometry.iloc[0]
    assert shape.is_valid
    assert shape.area == pytest.approx(1 + 1.1 * 0.6 - 0.1 * 0.6)


def test_without_boundaries_there_are_no_shapes() -> None:
    assert len(catchments(_counts(("P1", "L1", 5)), _members(P1="U1"), _boundary({}))) == 0


def test_counts_from_practice_lists_serve_as_well() -> None:
    counts = _counts(("P1", "L1", 5)).rename_columns(["practice_code", "lsoa_code", "listed_count"])
    assert list(catchments(counts, _members(P1="U1"), _boundary({"2011": ["L1"]})).people_mapped_count) == [5]
