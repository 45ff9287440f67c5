"""Staff in post, in full-time equivalents per 100,000 people, by PCN, place and ICB: what PCNs employ, GPs year by year, and whatever is supplied.

Made of published counts of staff and of people alone, so exact and open. What does not belong here: the arithmetic (`place/workforce.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.place import workforce
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTRACT = "products/workforce_by_pcn"
PCN_CENSUS, GPS, SUPPLIED, PAYMENTS = ("reference/pcn_workforce", "reference/gp_workforce", "inbound/workforce", "reference/practice_payment")
COUNTS, PRACTICES = "core/registered_count", "core/neighbourhood_practice"
KEY = ["area_type", "area_code", "source", "census", "staff_group", "staff_role"]


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per area, source, census, staff group and role; none where no file of staff or no practice has arrived."""
    import pyarrow as pa

    practices = inputs[PRACTICES].to_pandas()
    areas = workforce.practice_areas(practices, _registered(inputs[COUNTS]))
    sums = _summed(inputs, night, areas)
    if not len(sums):
        return empty_table(load_contract(CONTRACT))
    weights = workforce.need_weights(inputs[PAYMENTS].to_pandas(), areas)
    made = _with_people(sums, areas).merge(weights, on=["area_type", "area_code"], how="left", validate="many_to_one")
    made = workforce.with_rates(made)
    made["area_name"] = made[["area_type", "area_code"]].merge(_names(practices), on=["area_type", "area_code"], how="left")["area_name"]
    made["is_newest"] = made["census"] == made.groupby("source")["census"].transform("max")
    for name in ("post_count", "headcount"):
        made[name] = made[name].round().astype("Int64")
    made = made.assign(as_of=night.as_of).sort_values(KEY, ignore_index=True)
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(CONTRACT))


def _registered(counts: pa.Table) -> dict[str, int]:
    sums = counts.group_by("practice_code").aggregate([("registered_count", "sum")])
    return dict(zip(sums["practice_code"].to_pylist(), sums["registered_count_sum"].to_pylist(), strict=True))


def _summed(inputs: Inputs, night: Night, areas: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    census, gps, supplied = (inputs[name].to_pandas(date_as_object=True) for name in (PCN_CENSUS, GPS, SUPPLIED))
    census = workforce.until_day(census, night.as_of)
    pcns = workforce.pcn_areas(areas, census, night.site.geography)
    units = areas.rename(columns={"practice_code": "unit"})
    posts = workforce.supplied_posts(supplied, night.as_of)
    is_pcn = posts["area_type"] == "pcn"
    parts = [
        workforce.summed(workforce.pcn_posts(census), pcns),
        workforce.summed(workforce.gp_posts(gps, night.as_of), units),
        # Practices and PCNs side by side: one frame of units, so that an area is the sum of both.
        workforce.summed(posts, pd.concat([pcns[pcns["unit"].isin(posts.loc[is_pcn, "unit"])], units], ignore_index=True)),
    ]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _with_people(sums: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Add people_count, whom the staff are there for, and covered_percent, how much of the area's registered people these are tonight.

    GPs are held against the list of the same file and year; others, of the newest census alone, against tonight's registered people.
    """
    import pandas as pd

    whole = pd.concat(
        [areas.groupby(area)["registered"].sum().rename_axis("area_code").reset_index().assign(area_type=area) for area in workforce.AREAS],
        ignore_index=True,
    ).rename(columns={"registered": "area_registered"})
    made = sums.merge(whole, on=["area_type", "area_code"], how="left", validate="many_to_one")
    is_newest = made["census"] == made.groupby("source")["census"].transform("max")
    tonight = made["reporting_registered"].where(is_newest)
    made["people_count"] = made["people"].where(made["source"] == "gp_workforce", tonight)
    covered = 100 * made["reporting_registered"] / made["area_registered"].where(made["area_registered"] > 0)
    return made.assign(covered_percent=covered.clip(upper=100))


def _names(practices: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    named = [
        practices.drop_duplicates(f"{area}_code")[[f"{area}_code", f"{area}_name"]]
        .set_axis(["area_code", "area_name"], axis=1)
        .assign(area_type=area)
        for area in workforce.AREAS
    ]
    every = pd.concat(named, ignore_index=True)
    return every[every["area_code"].notna()]


TABLE = TableSpec(contract=CONTRACT, inputs=(PCN_CENSUS, GPS, SUPPLIED, PAYMENTS, COUNTS, PRACTICES), build=build, picture="workforce_pictures")
