"""Emergency department attendances become core/ed_attendance, row for row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """What was entered without a day is known from the day of arrival."""
    import pyarrow.compute as pc

    known = pc.coalesce(rows["recorded_date"], rows["arrival_date"])
    return {"core/ed_attendance": rows.set_column(rows.column_names.index("recorded_date"), "recorded_date", known)}


EXTRACT = ExtractSpec(contract="inbound/ed_attendance", becomes=("core/ed_attendance",), to_core=to_core)
