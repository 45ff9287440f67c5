"""Files with rows about persons, written anew: without some people, or with other ids for all of them. What it is that a table holds is not asked.

A Parquet file keeps its columns, types, notes and row groups; a CSV file its form. Nothing is written where nothing changes. What does not belong
here: which folders are gone through, and why.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.whole_files import replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

PERSON, ROW = "person_id", ("issue_id", "team_id", "row_reference")
NUMBER, PATIENT, SENDERS = "nhs_number", "patient_id", ("_sender", "practice_code")
BETWEEN = "|"

Change = Callable[["pa.Table"], "pa.Table"]
"""What is done with rows; as many columns come back, and the very same table where nothing changed."""


@dataclass(frozen=True)
class People:
    """Some people by everything that stands for them: person ids, NHS numbers, (practice, its own number), and (issue, team, reference) of lists."""

    ids: frozenset[str] = field(default=frozenset(), repr=False)
    numbers: frozenset[str] = field(default=frozenset(), repr=False)
    records: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    rows: frozenset[tuple[str, str, str]] = field(default=frozenset(), repr=False)

    def __or__(self, other: People) -> People:
        return People(self.ids | other.ids, self.numbers | other.numbers, self.records | other.records, self.rows | other.rows)

    @cached_property
    def _told(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        records, rows = (sorted(BETWEEN.join(each) for each in some) for some in (self.records, self.rows))
        told = {"ids": sorted(self.ids), "numbers": sorted(self.numbers), "records": records, "rows": rows}
        return {name: pa.array(values, pa.string()) for name, values in told.items()}

    def among(self, table: pa.Table) -> pa.ChunkedArray:
        """Of each row whether it is about one of them, by whatever columns it has."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pa.chunked_array([pa.repeat(False, table.num_rows)])
        if PERSON in table.column_names:
            found = pc.or_(found, pc.is_in(_text(table[PERSON]), value_set=self._told["ids"]))
        if NUMBER in table.column_names:
            bare = pc.replace_substring_regex(_text(table[NUMBER]), pattern=r"[^0-9]", replacement="")
            found = pc.or_(found, pc.is_in(bare, value_set=self._told["numbers"]))
        if all(name in table.column_names for name in ROW):
            found = pc.or_(found, _joined(table, ROW, self._told["rows"]))
        # A practice's own number tells who is meant where no other does: it may be used again for somebody else.
        sender = next((name for name in SENDERS if name in table.column_names), None)
        if PATIENT in table.column_names and sender is not None:
            own = _joined(table, (sender, PATIENT), self._told["records"])
            has_number = pc.is_valid(table[NUMBER]) if NUMBER in table.column_names else pa.chunked_array([pa.repeat(False, table.num_rows)])
            found = pc.or_(found, pc.and_(own, pc.invert(has_number)))
        return found

    def taken_out(self, table: pa.Table) -> pa.Table:
        """The rows about others; the very same table where none is about them."""
        import pyarrow.compute as pc

        found = self.among(table)
        return table.filter(pc.invert(found)) if pc.any(found).as_py() else table


def can_be_about_people(names: list[str]) -> bool:
    """Whether a table of these columns can have rows about persons."""
    return PERSON in names or NUMBER in names or all(name in names for name in ROW) or (PATIENT in names and any(n in names for n in SENDERS))


def change_parquet(path: Path, target: Path, change: Change, mode: int, is_always_written: bool = False) -> int | None:
    """Write a Parquet file anew at `target`, row group by row group. Returns its rows; None where nothing changed and nothing was written.

    `is_always_written`: also where nothing changed. Words that no row says any more are in no dictionary of it.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        if not can_be_about_people(schema.names):
            return None
        if not is_always_written and not _changes(file, change, schema.names):
            return None
        counted = [0]

        def write(temporary: Path) -> None:
            with pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer:
                for number in range(file.num_row_groups):
                    rows = _own_words(change(file.read_row_group(number)))
                    counted[0] += rows.num_rows
                    writer.write_table(rows.cast(schema))

        replace_whole(target, write, mode)
    return counted[0]


def _changes(file: object, change: Change, names: list[str]) -> bool:
    """Whether anything would change, by the columns that tell of persons alone."""
    telling = [name for name in names if name in (PERSON, NUMBER, PATIENT, *ROW, *SENDERS)]
    groups = (file.read_row_group(number, columns=telling) for number in range(file.num_row_groups))  # type: ignore[attr-defined]
    return any(change(rows) is not rows for rows in groups)


def change_csv(content: str, change: Change) -> str | None:
    """A CSV as this project writes it (LF, quotes where they are needed), changed; None where nothing changed."""
    import pyarrow as pa

    lines = list(csv.reader(io.StringIO(content, newline="")))
    if len(lines) < 2 or not can_be_about_people(lines[0]):
        return None
    place = "_line"
    columns: Mapping[str, list[str]] = {name: [line[at] for line in lines[1:]] for at, name in enumerate(lines[0])}
    table = pa.table(
        {**{name: pa.array([cell or None for cell in cells], pa.string()) for name, cells in columns.items()}, place: range(len(lines) - 1)}
    )
    changed = change(table)
    if changed is table:
        return None
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(lines[0])
    left = zip(*(changed[name].to_pylist() for name in lines[0]), strict=True) if changed.num_rows else ()
    writer.writerows(["" if cell is None else cell for cell in row] for row in left)
    return made.getvalue().replace("\r\n", "\n")


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    return column.cast(pa.string())


def _joined(table: pa.Table, names: tuple[str, ...], among: pa.Array) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not table.num_rows or not len(among):
        return pa.chunked_array([pa.repeat(False, table.num_rows)])
    told = pc.binary_join_element_wise(*(_text(table[name]) for name in names), BETWEEN)
    return pc.is_in(told, value_set=among)


def _own_words(table: pa.Table) -> pa.Table:
    """The same rows; a dictionary has no word that none of them says."""
    import pyarrow as pa

    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            plain = table[column.name].cast(column.type.value_type).combine_chunks()
            plain = plain if isinstance(plain, pa.Array) else pa.concat_arrays(plain.chunks)
            coded = plain.dictionary_encode()
            coded = pa.DictionaryArray.from_arrays(coded.indices.cast(column.type.index_type), coded.dictionary, ordered=column.type.ordered)
            table = table.set_column(place, column, pa.chunked_array([coded]))
    return table
