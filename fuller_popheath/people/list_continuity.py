"""SLICC: for each practice and usual GP, how much of what the people on the GP's list were seen for was with that GP.

What does not belong here: which contacts count, and the continuity of single persons; see `catalogue/features/continuity.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

CONTRACT = "core/list_continuity"
PERSON = "core/person"
CONTINUITY = "features/continuity"
NO_USUAL_GP = "none"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice and usual GP, and one per practice for the people without one, whose contacts are in no list.

    Single contacts count, and people without any count as people. Source: Br J Gen Pract 2023;73:279-282 (PMC10229170).
    """
    with Engine.duckdb() as engine:
        people = engine.table("person", inputs[PERSON].select(["person_id", "practice_code", "usual_gp_code"]))
        wanted = ["person_id", "continuity_practice_contact_count", "usual_gp_contact_count"]
        contacts = engine.table("continuity", inputs[CONTINUITY].select(wanted))
        made = engine.collect(_lists(people, contacts, night), f"computing {CONTRACT}")
    return conform(made, load_contract(CONTRACT))


def _lists(people: ir.Table, contacts: ir.Table, night: Night) -> ir.Table:
    """One row of `contacts` per person of `people`."""
    import ibis

    joined = people.inner_join(contacts, "person_id").mutate(usual_gp_code=people["usual_gp_code"].fill_null(NO_USUAL_GP))
    lists = joined.group_by(["practice_code", "usual_gp_code"]).agg(
        person_count=joined.count().cast("int64"),
        contact_count=joined["continuity_practice_contact_count"].sum().cast("int64"),
        with_own=joined["usual_gp_contact_count"].sum().cast("int64"),
    )
    is_list = lists["usual_gp_code"] != NO_USUAL_GP
    some = is_list & (lists["contact_count"] > 0)
    return lists.select(
        "practice_code",
        "usual_gp_code",
        "person_count",
        "contact_count",
        as_of=ibis.literal(night.as_of, type="date"),
        usual_gp_contact_count=is_list.ifelse(lists["with_own"], ibis.null("int64")),
        slicc=some.ifelse(lists["with_own"].cast("float64") / lists["contact_count"].cast("float64"), ibis.null("float64")),
    ).order_by(["practice_code", "usual_gp_code"])


TABLE = TableSpec(contract=CONTRACT, inputs=(PERSON, CONTINUITY), build=build)
