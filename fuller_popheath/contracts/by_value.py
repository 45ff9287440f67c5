"""The same check as `check`, for large files: each distinct value of a column is judged once, and only rows that may be broken go the long way.

The quick look may doubt a good row, never pass a bad one: what it doubts is judged by `check`, together with every row that could be its rival.
What does not belong here: a second opinion on what a rule means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts.cells import DATE_TEXT, INTEGER_TEXT, is_text, typed_or_text
from fuller_popheath.contracts.checking import ROW, check, refuse_unfit_columns
from fuller_popheath.contracts.model import Column, Contract, Rule
from fuller_popheath.contracts.number_rules import NUMBER_KINDS, OF_SNOMED, judged

if TYPE_CHECKING:
    import pyarrow as pa

BLANKS = " \t\n\r\v\f"
PLAIN_NUMBER = r"^-?[0-9]{1,15}([.][0-9]{1,15})?$"
FEW_VALUES = 0.5
SAMPLE = 2_000
JUDGED_HERE = (
    *("type", "required", "pattern", "allowed", "range", "primary_key", "unique", "in_order", "nhs_number", "one_given", "no_identifier"),
    *NUMBER_KINDS,
)
"""Kinds of rules that the quick look knows, and `no_overlap`; a table with any other goes the long way as a whole."""


@dataclass(frozen=True)
class CheckedByValue:
    """What `Checked` says, and `positions`: which rows of the table as read were accepted, in order. Text may be dictionary-encoded.

    `blanked_at`: which rows of it `blanked` holds.
    """

    accepted: pa.Table
    positions: np.ndarray
    quarantined: pa.Table
    rows_read: int
    counts: Mapping[str, int]
    blanked: pa.Table
    blanked_at: np.ndarray
    cells_blanked: Mapping[str, int]


@dataclass
class _Values:
    """A column: its distinct (or all) values typed, where each row's stands (-1: null; None: they are the rows' own), which are certainly sound."""

    column: Column
    values: pa.Array
    at: np.ndarray | None
    is_sound: np.ndarray = field(repr=False)

    def rows(self, per_value: np.ndarray, of_null: bool) -> np.ndarray:
        """What is said of each value, said of each row."""
        if self.at is not None:
            return np.append(per_value, of_null)[self.at]
        return np.where(_nulls(self.values), of_null, per_value) if self.values.null_count else per_value

    @property
    def sound_rows(self) -> np.ndarray:
        """Which rows break no rule of the column; what could not be read as its type is null by now, and is none of them."""
        if self.at is not None:
            return self.rows(self.is_sound, not self.column.required)
        return self.is_sound & ~_nulls(self.values) if self.column.required else self.is_sound

    @property
    def codes(self) -> np.ndarray:
        """A number a row, the same for the same value; -1 for null."""
        if self.at is not None:
            return self.at
        return _codes(self.values.dictionary_encode().indices)

    @property
    def array(self) -> pa.Array:
        """The rows' values, dictionary-encoded where they were read so and are text."""
        import pyarrow as pa

        if self.at is None:
            return self.values
        # The last value is null where it stands for what is doubted; a dictionary may hold none.
        told = len(self.values) - self.values.null_count
        indices = pa.array(self.at, mask=(self.at < 0) | (self.at >= told))
        if self.column.logical_type == "string":
            return pa.DictionaryArray.from_arrays(indices, self.values.slice(0, told))
        return self.values.take(indices)


def check_by_value(raw: pa.Table, contract: Contract, references: Mapping[str, pa.Table] | None = None, file: str = "") -> CheckedByValue:
    """As `check`, row for row and count for count; quicker where values recur or are sound. Raises as `check` does."""
    refuse_unfit_columns(raw, contract, file or f"the table for {contract.id}")
    known = {"no_overlap", *JUDGED_HERE}
    long_way = any(rule.kind not in known and not (rule.kind == "reference" and not references) for rule in contract.rules)
    if long_way or any(column.logical_type == "binary" for column in contract.columns):
        return _joined(raw, contract, None, np.ones(raw.num_rows, bool), references, file)
    columns = {column.name: _read(raw, column) for column in contract.columns}
    doubted = ~_sound(columns, contract.rules, raw.num_rows)
    for rule in contract.rules:
        doubted |= _rivals(columns, rule, raw.num_rows)
    return _joined(raw, contract, columns, doubted, references, file)


