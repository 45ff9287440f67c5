"""Data inside a page: text that a browser reads as data and can never take for markup, and that a spreadsheet can never take for a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_json(value: object) -> str:
    """JSON that may stand inside a script element: no `<`, `>` or `&` is left that could end it or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def as_csv(table: pa.Table) -> str:
    """The whole table as CSV text: every column, unrounded, dates as ISO, empty for missing.

    A text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection); numbers are never touched.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    columns = [table.column(name).to_pylist() for name in table.column_names]
    writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return out.getvalue()


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
