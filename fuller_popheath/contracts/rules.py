"""Rules compiled to the engine: which rows of a typed table break which rule.

What does not belong here: reading cells, and what becomes of a broken row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts.cells import LARGEST_WHOLE_NUMBER, NOT_OF_TYPE
from fuller_popheath.contracts.custom_rules import KINDS, POSITION
from fuller_popheath.contracts.model import Column, Contract, Reference, Rule
from fuller_popheath.contracts.number_rules import NUMBER_KINDS, broken_positions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.engine import Engine

TOGETHER = ("primary_key", "unique")
"""The standard rules that look at several rows; `reference` looks at another table."""


@dataclass(frozen=True)
class Breaks:
    """Which row broke which rule, long: one entry a row and rule, ordered by row and then by the rules' order in the contract."""

    positions: np.ndarray
    rules: np.ndarray

    def counts(self, contract: Contract) -> dict[str, int]:
        """How many rows broke each rule that was broken, in the contract's order."""
        import numpy as np

        rows = np.bincount(self.rules, minlength=len(contract.rules))
        return {rule.id: int(n) for rule, n in zip(contract.rules, rows, strict=True) if n}


def find_breaks(typed: pa.Table, contract: Contract, references: Mapping[str, pa.Table], engine: Engine, proven: tuple[str, ...] = ()) -> Breaks:
    """Every (row, rule) that is broken in a typed table: `_position`, the contract's columns, and marks `_not_of_type_<column>` where it has them.

    Rules of one row and references are judged for every row. Rules of rows together are judged among the rows that broke none so far, the key
    first: a row that is refused anyway is no rival of a good one. A reference to a table that is not in `references` is not judged.
    `proven`: kinds of rules of rows together that the caller has shown to hold for the whole table, and so for any of its rows.
    """
    import numpy as np

    table = engine.table("typed", typed)
    try:
        positions, rules = _row_breaks(table, contract, engine)
        for number, rule in enumerate(contract.rules):
            if rule.kind in NUMBER_KINDS:
                # Judged where the values are in order by themselves, as every rule between values.
                names = (rule.arguments["column"], rule.arguments["system"] if rule.kind == "long_number_is_snomed" else None)
                own = [n for n, other in enumerate(contract.rules) if other.column is not None and other.column in names]
                found = np.setdiff1d(broken_positions(typed, rule), positions[np.isin(rules, own)])
                positions, rules = np.concatenate([positions, found]), np.concatenate([rules, np.full(len(found), number)])
            if rule.kind == "reference":
                found = _reference_breaks(table, rule, references, engine)
                positions, rules = np.concatenate([positions, found]), np.concatenate([rules, np.full(len(found), number)])
        # The key comes first: a later copy of a row shares every unique value with it, and is told about once.
        rules_left = [(n, r) for n, r in enumerate(contract.rules) if r.kind not in proven]
        together = [(n, r) for n, r in rules_left if r.kind in TOGETHER or (r.kind in KINDS and KINDS[r.kind].together)]
        for number, rule in sorted(together, key=lambda item: item[1].kind != "primary_key"):
            found = _together_breaks(table, positions, rule, contract, engine)
            positions, rules = np.concatenate([positions, found]), np.concatenate([rules, np.full(len(found), number)])
    finally:
        engine.forget("typed")
    order = np.lexsort((rules, positions))
    return Breaks(positions[order], rules[order])


def _row_breaks(table: Any, contract: Contract, engine: Engine) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np
    import pyarrow.compute as pc

    key = (contract, "rows", tuple(table.columns))
    found = engine.collect_again(key, lambda: _rows_with_broken_rules(table, contract), f"checking the rows of {contract.id}").combine_chunks()
    if not found.num_rows:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    lists = found["broken"].chunk(0)
    return found[POSITION].to_numpy()[pc.list_parent_indices(lists).to_numpy()], pc.list_flatten(lists).to_numpy().astype(np.int64)


def _rows_with_broken_rules(table: Any, contract: Contract) -> Any:
    """The rows that break a rule of one row: `_position`, and in `broken` the numbers of those rules in the contract."""
    import ibis

    broken: dict[int, Any] = {}
    sound: dict[str, Any] = {}
    for column in contract.columns:
        not_of_type = _not_of_type(table, column)
        value = _value(table, column, not_of_type)
        own = {n: _broken(rule, value, not_of_type) for n, rule in enumerate(contract.rules) if rule.column == column.name}
        own = {n: condition.fill_null(False) for n, condition in own.items() if condition is not None}
        # A rule between values is judged where each of them is in order by itself, so that one fault is told once.
        sound[column.name] = ibis.ifelse(reduce(or_, own.values()), None, value) if own else value
        broken |= own
    for number, rule in enumerate(contract.rules):
        computed = KINDS[rule.kind].row if rule.kind in KINDS else None
        if computed:
            broken[number] = computed(sound, rule.arguments).fill_null(False)
    numbers = [ibis.ifelse(broken[number], number, None).cast("int16") for number in sorted(broken)]
    listed = ibis.array(numbers).filter(lambda number: number.notnull())
    return table.filter(reduce(or_, broken.values(), ibis.literal(False))).select(POSITION, broken=listed)