def _nulls(values: pa.Array) -> np.ndarray:
    return values.is_null().to_numpy(zero_copy_only=False)


def _decoded(raw: pa.Table) -> pa.Table:
    import pyarrow as pa

    columns = {name: raw[name].cast(pa.string()) if pa.types.is_dictionary(raw[name].type) else raw[name] for name in raw.column_names}
    return pa.table(columns)


def _codes(indices: pa.Array) -> np.ndarray:
    filled = indices.fill_null(-1) if indices.null_count else indices
    return filled.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _read(raw: pa.Table, column: Column) -> _Values:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.name not in raw.column_names:
        return _Values(column, pa.nulls(0, column.arrow_type), np.full(raw.num_rows, -1, np.int32), np.ones(0, bool))
    cells = raw[column.name]
    if not is_text(cells.type):
        cells = typed_or_text(cells, column)
    if not is_text(cells.type):
        values = _whole(cells)
        return _Values(column, values, None, _in_range(values, column))
    if not pa.types.is_dictionary(cells.type):
        sample = cells.slice(0, SAMPLE)
        whole = _whole(cells.cast(pa.string()))
        if len(pc.unique(sample)) > FEW_VALUES * len(sample):
            values, is_sound = _typed(whole, column)
            return _Values(column, values, None, is_sound)
        coded = whole.dictionary_encode()
    else:
        coded = _whole(cells)
    at = _codes(coded.indices)
    values, is_sound = _typed(coded.dictionary.cast(pa.string()), column)
    return _once(column, values, at, is_sound)


def _once(column: Column, values: pa.Array, at: np.ndarray, is_sound: np.ndarray) -> _Values:
    """Values that trimming made equal told once, and blank ones as null; those that are not of their type stand together in one doubted place."""
    import pyarrow as pa

    again = values.dictionary_encode()
    if len(again.dictionary) == len(values) and not values.null_count:
        return _Values(column, values, at, is_sound)
    last = len(again.dictionary)
    moved = _codes(again.indices).copy()
    moved[(moved < 0) & ~is_sound] = last
    doubted = np.zeros(last + 1, bool)
    doubted[last] = True
    doubted[moved[~is_sound]] = True
    padded = pa.concat_arrays([again.dictionary, pa.nulls(1, again.dictionary.type)])
    return _Values(column, padded, np.append(moved, np.int32(-1))[at], ~doubted)


