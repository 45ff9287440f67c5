"""What the readers of clinical systems share: telling one of a system's files by its headers, reading it, joining it by its keys, its days and flags,
and what every row of an extract says of itself.

What does not belong here: any one system's files (`emis_layout`, `tpp_layout`) and words (`care_words`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources.canonical import canonical
from fuller_popheath.sources.csv_text import ROW, SHAPE
from fuller_popheath.sources.heads import OpenedHead
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout
from fuller_popheath.sources.names import file_told
from fuller_popheath.specs import ContractId, FileHead

if TYPE_CHECKING:
    import pyarrow as pa

Reader = TypeVar("Reader")
FILE = "_file"
REMOVED = "_removed"
"""Why a row that the system sent is no record: `deleted`, `test_patient`, `no_patient`, ...; null for the others. The door accounts for each."""

Heads = Mapping[str, tuple[FileHead, ...]]
"""The files of one extract by the system's name for them; several heads of one name are its parts."""

DAYS_APART = 1
"""An extract made over midnight carries two days; more than that are two extracts in one folder."""

_DAY_IN_NAME = re.compile(r"(?<!\d)(20\d{2})([-_.]?)(\d{2})\2(\d{2})(?:[-_T]?\d{4}(?:\d{2})?)?(?!\d)")
_SPACED_DAY = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4})")
_TIME_BEHIND = r"[ T]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$"
_TIME = re.compile(r"(\d{1,2}):(\d{2})(:\d{2}(\.\d+)?)?")
TRUE_WORDS = ("true", "1", "yes", "y")


@dataclass(frozen=True)
class SupplierFile:
    """One file of a clinical system: the headers it is told by (all must be there), and its columns as they are used here."""

    name: str
    told_by: tuple[str, ...]
    columns: tuple[LayoutColumn, ...]

    @cached_property
    def layout(self) -> Layout:
        """Its columns as a layout."""
        return Layout(self.columns)

    @cached_property
    def _telling(self) -> Layout:
        return Layout(tuple(LayoutColumn(header, (header,)) for header in self.told_by))

    def is_told_by(self, head: FileHead) -> bool:
        """Whether a CSV has the headers that tell this file from its neighbours."""
        return head.kind == "csv" and not self._telling.missing(head.columns)


def told_among(files: Iterable[SupplierFile], head: FileHead) -> str | None:
    """The name of the file that the head is, None where it is none of them."""
    return next((file.name for file in files if file.is_told_by(head)), None)


def read_file(file: SupplierFile, heads: Heads) -> pa.Table:
    """Every row of a file of an extract as text, with `_row` and `_file`; a column that is not needed and not there is null.

    No rows where the extract has no such file. Raises FileRefused where a needed column is missing or the file cannot be read.
    """
    import pyarrow as pa

    parts = heads.get(file.name, ())
    tables = [_read_part(file, head, file.name if len(parts) == 1 else f"{file.name}, part {at}") for at, head in enumerate(parts, start=1)]
    if not tables:
        names = [*(column.name for column in file.columns), FILE]
        return pa.table({**{name: pa.array([], pa.string()) for name in names}, ROW: pa.array([], pa.int64())})
    return pa.concat_tables(tables, promote_options="default")


def _read_part(file: SupplierFile, head: FileHead, told: str) -> pa.Table:
    import pyarrow as pa

    missing = file.layout.missing(head.columns)
    if missing:
        raise FileRefused(
            f"{file_told(head.path.name)}: {file.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; ask for it again"
        )
    table = read_layout(file.layout, head)
    for column in file.columns:
        if column.name not in table.column_names:
            table = table.append_column(column.name, pa.nulls(table.num_rows, pa.string()))
    return table.append_column(FILE, pa.repeat(pa.scalar(told), table.num_rows))


