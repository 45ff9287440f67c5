"""Core20 by place: the sum of its PCNs' member practices. Practices in no PCN are left out here and stand in products/core20_unplaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.place.core20 import in_a_pcn, practices_with_a_list, summed
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/core20_by_place"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and place. Place is the PCN's sub-ICB unless site.toml maps otherwise; a PCN without one is in no row."""
    import pyarrow as pa

    practices = in_a_pcn(practices_with_a_list(inputs["core/practice_quintile"], inputs["core/neighbourhood_practice"]))
    rows = summed(practices.dropna(subset=["place_code"]), ["place_code"], names=["place_name", "icb_code"])
    return conform(pa.Table.from_pandas(rows, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=("core/practice_quintile", "core/neighbourhood_practice"), build=build)
