"""A report of seven make-believe PCNs whose shares stand at the edges that matter, made by the real builders from hand-written counts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.contracts import empty_table, load_contract, refuse_if_broken
from fuller_popheath.publish.catchments import catchments
from fuller_popheath.registry import tables
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

DAY = date(2022, 7, 1)
HOSTILE = '<script>alert("x")</script> & Sons PCN'
# practice, PCN, its name, registered, quintile 1 by IMD 2019, of which re-drawn, quintile 1 by IMD 2025, of which re-drawn
PRACTICES = (
    ("A00001", "U00001", "ALPHA TOWN PCN", 4000, 3200, 0, 3100, 0),
    ("A00002", "U00001", "ALPHA TOWN PCN", 1000, 700, 0, 700, 0),
    ("A00003", "U00002", "BRINK PCN", 2000, 1399, 0, 1390, 0),  # 69.95 %: half up it is 70.0 and belongs to the top band
    ("A00004", "U00003", "CASTLE VIEW PCN", 3000, 1515, 0, 1485, 0),  # 50.5 %, then 49.5 %: another band
    ("A00005", "U00004", HOSTILE, 1500, 300, 0, 300, 0),
    ("A00006", "U00005", "EAST PCN", 1234, 370, 60, 360, 50),  # 29.98 % is shown as 30.0, the threshold of wave 1; then 29.2 %
    ("A00007", "U00006", "=FAR PCN", 900, 0, 0, 0, 0),
    ("A00008", "U00007", "GRANGE PCN", 1000, 0, 0, 0, 0),
)


@pytest.fixture(scope="session")
def night() -> Night:
    return Night(as_of=DAY, site=Site())


def _practice_quintile() -> pa.Table:
    rows = [
        {
            "imd_edition": edition,
            "practice_code": practice,
            "registered_count": registered,
            "matched_count": registered - 4,
            "unmatched_count": 4,
            "q1_count": q1,
            "q2_count": registered - 4 - q1,
            "redrawn_q1_count": redrawn,
            "imd_score_sum": 30.0 * (registered - 4),
            "scored_count": float(registered - 4),
        }
        for practice, _, _, registered, *both in PRACTICES
        for edition, q1, redrawn in (("2019", *both[:2]), ("2025", *both[2:]))
    ]
    return _table("core/practice_quintile", rows, as_of=DAY, registrations_extract=DAY, q3_count=0, q4_count=0, q5_count=0)


def _table(of: str, rows: list[dict[str, Any]], **same: Any) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(of)
    return refuse_if_broken(pa.Table.from_pylist([{**same, **row} for row in rows], schema=contract.schema), contract)


@pytest.fixture(scope="session")
def neighbourhood_practice() -> pa.Table:
    rows = [
        {"practice_code": p, "practice_name": p, "pcn_code": pcn, "pcn_name": name, "neighbourhood_code": pcn, "neighbourhood_name": name}
        for p, pcn, name, *_ in PRACTICES
    ]
    place = {"place_code": "00A", "place_name": "NHS ANYWHERE CCG", "icb_code": "QA1", "icb_name": "ANYSHIRE AND DISTRICT"}
    return _table("core/neighbourhood_practice", rows, as_of=DAY, membership_snapshot="2022-04-27", membership_source="epcn", **place)


@pytest.fixture(scope="session")
def registered_count() -> pa.Table:
    """Each practice's people on one LSOA of its own, but for U00006: it has fewer people on the LSOA of U00005, so it leads nowhere."""
    lsoas = ["E01000001", "E01000002", "E01000003", "E01000004", "E01000005", "E01000006", "E01000006", "E01000007"]
    rows = [
        {"practice_code": practice[0], "practice_name": practice[0], "lsoa_code": lsoa, "registered_count": practice[3]}
        for practice, lsoa in zip(PRACTICES, lsoas, strict=True)
    ]
    return _table("core/registered_count", rows, as_of=DAY, registrations_extract=DAY)


@pytest.fixture(scope="session")
def lsoa_boundary() -> pa.Table:
    """Seven squares side by side near Lancaster, in both vintages."""
    import shapely

    rows = [
        {"lsoa_vintage": vintage, "lsoa_code": f"E0100000{i}", "geometry": shapely.to_wkb(shapely.box(-2.9 + i * 0.1, 54.0, -2.8 + i * 0.1, 54.1))}
        for vintage in ("2011", "2021")
        for i in range(1, 8)
    ]
    return _table("reference/lsoa_boundary", rows, lsoa_name=None)


@pytest.fixture(scope="session")
def products(neighbourhood_practice: pa.Table, night: Night) -> dict[str, pa.Table]:
    """The products of the seven PCNs by their last name, as the night makes them."""
    specs = tables()
    made = {"core/practice_quintile": _practice_quintile(), "core/neighbourhood_practice": neighbourhood_practice}
    for name in ("core20_by_pcn", "core20_by_place", "core20_by_icb", "core20_edition_comparison", "core20_phasing"):
        contract = f"products/{name}"
        spec = specs[contract]
        made[contract] = refuse_if_broken(spec.build({i: made[i] for i in spec.inputs}, night), load_contract(contract))
    left_out = (("A00099", "E01000001", "no_pcn", 1200), ("A00001", "NO2011", "no_lsoa", 4), ("A00003", "W01000001", "wales", 4))
    unplaced = [
        {"imd_edition": edition, "practice_code": practice, "lsoa_code": lsoa, "reason": reason, "registered_count": count}
        for edition in ("2019", "2025")
        for practice, lsoa, reason, count in left_out
    ]
    made["products/core20_unplaced"] = _table("products/core20_unplaced", unplaced, as_of=DAY)
    return {name.removeprefix("products/").removeprefix("core20_"): table for name, table in made.items()}


@pytest.fixture(scope="session")
def shapes(registered_count: pa.Table, neighbourhood_practice: pa.Table, lsoa_boundary: pa.Table) -> gpd.GeoDataFrame:
    return catchments(registered_count, neighbourhood_practice, lsoa_boundary)


@pytest.fixture(scope="session")
def landing_file() -> pa.Table:
    used = {"file_name": "counts & more.zip", "member": "counts.csv", "extract_date": DAY, "use": "used"}
    not_used = {"file_name": "older.zip", "member": "", "use": "not used", "reason": "older"}
    return _table("core/landing_file", [used, not_used], as_of=DAY, contract_id="reference/practice_lsoa_count", content_hash="0" * 64, size_bytes=1)


@pytest.fixture(scope="session")
def page(products: dict[str, pa.Table], shapes: gpd.GeoDataFrame, landing_file: pa.Table, night: Night) -> str:
    """The whole page of both editions."""
    from fuller_popheath.publish.page import core20_page

    return core20_page(
        by_pcn=products["by_pcn"],
        by_icb=products["by_icb"],
        by_place=products["by_place"],
        comparison=products["edition_comparison"],
        phasing=products["phasing"],
        unplaced=products["unplaced"],
        shapes=shapes,
        sources=landing_file,
        night=night,
        title="Core20 by PCN: Anyshire",
    )


@pytest.fixture(scope="session")
def only_2019(products: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The same products where one edition was given."""
    import pyarrow.compute as pc

    one = {name: t.filter(pc.equal(t["imd_edition"], "2019")) if "imd_edition" in t.column_names else t for name, t in products.items()}
    return {**one, "edition_comparison": empty_table(load_contract("products/core20_edition_comparison"))}
