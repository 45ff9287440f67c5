"""People per practice in each national deprivation quintile, for every edition given: the table that every Core20 figure is summed up from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import InputMissing
from fuller_popheath.place.editions import EDITIONS
from fuller_popheath.place.quintile_counts import quintile_counts
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTRACT = "core/practice_quintile"
COUNTS = "core/registered_count"
DEPRIVATION = "core/area_deprivation"
PRACTICES = "core/neighbourhood_practice"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and practice of the area that the run is about. Raises InputMissing as refuse_other_vintage does."""
    import pyarrow as pa

    deprivation = inputs[DEPRIVATION]
    counted = quintile_counts(inputs[COUNTS], deprivation, "registered_count", "registrations_extract")
    counted = counted[counted["practice_code"].isin(set(inputs[PRACTICES]["practice_code"].to_pylist()))]
    refuse_other_vintage(counted, deprivation, night.site.arrival.unmatched_percent)
    made = pa.Table.from_pandas(counted.assign(as_of=night.as_of), preserve_index=False)
    return conform(made, load_contract(CONTRACT))


def refuse_other_vintage(counted: pd.DataFrame, area_deprivation: pa.Table, at_most_percent: float) -> None:
    """Refuse an edition that does not know the LSOA codes people are registered on, so that a wrong vintage never passes silently.

    `counted`: what quintile_counts returns. Without a lookup (no code says how it changed), raises InputMissing where more than
    `at_most_percent` of all people are on English LSOA codes that an edition does not know. With one, such people are in unmatched_count.
    """
    import pyarrow.compute as pc

    for edition in EDITIONS:
        people = counted[counted["imd_edition"] == edition.name]
        known = area_deprivation.filter(pc.equal(area_deprivation["imd_edition"], edition.name))
        registered = int(people["registered_count"].sum())
        if not registered or not known.num_rows or pc.any(pc.not_equal(known["change_code"], "none")).as_py():
            continue
        unknown_percent = 100 * int((people["english_count"] - people["matched_count"]).sum()) / registered
        if unknown_percent > at_most_percent:
            part = "" if known.num_rows >= edition.lsoa_count else f" (it holds {known.num_rows:,} of {edition.lsoa_count:,} LSOAs)"
            raise InputMissing(
                f"IMD {edition.name} is on LSOA {edition.vintage} codes{part}, and {unknown_percent:.1f} % of the {registered:,} registered people "
                f"are on English LSOA codes it does not know (at most {at_most_percent:g} % may be): give the ONS lookup of LSOA 2011 to LSOA 2021 "
                "(--lsoa-lookup), or an IMD file of the whole country"
            )


TABLE = TableSpec(contract=CONTRACT, inputs=(COUNTS, DEPRIVATION, PRACTICES), build=build)
