"""How many people are in each segment: by ICB, place and PCN, and by deprivation quintile or group of people. What does not belong here: persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.cohorts.segment import CONTRACT as SEGMENT
from fuller_popheath.cohorts.segment_counts import CONTACTS, PLUS, PRACTICES, segment_counts, segment_positions
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.people.statistics import of_statistics
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/segment_count"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per area, edition, quintile, group of people, scheme and segment, nobody's too. Raises ContractBroken where inputs do not fit."""
    import pyarrow as pa

    schemes = registry.segments()
    positions = segment_positions(inputs[SEGMENT], inputs[PERSON]["person_id"], schemes)
    names = {name: [group.name for group in scheme.groups] for name, scheme in schemes.items()}
    shown = segment_counts(inputs, night.site, positions, names).assign(as_of=night.as_of)
    return conform(pa.Table.from_pandas(shown, preserve_index=False), load_contract(CONTRACT))


TABLE = of_statistics(
    TableSpec(
        contract=CONTRACT,
        inputs=(PERSON, SEGMENT, PLUS, CONTACTS, PRACTICES),
        build=build,
        picture="segment_pictures",
        columns={
            SEGMENT: ("person_id", "scheme", "segment"),
            PLUS: ("person_id", "plus_group", "membership"),
            CONTACTS: ("person_id", "contact_count_365"),
        },
    )
)
