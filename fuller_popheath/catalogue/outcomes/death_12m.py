"""Death within 12 months, as any practice's list tells it: to check the other models (the dead cannot be admitted later), and never for a list.

What does not belong here: anything shown about a person. A probability of dying on a list helps nobody who reads it, and is not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, Night, OutcomeSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir


def events(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person who died, with the day."""
    follow_up = tables["follow_up"]
    return follow_up.filter(follow_up.death_date.notnull()).select("person_row", event_date=follow_up.death_date)


OUTCOME = OutcomeSpec(
    name="death_12m",
    words="dying within 12 months",
    horizon_days=365,
    inputs=(),
    events=events,
    # Among people of all ages, age alone tells most of it apart: good models reach 0.91. The true probabilities of the make-believe place, which no
    # model can beat for long, reached 0.92 among adults and 0.93 among everybody (10,000 people).
    highest_auroc=0.91,
    highest_auroc_synthetic=0.95,
    for_lists=False,
)