def _not_of_type(table: Any, column: Column) -> Any:
    """Where a cell is not of the column's type; None where every cell must be, by the Arrow type of the column."""
    if NOT_OF_TYPE + column.name in table.columns:
        return table[NOT_OF_TYPE + column.name]
    if column.logical_type == "number":
        return (table[column.name].isnan() | table[column.name].isinf()).fill_null(False)
    if column.logical_type == "integer":
        return ~table[column.name].between(-LARGEST_WHOLE_NUMBER, LARGEST_WHOLE_NUMBER).fill_null(True)
    return None


def _value(table: Any, column: Column, not_of_type: Any) -> Any:
    """The value that the other rules see: null where it is not of the type, so that one fault is told once."""
    import ibis

    if not_of_type is None or NOT_OF_TYPE + column.name in table.columns:
        return table[column.name]
    return ibis.ifelse(not_of_type, None, table[column.name])


def _broken(rule: Rule, value: Any, not_of_type: Any) -> Any:
    """The condition under which a cell breaks a standard rule of its column; None for a rule of another sort, or one that cannot be broken."""
    if rule.kind == "type":
        return not_of_type
    if rule.kind == "required":
        return value.isnull() if not_of_type is None else value.isnull() & ~not_of_type
    if rule.kind == "pattern":
        # Within the anchors, so that ^a|b$ means what it says on the page and not (^a)|(b$).
        return ~value.re_search(f"^(?:{str(rule.arguments['pattern'])[1:-1]})$")
    if rule.kind == "allowed":
        return ~value.isin(list(rule.arguments["values"]))
    if rule.kind == "range":
        return _outside(value, rule.arguments["minimum"], rule.arguments["maximum"])
    return None


def _outside(value: Any, minimum: Any, maximum: Any) -> Any:
    import ibis

    def bound(given: Any) -> Any:
        return ibis.date(given) if isinstance(given, str) else given

    sides = ([value < bound(minimum)] if minimum is not None else []) + ([value > bound(maximum)] if maximum is not None else [])
    return reduce(or_, sides)


def _reference_breaks(table: Any, rule: Rule, references: Mapping[str, pa.Table], engine: Engine) -> np.ndarray:
    import numpy as np

    to = rule.arguments["reference"]
    assert isinstance(to, Reference)
    if to.contract_id not in references or rule.column is None:
        return np.zeros(0, np.int64)
    known = engine.table("known", references[to.contract_id].select([to.column]))
    value = table[rule.column]
    judged = table.filter(value.notnull() & ~value.isin(list(to.except_values))) if to.except_values else table.filter(value.notnull())
    found = engine.collect(judged.anti_join(known, [(rule.column, to.column)]).select(POSITION), f"checking the rule {rule.id}")
    engine.forget("known")
    return found[POSITION].to_numpy()


def _together_breaks(table: Any, broken: np.ndarray, rule: Rule, contract: Contract, engine: Engine) -> np.ndarray:
    """The positions of the rows that a rule of rows together refuses, among the rows that are not `broken` yet."""
    import numpy as np
    import pyarrow as pa

    key = (contract, rule.id, tuple(table.columns), len(broken) > 0)
    if len(broken):
        table = table.anti_join(engine.table("refused", pa.table({POSITION: np.unique(broken)})), POSITION)

    def positions(step: str, build: Callable[[], Any]) -> np.ndarray:
        return engine.collect_again((*key, step), build, f"checking the rule {rule.id} of {contract.id}").column(0).to_numpy()

    try:
        if rule.kind not in TOGETHER:
            computed = KINDS[rule.kind].together
            assert computed is not None
            return positions("all", lambda: computed(table, rule.arguments))
        by = list(rule.arguments["by"])
        # The usual answer is none, and this is all it costs.
        if not positions("several", lambda: _keys_with_several_rows(table, by)[1].limit(1).select(_rows="_rows")).size:
            return np.zeros(0, np.int64)
        if rule.kind == "unique":
            return positions("all", lambda: _shared(table, by))
        return positions("all", lambda: _repeated(table, by, contract))
    finally:
        if len(broken):
            engine.forget("refused")


def _keys_with_several_rows(table: Any, by: list[str]) -> tuple[Any, Any]:
    """The rows whose key is complete, and the keys that several of them have."""
    filled = table.filter(reduce(and_, (table[name].notnull() for name in by)))
    grouped = filled.group_by(by).agg(_rows=filled.count())
    return filled, grouped.filter(grouped._rows > 1)


def _shared(table: Any, by: list[str]) -> Any:
    """The positions of every row whose value another row has too."""
    filled, several = _keys_with_several_rows(table, by)
    return filled.semi_join(several, by).select(POSITION)


def _repeated(table: Any, by: list[str], contract: Contract) -> Any:
    """The positions of the rows to refuse for their key: later copies of a row, and every one of rows that differ under one key."""
    filled, several = _keys_with_several_rows(table, by)
    rivals = filled.semi_join(several, by)
    versions = rivals.group_by(list(contract.column_names)).agg(_first=rivals[POSITION].min())
    per_key = versions.group_by(by).agg(_versions=versions.count(), _first=versions._first.min())
    beside = rivals.join(per_key, by)
    return beside.filter((beside._versions > 1) | (beside[POSITION] != beside._first)).select(POSITION)
