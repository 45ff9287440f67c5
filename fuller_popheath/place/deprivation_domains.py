"""What deprivation is made of in an area: of its registered people, how many live in the most deprived fifth of small areas by each domain.

Made of published counts: registrations by practice and small area, and File 7 of the Indices of Deprivation. What does not belong here: the rank of
all domains together (Core20, `place/core20.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DOMAINS = ("income", "employment", "education", "health", "crime", "barriers", "environment")
MOST_DEPRIVED = 2
"""Deciles 1 and 2 are the most deprived fifth."""
AREAS = ("icb", "place", "pcn")


def domains_by_area(imd: pd.DataFrame, parts: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One row per area and domain: people_count, most_deprived_count, percent, covered_percent. No row where no decile of a domain was given.

    In: `imd`, one row an LSOA of the edition (lsoa_code and a column `<domain>_decile` each); `parts`, which of these (part_lsoa_code, share) each
    code of the registrations (lsoa_code) rests on; `people`, one row per code and area (lsoa_code, area_type, area_code, registered_count). People of
    a code that rests on several LSOAs are divided by its shares, and whole people are made at the end.
    """
    import pandas as pd

    rests = parts[["lsoa_code", "part_lsoa_code", "share"]].merge(
        imd.rename(columns={"lsoa_code": "part_lsoa_code"}), on="part_lsoa_code", how="inner", validate="many_to_one"
    )
    here = people.merge(rests, on="lsoa_code", how="inner", validate="many_to_many")
    here["people"] = here["registered_count"] * here["share"]
    whole = people.groupby(["area_type", "area_code"])["registered_count"].sum()
    frames = []
    for domain in DOMAINS:
        decile = here[f"{domain}_decile"].astype("Float64")
        known = here[decile.notna()].assign(most=here["people"].where((decile <= MOST_DEPRIVED).fillna(False), 0.0))
        sums = known.groupby(["area_type", "area_code"])[["people", "most"]].sum()
        if len(sums):
            frames.append(sums.join(whole).assign(domain=domain).reset_index())
    if not frames:
        return pd.DataFrame(columns=["area_type", "area_code", "domain", "people_count", "most_deprived_count", "percent", "covered_percent"])
    made = pd.concat(frames, ignore_index=True)
    made["people_count"], made["most_deprived_count"] = (made[name].round().astype("int64") for name in ("people", "most"))
    made["percent"] = (100 * made["most"] / made["people"].where(made["people"] > 0)).clip(upper=100)
    made["covered_percent"] = (100 * made["people"] / made["registered_count"].where(made["registered_count"] > 0)).fillna(0).clip(upper=100)
    return made.drop(columns=["people", "most", "registered_count"])
