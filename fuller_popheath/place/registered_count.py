"""How many people of each LSOA are registered with each practice, from the published counts (NHS Digital, Patients Registered at a GP Practice).

What does not belong here: counts from practice lists, which are `people/listed_count.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.errors import NothingArrived
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

CONTRACT = "core/registered_count"
PUBLISHED = "reference/practice_lsoa_count"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice and LSOA code, all sexes together. Raises NothingArrived without any published count.

    A file gives a total (`ALL`), or men and women, or all three: the total counts where there is one, else the sexes are added up, so
    that nobody counts twice.
    """
    if not inputs[PUBLISHED].num_rows:
        raise NothingArrived(
            "no registrations have arrived: give gp-reg-pat-prac-lsoa-all of Patients Registered at a GP Practice",
            (PUBLISHED,),
            "published list size to hold practice lists against, and no Core20",
        )
    with Engine.duckdb() as engine:
        counts = _all_sexes(engine.table("practice_lsoa_count", inputs[PUBLISHED]))
        made = engine.collect(counts.mutate(as_of=_date(night)).order_by(["practice_code", "lsoa_code"]))
    return conform(made, load_contract(CONTRACT))


def _all_sexes(published: ir.Table) -> ir.Table:
    total = published.filter(published.sex == "ALL")
    by_sex = published.filter(published.sex != "ALL")
    added = by_sex.anti_join(total, ["practice_code", "lsoa_code"])
    added = added.group_by(["practice_code", "lsoa_code"]).agg(
        practice_name=added.practice_name.min(),
        registered_count=added.registered_count.sum().cast("int64"),
        registrations_extract=added.extract_date.max(),
    )
    columns = ["practice_code", "practice_name", "lsoa_code", "registered_count", "registrations_extract"]
    return total.rename(registrations_extract="extract_date").select(columns).union(added.select(columns))


def _date(night: Night) -> ir.DateValue:
    import ibis

    return ibis.literal(night.as_of, type="date")


TABLE = TableSpec(contract=CONTRACT, inputs=(PUBLISHED,), build=build)
