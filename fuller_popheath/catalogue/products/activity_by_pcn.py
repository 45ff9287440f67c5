"""Contacts, urgent ones, appointments not attended and continuity, by ICB, place, PCN and quintile. What does not belong here: persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.activity import BOOKED, BOOKING, WANTED, activity_counts, with_trend
from fuller_popheath.cohorts.person_columns import keys_and
from fuller_popheath.cohorts.segment_counts import PRACTICES, SHOWN, SHOWN_COLUMNS
from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.people.statistics import of_statistics
from fuller_popheath.specs import Inputs, Night, TableSpec, as_it_left

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/activity_by_pcn"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per area, edition and quintile. Raises ContractBroken where inputs are not about the same people."""
    import pyarrow as pa

    shown = activity_counts(inputs, night.site).assign(as_of=night.as_of)
    if not len(shown):
        return empty_table(load_contract(CONTRACT))
    shown = with_trend(shown, inputs.get(as_it_left(CONTRACT)))
    return conform(pa.Table.from_pandas(shown, preserve_index=False), load_contract(CONTRACT))


INPUTS = tuple(dict.fromkeys((*WANTED, BOOKING, PRACTICES, SHOWN)))
COLUMNS = {**keys_and(WANTED), BOOKING: BOOKED, SHOWN: SHOWN_COLUMNS}
SPEC = TableSpec(contract=CONTRACT, inputs=INPUTS, build=build, picture="activity_pictures", columns=COLUMNS, earlier=(CONTRACT,))
TABLE = of_statistics(SPEC)
