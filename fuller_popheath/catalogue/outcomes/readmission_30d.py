"""Emergency readmission within 30 days, among people who were discharged alive in the 30 days before the index date and are not in hospital on it.

The question of a neighbourhood team on any day: who of those lately home will be back? Every stay counts as one to be discharged from, planned ones
and day cases too; and it is one that was known on the index date: with a feed that tells of a stay weeks after its end, the latest are not among
them. Emergency is as in `emergency_admission_12m`.
"""

from __future__ import annotations

from fuller_popheath.catalogue.stays import HOSPITAL, SPELL, admitted, home_within
from fuller_popheath.specs import OutcomeSpec

DISCHARGED_WITHIN = 30

OUTCOME = OutcomeSpec(
    name="readmission_30d",
    words="an emergency readmission within 30 days",
    horizon_days=30,
    inputs=(SPELL, HOSPITAL),
    events=admitted,
    # PARR-30, in use in England, reached 0.70 (BMJ Open 2012).
    highest_auroc=0.82,
    highest_auroc_synthetic=0.88,
    at_risk=home_within(DISCHARGED_WITHIN),
)
