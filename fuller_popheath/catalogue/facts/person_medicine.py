"""Which medicines each person was issued, and how often lately. What does not belong here: doses, and what a medicine is for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FactSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

ISSUES: ContractId = "core/medication_issue"


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person and medicine (a cluster of kind medicine): days of the first and last issue, issues ever, in 365 and in 90 days."""
    import ibis

    lists, issues = tables["codelists"], tables[ISSUES]
    wanted = lists.filter(lists.kind == "medicine").select("code_system", "code", "cluster_number")
    issued = issues.inner_join(wanted, ["code_system", "code"])
    since = {days: ibis.date((night.as_of - timedelta(days=days)).isoformat()) for days in (365, 90)}
    return issued.group_by(["person_row", "cluster_number"]).agg(
        first_date=issued.issue_date.min(),
        last_date=issued.issue_date.max(),
        issue_count=issued.count().cast("int64"),
        **{f"count_{days}": (issued.issue_date >= day).cast("int64").sum().cast("int64") for days, day in since.items()},
    )


FACT = FactSpec(contract="core/person_medicine", inputs=(ISSUES,), build=build)
