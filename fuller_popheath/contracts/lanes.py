"""What may stand in a product that leaves for anything but direct care: nothing about one person, whatever its contract calls the column.

What does not belong here: small counts (`disclosure`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from fuller_popheath.contracts.by_value import is_nhs_number
from fuller_popheath.contracts.loading import contract_ids, load_contract
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts.model import Contract

WITHOUT_PEOPLE = ("open", "secondary_use")
PSEUDONYM = "person_id"


def refuse_people(table: pa.Table, contract: Contract) -> None:
    """Raises ContractBroken where a product for open or secondary use has a column that says who somebody is, or a value that is an NHS number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not contract.id.startswith("products/") or contract.purpose not in WITHOUT_PEOPLE:
        return
    if found := sorted({PSEUDONYM, *_identifying()} & set(table.column_names)):
        raise ContractBroken(
            f"{contract.id}: {', '.join(found)} tells of single people ({table.num_rows:,} rows), and the product is for "
            f"{contract.purpose.replace('_', ' ')}: leave the column out, or make it a product for direct care"
        )
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_integer(column.type):
            texts = pc.unique(column).cast(pa.string())
            if hits := int(is_nhs_number(texts).sum()):
                raise ContractBroken(f"{contract.id}: {hits:,} different values of {name} are NHS numbers; nothing is written: leave them out")


@cache
def _identifying() -> frozenset[str]:
    """The names of columns that identify people in anything that arrives."""
    inbound = (load_contract(name) for name in contract_ids("inbound"))
    return frozenset(column.name for contract in inbound for column in contract.columns if column.classification == "identifier")
