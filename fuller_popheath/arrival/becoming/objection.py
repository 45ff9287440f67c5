"""Objections become core/objection, row for row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """As they came: which of a person's objections holds is settled later, over all senders."""
    return {"core/objection": rows}


EXTRACT = ExtractSpec(contract="inbound/objection", becomes=("core/objection",), to_core=to_core)
