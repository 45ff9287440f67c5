"""Emergency admission to hospital within 12 months: any stay of an emergency method that begins on the index date or in the 365 days from it.

Emergency is what `core/spell` says (methods 21 to 25, 27, 28, 2A to 2D, NHS Data Dictionary), as in `features/hospital`. A stay that began before
is no outcome, however long it lasts; whoever is in hospital on the index date can be admitted again. Deaths without admission are followed to the
end.
"""

from __future__ import annotations

from fuller_popheath.catalogue.stays import SPELL, admitted
from fuller_popheath.specs import OutcomeSpec

OUTCOME = OutcomeSpec(
    name="emergency_admission_12m",
    words="an emergency admission to hospital within 12 months",
    horizon_days=365,
    inputs=(SPELL,),
    events=admitted,
    # Published one-year models stand at 0.77 to 0.80 (SPARRAv4 0.799, QAdmissions 0.77 to 0.78); the true probabilities of the make-believe place at
    # 0.785 (10,000 people).
    highest_auroc=0.85,
    highest_auroc_synthetic=0.88,
)
