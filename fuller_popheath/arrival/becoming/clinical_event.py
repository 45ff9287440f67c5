"""Coded entries become core/measurement where they carry a number, and core/event where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """Every row in one of the two; what was entered without a day is known from the day of the event."""
    import pyarrow.compute as pc

    known = pc.coalesce(rows["recorded_date"], rows["event_date"])
    rows = rows.set_column(rows.column_names.index("recorded_date"), "recorded_date", known)
    has_value = pc.is_valid(rows["value"])
    return {"core/event": rows.filter(pc.invert(has_value)), "core/measurement": rows.filter(has_value)}


EXTRACT = ExtractSpec(contract="inbound/clinical_event", becomes=("core/event", "core/measurement"), to_core=to_core)
