"""Core20 against the rest: the gap of every indicator in every area, what it would take to close it, and the slope over the five quintiles.

What does not belong here: the shares themselves, quintile by quintile (core20plus5_by_pcn).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_gaps import gaps
from fuller_popheath.cohorts.indicators_shown import CONTRACT as SHOWN
from fuller_popheath.cohorts.indicators_shown import areas_shown
from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/inequality_by_area"
METHOD = "gap: Newcombe 10; ratio: MOVER; slope: logistic regression on the ridit of the quintile, simulated limits; 95 %, of the counts shown"
BOTH = ("core20_numerator", "core20_denominator", "rest_numerator", "rest_denominator")
WHOLE = (*BOTH, "people_to_close_gap", "people_to_target", "core20_people_to_target")


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, area and indicator."""
    import pyarrow as pa

    indicators = registry.indicators()
    shown = areas_shown(inputs[SHOWN], are_small=False)
    if not len(shown):
        return empty_table(load_contract(CONTRACT))
    made = gaps(shown, indicators)
    for name in WHOLE:
        made[name] = made[name].astype("Int64")
    made["age_group"] = made["indicator_id"].map({name: spec.age_group for name, spec in indicators.items()})
    made = made.assign(as_of=night.as_of, method=METHOD, is_hidden=made[list(BOTH)].isna().any(axis=1))
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(SHOWN,), build=build, picture="inequality_pictures")
