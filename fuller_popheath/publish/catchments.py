"""The shape of a Primary Care Network on a map: the small areas in which most registered people are its own.

A PCN has no official boundary. Here every LSOA is given to the PCN with which most of its registered people are registered, and the LSOAs of a
PCN are dissolved into one shape. What does not belong here: colours, projections, drawing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.neighbourhood_practice import NO_PCN

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa

APPROXIMATE = (
    "PCNs have no official boundary: each small area (LSOA) is drawn with the PCN with which most of its registered people are registered, "
    "so many people of a PCN live outside its shape."
)


def catchments(
    registered_count: pa.Table,
    neighbourhood_practice: pa.Table,
    lsoa_boundary: pa.Table,
    *,
    pcn_codes: Collection[str] | None = None,
    lsoa_lookup: pa.Table | None = None,
) -> gpd.GeoDataFrame:
    """One row a PCN: pcn_code, lsoa_vintage, lsoa_count, people_mapped_count, geometry (EPSG:4326), ordered by code.

    In: `core/registered_count` or `core/listed_count` (one row a practice and LSOA), `core/neighbourhood_practice` (one row a practice),
    `reference/lsoa_boundary` (one row an LSOA and vintage). `pcn_codes` are the PCNs of the report (all when None): an LSOA in which another
    PCN, or no PCN, has the most registered people is left out. Ties go to the lower code. The boundary vintage is the one that knows the codes of
    more of the report's people; with `lsoa_lookup` (`reference/lsoa_2011_2021`) codes of the other vintage are placed too, shared
    equally. `people_mapped_count` are the people of the PCN who live in its own shape. A PCN that leads nowhere has no row.
    """
    import geopandas as gpd
    import pandas as pd

    counts = _people_by_lsoa(registered_count, neighbourhood_practice)
    wanted = set(counts["pcn_code"]) - {NO_PCN} if pcn_codes is None else set(pcn_codes) - {NO_PCN}
    vintage, boundaries = _best_vintage(lsoa_boundary, counts[counts["pcn_code"].isin(wanted)])
    counts = _on_boundary_codes(counts, boundaries, vintage, lsoa_lookup)
    leaders = counts.sort_values(["lsoa_code", "people", "pcn_code"], ascending=[True, False, True]).drop_duplicates("lsoa_code")
    leaders = leaders[leaders["pcn_code"].isin(wanted)].sort_values(["pcn_code", "lsoa_code"])
    shapes = [
        (code, len(group), int(group["people"].sum() + 0.5), _dissolved(boundaries[group["lsoa_code"]]))
        for code, group in leaders.groupby("pcn_code")
    ]
    frame = pd.DataFrame(shapes, columns=["pcn_code", "lsoa_count", "people_mapped_count", "geometry"])
    frame.insert(1, "lsoa_vintage", vintage)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(frame["geometry"], crs=4326), crs=4326)


def _people_by_lsoa(registered_count: pa.Table, neighbourhood_practice: pa.Table) -> pd.DataFrame:
    """lsoa_code, pcn_code, people: one row a pair.

    Practices in no PCN, and those outside the area that the membership was restricted to, stand together under `U`: they compete for an
    LSOA like a PCN and never get a shape.
    """
    import pyarrow.compute as pc

    count = "registered_count" if "registered_count" in registered_count.column_names else "listed_count"
    members = neighbourhood_practice.select(["practice_code", "pcn_code"])
    people = registered_count.select(["practice_code", "lsoa_code", count]).join(members, "practice_code", join_type="left outer")
    people = people.set_column(people.schema.get_field_index("pcn_code"), "pcn_code", pc.fill_null(people["pcn_code"], NO_PCN))
    grouped = people.group_by(["lsoa_code", "pcn_code"]).aggregate([(count, "sum")]).rename_columns(["lsoa_code", "pcn_code", "people"])
    frame: pd.DataFrame = grouped.to_pandas()
    return frame


def _best_vintage(lsoa_boundary: pa.Table, counts: pd.DataFrame) -> tuple[str, pd.Series[Any]]:
    """The vintage whose codes cover most of the people in `counts` (a tie goes to the newer), and its shapes by LSOA code."""
    import pandas as pd
    import shapely

    frame = lsoa_boundary.select(["lsoa_vintage", "lsoa_code", "geometry"]).to_pandas().dropna(subset=["geometry"])
    best: tuple[float, str] = (-1.0, "")
    for vintage, group in frame.groupby("lsoa_vintage"):
        covered = counts.loc[counts["lsoa_code"].isin(group["lsoa_code"]), "people"].sum()
        best = max(best, (float(covered), str(vintage)))
    chosen = frame[frame["lsoa_vintage"] == best[1]]
    return best[1], pd.Series(shapely.from_wkb(chosen["geometry"].to_numpy()), index=chosen["lsoa_code"].to_numpy(), dtype=object)


def _on_boundary_codes(counts: pd.DataFrame, boundaries: pd.Series[Any], vintage: str, lookup: pa.Table | None) -> pd.DataFrame:
    """The counts on codes that have a shape; those of the other vintage are shared equally among the areas the lookup names."""
    import pandas as pd

    known = counts["lsoa_code"].isin(boundaries.index)
    if lookup is None or lookup.num_rows == 0 or known.all():
        return counts[known]
    to_code, from_code = ("lsoa11_code", "lsoa21_code") if vintage == "2011" else ("lsoa21_code", "lsoa11_code")
    pairs = lookup.select([from_code, to_code]).to_pandas()
    pairs = pairs[pairs[to_code].isin(boundaries.index)].drop_duplicates()
    pairs["share"] = 1.0 / pairs.groupby(from_code)[to_code].transform("size")
    moved = counts[~known].merge(pairs, left_on="lsoa_code", right_on=from_code, how="inner", validate="m:m")
    moved = moved.assign(lsoa_code=moved[to_code], people=moved["people"] * moved["share"])[list(counts.columns)]
    return pd.concat([counts[known], moved]).groupby(["lsoa_code", "pcn_code"], as_index=False).agg(people=("people", "sum"))


def _dissolved(areas: pd.Series[Any]) -> Any:
    """One shape from touching ones. Published boundaries share their edges, which is ten times faster; where they do not, the slow way."""
    import shapely

    geometries = areas.to_numpy()
    try:
        shape = shapely.coverage_union_all(geometries)
    except shapely.errors.GEOSException:
        shape = None
    if shape is None or not shapely.is_valid(shape):
        shape = shapely.union_all(shapely.make_valid(geometries))
    return shape