def _typed(text: pa.Array, column: Column) -> tuple[pa.Array, np.ndarray]:
    """Values of the column's type, and which are certainly sound; blank is null and sound, what is doubted may be null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.ascii_trim(text, BLANKS)
    blank = pc.equal(text, "")
    if pc.any(blank).as_py():
        text = pc.if_else(blank, pa.scalar(None, pa.string()), text)
    kind = column.logical_type
    if kind == "string":
        fits = pa.array(np.ones(len(text), bool))
        if column.pattern:
            fits = pc.match_substring_regex(text, f"^(?:{column.pattern[1:-1]})$")
        if column.allowed:
            fits = pc.and_(fits, pc.is_in(text, value_set=pa.array(column.allowed, pa.string())))
        return text, _true(fits, text)
    shape = {"date": DATE_TEXT, "number": PLAIN_NUMBER, "integer": INTEGER_TEXT, "boolean": "^(true|false)$"}[kind]
    if kind == "boolean":
        text = pc.ascii_lower(text)
    fits = pc.match_substring_regex(text, shape)
    kept = pc.if_else(fits, text, pa.scalar(None, pa.string())) if pc.any(pc.invert(fits)).as_py() else text
    values = _days(kept) if kind == "date" else kept.cast(column.arrow_type)
    if column.allowed and kind == "integer":
        fits = pc.and_(fits, pc.is_in(values, value_set=pa.array(column.allowed, pa.int64())))
    return values, _true(fits, text) & (~_nulls(values) | _nulls(text)) & _in_range(values, column)


def _true(fits: pa.Array, text: pa.Array) -> np.ndarray:
    fits = fits.fill_null(True) if fits.null_count else fits
    return fits.to_numpy(zero_copy_only=False) | _nulls(text)


def _days(text: pa.Array) -> pa.Array:
    import pyarrow as pa

    try:
        return text.cast(pa.date32())
    except pa.ArrowInvalid:  # one of them is no day of the calendar: its text is in the error, which goes no further
        from datetime import date

        def day(value: str | None) -> date | None:
            try:
                return date.fromisoformat(value) if value else None
            except ValueError:
                return None

        return pa.array([day(value) for value in text.to_pylist()], pa.date32())


def _in_range(values: pa.Array, column: Column) -> np.ndarray:
    """Which of some typed values lie between the column's bounds, are finite and are allowed; null does."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fits = np.ones(len(values), bool)
    if column.logical_type == "number":
        fits &= pc.is_finite(values).fill_null(True).to_numpy(zero_copy_only=False)
    if column.logical_type == "integer":
        fits &= pc.abs(values).fill_null(0).to_numpy() < 10**15
    for bound, compare in ((column.minimum, pc.greater_equal), (column.maximum, pc.less_equal)):
        if bound is not None:
            limit = pa.scalar(str(bound), pa.string()).cast(pa.date32()) if column.logical_type == "date" else pa.scalar(bound, column.arrow_type)
            fits &= compare(values, limit).fill_null(True).to_numpy(zero_copy_only=False)
    return fits


def _sound(columns: Mapping[str, _Values], rules: Iterable[Rule], rows: int) -> np.ndarray:
    """Which rows certainly break no rule of one row."""
    sound = np.ones(rows, bool)
    for read in columns.values():
        sound &= read.sound_rows
    for rule in rules:
        given = rule.arguments
        if rule.kind == "in_order":
            for low, high in zip(given["columns"], given["columns"][1:], strict=False):
                sound &= ~(_numbers(columns[low]) > _numbers(columns[high]))
        elif rule.kind == "nhs_number":
            read = columns[given["column"]]
            sound &= read.rows(is_nhs_number(read.values), True)
        elif rule.kind in NUMBER_KINDS:
            sound &= _no_number(columns, rule)
        elif rule.kind == "one_given":
            sound &= np.logical_or.reduce([columns[name].rows(np.ones(len(columns[name].values), bool), False) for name in given["columns"]])
    return sound


