"""Every Core20PLUS5 and prevention indicator by practice and by small area (LSOA), for everybody of it.

What does not belong here: PCNs, places, ICBs and quintiles (core20plus5_by_pcn).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_gaps import proportions
from fuller_popheath.cohorts.indicators_shown import CONTRACT as SHOWN
from fuller_popheath.cohorts.indicators_shown import areas_shown
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/indicator_by_small_area"
METHOD = "Wilson 95 % of the counts shown"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice or LSOA and indicator; those of one edition, because everybody counts in both."""
    import pyarrow as pa

    indicators = registry.indicators()
    shown = areas_shown(inputs[SHOWN], are_small=True)
    shown = shown[shown["imd_edition"] == shown["imd_edition"].min()].reset_index(drop=True)
    shown["value"], shown["lower"], shown["upper"] = proportions(shown)
    direction = [indicators[name].direction for name in shown["indicator_id"]]
    made = shown.drop(columns=["imd_edition", "quintile"]).assign(as_of=night.as_of, method=METHOD, direction=direction)
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(SHOWN,), build=build)
