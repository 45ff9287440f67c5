"""Core20 by small area: of every LSOA code on which the area's practices have people, its deprivation in each edition and how many are registered.

Made of published counts alone, so exact and open. What does not belong here: areas on a map (publish), and people shared out among the parts of a
code, which is done once per practice (core/practice_quintile).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTRACT = "products/core20_by_lsoa"
COUNTS, PRACTICES, DEPRIVATION, LOOKUP = ("core/registered_count", "core/neighbourhood_practice", "core/area_deprivation", "reference/lsoa_2011_2021")


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and LSOA code as registrations write it; none where a night has no counts or no deprivation."""
    import pandas as pd
    import pyarrow as pa

    counts, deprivation = inputs[COUNTS], inputs[DEPRIVATION]
    if not counts.num_rows or not deprivation.num_rows:
        return empty_table(load_contract(CONTRACT))
    codes = _codes(counts, inputs[PRACTICES]).merge(_vintages(inputs[LOOKUP], deprivation), on="lsoa_code", how="left", validate="one_to_one")
    of_code = _deprivation_of_code(deprivation)
    made = [
        codes.assign(imd_edition=edition).merge(rows.drop(columns="imd_edition"), on="lsoa_code", how="left", validate="one_to_one")
        for edition, rows in of_code.groupby("imd_edition")
    ]
    every = pd.concat(made, ignore_index=True).assign(as_of=night.as_of)
    every["lsoa_part_count"] = every["lsoa_part_count"].fillna(0).astype("int64")
    for name in ("imd_decile", "imd_quintile"):
        every[name] = every[name].astype("Int64")
    every = every.sort_values(["imd_edition", "lsoa_code"], ignore_index=True)
    return conform(pa.Table.from_pandas(every, preserve_index=False), load_contract(CONTRACT))


def _codes(counts: pa.Table, practices: pa.Table) -> pd.DataFrame:
    """lsoa_code, registrations_extract, registered_count, practice_count and registered_anywhere_count of the codes of the area's practices."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ours = pc.is_in(counts["practice_code"], value_set=practices["practice_code"].combine_chunks())
    own = counts.filter(ours).filter(pc.greater(counts.filter(ours)["registered_count"], 0))
    named = ["lsoa_code", "registered_count", "practice_count", "registrations_extract"]
    parts = [("registered_count", "sum"), ("practice_code", "count_distinct"), ("registrations_extract", "max")]
    made: pd.DataFrame = own.group_by("lsoa_code").aggregate(parts).rename_columns(named).to_pandas()
    all_of = counts.filter(pc.is_in(counts["lsoa_code"], value_set=pa.array(made["lsoa_code"], pa.string())))
    anywhere = all_of.group_by("lsoa_code").aggregate([("registered_count", "sum")]).rename_columns(["lsoa_code", "registered_anywhere_count"])
    return made.merge(anywhere.to_pandas(), on="lsoa_code", validate="one_to_one")


def _vintages(lookup: pa.Table, deprivation: pa.Table) -> pd.DataFrame:
    """lsoa_code, lsoa_vintage: from the lookup, and without one from the editions that publish the code."""
    import pandas as pd

    from fuller_popheath.place.editions import EDITIONS

    if lookup.num_rows:
        old, new = (set(lookup[name].to_pylist()) for name in ("lsoa11_code", "lsoa21_code"))
    else:
        rows = deprivation.select(["imd_edition", "lsoa_code", "derivation"]).to_pandas()
        rows = rows[rows["derivation"] == "published"]
        of_vintage = {e.vintage: set(rows.loc[rows["imd_edition"] == e.name, "lsoa_code"]) for e in EDITIONS}
        old, new = of_vintage["2011"], of_vintage["2021"]
    known = [(code, "both" if code in old and code in new else "2011" if code in old else "2021") for code in sorted(old | new)]
    return pd.DataFrame(known, columns=["lsoa_code", "lsoa_vintage"])


def _deprivation_of_code(deprivation: pa.Table) -> pd.DataFrame:
    """One row per edition and code: of a code that rests on several LSOAs the quintile and decile in which most of its people live, and no rank."""
    import pandas as pd

    rows = deprivation.select(["imd_edition", "lsoa_code", "share", "imd_rank", "imd_decile", "imd_quintile", "derivation"]).to_pandas()
    rows["core20_percent"] = 100 * rows["share"] * (rows["imd_quintile"] == 1)
    key = ["imd_edition", "lsoa_code"]
    several = rows[rows.duplicated(key, keep=False)]
    single = rows.drop(several.index).assign(lsoa_part_count=1).drop(columns="share")
    if not len(several):
        return single
    by_quintile = several.assign(weight=several.groupby([*key, "imd_quintile"])["share"].transform("sum"))
    by_decile = by_quintile.assign(tenth=several.groupby([*key, "imd_decile"])["share"].transform("sum"))
    most = by_decile.sort_values([*key, "weight", "tenth", "imd_decile"], ascending=[True, True, False, False, True]).drop_duplicates(key)
    summed = several.groupby(key, as_index=False).agg(core20_percent=("core20_percent", "sum"), lsoa_part_count=("share", "size"))
    mixed = most.drop(columns=["share", "imd_rank", "core20_percent", "weight", "tenth"]).merge(summed, on=key, validate="one_to_one")
    return pd.concat([single, mixed.assign(imd_rank=float("nan"), core20_percent=mixed["core20_percent"].clip(upper=100.0))], ignore_index=True)


TABLE = TableSpec(contract=CONTRACT, inputs=(COUNTS, PRACTICES, DEPRIVATION, LOOKUP), build=build)
