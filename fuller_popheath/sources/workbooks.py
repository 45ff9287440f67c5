"""Sheets of .xlsx workbooks as rows of text, with calamine."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources.archives import ASK_AGAIN, too_large
from fuller_popheath.sources.csv_text import ROW
from fuller_popheath.sources.heads import HEAD_ROWS

if TYPE_CHECKING:
    import pyarrow as pa

Cell = object


def check_workbook(content: bytes, name: str, max_bytes: int) -> None:
    """Refuse (FileRefused) a workbook that is cut short, damaged, or larger than the bound once unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise FileRefused(f"{name}: the workbook is cut short or damaged; {ASK_AGAIN}") from None
    if size > max_bytes:
        raise too_large(name, max_bytes)


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
