"""What a step that makes several tables at a time shares: how each is declared, and how each is held against its contract, stored and told.

What does not belong here: the name of any table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken
from pipelines import describe
from pipelines.steps import CHECK, common, judged, kept
from pipelines.stores import Proven, content_hash, prove

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.tonight import Tonight

Told = Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]


def spec_of(contract_id: str, group: str, needed: tuple[str, ...], kinds: set[str]) -> dg.AssetSpec:
    """One table of a step, declared from its contract."""
    contract = load_contract(contract_id)
    kept = {name: value for name, value in common(contract, group, kinds).items() if name != "required_resource_keys"}
    return dg.AssetSpec(**kept, deps=[describe.key_of(name) for name in needed], metadata=describe.definition_metadata(contract))


def given(tonight: Tonight, table: pa.Table, contract_id: str, shown: dict[str, Any] | None = None) -> Told:
    """Hold a table against its contract, write it, and tell both. Raises ContractBroken after the verdict, before anything is written."""
    contract, key = load_contract(contract_id), describe.key_of(contract_id)
    proven = yield from judged(table, contract, None, key)
    tonight.store.write(proven, tonight.as_of, tonight.landing)
    numbers = {"dagster/row_count": table.num_rows, "as of": tonight.as_of.isoformat()}
    yield dg.MaterializeResult(asset_key=key, metadata=numbers | (shown or {}), data_version=dg.DataVersion(content_hash(proven.table)))


def given_together(tonight: Tonight, tables: Mapping[str, pa.Table], shown: Mapping[str, dict[str, Any]]) -> Told:
    """As `given`, of tables that mean something together only: none is written before all of them are proven."""
    proven = {}
    for name, table in tables.items():
        proven[name] = yield from judged(table, load_contract(name), None, describe.key_of(name))
    for each in proven.values():
        tonight.store.write(each, tonight.as_of, tonight.landing)
    for name, each in proven.items():
        numbers = {"dagster/row_count": each.table.num_rows, "as of": tonight.as_of.isoformat()}
        yield dg.MaterializeResult(
            asset_key=describe.key_of(name), metadata=numbers | shown.get(name, {}), data_version=dg.DataVersion(content_hash(each.table))
        )


def given_in_parts(tonight: Tonight, parts: Iterable[pa.Table], contract_id: str, shown: dict[str, Any] | None = None) -> Told:
    """As `given`, of a table that comes in parts because it is large: each is held against the contract and written before the next.

    No key may stand in two parts, which nobody looks at here.
    """
    contract, key = load_contract(contract_id), describe.key_of(contract_id)
    hashes: list[str] = []
    rows = 0

    def proven() -> Iterator[Proven]:
        nonlocal rows
        for part in parts:
            each = prove(part, contract)
            hashes.append(content_hash(each.table))
            rows += each.table.num_rows
            yield each

    try:
        tonight.store.write_in_parts(proven(), contract, tonight.as_of, tonight.landing)
    except ContractBroken as broken:
        yield dg.AssetCheckResult(asset_key=key, check_name=CHECK, passed=False, description=str(broken), metadata={"error": type(broken).__name__})
        raise
    yield dg.AssetCheckResult(asset_key=key, check_name=CHECK, passed=True, description=kept(len(contract.rules), rows, []), metadata={"rows": rows})
    numbers: dict[str, Any] = {"dagster/row_count": rows, "as of": tonight.as_of.isoformat()}
    version = hashlib.sha256("".join(hashes).encode()).hexdigest()
    yield dg.MaterializeResult(asset_key=key, metadata=numbers | (shown or {}), data_version=dg.DataVersion(version))
