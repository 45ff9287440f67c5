"""How many people of each LSOA are on each practice's list on the day, counted from its registrations.

No figure is made from these counts: they are held against the published ones, practice by LSOA (`arrival/plausible.py`, lists_agree).
What does not belong here: deprivation and PCNs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.people.eligibility import REGULAR
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir
    import pyarrow as pa

CONTRACT = "core/listed_count"
REGISTRATION = "core/registration"
NO_LSOA = "NO2011"  # how the published counts write a person whose address has no LSOA


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice and LSOA code (`NO2011` where the list has none): people registered and alive on the day. No rows without lists.

    Each list is counted as it stands, as the published figures are: somebody who is on two lists counts on both, and temporary residents on none.
    That nobody is on one practice's list twice at a time is a rule of the inbound contract (`no_overlap`).
    """
    with Engine.duckdb() as engine:
        rows = engine.table("registration", inputs[REGISTRATION])
        people = on_list(rows, night.as_of)
        extract = rows.group_by("practice_code").agg(extract_date=rows.extract_date.max())
        counts = people.group_by(["practice_code", "lsoa_code"]).agg(listed_count=people.count().cast("int64"))
        counts = counts.inner_join(extract, "practice_code").mutate(as_of=_literal(night.as_of))
        made = engine.collect(counts.order_by(["practice_code", "lsoa_code"]))
    return conform(made, load_contract(CONTRACT))


def on_list(rows: ir.Table, as_of: date) -> ir.Table:
    """The regular registrations of `rows` that are open on the day (start <= day < end) of people alive on it (day < date of death)."""
    day = _literal(as_of)
    is_regular = rows.registration_type.fill_null(REGULAR) == REGULAR
    is_open = (rows.registration_start_date <= day) & (rows.registration_end_date.isnull() | (day < rows.registration_end_date))
    is_alive = rows.death_date.isnull() | (day < rows.death_date)
    return rows.filter(is_regular & is_open & is_alive).mutate(lsoa_code=rows.lsoa_code.fill_null(NO_LSOA))


def _literal(day: date) -> ir.DateValue:
    import ibis

    return ibis.literal(day, type="date")


TABLE = TableSpec(contract=CONTRACT, inputs=(REGISTRATION,), build=build)