def row_marks(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The columns that say where each row stood: `_row`, `_file` and, where lines had the wrong shape, `_shape`."""
    return {name: table[name] for name in (ROW, FILE, SHAPE) if name in table.column_names}


class Keys:
    """The rows of a table by a key of text; of rows with one key the first counts, rows without key are not found."""

    def __init__(self, keys: pa.ChunkedArray) -> None:
        import numpy as np
        import pyarrow.compute as pc

        coded = pc.dictionary_encode(keys.combine_chunks())
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        there = np.flatnonzero(codes >= 0)[::-1]
        first = np.zeros(len(coded.dictionary), dtype=np.int64)
        first[codes[there]] = there
        self.distinct, self._first = coded.dictionary, first

    def find(self, wanted: pa.ChunkedArray) -> pa.ChunkedArray:
        """The position of each wanted key's row, null where there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        return pa.array(self._first, pa.int64()).take(pc.index_in(wanted, value_set=self.distinct, skip_nulls=True).combine_chunks())


def fetched(values: pa.ChunkedArray, positions: pa.Array) -> pa.ChunkedArray:
    """The values at these positions, null where there is no position."""
    import pyarrow as pa

    return pa.chunked_array([values.combine_chunks().take(positions)], type=values.type)


class Patients:
    """The patients of an extract: a table with patient, nhs_number and gone (why their rows are no records, null for the others)."""

    def __init__(self, table: pa.Table) -> None:
        self.table, self.keys = table, Keys(table["patient"])

    def about(
        self, rows: pa.Table, day: str, practice_code: pa.ChunkedArray, patient: pa.ChunkedArray, deleted: pa.ChunkedArray
    ) -> dict[str, pa.ChunkedArray]:
        """What every row of an extract says of itself: extract_date, practice_code, patient_id, nhs_number, `_removed` and where it stood.

        A row is removed for its own mark (`deleted`), or else for its patient's reason.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        at = self.keys.find(patient)
        return {
            "extract_date": pa.repeat(pa.scalar(day), rows.num_rows),
            "practice_code": practice_code,
            "patient_id": patient,
            "nhs_number": fetched(self.table["nhs_number"], at),
            REMOVED: pc.coalesce(first_reason(rows.num_rows, ("deleted", deleted)), fetched(self.table["gone"], at)),
            **row_marks(rows),
        }


def reader_of(readers: Mapping[ContractId, Reader], contract: ContractId, told: str) -> Reader:
    """The reader of a contract. Raises SettingsWrong where the system's extract, as messages call it, does not fill it."""
    if contract not in readers:
        raise SettingsWrong(f"{told} does not fill {contract}")
    return readers[contract]


def only_value(keys: pa.ChunkedArray, values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """(key, value) of the keys that have exactly one distinct value; rows without key or value do not count."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table({"key": keys, "value": values}).filter(pc.and_(pc.is_valid(keys), pc.is_valid(values)))
    pairs = table.group_by(["key", "value"]).aggregate([])
    counts = pairs.group_by("key").aggregate([("value", "count")])
    single = counts.filter(pc.equal(counts["value_count"], 1))["key"]
    kept = pairs.filter(pc.is_in(pairs["key"], value_set=single.combine_chunks()))
    return kept["key"], kept["value"]


def by_distinct(column: pa.ChunkedArray, reading: Callable[[str], str | None]) -> pa.ChunkedArray:
    """Each value as `reading` has it; called once for each distinct value, and not for null."""
    import pyarrow as pa

    coded = column.combine_chunks().dictionary_encode()
    after = pa.array([reading(value) for value in coded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([after.take(coded.indices)])


def guids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Identifiers with or without braces and in any case, in one spelling: small letters, no braces; empty is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.ascii_lower(pc.ascii_trim(column, "{} "))
    return pc.if_else(pc.equal(plain, ""), pa.scalar(None, pa.string()), plain)


def flags(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which rows say true (also 1, yes, y); null and any other word are false."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.fill_null(pc.is_in(pc.ascii_lower(column), value_set=pa.array(TRUE_WORDS)), False)


def as_day(value: str) -> str:
    """A day as ISO, also from `01 Oct 2026`; what is none stays as it stands, for the contract to judge."""
    spaced = _SPACED_DAY.fullmatch(value)
    day = parse_published_date(f"{int(spaced[1]):02d}{spaced[2]}{spaced[3]}" if spaced else value)
    return day.isoformat() if day else value


def days(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Days as ISO, a time of day behind them dropped."""
    import pyarrow.compute as pc

    if not len(column) or column.null_count == len(column):
        return column
    if pc.any(pc.greater(pc.utf8_length(column), 11)).as_py():
        column = pc.replace_substring_regex(column, _TIME_BEHIND, "")
    return canonical(column, as_day)


def times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times of day as HH:MM, also those that stand behind a day; null where there is none."""
    import pyarrow.compute as pc

    return by_distinct(pc.replace_substring_regex(column, r"^.*[ T](\d{1,2}:\d{2})", r"\1"), _as_time)


def _as_time(value: str) -> str | None:
    found = _TIME.fullmatch(value)
    return f"{int(found[1]):02d}:{found[2]}" if found and int(found[1]) < 24 and int(found[2]) < 60 else None


def first_reason(rows: int, *reasons: tuple[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """The first reason whose column is true, null where none is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    answer = pa.chunked_array([pa.nulls(rows, pa.string())])
    for word, holds in reversed(reasons):
        answer = pc.if_else(pc.fill_null(holds, False), pa.scalar(word), answer)
    return answer


def extract_day(heads: Heads) -> date | None:
    """The day that the names carry (of the file, else of the folders around it); the latest where files carry two. None where none does."""
    return max(_days_told(heads), default=None)


def day_for_reading(heads: Heads) -> date:
    """The same, for `read`. Raises FileRefused where no name carries a day, or where the days are further apart than one extract's can be."""
    told = _days_told(heads)
    if not told:
        raise FileRefused("the files of this extract carry no day: put them into a folder with the day in its name (such as 20261001)")
    if max(told) - min(told) > timedelta(days=DAYS_APART):
        raise FileRefused(
            f"the files in this folder were made on {len(told)} different days: keep the files of one extract, and no others, in a folder"
        )
    return max(told)


def _days_told(heads: Heads) -> set[date]:
    found = (_day_told(head) for parts in heads.values() for head in parts)
    return {day for day in found if day is not None}


def _day_told(head: FileHead) -> date | None:
    inside = head.packed_name.split("/")[::-1] if isinstance(head, OpenedHead) else []
    for name in (*inside, head.path.name, head.path.parent.name, head.path.parent.parent.name):
        for found in _DAY_IN_NAME.finditer(name):
            day = parse_published_date("-".join(found.group(1, 3, 4)))
            if day is not None:
                return day
    return None
