"""Emergency readmission within 12 months, among people who were discharged alive in the 365 days before the index date and are not in hospital on it.

As `readmission_30d`, with a year on either side.
"""

from __future__ import annotations

from fuller_popheath.catalogue.stays import HOSPITAL, SPELL, admitted, home_within
from fuller_popheath.specs import OutcomeSpec

DISCHARGED_WITHIN = 365

OUTCOME = OutcomeSpec(
    name="readmission_12m",
    words="an emergency readmission within 12 months",
    horizon_days=365,
    inputs=(SPELL, HOSPITAL),
    events=admitted,
    # Among people who were all in hospital lately, models tell less apart than among everybody.
    highest_auroc=0.82,
    highest_auroc_synthetic=0.88,
    at_risk=home_within(DISCHARGED_WITHIN),
)
