"""How the sheets of a list look: readable on paper (A4, landscape) and on a screen, ready to sort, filter and mark, and nothing in them is locked.

What does not belong here: what a list says (`list_front.py`, `list_columns.py`), and files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fuller_popheath.cohorts.review_words import REVIEW, REVIEW_WORDS
from fuller_popheath.publish.list_columns import Cell

FIRST, PEOPLE, MOVES = "Read this first", "People", "Joined and left"
HEAD_ROW = 3
"""The row of the headings, counted from 0, on every sheet that has some."""
BLUE, GREY = "#005EB8", "#425563"
"""Colours of the NHS identity guidelines."""
LETTERS_A_UNIT = 1.15
"""How many letters fit into one unit of a column's width: widths are of digits, and letters are narrower."""
LETTERS: Mapping[str, Any] = {"font_name": "Arial", "font_size": 10}
"""Of every cell, and of the workbook itself: a column's width is counted in digits of the workbook's own letters, which must be there."""
TITLE_POINTS, LEAST_TITLE_POINTS = 18, 9
TITLE: Mapping[str, Any] = {"valign": "top", "font_size": TITLE_POINTS, "bold": True, "font_color": BLUE}
TITLE_LETTERS_A_UNIT = 0.54
"""How many bold letters of a title's full size fit into one unit of a column's width."""
LINE = 12.75
MOST_POINTS = 400.0
"""No row is higher than a spreadsheet allows (409.5 points)."""


def looks_of(book: Any) -> dict[str, Any]:
    """The formats of a workbook by name; those of people who were taken off end in `_off`."""
    letters = {**LETTERS, "valign": "top"}
    grid = {**letters, "border": 1, "border_color": "#C8CFD3"}
    cells = {
        "text": {**grid, "text_wrap": True},
        "middle": {**grid, "align": "center", "text_wrap": True},
        "mark": {**grid, "bg_color": "#FFF9E5", "text_wrap": True},
        "date": {**grid, "bg_color": "#FFF9E5", "num_format": "dd/mm/yyyy", "align": "left"},
        "day": {**grid, "num_format": "dd/mm/yyyy", "align": "left"},
    }
    gone = {"font_color": "#768692", "bg_color": "#F3F4F5"}
    made = {
        "title": {**LETTERS, **TITLE},
        "label": {**letters, "font_size": 11, "bold": True, "font_color": GREY, "text_wrap": True},
        "line": {**letters, "font_size": 11, "text_wrap": True},
        "note": {**letters, "font_color": GREY},
        "issue": {**letters, "font_size": 11, "bold": True},
        "head": {**grid, "bold": True, "font_color": "#FFFFFF", "bg_color": BLUE, "text_wrap": True, "valign": "vcenter"},
        "why_off": {**grid, **gone, "text_wrap": True, "bold": True},
        **cells,
        **{f"{name}_off": {**look, **gone, "font_strikeout": True} for name, look in cells.items()},
    }
    return {name: book.add_format(look) for name, look in made.items()}


def draw_front(book: Any, looks: Mapping[str, Any], title: str, issue: str, lines: Sequence[tuple[str, str]], note: str, footer: str) -> None:
    """The first sheet: the title, which list this is, the lines, and for whom alone it is."""
    sheet = book.add_worksheet(FIRST)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 112)
    sheet.set_row(0, 28)
    sheet.write_string(0, 0, title, _title_look(book, looks, title, 18 + 112))
    sheet.write_string(1, 0, issue, looks["issue"])
    for number, (label, text) in enumerate(lines, start=HEAD_ROW):
        sheet.set_row(number, _points(lines_of(text, 112 * LETTERS_A_UNIT), 14.5))
        sheet.write_string(number, 0, label, looks["label"])
        sheet.write_string(number, 1, text, looks["line"])
    last = HEAD_ROW + len(lines) + 1
    sheet.write_string(last, 0, note, looks["note"])
    _printed(sheet, footer)
    sheet.print_area(0, 0, last, 1)


def draw_people(
    book: Any,
    looks: Mapping[str, Any],
    head: Sequence[str],
    columns: Sequence[tuple[str, float, str]],
    rows: Sequence[tuple[Mapping[str, Cell], str]],
    footer: str,
) -> None:
    """The people's sheet. `head`: the title and what stands in the two rows below it; `rows`: the cells of each person by heading, and the heading
    of the cell that says why they were taken off ("" where they were not)."""
    sheet = book.add_worksheet(PEOPLE)
    _head(book, sheet, looks, head, columns, points=56)
    for number, (cells, off) in enumerate(rows, start=HEAD_ROW + 1):
        sheet.set_row(number, _height(cells, columns))
        for column, (name, _, look) in enumerate(columns):
            _put(sheet, number, column, cells[name], looks["why_off" if name == off else f"{look}_off" if off else look])
    last = HEAD_ROW + max(len(rows), 1)
    names = [name for name, _, _ in columns]
    _drop_down(sheet, names.index(REVIEW), last)
    _ready(sheet, len(columns), last, frozen=names.index("Age"), footer=footer)


