"""Core20 by practice, practices in no PCN (code "U") included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.place.core20 import practices_with_a_list, with_share
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/core20_by_practice"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and practice with anybody registered."""
    import pyarrow as pa

    practices = practices_with_a_list(inputs["core/practice_quintile"], inputs["core/neighbourhood_practice"])
    return conform(pa.Table.from_pandas(with_share(practices), preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=("core/practice_quintile", "core/neighbourhood_practice"), build=build)