def _no_number(columns: Mapping[str, _Values], rule: Rule) -> np.ndarray:
    """Which rows keep a rule against numbers of persons in a text column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    read = columns[rule.arguments["column"]]
    if "system" in rule.arguments:
        system = columns[rule.arguments["system"]]
        said = pc.is_in(system.values, value_set=pa.array(OF_SNOMED)).to_numpy(zero_copy_only=False)
        of_snomed = system.rows(said, False)
    else:
        of_snomed = np.full(len(read.codes), bool(rule.arguments["snomed"]))
    held, excused = judged(read.values, rule.kind)
    return ~read.rows(held, False) | (read.rows(excused, False) & of_snomed)


def _numbers(read: _Values) -> np.ndarray:
    """Days or numbers as floats, null as one that is neither above nor below any."""
    import pyarrow as pa

    values = read.values.cast(pa.int32()) if pa.types.is_date32(read.values.type) else read.values
    floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return floats if read.at is None else np.append(floats, np.nan)[read.at]


def is_nhs_number(values: pa.Array) -> np.ndarray:
    """Which of some texts are ten digits of which 11 divides the weighted sum, not all the same (NHS Data Dictionary, NHS NUMBER)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ten = pc.match_substring_regex(values, "^[0-9]{10}$").fill_null(False)
    numbers = pc.if_else(ten, values, pa.scalar("0", pa.string())).cast(pa.int64()).to_numpy()
    weighted = sum((numbers // 10**place) % 10 * (place + 1) for place in range(10))
    return ten.to_numpy(zero_copy_only=False) & (weighted % 11 == 0) & (numbers % 1_111_111_111 != 0)


def _rivals(columns: Mapping[str, _Values], rule: Rule, rows: int) -> np.ndarray:
    """Which rows a rule of rows together might refuse, and every row that bears on it."""
    import pyarrow.compute as pc

    if rule.kind == "no_identifier":
        judged, identifier = columns[rule.arguments["column"]], columns[rule.arguments["identifier"]]
        hits = pc.is_in(judged.values, value_set=identifier.values.drop_null()).to_numpy(zero_copy_only=False)
        if not hits.any():
            return np.zeros(rows, bool)
        meant = pc.is_in(identifier.values, value_set=judged.values.drop_null()).to_numpy(zero_copy_only=False)
        return judged.rows(hits, False) | identifier.rows(meant, False)
    if rule.kind not in ("primary_key", "unique", "no_overlap"):
        return np.zeros(rows, bool)
    key, is_complete = np.zeros(rows, np.int64), np.ones(rows, bool)
    for name in rule.arguments["by"]:
        codes = columns[name].codes
        is_complete &= codes >= 0
        key = _combined(key, codes)
    _, group, sizes = np.unique(np.where(is_complete, key, -1), return_inverse=True, return_counts=True)
    return is_complete & (sizes[group] > 1)


def _combined(key: np.ndarray, codes: np.ndarray) -> np.ndarray:
    width = int(codes.max(initial=0)) + 2
    if int(key.max(initial=0)) * width > 2**62:
        key = np.unique(key, return_inverse=True)[1]
    return key * width + codes + 1


def _joined(
    raw: pa.Table,
    contract: Contract,
    columns: Mapping[str, _Values] | None,
    doubted: np.ndarray,
    references: Mapping[str, pa.Table] | None,
    file: str,
) -> CheckedByValue:
    import pyarrow as pa

    sure, positions = np.flatnonzero(~doubted), np.flatnonzero(doubted)
    quick = pa.table({name: pa.chunked_array([read.array]) for name, read in (columns or {}).items()})
    if not len(positions) and columns is not None:
        return CheckedByValue(quick, sure, _nothing(raw), raw.num_rows, {}, _nothing(raw), np.zeros(0, np.int64), {})
    some = _decoded(raw.take(pa.array(positions)))
    numbers = some[ROW] if ROW in some.column_names else pa.chunked_array([pa.array(positions + 1)])
    some = some.drop_columns([ROW]) if ROW in some.column_names else some
    checked = check(some.append_column(ROW, pa.array(np.arange(len(positions)))), contract, references, file)
    broken = checked.quarantined[ROW].to_numpy().astype(np.int64)
    kept, accepted = np.delete(positions, broken), checked.accepted
    if columns is not None:
        slow = pa.table({name: accepted[name].cast(quick[name].type) for name in contract.column_names})
        at = np.concatenate([sure, kept])
        order = np.argsort(at, kind="stable")
        accepted = pa.concat_tables([quick.take(pa.array(sure)), slow]).unify_dictionaries().take(pa.array(order))
        kept = at[order]
    blanked = checked.blanked[ROW].to_numpy().astype(np.int64) if checked.blanked is not None else np.zeros(0, np.int64)
    as_read = _nothing(raw) if checked.blanked is None else _numbered(checked.blanked, numbers, blanked)
    quarantined = _numbered(checked.quarantined, numbers, broken)
    return CheckedByValue(accepted, kept, quarantined, raw.num_rows, checked.counts, as_read, positions[blanked], checked.cells_blanked)


def _numbered(rows: pa.Table, numbers: pa.ChunkedArray, at: np.ndarray) -> pa.Table:
    """The rows with their numbers in the file instead of their places among those that were looked at."""
    import pyarrow as pa

    return rows.set_column(rows.column_names.index(ROW), ROW, numbers.take(pa.array(at)))


def _nothing(raw: pa.Table) -> pa.Table:
    import pyarrow as pa

    none = _decoded(raw.slice(0, 0))
    if ROW in none.column_names:
        none = none.drop_columns([ROW])
    return none.append_column(ROW, pa.array([], pa.int64())).append_column("broken_rules", pa.array([], pa.list_(pa.string())))
