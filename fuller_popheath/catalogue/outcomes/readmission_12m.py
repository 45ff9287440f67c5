"""Emergency readmission within 12 months, among people who were discharged alive in the 365 days before the index date and are not in hospital on it.

As `readmission_30d`, with a year on either side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.stays import HOSPITAL, discharged_lately, emergency_admissions
from fuller_popheath.specs import ContractId, Night, OutcomeSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir

SPELL = "core/spell"
DISCHARGED_WITHIN = 365


def events(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per emergency admission of any day, with its day."""
    return emergency_admissions(tables[SPELL])


def at_risk(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """Who came home in the 365 days before."""
    return discharged_lately(tables[HOSPITAL], DISCHARGED_WITHIN)


OUTCOME = OutcomeSpec(
    name="readmission_12m",
    words="an emergency readmission within 12 months",
    horizon_days=365,
    inputs=(SPELL, HOSPITAL),
    events=events,
    # Among people who were all in hospital lately, models tell less apart than among everybody.
    highest_auroc=0.82,
    highest_auroc_synthetic=0.88,
    at_risk=at_risk,
)
