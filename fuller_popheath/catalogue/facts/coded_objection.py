"""Type 1 objections that GP records carry as codes, and whose records cannot be read for them.

A Type 1 objection is a code in the record ("dissent from secondary use of general practitioner patient identifiable data"), so it is only as
visible as our code lists are complete. Where they are not, this says so for everybody concerned: an empty list must never look like nobody objecting.
What does not belong here: what an objection keeps a person out of; see `people/objections.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FactSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

CONTRACT = "core/coded_objection"
EVENTS = "core/event"
MEASUREMENTS = "core/measurement"
PERSON = "core/person"
DISSENT, WITHDRAWN, UNKNOWN = "dissent", "withdrawn", "unknown"
CLUSTERS = {"type_1_dissent": DISSENT, "type_1_withdrawn": WITHDRAWN}
RECORD_SYSTEMS = ("snomed", "read2", "ctv3", "synthetic")
"""Code systems that a GP record as a whole can be coded in, so that objections in it are too. Others (local codes, ICD-10) never carry them."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person and state that occurs: `dissent` and `withdrawn` with their last day, `unknown` without one.

    Rows of any day are seen: a dissent counts as soon as it is known, whatever its date, a withdrawal once its day is over (dated and recorded
    before as_of).

    `unknown`: everybody registered with a practice whose coded entries use a code system for which no dissent code is listed, or that has none.
    """
    import ibis

    events, lists = tables[EVENTS], tables["codelists"]
    listed = lists.filter((lists.kind == "objection") & lists.cluster.isin(list(CLUSTERS)))
    listed = listed.select("code_system", "code", state=ibis.cases(*((listed.cluster == name, state) for name, state in CLUSTERS.items())))
    columns = ["person_row", "state", "event_date", "recorded_date"]
    # An objection is no measurement, but one that somebody typed a number beside must not be missed.
    found = ibis.union(*(tables[name].inner_join(listed, ["code_system", "code"]).select(columns) for name in (EVENTS, MEASUREMENTS)))
    as_of = ibis.date(night.as_of.isoformat())
    is_over = (found.event_date < as_of) & (ibis.coalesce(found.recorded_date, found.event_date) < as_of)
    found = found.filter((found.state == DISSENT) | is_over)
    stated = found.group_by(["person_row", "state"]).agg(recorded_date=ibis.coalesce(found.recorded_date, found.event_date).max())
    persons = tables[PERSON].anti_join(_readable_practices(events, listed), "practice_code")
    unknown = persons.select("person_row", state=ibis.literal(UNKNOWN), recorded_date=ibis.null("date"))
    return stated.select("person_row", "state", "recorded_date").union(unknown)


def _readable_practices(events: ir.Table, listed: ir.Table) -> ir.Table:
    """The practices of which every coded entry is in a code system with a dissent code; one column, `practice_code`."""
    in_use = events.filter(events.code_system.isin(RECORD_SYSTEMS)).select("practice_code", "code_system").distinct()
    known = listed.filter(listed.state == DISSENT).select("code_system").distinct()
    not_known = in_use.anti_join(known, "code_system")
    return in_use.anti_join(not_known, "practice_code").select("practice_code").distinct()


FACT = FactSpec(contract=CONTRACT, inputs=(EVENTS, MEASUREMENTS, PERSON), build=build, sees_all=True)
