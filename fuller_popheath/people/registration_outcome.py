"""What became of every registration that practices sent: nothing is lost between the lists and core/person.

What does not belong here: the rules (`eligibility.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.errors import ContractBroken
from fuller_popheath.people import eligibility
from fuller_popheath.people.person import REGISTRATION, numbered
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "core/registration_outcome"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice and outcome that occurs. Raises ContractBroken unless the counts add up to the registrations there are."""
    import ibis
    import pyarrow.compute as pc

    registrations = inputs[REGISTRATION]
    with Engine.duckdb() as engine:
        settled = eligibility.settle(engine.table("registration", numbered(registrations)), night.as_of)
        counts = settled.group_by(["practice_code", "outcome"]).agg(registration_count=settled.count().cast("int64"))
        counts = counts.mutate(as_of=ibis.literal(night.as_of, type="date"))
        made = engine.collect(counts.order_by(["practice_code", "outcome"]), "counting what became of the registrations")
    counted = pc.sum(made["registration_count"]).as_py() or 0
    if counted != registrations.num_rows:
        raise ContractBroken(f"{CONTRACT}: {counted:,} of {registrations.num_rows:,} registrations have an outcome; every one must have exactly one")
    return conform(made, load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(REGISTRATION,), build=build)
