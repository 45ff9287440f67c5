"""Every Core20PLUS5 and prevention indicator, adults and children, by PCN, place and ICB, by national deprivation quintile and for all.

What does not belong here: gaps between quintiles (inequality_by_area).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_gaps import proportions
from fuller_popheath.cohorts.indicators_shown import CONTRACT as SHOWN
from fuller_popheath.cohorts.indicators_shown import REST
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/core20plus5_by_pcn"
METHOD, SUPPLIED = "Wilson 95 % of the counts shown", "Wilson 95 % of the counts shown, which are supplied"
TOLD = {"clinical_area": "area", "direction": "direction", "target": "target", "is_proxy": "is_proxy"}
"""Column of the product -> what the indicator declares."""


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, area, quintile (1 to 5 and all) and indicator."""
    import pyarrow as pa

    indicators = registry.indicators()
    shown = inputs[SHOWN].to_pandas()
    shown = shown[shown["quintile"] != REST].reset_index(drop=True)
    shown["value"], shown["lower"], shown["upper"] = proportions(shown)
    told = {column: [getattr(indicators[name], field) for name in shown["indicator_id"]] for column, field in TOLD.items()}
    method = [SUPPLIED if indicators[name].assign is None else METHOD for name in shown["indicator_id"]]
    made = shown.assign(as_of=night.as_of, method=method, **told)
    made["target"] = 100 * made["target"].astype("float64")
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(SHOWN,), build=build)
