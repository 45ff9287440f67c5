"""People per practice in each national deprivation quintile, for every edition given: the table that every Core20 figure is summed up from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.errors import InputMissing
from fuller_popheath.place.editions import EDITIONS
from fuller_popheath.place.quintile_counts import quintile_counts
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import ArrivalLimits

CONTRACT = "core/practice_quintile"
COUNTS = "core/registered_count"
DEPRIVATION = "core/area_deprivation"
PRACTICES = "core/neighbourhood_practice"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and practice of the area that the run is about; none where a night has practice lists alone, without counts or deprivation.

    Raises InputMissing as refuse_partial_or_other_vintage does.
    """
    import pyarrow as pa

    deprivation = inputs[DEPRIVATION]
    if not inputs[COUNTS].num_rows or not deprivation.num_rows:
        return empty_table(load_contract(CONTRACT))
    counted = quintile_counts(inputs[COUNTS], deprivation)
    counted = counted[counted["practice_code"].isin(set(inputs[PRACTICES]["practice_code"].to_pylist()))]
    refuse_partial_or_other_vintage(counted, deprivation, night.site.arrival)
    made = pa.Table.from_pandas(counted.assign(as_of=night.as_of), preserve_index=False)
    return conform(made, load_contract(CONTRACT))


def refuse_partial_or_other_vintage(counted: pd.DataFrame, area_deprivation: pa.Table, limits: ArrivalLimits) -> None:
    """Refuse an edition that does not know the LSOA codes people are registered on: a wrong vintage or partial file gives no low shares silently.

    `counted`: what quintile_counts returns. Raises InputMissing where more than a limit, in percent of all registered people, are on English LSOA
    codes (E01...) without deprivation in that edition: `unmatched_percent` without a lookup of LSOA 2011 to 2021 (no code says how it changed),
    `refuse_unmatched_percent` with one, because some codes that changed cannot be carried over. Below it, they are in unmatched_count.
    """
    import pyarrow.compute as pc

    for edition in EDITIONS:
        people = counted[counted["imd_edition"] == edition.name]
        known = area_deprivation.filter(pc.equal(area_deprivation["imd_edition"], edition.name))
        registered = int(people["registered_count"].sum())
        if not registered or not known.num_rows:
            continue
        has_lookup = pc.any(pc.not_equal(known["change_code"], "none")).as_py()
        at_most = limits.refuse_unmatched_percent if has_lookup else limits.unmatched_percent
        unknown = int((people["english_count"] - people["matched_count"]).sum())
        if 100 * unknown > at_most * registered:
            published = pc.sum(pc.equal(known["derivation"], "published")).as_py() or 0
            what_to_do = "give an IMD file of the whole country, or at least of the whole area"
            if not has_lookup:
                what_to_do = f"give the ONS lookup of LSOA 2011 to LSOA 2021 (--lsoa-lookup), or {what_to_do.removeprefix('give ')}"
            raise InputMissing(
                f"IMD {edition.name} is on LSOA {edition.vintage} codes (its file holds {published:,} of {edition.lsoa_count:,} LSOAs), and "
                f"{unknown:,} of {registered:,} registered people ({100 * unknown / registered:.1f} %) are on English LSOA codes without deprivation "
                f"in it, with{'' if has_lookup else 'out'} a lookup (at most {at_most:g} % may be): {what_to_do}"
            )


TABLE = TableSpec(contract=CONTRACT, inputs=(COUNTS, DEPRIVATION, PRACTICES), build=build)
