"""Stays in hospital as outcomes ask about them: emergency admissions, and who came home lately.

What does not belong here: features about stays; see `features/hospital.py`, whose rules say what a discharge and an open stay are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

SPELL, HOSPITAL = "core/spell", "features/hospital"

AtRisk = Callable[[Mapping[ContractId, "ir.Table"], Night], "ir.Table"]


def admitted(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """The events of an outcome: one row per emergency admission of any day, with its day."""
    return emergency_admissions(tables[SPELL])


def home_within(days: int) -> AtRisk:
    """Who is at risk of an outcome: those who came home in so many days before the index date."""

    def at_risk(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
        return discharged_lately(tables[HOSPITAL], days)

    return at_risk


def emergency_admissions(spell: ir.Table) -> ir.Table:
    """One row per stay that began as an emergency: person_row, event_date. In: `core/spell`. A stay that was told twice stands here twice."""
    return spell.filter(spell.is_emergency).select("person_row", event_date=spell.admission_date)


def discharged_lately(hospital: ir.Table, days: int) -> ir.Table:
    """person_row of those whose last discharge was so many days before the day or less, and who are not in hospital on it (`features/hospital`)."""
    came_home = (hospital.days_since_last_discharge <= days).fill_null(False)
    return hospital.filter(came_home & ~hospital.is_in_hospital.fill_null(False)).select("person_row")
