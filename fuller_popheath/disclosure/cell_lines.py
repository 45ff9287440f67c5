"""How the counts of a long table hang together: which cells add up to which, so that what one tells of another can be known.

A cell is one count of one row. A line is a total and the cells that make it up; where they do not make it up (people without a quintile, the part of
everybody who is not in a group) the rest is a cell that is never published, and that can give people away as much as a published one.
What does not belong here: hiding anything.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

Value = tuple[Hashable, ...]


@dataclass(frozen=True)
class Line:
    """One way in which rows add up: rows that agree on every other key column, and differ in `columns`.

    `parent_of`: the values of a total by those of its parts; empty where `total` is the total of every other value. `is_overlapping`: the parts
    overlap and do not add up, so that each is held against the total by itself. Made by `adds_up`, `hierarchy` and `overlapping`.
    """

    columns: tuple[str, ...]
    total: Value = ()
    parent_of: Mapping[Value, Value] = field(default_factory=dict)
    is_overlapping: bool = False


@dataclass(frozen=True)
class Same:
    """Rows that say the same thing twice: rows with `where` that differ in `column` alone (all quintiles of one IMD edition, and of another)."""

    column: str
    where: Mapping[str, Hashable]


def adds_up(column: str, total: Hashable = "all") -> Line:
    """The row with `total` in `column` is the sum of the rows with anything else in it (quintiles 1 to 5 and all)."""
    return Line((column,), (total,))


def hierarchy(columns: Sequence[str], parent_of: Mapping[Value, Value]) -> Line:
    """Rows add up to that of their parent: {("pcn", "U00001"): ("place", "00Q"), ("place", "00Q"): ("icb", "QE1")} over (area_type, area_code)."""
    return Line(tuple(columns), (), dict(parent_of))


def overlapping(column: str, total: Hashable = "all") -> Line:
    """The rows of `column` are groups that overlap (PLUS groups), each a part of the row with `total`."""
    return Line((column,), (total,), {}, is_overlapping=True)


@dataclass(frozen=True)
class Cells:
    """Every count once, and the lines they stand in.

    `count`: people in each cell; the first `published_count` cells are published. `cell_of`: the cell of each row and count column, -1 for none.
    `total`: the total of each line. `line` and `part`: one entry for each part of a line, by line. `is_rest`: cells that are what numerators leave of
    their denominators (told of even if nobody is in them). `numerator`: those cells, with the cell of the denominator of each in `whole`.
    """

    count: Numbers
    published_count: int
    cell_of: Numbers
    total: Numbers
    line: Numbers
    part: Numbers
    is_rest: NDArray[np.bool_]
    numerator: Numbers
    whole: Numbers


def cells_of(
    table: pd.DataFrame, key: Sequence[str], counts: Sequence[str], lines: Sequence[Line], same: Sequence[Same], parts: Mapping[str, str]
) -> Cells:
    """Cells and lines of a long table, one row a key. Raises ContractBroken where rows are there twice, or parts exceed their total."""
    cell_of, count = _cells(table, key, counts, same)
    published = len(count)
    totals, children = _lines(table, key, cell_of, lines)
    pairs = [np.unique(cell_of[:, [counts.index(n), counts.index(d)]], axis=0) for n, d in parts.items()]
    pair = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    pair = pair[(pair >= 0).all(axis=1)]
    total, line, part = _numbered(totals, children)
    summed = np.bincount(line, weights=count[part], minlength=len(total)).astype(np.int64)
    left, over = count[total] - summed, count[pair[:, 1]] - count[pair[:, 0]]
    if wrong := int((left < 0).sum() + (over < 0).sum()):
        raise ContractBroken(f"{wrong} totals are smaller than the sum of their parts: every row must count the same people, on the same day")
    open_lines = np.flatnonzero(left > 0)
    rest = np.concatenate([left[open_lines], over])
    numbers = published + np.arange(len(rest))
    return Cells(
        count=np.concatenate([count, rest]),
        published_count=published,
        cell_of=cell_of,
        total=np.concatenate([total, pair[:, 1]]),
        line=np.concatenate([line, len(total) + np.arange(len(pair)), open_lines, len(total) + np.arange(len(pair))]),
        part=np.concatenate([part, pair[:, 0], numbers]),
        is_rest=np.concatenate([np.zeros(published + len(open_lines), bool), np.ones(len(pair), bool)]),
        numerator=pair[:, 0],
        whole=pair[:, 1],
    )


def _cells(table: pd.DataFrame, key: Sequence[str], counts: Sequence[str], same: Sequence[Same]) -> tuple[Numbers, Numbers]:
    """The cell of each row and count column, and the count of each cell."""
    import pandas as pd

    if table.duplicated(list(key)).any():
        raise ContractBroken(f"{int(table.duplicated(list(key)).sum())} rows have the key of another row in {', '.join(key)}: give each once")
    named = {column: table[column].astype(object) for column in key}
    for twin in same:
        where = np.logical_and.reduce([(table[column] == value).to_numpy() for column, value in twin.where.items()])
        named[twin.column] = named[twin.column].mask(where, "(any)")
    row_cell = pd.DataFrame(named).groupby(list(key), sort=False, dropna=False).ngroup().to_numpy(np.int64)
    values = table[list(counts)].to_numpy(dtype=np.float64, na_value=np.nan)
    if (bad := values[~np.isnan(values)]).size and ((bad < 0) | (bad != np.rint(bad))).any():
        raise ContractBroken(f"{', '.join(counts)}: counts must be whole numbers from 0 on")
    numbers = row_cell[:, None] * len(counts) + np.arange(len(counts))
    numbers[np.isnan(values)] = -1
    used, where_in_used = np.unique(numbers[numbers >= 0], return_inverse=True)
    cell_of = np.full(numbers.shape, -1, np.int64)
    cell_of[numbers >= 0] = where_in_used
    count = np.zeros(len(used), np.int64)
    count[where_in_used] = values[numbers >= 0].astype(np.int64)
    if (count[where_in_used] != values[numbers >= 0]).any():
        raise ContractBroken("rows that are said to be the same count differ: check what was given as same")
    return cell_of, count


def _lines(table: pd.DataFrame, key: Sequence[str], cell_of: Numbers, lines: Sequence[Line]) -> tuple[list[Numbers], list[Numbers]]:
    """For every declared line and count column: pairs of a total's cell and a part's cell, with a number of the line instance before each."""
    totals: list[Numbers] = []
    children: list[Numbers] = []
    start = 0
    for line in lines:
        row, parent_row = _parents(table, key, line)
        for column in range(cell_of.shape[1]):
            child, parent = cell_of[row, column], cell_of[parent_row, column]
            is_there = (child >= 0) & (parent >= 0)
            instance = row[is_there] if line.is_overlapping else parent_row[is_there]
            _, instance = np.unique(instance, return_inverse=True)
            totals.append(np.stack([start + instance, parent[is_there]]))
            children.append(child[is_there])
            start += int(instance.max()) + 1 if len(instance) else 0
    return totals, children


def _parents(table: pd.DataFrame, key: Sequence[str], line: Line) -> tuple[Numbers, Numbers]:
    """Rows that are parts, and the row of the total of each, by position."""
    import pandas as pd

    columns, others = list(line.columns), [column for column in key if column not in line.columns]
    if unknown := [column for column in columns if column not in key]:
        raise ContractBroken(f"{', '.join(unknown)} is in a line but not in the key")
    values: list[Value] = [tuple(value) for value in table[columns].astype(object).itertuples(index=False, name=None)]
    places = {value: number for number, value in enumerate(dict.fromkeys(values))}
    own = np.fromiter((places[value] for value in values), np.int64, len(values))
    parent_place = np.array([places.get(_parent(line, value) or (), -1) for value in places], np.int64)
    rest = table.groupby(others, sort=False, dropna=False).ngroup().to_numpy(np.int64) if others else np.zeros(len(table), np.int64)
    here = pd.Series(np.arange(len(table)), index=rest * len(places) + own)
    child = np.flatnonzero(parent_place[own] >= 0)
    found: Any = here.reindex(rest[child] * len(places) + parent_place[own[child]]).to_numpy(np.float64, na_value=np.nan)
    return child[~np.isnan(found)], found[~np.isnan(found)].astype(np.int64)


def _parent(line: Line, value: Value) -> Value | None:
    if line.parent_of or not line.total:
        return line.parent_of.get(value)
    return None if value == line.total else line.total


def _numbered(totals: list[Numbers], children: list[Numbers]) -> tuple[Numbers, Numbers, Numbers]:
    """Lines without those that say the same twice: the total of each, and by part the line and the part."""
    if not children or not sum(len(child) for child in children):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    (line, parent), part = np.concatenate(totals, axis=1), np.concatenate(children)
    order = np.lexsort((part, line))
    line, parent, part = line[order], parent[order], part[order]
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    seen: set[tuple[int, bytes]] = set()
    kept = np.zeros(len(starts), bool)
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(line)], strict=True)):
        sign = (int(parent[start]), part[start:end].tobytes())
        kept[number] = sign not in seen
        seen.add(sign)
    of_entry = np.repeat(np.arange(len(starts)), np.diff([*starts, len(line)]))
    is_kept = kept[of_entry]
    return parent[starts][kept], (np.cumsum(kept) - 1)[of_entry[is_kept]], part[is_kept]
