"""Hospital spells become core/spell, row for row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa

EMERGENCY_METHODS = ("21", "22", "23", "24", "25", "27", "28", "2A", "2B", "2C", "2D")
"""NHS Data Dictionary, ADMISSION METHOD CODE (HOSPITAL PROVIDER SPELL): the national codes of emergency admission."""


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """A spell that was entered without a day is known from the day of discharge, or else of admission."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.coalesce(rows["recorded_date"], rows["discharge_date"], rows["admission_date"])
    is_emergency = pc.is_in(rows["admission_method"].cast(pa.string()), value_set=pa.array(EMERGENCY_METHODS))
    made = rows.set_column(rows.column_names.index("recorded_date"), "recorded_date", known)
    return {"core/spell": made.append_column("is_emergency", is_emergency)}


EXTRACT = ExtractSpec(contract="inbound/hospital_spell", becomes=("core/spell",), to_core=to_core)
