"""What the beginning of a file shows: where its header stands, what its columns are called, and how to say so without showing a row.

What does not belong here: opening files (`opening`) and knowing layouts (`layouts`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from fuller_popheath.sources.names import file_told
from fuller_popheath.specs import FileHead

HEAD_ROWS = 20
"""A header is looked for among this many rows: statistical workbooks carry a few lines of title and notes above it."""

NAMES_SHOWN = 12
NAME_WIDTH = 60

# A header is shown if it is made of these words only: the first row of a file without a header is somebody's data, a heading may hold anything.
_WORDS = """
    ability age all band category ccg chgind code column count crime date decile district dob domain education employment end ethnic ethnicity
    event extract fte gender geometry gp group health icb id identifier imd imdrank income index key lad lat latitude list loc local authority
    lon longitude lsoa measure month msoa name nhs no note notes number ods of on ons org organisation parent partner patient patients pcn
    population postcode practice publication quintile rank rate reference region register registered registration relationship score sex start
    status sub supplier the title to total type usual value year birth death deprivation multiple where is most deprived location
"""
HEADER_WORDS = frozenset(_WORDS.split())
_CODE_COLUMN = re.compile(r"(lsoa|lad|icb|loc|sicbl|msoa|oa)\d\d(cdh?|nmw?| code| name)?")


@dataclass(frozen=True)
class OpenedHead(FileHead):
    """A FileHead that also knows how to get back to its rows.

    `packing` is "", "gz", "zip" or "locked" (a workbook that opens with `password`); `packed_name` the member inside a zip and `packed_told` how it
    is called in messages; `sheet` the sheet of a workbook or the position of a layer; `header_row` the physical row on which the header ends (1 = the
    first row of the file); `row_count` the rows below it where that is known without reading (sheets and layers); `crs` and `bounds` (west, south,
    east, north in the units of the CRS) belong to boundaries; `max_bytes` bounds what may be unpacked.
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
    password: str = field(default="", repr=False)

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


def may_be_shown(header: str) -> bool:
    """Whether a header is made of nothing but words that headers are made of, and years: then it cannot be about a person."""
    key = header_key(header)
    words = re.findall(r"[a-z]+|[^a-z\s()]+", key)
    return bool(words) and (
        _CODE_COLUMN.fullmatch(key) is not None
        or (any(word.isalpha() for word in words) and all(word in HEADER_WORDS or _is_year(word) for word in words))
    )


def _is_year(word: str) -> bool:
    return re.fullmatch(r"20(0\d|1\d|2\d|3\d)", word) is not None


def columns_shown(columns: Sequence[str]) -> str:
    """The columns for a message: how many, and the names of those that hold nothing but words headers are made of."""
    count = f"{len(columns)} column{'' if len(columns) == 1 else 's'}"
    named = [name[:NAME_WIDTH] for name in columns if name and may_be_shown(name)]
    if not named:
        return f"{count} without column names that are known"
    others = len(columns) - len(named[:NAMES_SHOWN])
    return f"{count}: {', '.join(named[:NAMES_SHOWN])}{f' and {others} more' if others else ''}"


def describe(head: FileHead) -> str:
    """What was found, for a message: the kind of thing and its columns; never a value of a row."""
    kind = {"csv": "a CSV", "sheet": "a sheet", "boundaries": "a boundary layer"}.get(head.kind, "a table")
    return f"{kind} with {columns_shown(head.columns)}"
