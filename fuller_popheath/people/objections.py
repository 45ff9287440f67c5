"""Who objects to what, and what that keeps each person out of: the table to read before anything is done with a person.

Objections come from files (the national data opt-out, Type 1 lists), from codes in GP records (`catalogue/facts/coded_objection.py`), and from what
people told the house itself (`objection_register.py`). The purposes that each excludes from are the matrix in site.toml, [objections]; whoever wants
no lists is on none. What does not belong here: leaving people out; whoever has a purpose does that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.registry import PRACTICE_EXTRACT
from fuller_popheath.site import OBJECTION_PURPOSES, Objections
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir
    import pyarrow as pa

CONTRACT = "core/person_objection"
PERSON = "core/person"
FILES = "core/objection"
CODED = "core/coded_objection"
INBOUND = "inbound/objection"
TYPE_1, NATIONAL, NO_LISTS = "type_1", "national_data_opt_out", "no_lists"
TOLD = {"told_type_1": TYPE_1, "told_national_data_opt_out": NATIONAL}
"""What people told the house itself counts as what a file says; but it is no file, which a practice vouches for."""
LIST_PURPOSES = ("score_list", "rule_list")
"""What somebody who wants no lists is kept out of, whatever the matrix says."""
DISSENT, WITHDRAWN, NO_RECORD, UNKNOWN = "dissent", "withdrawn", "no_record", "unknown"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per person of core/person, in its order: what is known of each objection, and the purposes it excludes the person from.

    The latest of dissent and withdrawal holds, on the same day the dissent. A withdrawal counts once its day is over (recorded < as_of), a dissent as
    soon as it is known, whatever its date: who objects is left out of work on earlier days too. Where the Type 1 codes of a practice cannot be
    read, everybody registered there counts as objecting, unless the site vouches for its files ([objections] practice_files_are_complete) and it
    sent one with Type 1 objections.
    """
    import ibis

    with Engine.duckdb() as engine:
        people = engine.table("person", inputs[PERSON].select(["person_id", "practice_code"]))
        files = engine.table("objection", inputs[FILES].select(["person_id", "objection", "state", "recorded_date"]))
        coded = engine.table("coded", inputs[CODED].select(["person_id", "state", "recorded_date"]))
        senders = engine.table("senders", inputs[PRACTICE_EXTRACT].select(["contract_id", "practice_code", "rows_in_use"]))
        unreadable = coded.filter(coded.state == UNKNOWN).select("person_id")
        if night.site.objections.practice_files_are_complete:
            unreadable = unreadable.anti_join(_told_by_list(people, files, senders), "person_id")
        unreadable = unreadable.mutate(is_unknown=True)
        files = files.mutate(objection=files.objection.cases(*TOLD.items(), else_=files.objection))
        recorded = files.union(coded.mutate(objection=ibis.literal(TYPE_1)).select("person_id", "objection", "state", "recorded_date"))
        judged = people.left_join(_latest(recorded, night.as_of), "person_id").drop("person_id_right")
        judged = judged.left_join(unreadable, "person_id").drop("person_id_right")
        told = engine.collect(_reasons(judged, night.as_of).order_by("person_id"), "settling who objects to what")
    return conform(_excluded(told, night.site.objections), load_contract(CONTRACT))


def _told_by_list(people: ir.Table, files: ir.Table, senders: ir.Table) -> ir.Table:
    """The people whose practice sent a file of objections with a Type 1 objection of somebody registered there: the site says that it holds them all.

    A file without any Type 1 objection tells nothing: it may be of national opt-outs alone.
    """
    sent = senders.filter((senders.contract_id == INBOUND) & (senders.rows_in_use > 0)).select("practice_code").distinct()
    objecting = people.semi_join(files.filter(files.objection == TYPE_1), "person_id").select("practice_code").distinct()
    return people.semi_join(sent, "practice_code").semi_join(objecting, "practice_code").select("person_id")


def _latest(recorded: ir.Table, as_of: date) -> ir.Table:
    """The last day of each objection and state that counts, one row a person."""
    import ibis

    counts = recorded.filter((recorded.state == DISSENT) | ((recorded.state == WITHDRAWN) & (recorded.recorded_date < ibis.date(as_of.isoformat()))))

    def last(objection: str, state: str) -> Any:
        return counts.recorded_date.max(where=(counts.objection == objection) & (counts.state == state))

    return counts.group_by("person_id").agg(
        **{f"{objection}_{state}": last(objection, state) for objection in (TYPE_1, NATIONAL, NO_LISTS) for state in (DISSENT, WITHDRAWN)}
    )


def _reasons(judged: ir.Table, as_of: date) -> ir.Table:
    import ibis

    def reason(objection: str, unknown: Any) -> Any:
        dissent, withdrawn = judged[f"{objection}_{DISSENT}"], judged[f"{objection}_{WITHDRAWN}"]
        return ibis.cases(
            (dissent.notnull() & (withdrawn.isnull() | (dissent >= withdrawn)), DISSENT),
            (unknown, UNKNOWN),
            (withdrawn.notnull(), WITHDRAWN),
            else_=NO_RECORD,
        )

    return judged.select(
        "person_id",
        as_of=ibis.date(as_of.isoformat()),
        # A withdrawal that was found does not help where a later dissent could not be.
        type_1_reason=reason(TYPE_1, judged.is_unknown.fill_null(False)),
        national_reason=reason(NATIONAL, ibis.literal(False)),
        no_lists_reason=reason(NO_LISTS, ibis.literal(False)),
    )


def _excluded(told: pa.Table, matrix: Objections) -> pa.Table:
    """The table with both objections as true or false, and `excluded_from_<purpose>` for every purpose."""
    import pyarrow as pa
    import pyarrow.compute as pc

    objects = {
        TYPE_1: pc.is_in(told["type_1_reason"], value_set=pa.array([DISSENT, UNKNOWN])),
        NATIONAL: pc.equal(told["national_reason"], DISSENT),
    }
    told = told.append_column("has_type_1_objection", objects[TYPE_1]).append_column("has_national_objection", objects[NATIONAL])
    told = told.append_column("wants_no_lists", pc.equal(told["no_lists_reason"], DISSENT)).drop_columns(["no_lists_reason"])
    for purpose in OBJECTION_PURPOSES:
        excluded = pa.chunked_array([pa.repeat(False, told.num_rows)])
        for objection in (TYPE_1, NATIONAL):
            if purpose in getattr(matrix, objection):
                excluded = pc.or_(excluded, objects[objection])
        if purpose in LIST_PURPOSES:
            excluded = pc.or_(excluded, told["wants_no_lists"])
        told = told.append_column(f"excluded_from_{purpose}", excluded)
    return told


TABLE = TableSpec(contract=CONTRACT, inputs=(PERSON, FILES, CODED, PRACTICE_EXTRACT), build=build)
