"""The one way a table becomes CSV, in a file or inside a page: exact, and never something that a spreadsheet would run.

UTF-8, lines end with LF, quotes only where they are needed; every column, unrounded, dates as ISO, empty for missing. A text that a
spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection); numbers are never touched.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(table: pa.Table) -> str:
    """The whole table as CSV text, one line a row below the names of its columns."""
    lines = _Lines()
    # the writer puts quotes around what could end a line, and a single CR counts as that only where CR is part of its line end
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in table.column_names])
    columns = [table.column(name).to_pylist() for name in table.column_names]
    writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


def write_csv(table: pa.Table, path: Path) -> None:
    """Write the whole table to a CSV file; the same table gives the same bytes on every system."""
    path.write_text(as_csv(table), encoding="utf-8", newline="")


class _Lines(list[str]):
    """What a CSV writer writes to: it hands over one whole row at a time."""

    def write(self, line: str) -> None:
        self.append(line)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case str():
            return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
        case _:
            return repr(value)
