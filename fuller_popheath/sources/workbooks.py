"""Sheets of .xlsx workbooks as rows of text, with calamine."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources.archives import ASK_AGAIN, too_large
from fuller_popheath.sources.csv_text import ROW
from fuller_popheath.sources.heads import HEAD_ROWS

if TYPE_CHECKING:
    import pyarrow as pa

Cell = object


MOST_WORKBOOK_BYTES = 1 << 30
"""What a workbook may unpack to, whatever other files may: a sheet of a million rows is less."""
MOST_CELLS = 25_000_000
"""How many cells the corners of a sheet may span: it is read as a grid, in which every empty cell has its place."""
PIECE, OVERLAP = 1 << 20, 64

_CELL_REFERENCE = re.compile(rb"""\br\s*=\s*["'](?:([A-Za-z]{1,3})([0-9]{1,7})|([0-9]{1,7}))["']""")


def check_workbook(content: bytes, name: str, max_bytes: int) -> None:
    """Refuse (FileRefused) a workbook that is cut short, damaged, larger than the bound once unpacked, or whose cells span a grid beyond MOST_CELLS.

    What a part says of its size is believed only once it is unpacked. One stray cell in the last corner would have a sheet of a few bytes take more
    memory than there is.
    """
    limit = min(max_bytes, MOST_WORKBOOK_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > limit:
                raise too_large(name, limit)
            widest = max((_span(archive, info) for info in archive.infolist() if not info.is_dir()), default=0)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError):
        raise FileRefused(f"{name}: the workbook is cut short or damaged; {ASK_AGAIN}") from None
    if widest > MOST_CELLS:
        raise FileRefused(
            f"{name}: a cell stands so far from the others that a sheet spans {widest:,} cells (at most {MOST_CELLS:,}); delete the empty rows below "
            "and the empty columns beside the table, and save it again"
        )


def _span(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """The cells between the first cell of a sheet and its farthest row and column; 0 for a part that is no sheet."""
    rows, columns, kept = 0, 0, b""
    with archive.open(part) as stream:
        while piece := stream.read(PIECE):
            for letters, row, row_alone in _CELL_REFERENCE.findall(kept + piece):
                rows = max(rows, int(row or row_alone))
                if letters:
                    columns = max(columns, _column_number(letters))
            kept = piece[-OVERLAP:]
    return rows * max(columns, 1)


@lru_cache(maxsize=20_000)
def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def sheet_rows(content: bytes, name: str, sheet: str | None = None) -> list[tuple[str, list[list[Cell]]]]:
    """(sheet name, rows of cells) of one sheet or of all, from the very first row; FileRefused if it cannot be read."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [sheet] if sheet is not None else book.sheet_names
        return [(each, book.get_sheet_by_name(each).to_python(skip_empty_area=False)) for each in names]
    except (calamine.CalamineError, OSError, ValueError):
        raise FileRefused(f"{name}: the workbook cannot be read; save it again as .xlsx without a password, or {ASK_AGAIN}") from None


def cell_text(cell: Cell) -> str:
    """A cell as text: whole numbers without the `.0` that a workbook gives them, days as ISO dates."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell).strip()


def head_rows(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """The first rows as text, among which the header is looked for."""
    return [[cell_text(cell) for cell in row] for row in rows[:HEAD_ROWS]]


def to_table(rows: Sequence[Sequence[Cell]], header_row: int, wanted: Sequence[int]) -> pa.Table:
    """Rows below the header as text columns `c<position>` (blank = null) and `_row` (the row number the workbook shows). Blank rows are no rows."""
    import pyarrow as pa

    texts = [(number, [cell_text(cell) for cell in row]) for number, row in enumerate(rows[header_row:], start=header_row + 1)]
    filled = [(number, row) for number, row in texts if any(row)]
    columns = {f"c{at}": pa.array([row[at] or None for _, row in filled], pa.string()) for at in wanted}
    columns[ROW] = pa.array([number for number, _ in filled], pa.int64())
    return pa.table(columns)


def saved_on(content: bytes) -> date | None:
    """The day the workbook was last saved, by its document properties (docProps/core.xml); None where it does not say."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            properties = archive.read("docProps/core.xml")[:65536].decode("utf-8", errors="replace")
    except (KeyError, zipfile.BadZipFile, RuntimeError):
        return None
    found = re.search(r"<dcterms:modified[^>]*>(\d{4}-\d{2}-\d{2})T", properties)
    return parse_published_date(found.group(1)) if found else None
