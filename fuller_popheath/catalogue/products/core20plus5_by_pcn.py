"""Every Core20PLUS5 and prevention indicator, adults and children, by PCN, place and ICB, by national deprivation quintile and for all.

What does not belong here: gaps between quintiles (inequality_by_area).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_gaps import proportions
from fuller_popheath.cohorts.indicators_shown import CONTRACT as SHOWN
from fuller_popheath.cohorts.indicators_shown import KEY, REST, areas_shown
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec, as_it_left

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTRACT = "products/core20plus5_by_pcn"
METHOD, SUPPLIED = "Wilson 95 % of the counts shown", "Wilson 95 % of the counts shown, which are supplied"
TOLD = {"clinical_area": "area", "direction": "direction", "target": "target", "is_proxy": "is_proxy"}
"""Column of the product -> what the indicator declares."""


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, area, quintile (1 to 5 and all) and indicator; beside its value the one that left in the newest earlier month."""
    import pyarrow as pa

    indicators = registry.indicators()
    shown = areas_shown(inputs[SHOWN], are_small=False)
    shown = shown[shown["quintile"] != REST].reset_index(drop=True)
    shown["value"], shown["lower"], shown["upper"] = proportions(shown)
    told = {column: [getattr(indicators[name], field) for name in shown["indicator_id"]] for column, field in TOLD.items()}
    method = [SUPPLIED if indicators[name].assign is None else METHOD for name in shown["indicator_id"]]
    made = shown.assign(as_of=night.as_of, method=method, **told)
    made["target"] = 100 * made["target"].astype("float64")
    made = _with_previous(made, inputs.get(as_it_left(CONTRACT)))
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(CONTRACT))


def _with_previous(made: pd.DataFrame, before: pa.Table | None) -> pd.DataFrame:
    """Add previous_as_of and previous_value: of what was released then and nothing else, so that a trend tells no more than the two releases."""
    if before is None:
        return made.assign(previous_as_of=None, previous_value=float("nan"))
    known = before.select([*KEY, "as_of", "value"]).rename_columns([*KEY, "previous_as_of", "previous_value"]).to_pandas(date_as_object=True)
    return made.merge(known.dropna(subset=["previous_value"]), on=list(KEY), how="left", validate="one_to_one")


TABLE = TableSpec(contract=CONTRACT, inputs=(SHOWN,), build=build, picture="indicator_pictures", earlier=(CONTRACT,))