def draw_moves(
    book: Any,
    looks: Mapping[str, Any],
    head: Sequence[str],
    columns: Sequence[tuple[str, float, str]],
    rows: Sequence[Mapping[str, Cell]],
    footer: str,
) -> None:
    """The sheet of who joined and left, was taken off or marked, and why."""
    sheet = book.add_worksheet(MOVES)
    _head(book, sheet, looks, head, columns, points=30)
    for number, cells in enumerate(rows, start=HEAD_ROW + 1):
        sheet.set_row(number, _height(cells, columns, least=1))
        for column, (name, _, look) in enumerate(columns):
            _put(sheet, number, column, cells[name], looks[look])
    _ready(sheet, len(columns), HEAD_ROW + max(len(rows), 1), frozen=0, footer=footer)


def lines_of(text: str, letters: float) -> int:
    """How many lines a text takes where so many letters fit on one. Spreadsheets disagree about working it out themselves."""
    lines = 0
    for part in text.split("\n"):
        lines, used = lines + 1, 0
        for word in part.split():
            if used and used + len(word) > letters:
                lines, used = lines + 1, 0
            while len(word) > letters:
                word, lines = word[int(letters) :], lines + 1
            used += len(word) + 1
    return lines


def _title_look(book: Any, looks: Mapping[str, Any], title: str, width: float) -> Any:
    """The title's format: smaller letters where it would be cut at the edge of the printed page. `width`: of all columns, in units."""
    size = int(TITLE_POINTS * width * TITLE_LETTERS_A_UNIT / max(len(title), 1))
    if size >= TITLE_POINTS:
        return looks["title"]
    return book.add_format({**LETTERS, **TITLE, "font_size": max(size, LEAST_TITLE_POINTS)})


def _head(book: Any, sheet: Any, looks: Mapping[str, Any], head: Sequence[str], columns: Sequence[tuple[str, float, str]], points: float) -> None:
    sheet.hide_gridlines(2)
    sheet.set_row(0, 24)
    title, *below = head
    sheet.write_string(0, 0, title, _title_look(book, looks, title, sum(width for _, width, _ in columns)))
    for row, (text, look) in enumerate(zip(below, ("issue", "note"), strict=True), start=1):
        sheet.write_string(row, 0, text, looks[look])
    sheet.set_row(HEAD_ROW, points)
    for column, (name, width, _) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(HEAD_ROW, column, name, looks["head"])


def _drop_down(sheet: Any, column: int, last: int) -> None:
    choose = {"validate": "list", "source": list(REVIEW_WORDS.values()), "error_type": "information"}
    sheet.data_validation(HEAD_ROW + 1, column, last, column, {**choose, "error_message": "Choose from the list, so that it can be read."})


def _ready(sheet: Any, columns: int, last: int, frozen: int, footer: str) -> None:
    """To filter, scroll and print."""
    sheet.freeze_panes(HEAD_ROW + 1, frozen)
    sheet.autofilter(HEAD_ROW, 0, last, columns - 1)
    _printed(sheet, footer)
    sheet.repeat_rows(HEAD_ROW)
    sheet.print_area(0, 0, last, columns - 1)


def _height(cells: Mapping[str, Cell], columns: Sequence[tuple[str, float, str]], least: int = 2) -> float:
    texts = ((cells[name], width) for name, width, _ in columns)
    return _points(max([least, *(lines_of(text, width * LETTERS_A_UNIT) for text, width in texts if isinstance(text, str))]), LINE)


def _points(lines: int, line: float) -> float:
    return min(lines * line + 3, MOST_POINTS)


def _put(sheet: Any, row: int, column: int, cell: Cell, look: Any) -> None:
    """A cell as what it is: a text is never read as a formula, a link or a number."""
    if cell is None:
        sheet.write_blank(row, column, None, look)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, look)
    else:
        sheet.write_number(row, column, cell, look)


def _printed(sheet: Any, footer: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.25, right=0.25, top=0.35, bottom=0.55)
    # An ampersand is how a footer is told what to show: doubled, it is itself.
    looks = '&"Arial,Regular"&9'
    texts = (footer.replace("&", "&&"), "Personal health information: direct care only", "Page &P of &N")
    sheet.set_footer("".join(f"&{place}{looks}{text}" for place, text in zip("LCR", texts, strict=True)))
