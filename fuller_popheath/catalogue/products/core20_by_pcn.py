"""Core20 by PCN: how many of the people registered with each PCN's practices live in the most deprived national quintile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.methods.ranks import rank_from_largest
from fuller_popheath.place.core20 import in_a_pcn, practices_with_a_list, summed
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/core20_by_pcn"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and PCN with anybody registered; rank 1 in an ICB is its largest share, equal shares have equal ranks.

    A PCN whose ICB no file or setting tells has no rank: it would be one among PCNs that may have nothing in common.
    """
    import pyarrow as pa

    practices = in_a_pcn(practices_with_a_list(inputs["core/practice_quintile"], inputs["core/neighbourhood_practice"]))
    pcns = summed(practices, ["pcn_code"], names=["pcn_name", "icb_code"])
    by_icb = pcns.groupby(["imd_edition", "icb_code"], dropna=True)["core20_percent"]
    pcns["rank_in_icb"] = by_icb.transform(rank_from_largest).where(pcns["icb_code"].notna()).astype("Int64")
    return conform(pa.Table.from_pandas(pcns, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(
    contract=CONTRACT,
    inputs=("core/practice_quintile", "core/neighbourhood_practice"),
    build=build,
    picture="core20_map",
    picture_inputs=("core/registered_count", "core/neighbourhood_practice", "reference/lsoa_boundary", "reference/lsoa_2011_2021"),
)
