"""For which of a few reasons each person stayed in hospital, and how often lately. What does not belong here: beds, and how long a stay was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FactSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

SPELLS: ContractId = "core/spell"
REASONS: Mapping[str, tuple[str, ...]] = {"asthma": ("J45", "J46"), "dental_caries": ("K02",), "epilepsy": ("G40", "G41")}
"""Reason -> the first three characters of the primary diagnosis (ICD-10, WHO)."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person and reason with a stay whose primary diagnosis is of it: first and last day of admission, and days of admission in 365 days.

    A stay that was told several times (open, and again when it had ended) is one day of admission.
    """
    import ibis

    spell = tables[SPELLS]
    start = spell.primary_diagnosis_code.substr(0, 3)
    reason = ibis.cases(*((start.isin(codes), name) for name, codes in REASONS.items()), else_=ibis.null("string"))
    stays = spell.select("person_row", "admission_date", "is_emergency", reason=reason)
    stays = stays.filter(stays.reason.notnull())
    days = stays.group_by(["person_row", "reason", "admission_date"]).agg(is_emergency=stays.is_emergency.max())
    lately = days.admission_date >= ibis.date((night.as_of - timedelta(days=365)).isoformat())
    return days.group_by(["person_row", "reason"]).agg(
        first_date=days.admission_date.min(),
        last_date=days.admission_date.max(),
        count_365=lately.cast("int64").sum().cast("int64"),
        emergency_count_365=(lately & days.is_emergency).cast("int64").sum().cast("int64"),
    )


FACT = FactSpec(contract="core/person_admission_reason", inputs=(SPELLS,), build=build)
