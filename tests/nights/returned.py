"""Somebody fills in a list's workbook and sends it back: the cells are written into the file as it was sent, as a spreadsheet would.

No spreadsheet library: the parts of the zip are opened, cells get inline strings, everything else stays. What does not belong here: reading one back.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as Xml

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
IN = f"{{{SPREADSHEET}}}"
PEOPLE_SHEET = "xl/worksheets/sheet2.xml"
STRINGS = "xl/sharedStrings.xml"
HEADINGS = ("Row", "NHS number", "Review", "Reviewed on")


def people_on(workbook: Path) -> list[dict[str, str]]:
    """The rows of the people's sheet, by heading."""
    with zipfile.ZipFile(workbook) as book:
        words, sheet = _words(book), Xml.fromstring(book.read(PEOPLE_SHEET))
    head, rows = _table(sheet, words)
    return [{head[column]: text for column, (_, text) in cells.items() if column in head} for cells in rows]


def fill_in(workbook: Path, said: Mapping[str, tuple[str, str]], target: Path) -> Path:
    """A copy of a workbook with a review and its day for some rows; `said`: row reference -> (words, day)."""
    with zipfile.ZipFile(workbook) as book:
        words, sheet = _words(book), Xml.fromstring(book.read(PEOPLE_SHEET))
        head, rows = _table(sheet, words)
        column_of = {name: column for column, name in head.items()}
        for cells in rows:
            reference = cells.get(column_of["Row"], (None, ""))[1]
            if reference in said:
                for heading, text in zip(("Review", "Reviewed on"), said[reference], strict=True):
                    cell = cells[column_of[heading]][0]
                    assert cell is not None
                    _write(cell, text)
        target.parent.mkdir(parents=True, exist_ok=True)
        Xml.register_namespace("", SPREADSHEET)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
            for part in book.infolist():
                content = Xml.tostring(sheet, encoding="utf-8") if part.filename == PEOPLE_SHEET else book.read(part)
                copy.writestr(part, content)
    return target


def _write(cell: Xml.Element, text: str) -> None:
    for child in list(cell):
        cell.remove(child)
    cell.set("t", "inlineStr")
    Xml.SubElement(Xml.SubElement(cell, f"{IN}is"), f"{IN}t").text = text


def _words(book: zipfile.ZipFile) -> list[str]:
    return ["".join(part.text or "" for part in item.iter(f"{IN}t")) for item in Xml.fromstring(book.read(STRINGS)).iter(f"{IN}si")]


Cells = dict[str, tuple[Xml.Element | None, str]]


def _table(sheet: Xml.Element, words: list[str]) -> tuple[dict[str, str], list[Cells]]:
    """The headings by column letter, and the cells of each row below them."""
    head: dict[str, str] = {}
    rows: list[Cells] = []
    for row in sheet.iter(f"{IN}row"):
        cells: Cells = {re.sub(r"\d", "", cell.get("r", "")): (cell, _text(cell, words)) for cell in row.iter(f"{IN}c")}
        texts = {text for _, text in cells.values()}
        if not head and {"Row", "Review"} <= texts:
            head = {column: text for column, (_, text) in cells.items()}
        elif head:
            rows.append(cells)
    return head, rows


def _text(cell: Xml.Element, words: list[str]) -> str:
    value = cell.find(f"{IN}v")
    if value is None or value.text is None:
        return ""
    return words[int(value.text)] if cell.get("t") == "s" else value.text
