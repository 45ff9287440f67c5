"""What became of everybody beside each continuity list: listed, not listed and why; and whose practice's list is missing or old.

What does not belong here: the people; see `continuity_list.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.continuity_need import issue_of
from fuller_popheath.cohorts.list_account import account
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/continuity_list_account"
NEED = "core/continuity_need"
PRACTICES = "core/neighbourhood_practice"
CHECKS = "core/list_size_check"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per neighbourhood with people or with a practice that should have sent a list."""
    import pyarrow as pa

    need = inputs[NEED].select(["issue_id", "neighbourhood_code", "verdict", "points"]).to_pandas()
    practices = inputs[PRACTICES].to_pandas()
    made = account(need, inputs[CHECKS].to_pandas(), practices)
    names = practices.drop_duplicates("neighbourhood_code")[["neighbourhood_code", "neighbourhood_name"]]
    made = made.merge(names, on="neighbourhood_code", how="left", validate="one_to_one")
    made = made.assign(as_of=night.as_of, issue_id=issue_of(night.as_of)).sort_values("neighbourhood_code", ignore_index=True)
    return conform(pa.Table.from_pandas(made, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(NEED, CHECKS, PRACTICES), build=build)
