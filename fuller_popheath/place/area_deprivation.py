"""Deprivation of every LSOA code that a registration can carry, of either census, in every edition that was given.

A code of an edition's own vintage is published; the others are derived through the lookup of LSOA 2011 to 2021, and each row says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import NothingArrived
from fuller_popheath.methods.ranks import quantile_of_rank
from fuller_popheath.place.editions import EDITIONS, Edition
from fuller_popheath.place.lsoa_change import CARRIED, carried_over
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTRACT = "core/area_deprivation"
LOOKUP = "reference/lsoa_2011_2021"
POPULATION = "reference/lsoa_population"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, LSOA code and LSOA of the edition it rests on; a code's shares add up to 1. Raises NothingArrived without any IMD file."""
    import pandas as pd
    import pyarrow as pa

    given = [edition for edition in EDITIONS if inputs[edition.contract].num_rows]
    if not given:
        raise NothingArrived(
            "no IMD file has arrived: give File 7 or File 1 of the English Indices of Deprivation 2019 or 2025",
            tuple(edition.contract for edition in EDITIONS),
            "deprivation of where people live, and no Core20",
        )
    lookup = inputs[LOOKUP].select(["lsoa11_code", "lsoa21_code", "change_code"]).to_pandas()
    population = inputs[POPULATION].to_pandas().rename(columns={"lsoa21_code": "lsoa_code"})[["lsoa_code", "population_count"]]
    frames = [of_edition(edition, inputs[edition.contract].to_pandas(), lookup, population) for edition in given]
    every = pd.concat(frames, ignore_index=True).assign(as_of=night.as_of)
    every = every.sort_values(["imd_edition", "lsoa_code", "part_lsoa_code"], ignore_index=True)
    return conform(pa.Table.from_pandas(every, preserve_index=False), load_contract(CONTRACT))


def of_edition(edition: Edition, imd: pd.DataFrame, lookup: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Deprivation by code for one edition: what is published, and what follows for the codes of the other census.

    Grain as `build`. National quintile and decile follow from the rank among all LSOAs of the edition, whatever part of them the file holds.
    """
    import numpy as np
    import pandas as pd

    imd = imd.rename(columns={edition.code_column: "lsoa_code"})[["lsoa_code", "imd_rank", "imd_score", "population_count"]]
    changes = lookup.drop_duplicates(edition.code_column).set_index(edition.code_column)["change_code"]
    published = imd.assign(
        part_lsoa_code=imd["lsoa_code"], share=1.0, derivation="published", change_code=imd["lsoa_code"].map(changes).astype(object).fillna("none")
    )[CARRIED]
    derived = carried_over(edition, imd, lookup, population)
    every = pd.concat([published, derived], ignore_index=True) if len(derived) else published
    rank = every["imd_rank"].to_numpy(dtype=np.float64)
    decile = quantile_of_rank(rank, 10, edition.lsoa_count)
    # Half the decile, rounded up, is ceil(rank x 5 / N) for every rank; taken from the decile so that the two cannot differ by a rounding error.
    return every.assign(imd_edition=edition.name, imd_rank=rank, imd_decile=decile, imd_quintile=(decile + 1) // 2)


TABLE = TableSpec(
    contract=CONTRACT,
    inputs=(*(edition.contract for edition in EDITIONS), LOOKUP, POPULATION),
    build=build,
)
