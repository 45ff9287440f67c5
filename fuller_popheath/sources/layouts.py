"""A layout as data: which columns it has, under which headers they were published, and how each is read; and what to do with one.

A layout module builds a `Layout` and hands `recognise`/`read` to its `SourceSpec`. What does not belong here: any one layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources.canonical import Reading, as_text, canonical
from fuller_popheath.sources.csv_text import ROW, SHAPE
from fuller_popheath.sources.heads import header_key
from fuller_popheath.sources.names import file_told
from fuller_popheath.sources.opening import text_table
from fuller_popheath.specs import FileHead, Recognised

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class LayoutColumn:
    """A column: its name in the contract, the headers it has been published under (one ending in `*` is a prefix), how its values are read.

    Case, blanks, underscores and commas in headers do not count. A `needed` column makes the layout: without it a file is at best a near miss.
    """

    name: str
    headers: tuple[str, ...]
    reading: Reading = as_text
    needed: bool = True

    @property
    def published(self) -> str:
        """The header for a message."""
        return self.headers[0].rstrip("*").rstrip()


class NearMiss(FileRefused):
    """A file that is nearly one of a clinical system's, and lacks `missing` columns of it."""

    def __init__(self, text: str, missing: int) -> None:
        super().__init__(text)
        self.missing = missing


@dataclass(frozen=True)
class Layout:
    """The columns of one published layout, with a header row."""

    columns: tuple[LayoutColumn, ...]

    def positions(self, headers: Sequence[str]) -> dict[str, int]:
        """Where each known column stands among the headers of a file; an exact header goes before a prefix, the first before a later one."""
        keys = [header_key(header) for header in headers]
        found: dict[str, int] = {}
        for column in self.columns:
            at = _position(column, keys)
            if at is not None:
                found[column.name] = at
        return found

    def missing(self, headers: Sequence[str]) -> tuple[str, ...]:
        """The published headers of the needed columns that a file lacks."""
        found = self.positions(headers)
        return tuple(column.published for column in self.columns if column.needed and column.name not in found)


def _position(column: LayoutColumn, keys: Sequence[str]) -> int | None:
    for header in column.headers:
        key = header_key(header.rstrip("*"))
        if not header.endswith("*"):
            if key in keys:
                return keys.index(key)
        else:
            at = next((at for at, each in enumerate(keys) if each.startswith(key)), None)
            if at is not None:
                return at
    return None


def recognised(layout: Layout, head: FileHead, *, variant: str = "", extract_date: date | None = None) -> Recognised | None:
    """Whether the headers are this layout's: all needed columns, or a near miss with most of them (two thirds, and two at least), else None.

    `richness` is the number of the layout's columns that the file has.
    """
    if head.kind not in ("csv", "sheet"):
        return None
    found, missing = layout.positions(head.columns), layout.missing(head.columns)
    needed = sum(1 for column in layout.columns if column.needed)
    present = needed - len(missing)
    if missing and (present < 2 or 3 * present < 2 * needed):
        return None
    return Recognised(variant=variant, extract_date=extract_date, missing_columns=missing, richness=len(found))


def first_value(layout: Layout, head: FileHead, name: str) -> str:
    """The value of a column in the first row below the header, "" where there is none."""
    at = layout.positions(head.columns).get(name)
    return head.first_row[at].strip() if at is not None and at < len(head.first_row) else ""


def first_date(layout: Layout, head: FileHead, name: str) -> date | None:
    """The day that the first row gives in a column, None where it gives none."""
    return parse_published_date(first_value(layout, head, name))


def read_layout(layout: Layout, head: FileHead, constants: Mapping[str, str] | None = None) -> pa.Table:
    """Read a file of this layout: one row a row, the layout's columns that it has as text in one spelling, `constants` in every row, `_row`.

    Where lines have the wrong number of fields they come as rows of their own, with the line in `_shape`. Raises FileRefused if unreadable.
    """
    positions = layout.positions(head.columns)
    keys = [header_key(header) for header in head.columns]
    twice = [head.columns[at] for at in positions.values() if keys.count(keys[at]) > 1]
    if twice:
        raise FileRefused(f"{file_told(head.path.name)}: the column {twice[0]} stands twice, so it is not clear which one counts; remove one of them")
    raw = text_table(head, sorted(set(positions.values())))
    columns = {column.name: canonical(raw[f"c{positions[column.name]}"], column.reading) for column in layout.columns if column.name in positions}
    return finished(raw, columns, constants or {})


def finished(raw: pa.Table, columns: Mapping[str, pa.ChunkedArray], constants: Mapping[str, str]) -> pa.Table:
    """The table of `read`: the constants, the columns, then `_row` and, where there is one, `_shape` of the raw table."""
    import pyarrow as pa

    made = {name: pa.repeat(pa.scalar(value, pa.string()), raw.num_rows) for name, value in constants.items()}
    return pa.table({**made, **columns, **{name: raw[name] for name in (ROW, SHAPE) if name in raw.column_names}})
