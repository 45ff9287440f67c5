"""What may stand in a product that leaves for anything but direct care: nothing about one person, whatever its contract calls the column; and what it
may be made from: nothing that holds people's identities for direct care, by however many steps.

What does not belong here: small counts (`disclosure`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from fuller_popheath.contracts.by_value import is_nhs_number
from fuller_popheath.contracts.loading import contract_ids, load_contract
from fuller_popheath.errors import ContractBroken, SettingsWrong

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts.model import Contract

WITHOUT_PEOPLE = ("open", "secondary_use")
DIRECT_CARE = "direct_care"
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


def refuse_mixed_lanes(made_from: Mapping[str, Iterable[str]], purposes: Mapping[str, str]) -> None:
    """Raises SettingsWrong where something for open or secondary use rests, by however many steps, on something for direct care that holds people.

    `made_from`: of every asset what it is made from; `purposes`: of every asset that has one. What is for direct care and has no contract is files
    for people to read, and holds people.
    """
    holding = {asset for asset, purpose in purposes.items() if purpose == DIRECT_CARE and _holds_people(asset)}
    for asset in sorted(name for name, purpose in purposes.items() if purpose in WITHOUT_PEOPLE):
        if way := _way(asset, holding, made_from):
            raise SettingsWrong(
                f"{asset} is for {purposes[asset].replace('_', ' ')}, and is made from {way[-1]}, which holds people for direct care"
                f"{': ' + ' <- '.join(way) if len(way) > 2 else ''}; take what it needs from a core table, or give it the purpose {DIRECT_CARE}"
            )


def _way(asset: str, wanted: set[str], made_from: Mapping[str, Iterable[str]]) -> list[str]:
    """The shortest way from an asset back to one that is wanted; empty where there is none."""
    ways, seen = [[asset]], {asset}
    for way in ways:
        for before in sorted(made_from.get(way[-1], ())):
            if before in wanted:
                return [*way, before]
            if before not in seen:
                seen.add(before)
                ways.append([*way, before])
    return []


def _holds_people(asset: str) -> bool:
    if asset not in contract_ids(asset.partition("/")[0]):
        return True
    return bool({PSEUDONYM, *_identifying()} & set(load_contract(asset).column_names))


@cache
def _identifying() -> frozenset[str]:
    """The names of columns that identify people in anything that arrives."""
    inbound = (load_contract(name) for name in contract_ids("inbound"))
    return frozenset(column.name for contract in inbound for column in contract.columns if column.classification == "identifier")
