"""People with high need for continuity, and how many of them receive little, by ICB, PCN and quintile. What does not belong here: persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.gap_counts import WANTED, gap_counts
from fuller_popheath.cohorts.person_columns import keys_and
from fuller_popheath.cohorts.segment_counts import PRACTICES, SHOWN, SHOWN_COLUMNS
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.people.statistics import of_statistics
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/continuity_gap_by_pcn"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per ICB and PCN, edition and quintile, and per practice and edition. Raises ContractBroken where inputs are about other people."""
    import pyarrow as pa

    shown = gap_counts(inputs, night.site).assign(as_of=night.as_of)
    return conform(pa.Table.from_pandas(shown, preserve_index=False), load_contract(CONTRACT))


TABLE = of_statistics(
    TableSpec(
        contract=CONTRACT,
        inputs=tuple(dict.fromkeys((*WANTED, PRACTICES, SHOWN))),
        build=build,
        picture="gap_pictures",
        picture_inputs=(PRACTICES,),
        columns={**keys_and(WANTED), SHOWN: SHOWN_COLUMNS},
    )
)
