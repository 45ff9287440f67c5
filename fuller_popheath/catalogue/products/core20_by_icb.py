"""Core20 by ICB: the sum of its PCNs' member practices. Practices in no PCN are left out here and stand in products/core20_unplaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.place.core20 import in_a_pcn, practices_with_a_list, summed
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/core20_by_icb"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and ICB. PCNs whose ICB no file or setting tells are in no row."""
    import pyarrow as pa

    practices = in_a_pcn(practices_with_a_list(inputs["core/practice_quintile"], inputs["core/neighbourhood_practice"]))
    rows = summed(practices.dropna(subset=["icb_code"]), ["icb_code"], names=["icb_name"])
    return conform(pa.Table.from_pandas(rows, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=("core/practice_quintile", "core/neighbourhood_practice"), build=build)
