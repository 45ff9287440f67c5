"""List sizes held against the published ones, practice by practice: did everybody on the lists become a person, and did every practice send a list?

What does not belong here: judging a night by it (`arrival/plausible_people.py`), and counts by LSOA (`listed_count.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.people.eligibility import REGULAR
from fuller_popheath.place.neighbourhood_practice import where_no_file_tells
from fuller_popheath.registry import PRACTICE_EXTRACT
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from fuller_popheath.site import Geography

CONTRACT = "core/list_size_check"
PERSON = "core/person"
PUBLISHED = "core/registered_count"
PRACTICES = "core/neighbourhood_practice"
LISTS = "inbound/practice_list"
AGREES, DIFFERS, NOT_PUBLISHED, NOT_SENT = "agrees", "differs", "not_published", "not_sent"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice that belongs to a neighbourhood with people, sent a list, or both.

    People with a regular registration count, as in the published figures (NHS England, Patients Registered at a GP Practice). A practice agrees where
    the difference is below `[arrival] reconcile_percent`. Member practices without a list and without published people are dormant, and in no row.
    """
    import ibis

    with Engine.duckdb() as engine:
        people = engine.table("person", inputs[PERSON].select(["practice_code", "registration_type"]))
        published = engine.table("published", inputs[PUBLISHED].select(["practice_code", "registered_count", "registrations_extract"]))
        members = engine.table("members", inputs[PRACTICES].select(["practice_code", "neighbourhood_code"]))
        extracts = engine.table("extracts", inputs[PRACTICE_EXTRACT].select(["contract_id", "practice_code", "state", "extract_date", "age_days"]))
        rows = _beside(people, published, members, extracts.filter(extracts.contract_id == LISTS), night.site.geography)
        rows = rows.mutate(as_of=ibis.date(night.as_of.isoformat()), **_compared(rows, night.site.arrival.reconcile_percent))
        made = engine.collect(rows.order_by("practice_code"), "comparing list sizes with the published ones")
    return conform(made, load_contract(CONTRACT))


def _beside(people: ir.Table, published: ir.Table, members: ir.Table, extracts: ir.Table, geography: Geography) -> ir.Table:
    """Everything that is known of each practice, in one row."""
    counted = people.group_by("practice_code").agg(counted=people.count(where=people.registration_type == REGULAR).cast("int64"))
    in_area = published.semi_join(members, "practice_code")
    told = in_area.group_by("practice_code").agg(
        published_count=in_area.registered_count.sum().cast("int64"), published_extract=in_area.registrations_extract.max()
    )
    practices = counted.select("practice_code").union(told.select("practice_code")).union(extracts.select("practice_code")).distinct()
    lists = extracts.select("practice_code", "extract_date", list_state="state", extract_age_days="age_days")
    rows = practices
    for other in (counted, told, lists, members):
        rows = rows.left_join(other, "practice_code").drop("practice_code_right")
    return rows.mutate(
        neighbourhood_code=rows.neighbourhood_code.fill_null(where_no_file_tells(rows.practice_code, geography)),
        counted_count=rows.counted.fill_null(0),
        list_state=rows.list_state.fill_null("never"),
    )


def _compared(rows: ir.Table, limit_percent: float) -> dict[str, Any]:
    import ibis

    is_sent = rows.list_state != "never"
    published = rows.published_count.nullif(0)
    difference = ibis.ifelse(is_sent, (rows.counted_count - published) * 100.0 / published, None)
    verdict = ibis.cases((~is_sent, NOT_SENT), (published.isnull(), NOT_PUBLISHED), (difference.abs() < limit_percent, AGREES), else_=DIFFERS)
    return {"relative_difference": difference, "verdict": verdict}


TABLE = TableSpec(contract=CONTRACT, inputs=(PERSON, PUBLISHED, PRACTICES, PRACTICE_EXTRACT), build=build)
