"""CSV into text columns with one fixed dialect (comma, '"', doubled quotes), losing no line.

The quick reader (pyarrow) is believed only where it made exactly one row of every line; otherwise each line is read by itself, so that a
quotation mark that is never closed costs its own line and not the rest of the file. No dialect is sniffed: the first quote of the
registrations file stands at line 31,794.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fuller_popheath.sources.heads import HEAD_ROWS, header_position

if TYPE_CHECKING:
    import pyarrow as pa

HEAD_BYTES = 1 << 18
BOM = b"\xef\xbb\xbf"
SHAPE = "_shape"
"""Holds a line whose number of fields is wrong, as it stands; null, or absent as a column, where every line has the right shape."""
ROW = "_row"

MOST_LINES_OF_A_ROW = 50
"""A quoted cell with more line breaks than this is taken for a quotation mark that was never closed."""


def to_utf8(content: bytes) -> bytes:
    """The same text in UTF-8, without byte-order mark and with no line end but LF or CRLF.

    What is not UTF-8 is taken as Windows-1252, in which some NHS files are written.
    """
    content = content.removeprefix(BOM)
    if content.count(b"\r") != content.count(b"\r\n"):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content.isascii():
        return content
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").encode("utf-8")
    return content


def first_rows(beginning: bytes, is_whole: bool) -> list[tuple[int, list[str]]]:
    """The first rows of a CSV, each with the number of the line on which it ends; a row that may have been cut off is left out."""
    beginning = to_utf8(beginning)
    if not is_whole:
        beginning = beginning[: beginning.rfind(b"\n") + 1]
    text = beginning.decode("utf-8", errors="replace")
    # A header may hold line breaks inside quotes (ODS writes such headers), hence the reader counts the lines.
    reader = csv.reader(io.StringIO(text, newline=""))
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            rows.append((reader.line_num, row))
            if len(rows) == HEAD_ROWS:
                break
    except csv.Error:
        pass
    return rows


def find_header(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, list[str], list[str]] | None:
    """(line on which the header ends, header cells, cells of the row below it); None where there is nothing."""
    position = header_position([row for _, row in rows])
    if position is None:
        return None
    below = [row for _, row in rows[position + 1 :] if any(cell.strip() for cell in row)]
    return rows[position][0], rows[position][1], below[0] if below else []


def read_text(content: bytes, header_lines: int, width: int, wanted: Sequence[int], coded: Sequence[int] = ()) -> pa.Table:
    """Read every row below the header.

    `header_lines` are left out from the top (0: the file has no header), `width` is the number of fields a row must have, `wanted` the
    positions to keep. Returns text columns `c<position>` (blank = null), `_row` (line number in the file, from 1) and, only where lines
    of another shape exist, `_shape` with those lines as they stand and null elsewhere; each such line is one row. Blank lines are no rows.
    A cell in quotes may hold line breaks; its row has the number of the line on which it begins. Columns at `coded` may come dictionary-encoded.
    """
    content = to_utf8(content).rstrip(b"\r\n\t ")
    lines = content.count(b"\n") + 1 if content else 0
    if lines <= header_lines:
        return _columns([], [], [], wanted)
    table = _quickly(content, header_lines, width, wanted, coded)
    if table is None or table.num_rows != lines - header_lines:
        return _line_by_line(content, header_lines, width, wanted)
    return _with_row_numbers(table, header_lines)


def _quickly(content: bytes, header_lines: int, width: int, wanted: Sequence[int], coded: Sequence[int]) -> pa.Table | None:
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    names = [f"c{position}" for position in range(width)]
    kept = [f"c{position}" for position in wanted]
    dictionary = pa.dictionary(pa.int32(), pa.string())
    types = {f"c{position}": dictionary if position in coded else pa.string() for position in wanted}
    try:
        return arrow_csv.read_csv(
            pa.py_buffer(content),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=header_lines, block_size=4 << 20),
            parse_options=arrow_csv.ParseOptions(delimiter=",", quote_char='"', double_quote=True, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(include_columns=kept, column_types=types, strings_can_be_null=True, null_values=[""]),
        )
    except pa.ArrowInvalid:  # a row of another shape; the text of this error holds the row, so it goes no further
        return None


def _with_row_numbers(table: pa.Table, header_lines: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    return table.append_column(ROW, pa.array(np.arange(header_lines + 1, header_lines + 1 + table.num_rows, dtype=np.int64)))


def _fields(line: str) -> list[str] | None:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return None


def _line_by_line(content: bytes, header_lines: int, width: int, wanted: Sequence[int]) -> pa.Table:
    lines = [raw.decode("utf-8", errors="replace") for raw in content.splitlines()[header_lines:]]
    rows: list[list[str] | None] = []
    numbers: list[int] = []
    shapes: list[str | None] = []
    at = 0
    while at < len(lines):
        line, took = lines[at], 1
        if line.strip():
            fields = _fields(line)
            if fields is None or len(fields) != width:
                fields, took = _over_several_lines(lines, at, width)
            rows.append(fields)
            numbers.append(at + header_lines + 1)
            shapes.append(line if fields is None else None)
        at += took
    return _columns(rows, numbers, shapes, wanted)


def _over_several_lines(lines: Sequence[str], at: int, width: int) -> tuple[list[str] | None, int]:
    """The fields of a row whose quoted cells hold line breaks, and how many lines it takes; (None, 1) where the line is merely misshapen.

    A quotation mark that was never closed would swallow whole rows: lines that are rows by themselves are never taken for the inside of a cell.
    """
    if lines[at].count('"') % 2 == 0:
        return None, 1
    taken = [lines[at]]
    for line in lines[at + 1 : at + MOST_LINES_OF_A_ROW]:
        taken.append(line)
        if line.count('"') % 2:
            fields = _strictly(taken)
            return (fields, len(taken)) if fields is not None and len(fields) == width else (None, 1)
        if width > 1 and len(_fields(line) or ()) == width:
            return None, 1
    return None, 1


def _strictly(lines: Sequence[str]) -> list[str] | None:
    """The fields of some lines that are exactly one row together; None where they are not."""
    try:
        rows = list(csv.reader([f"{line}\n" for line in lines[:-1]] + [lines[-1]], strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _columns(rows: Sequence[list[str] | None], numbers: Sequence[int], shapes: Sequence[str | None], wanted: Sequence[int]) -> pa.Table:
    import pyarrow as pa

    columns = {f"c{at}": pa.array([(row[at] or None) if row is not None else None for row in rows], pa.string()) for at in wanted}
    columns[ROW] = pa.array(numbers, pa.int64())
    if any(shape is not None for shape in shapes):
        columns[SHAPE] = pa.array(shapes, pa.string())
    return pa.table(columns)
