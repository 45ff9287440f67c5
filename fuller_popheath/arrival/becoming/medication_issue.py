"""Issues of medicines become core/medication_issue, row for row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """What was entered without a day is known from the day of the issue."""
    import pyarrow.compute as pc

    known = pc.coalesce(rows["recorded_date"], rows["issue_date"])
    return {"core/medication_issue": rows.set_column(rows.column_names.index("recorded_date"), "recorded_date", known)}


EXTRACT = ExtractSpec(contract="inbound/medication_issue", becomes=("core/medication_issue",), to_core=to_core)
