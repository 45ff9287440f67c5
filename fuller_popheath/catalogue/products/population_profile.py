"""Who lives in each PCN, place and ICB, and what they have: ages and sexes, conditions, PLUS groups. What does not belong here: persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.person_columns import keys_and
from fuller_popheath.cohorts.population_profile import PLUS, TABLES, WANTED, population_profile
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.people.statistics import of_statistics
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/population_profile"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per area, topic, group, sex and age band. Raises ContractBroken where inputs are not about the same people."""
    import pyarrow as pa

    shown = population_profile(inputs, night.site).assign(as_of=night.as_of)
    return conform(pa.Table.from_pandas(shown, preserve_index=False), load_contract(CONTRACT))


TABLE = of_statistics(
    TableSpec(contract=CONTRACT, inputs=TABLES, build=build, columns={**keys_and(WANTED), PLUS: ("person_id", "plus_group", "membership")})
)
