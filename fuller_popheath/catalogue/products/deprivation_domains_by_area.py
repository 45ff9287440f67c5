"""What deprivation is made of in each PCN, place and ICB: people in the most deprived fifth by each domain of the Indices of Deprivation.

Made of published counts alone, so exact and open. What does not belong here: the arithmetic (`place/deprivation_domains.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.place.deprivation_domains import AREAS, DOMAINS, domains_by_area
from fuller_popheath.place.editions import EDITIONS
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTRACT = "products/deprivation_domains_by_area"
COUNTS, PRACTICES, DEPRIVATION = "core/registered_count", "core/neighbourhood_practice", "core/area_deprivation"
KEY = ["imd_edition", "area_type", "area_code", "domain"]


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, area and domain; none of an edition of which File 7 has not arrived."""
    import pandas as pd
    import pyarrow as pa

    people = _people(inputs)
    parts = inputs[DEPRIVATION].select(["imd_edition", "lsoa_code", "part_lsoa_code", "share"]).to_pandas()
    frames = []
    for edition in EDITIONS:
        imd = inputs[edition.contract].to_pandas().rename(columns={edition.code_column: "lsoa_code"})
        columns = ["lsoa_code", *(f"{domain}_decile" for domain in DOMAINS)]
        made = domains_by_area(imd[columns], parts[parts["imd_edition"] == edition.name], people)
        frames.append(made.assign(imd_edition=edition.name))
    every = pd.concat([frame for frame in frames if len(frame)], ignore_index=True) if any(len(frame) for frame in frames) else None
    if every is None:
        return empty_table(load_contract(CONTRACT))
    every = every.assign(as_of=night.as_of).sort_values(KEY, ignore_index=True)
    return conform(pa.Table.from_pandas(every, preserve_index=False), load_contract(CONTRACT))


def _people(inputs: Inputs) -> pd.DataFrame:
    """Registered people of the report's practices by LSOA and area: lsoa_code, area_type, area_code, registered_count."""
    import pandas as pd

    practices = inputs[PRACTICES].select(["practice_code", *(f"{area}_code" for area in AREAS)]).to_pandas()
    counts = inputs[COUNTS].select(["practice_code", "lsoa_code", "registered_count"]).to_pandas()
    ours = counts.merge(practices, on="practice_code", how="inner", validate="many_to_one")
    frames = []
    for area in AREAS:
        code = ours[f"{area}_code"].fillna(NO_PCN)
        summed = ours.groupby([ours["lsoa_code"], code.rename("area_code")])["registered_count"].sum().reset_index()
        frames.append(summed.assign(area_type=area))
    return pd.concat(frames, ignore_index=True)


TABLE = TableSpec(contract=CONTRACT, inputs=(COUNTS, PRACTICES, DEPRIVATION, *(edition.contract for edition in EDITIONS)), build=build)
