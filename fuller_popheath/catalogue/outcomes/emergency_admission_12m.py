"""Emergency admission to hospital within 12 months: any stay of an emergency method that begins on the index date or in the 365 days from it.

Emergency is what `core/spell` says (methods 21 to 25, 27, 28, 2A to 2D, NHS Data Dictionary), as in `features/hospital`. A stay that began before
is no outcome, however long it lasts; whoever is in hospital on the index date can be admitted again. Deaths without admission are followed to the
end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.stays import emergency_admissions
from fuller_popheath.specs import ContractId, Night, OutcomeSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir

SPELL = "core/spell"


def events(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per emergency admission of any day, with its day."""
    return emergency_admissions(tables[SPELL])


OUTCOME = OutcomeSpec(
    name="emergency_admission_12m",
    words="an emergency admission to hospital within 12 months",
    horizon_days=365,
    inputs=(SPELL,),
    events=events,
    # Published one-year models stand at 0.77 to 0.80 (SPARRAv4 0.799, QAdmissions 0.77 to 0.78); the true probabilities of the make-believe place at
    # 0.785 (10,000 people).
    highest_auroc=0.85,
    highest_auroc_synthetic=0.88,
)
