"""Registrations become core/registration, row for row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """A registration without a type is a regular one, and nobody is sensitive unless the practice says so."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = rows["registration_type"].cast(pa.string())
    made = rows.set_column(rows.column_names.index("registration_type"), "registration_type", pc.fill_null(kind, "regular"))
    return {"core/registration": made.set_column(made.column_names.index("is_sensitive"), "is_sensitive", pc.fill_null(rows["is_sensitive"], False))}


EXTRACT = ExtractSpec(contract="inbound/practice_list", becomes=("core/registration",), to_core=to_core)
