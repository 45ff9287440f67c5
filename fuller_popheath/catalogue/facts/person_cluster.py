"""What each person's record says about each cluster of codes: since when, how often, and whether it still holds.

A code that says a condition is resolved ends it until it is coded again; on one day the resolution counts, as the registers of the Quality and
Outcomes Framework have it ("unresolved diagnosis": latest diagnosis after the latest resolution). What does not belong here: what a cluster means.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FactSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

EVENTS: ContractId = "core/event"
MEASUREMENTS: ContractId = "core/measurement"
KINDS = ("condition", "resolved", "other")


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person and cluster with at least one code; codes come with a value or without. Dates are days of events, counts are entries.

    Resolutions of what was never coded give no row.
    """
    import ibis

    lists = tables["codelists"]
    wanted = lists.filter(lists.kind.isin(KINDS))
    wanted = wanted.select("code_system", "code", "cluster_number", resolves=wanted.kind == "resolved").distinct()
    columns = ["person_row", "event_date", "cluster_number", "resolves"]
    coded = ibis.union(*(tables[name].inner_join(wanted, ["code_system", "code"]).select(columns) for name in (EVENTS, MEASUREMENTS)))
    year_ago = ibis.date((night.as_of - timedelta(days=365)).isoformat())
    holds = ~coded.resolves
    facts = coded.group_by(["person_row", "cluster_number"]).agg(
        first_date=coded.event_date.min(where=holds),
        last_date=coded.event_date.max(where=holds),
        event_count=coded.count(where=holds).cast("int64"),
        count_365=coded.count(where=holds & (coded.event_date >= year_ago)).cast("int64"),
        last_resolved_date=coded.event_date.max(where=coded.resolves),
    )
    facts = facts.filter(facts.last_date.notnull())
    return facts.mutate(is_current=(facts.last_date > facts.last_resolved_date).fill_null(True))


FACT = FactSpec(contract="core/person_cluster", inputs=(EVENTS, MEASUREMENTS), build=build)
