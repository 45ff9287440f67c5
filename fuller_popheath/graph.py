"""The story of a night without an orchestrator: make the tables that are wanted, in the order in which they depend on each other.

The command line and the notebooks use this; the pipelines run the same declarations as assets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from fuller_popheath import contracts
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.registry import sources, tables
from fuller_popheath.specs import ContractId, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa


def order(specs: Mapping[ContractId, TableSpec], wanted: Iterable[ContractId]) -> tuple[ContractId, ...]:
    """The ids of the declared tables needed for `wanted`, each after what it is made from. Raises SettingsWrong for an unknown table or a circle."""
    needed: dict[ContractId, set[ContractId]] = {}
    waiting = list(wanted)
    while waiting:
        contract = waiting.pop()
        if contract in needed:
            continue
        if contract not in specs:
            raise SettingsWrong(f"no file declares the table {contract}")
        needed[contract] = {i for i in specs[contract].inputs if i in specs}
        waiting.extend(needed[contract])
    try:
        return tuple(TopologicalSorter(needed).static_order())
    except CycleError as circle:
        raise SettingsWrong(f"tables are made from each other in a circle: {' -> '.join(circle.args[1])}") from None


def build(
    wanted: Iterable[ContractId],
    arrived: Mapping[ContractId, pa.Table],
    night: Night,
    on_table: Callable[[ContractId, int], None] | None = None,
) -> dict[ContractId, pa.Table]:
    """Make `wanted` and everything it rests on from the tables that arrived; every table is checked against its contract.

    `arrived` holds accepted rows by contract id. A published or inbound table that did not arrive stands there with no rows.
    `on_table` hears each table's id and row count as it is made. Returns what arrived and what was made, by contract id.
    Raises InputMissing where something required did not arrive, ContractBroken where a table breaks its contract.
    """
    specs = tables()
    made = dict(arrived)
    for contract in order(specs, wanted):
        if contract in made:
            continue
        spec = specs[contract]
        for needed in spec.inputs:
            if needed in sources() and sources()[needed].required and not (needed in made and made[needed].num_rows):
                raise InputMissing(f"{contract} needs {needed}, of which no row has arrived: expected {sources()[needed].expects}")
            if needed not in made:
                made[needed] = contracts.empty_table(contracts.load_contract(needed))
        built = spec.build({needed: made[needed] for needed in spec.inputs}, night)
        made[contract] = contracts.refuse_if_broken(built, contracts.load_contract(contract), made)
        if on_table:
            on_table(contract, made[contract].num_rows)
    return made
