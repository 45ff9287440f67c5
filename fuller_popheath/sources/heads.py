"""What the beginning of a file shows: where its header stands, what its columns are called, and how to say so without showing a row.

What does not belong here: opening files (`opening`) and knowing layouts (`layouts`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fuller_popheath.sources.names import file_told
from fuller_popheath.specs import FileHead

HEAD_ROWS = 20
"""A header is looked for among this many rows: statistical workbooks carry a few lines of title and notes above it."""

NAMES_SHOWN = 12
NAME_WIDTH = 60

# A row counts as a header worth showing only if most of its cells hold one of these words: a headerless file's first row is somebody's data.
_WORDS = """
    ability age all band category ccg chgind code column count crime date decile dob domain education employment end ethnic ethnicity event
    extract fte gender geometry gp group health icb id identifier imd imdrank income index key lad lat latitude list loc lon longitude lsoa
    measure month msoa name nhs note notes number ods ons org organisation parent partner patient patients pcn population postcode practice
    publication quintile rank rate reference region register registration score sex start status sub supplier total type usual value year
"""
HEADER_WORDS = frozenset(_WORDS.split())
LONG_DIGITS = re.compile(r"\d{5,}")


@dataclass(frozen=True)
class OpenedHead(FileHead):
    """A FileHead that also knows how to get back to its rows.

    `packing` is "", "gz" or "zip"; `packed_name` the member inside a zip and `packed_told` how it is called in messages; `sheet` the sheet of a
    workbook or the position of a layer; `header_row` the physical row on which the header ends (1 = the first row of the file); `row_count` the
    rows below it where that is known without reading (sheets and layers); `crs` and `bounds` (west, south, east, north in the units of the CRS)
    belong to boundaries; `max_bytes` bounds what may be unpacked.
    """

    packing: str = ""
    packed_name: str = ""
    packed_told: str = ""
    sheet: str = ""
    header_row: int = 1
    row_count: int | None = None
    crs: str = ""
    bounds: tuple[float, float, float, float] | None = None
    max_bytes: int = 4096 << 20

    @property
    def name(self) -> str:
        """How messages call it: the file's name, and the member in brackets where there is one."""
        name = file_told(self.path.name)
        return f"{name} ({self.member})" if self.member else name


def clean_header(text: object) -> str:
    """A header as people read it: without byte-order mark, line breaks, repeated or outer blanks."""
    return " ".join(str(text).replace("\ufeff", " ").split())


def header_key(text: str) -> str:
    """What two spellings of one header have in common: case, underscores, commas and blanks do not count."""
    return re.sub(r"[\s_,]+", " ", clean_header(text)).strip().casefold()


def header_position(rows: Sequence[Sequence[str]]) -> int | None:
    """The index of the header among the first rows: the first that fills at least a third of the cells that the fullest one fills.

    None where no row has a cell. Title and note lines of published workbooks fill one cell.
    """
    filled = [sum(1 for cell in row if cell.strip()) for row in rows[:HEAD_ROWS]]
    most = max(filled, default=0)
    if most == 0:
        return None
    least = 1 if most == 1 else max(2, -(-most // 3))
    return next(index for index, count in enumerate(filled) if count >= least)


def is_header(columns: Sequence[str]) -> bool:
    """Whether a first row is surely a header, so that a message may show it: most cells hold a header word, none a long number."""
    cells = [cell for cell in columns if cell]
    if not cells or any(LONG_DIGITS.search(cell) for cell in cells):
        return False
    named = [cell for cell in cells if HEADER_WORDS & set(re.findall(r"[a-z]+", header_key(cell))) or re.match(r"(?i)(lsoa|lad|icb)\d\d", cell)]
    return 2 * len(named) >= len(cells)


def columns_shown(columns: Sequence[str]) -> str:
    """The columns for a message: how many and the first names, or only how many where the row may hold data."""
    count = f"{len(columns)} column{'' if len(columns) == 1 else 's'}"
    if not is_header(columns):
        return f"{count} without column names that are known"
    names = [name[:NAME_WIDTH] for name in columns if name][:NAMES_SHOWN]
    return f"{count}: {', '.join(names)}{', ...' if len(columns) > NAMES_SHOWN else ''}"


def describe(head: FileHead) -> str:
    """What was found, for a message: the kind of thing and its columns; never a value of a row."""
    kind = {"csv": "a CSV", "sheet": "a sheet", "boundaries": "a boundary layer"}.get(head.kind, "a table")
    return f"{kind} with {columns_shown(head.columns)}"
