"""Returned lists: the workbook that a team or practice sends back, its people's sheet as CSV, or a CSV with the columns of the contract.

A sheet is read as it is: columns in any order and others beside them, rows sorted, filtered or gone, the file under any name. What is certain is put
right (a word's case, one slip of typing, a day in any style); what is not stays as it stands, and the contract quarantines that row alone. Notes
are not read. What does not belong here: whether a row was ever on a list (`cohorts/review_matching.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources.csv_text import ROW as ROW_NUMBER
from fuller_popheath.sources.csv_text import SHAPE
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout
from fuller_popheath.sources.names import file_told
from fuller_popheath.sources.opening import lines_around
from fuller_popheath.sources.review_words import LATER, NOT_REVIEWED, NOTE, REVIEW, REVIEWED_ON, ROW, lists_named, outcome_of
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

EXPECTS = "a returned list: its workbook, or its people's sheet as CSV"
MOST_ROWS = 10_000
"""A list has 2,000 places at most: a file with more rows than this is no list."""
LONGEST_REFERENCE, LONGEST_WORDS = 16, 40
LONGER_TEXT = "a longer text, which stays in the returned file"

_DAY = re.compile(r"(\d{1,2})[\s./-]+(\d{1,2})[\s./-]+(\d{4}|\d{2})")
_DAY_IN_WORDS = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]*([a-z]{3,9})[\s.,-]*(\d{4}|\d{2})", re.IGNORECASE)
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$")
_SERIAL = re.compile(r"[4-7]\d{4}")
_FIRST_SERIAL = date(1899, 12, 30)


def as_reference(value: str) -> str:
    """A row reference in capitals; whatever is much longer is no reference, and is not repeated."""
    return value.upper() if len(value) <= LONGEST_REFERENCE else LONGER_TEXT


def as_outcome(value: str) -> str:
    """The outcome that the words mean, where that is certain; else the words as they stand, if they are few."""
    return outcome_of(value) or (value if len(value) <= LONGEST_WORDS else LONGER_TEXT)


def as_day(value: str, is_month_first: bool = False) -> str:
    """A day as people write it (16/11/2026, 16.11.26, 16 Nov 2026) and as spreadsheets hold it, as ISO; else the text, if it is short.

    A spreadsheet's bare number is a day counted from 30 December 1899 (ECMA-376, 18.17.4.1, the 1900 date system from March 1900 on).
    """
    text = _TIME.sub("", value)
    if numbers := _DAY.fullmatch(text):
        first, second, year = (int(number) for number in numbers.groups())
        day = _date(year, first, second) if is_month_first else _date(year, second, first)
    else:
        day = parse_published_date(text) or _day_in_words(text) or (_FIRST_SERIAL + timedelta(days=int(text)) if _SERIAL.fullmatch(text) else None)
    return day.isoformat() if day else value if len(value) <= LONGEST_WORDS else LONGER_TEXT


def _day_in_words(text: str) -> date | None:
    words = _DAY_IN_WORDS.fullmatch(text)
    if words is None:
        return None
    word = words.group(2).lower()
    month = next((at for at, name in enumerate(_MONTHS, start=1) if name.startswith("sep" if word == "sept" else word)), None)
    return _date(int(words.group(3)), month, int(words.group(1))) if month else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year + (2000 if year < 100 else 0), month, day)
    except ValueError:
        return None


def is_month_first(values: Iterable[str | None]) -> bool:
    """Whether a file's days are written month first, as a spreadsheet that is set to American days saves them: some can be read no other way, and all
    can be read so. Day first otherwise."""
    days = [tuple(int(number) for number in found.groups()) for value in values if value and (found := _DAY.fullmatch(_TIME.sub("", value.strip())))]
    return any(second > 12 for _, second, _ in days) and all(_date(year, first, second) for first, second, year in days)


LAYOUT = Layout(
    (
        LayoutColumn("row_reference", (ROW, "row_reference"), as_reference),
        LayoutColumn("review_outcome", (REVIEW, "review_outcome"), as_outcome),
        LayoutColumn("reviewed_on", (REVIEWED_ON, "Date reviewed", "Review date"), needed=False),
        LayoutColumn("later_until", (LATER, "Later when", "later_until"), needed=False),
        LayoutColumn("note", (NOTE, "Notes", "has_note"), needed=False),
        LayoutColumn("issue_id", ("issue_id",), str.lower, needed=False),
        LayoutColumn("team_id", ("team_id",), str.upper, needed=False),
    )
)
DAYS = ("reviewed_on", "later_until")
SAID = ("row_reference", "review_outcome", *DAYS)


def recognise(head: FileHead) -> Recognised | None:
    """A sheet or CSV with the columns Row and Review that says, above them or on another sheet, which list it is, or says so in every row.

    Raises FileRefused where it is a returned list beyond doubt, and does not say which, or says it twice.
    """
    if head.kind not in ("csv", "sheet") or LAYOUT.missing(head.columns):
        return None
    found = LAYOUT.positions(head.columns)
    if {"issue_id", "team_id"} <= set(found):
        return Recognised(richness=len(found))
    named = _named(head)
    if named is None:
        if "reviewed_on" not in found:
            return None
        raise FileRefused(
            f"{file_told(head.path.name)}: is a returned list that does not say which: the line above the people, such as "
            "'Issue list-2026-11-16, team U12345', is gone; copy it back from the list that was sent"
        )
    return Recognised(variant=" ".join(named), richness=len(found))


def _named(head: FileHead) -> tuple[str, str] | None:
    """The list that the lines above the header name, else those of the other sheets; None: neither does."""
    for lines in lines_around(head):
        named = lists_named(lines)
        if len(named) > 1:
            raise FileRefused(
                f"{file_told(head.path.name)}: names {len(named)} lists, so it is not clear whose rows these are; return each list by itself"
            )
        if named:
            return next(iter(named))
    return None


def read(head: FileHead) -> pa.Table:
    """One row a row of the sheet that is more than blank, in text, with the file's `return_id`; the row's number is `row_number` and `_row`.

    Raises FileRefused where it cannot be read, a column stands twice, or it has more rows than a list may.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    raw = read_layout(LAYOUT, head)
    if raw.num_rows > MOST_ROWS:
        raise FileRefused(f"{file_told(head.path.name)}: has {raw.num_rows:,} rows, and no list has more than {MOST_ROWS:,}; return the list alone")
    columns = {name: raw[name] if name in raw.column_names else pa.nulls(raw.num_rows, pa.string()) for name in SAID}
    written = {name: columns[name].to_pylist() for name in DAYS}
    american = is_month_first(value for values in written.values() for value in values)
    columns |= {name: pa.array([as_day(value, american) if value else None for value in written[name]], pa.string()) for name in DAYS}
    outcome, is_blank = columns["review_outcome"], {name: pc.is_null(column) for name, column in columns.items()}
    is_as_sent = pc.and_(pc.and_(is_blank["review_outcome"], is_blank["reviewed_on"]), is_blank["later_until"])
    columns["review_outcome"] = pc.if_else(is_as_sent, NOT_REVIEWED, outcome)
    columns["later_until"] = pc.if_else(pc.fill_null(pc.equal(outcome, "later"), False), columns["later_until"], pa.scalar(None, pa.string()))
    issue_id, team_id = _list_of(head, raw)
    made = {
        "return_id": pa.repeat(_return_id(head), raw.num_rows),
        "issue_id": issue_id,
        "team_id": team_id,
        **columns,
        "has_note": _has_note(raw),
        "row_number": raw[ROW_NUMBER].cast(pa.string()),
        ROW_NUMBER: raw[ROW_NUMBER],
    }
    is_row = pc.invert(pc.and_(is_as_sent, is_blank["row_reference"]))
    if SHAPE in raw.column_names:
        # The whole line may hold a note: that it is of another shape is all that is told of it.
        is_row = pc.or_(is_row, pc.is_valid(raw[SHAPE]))
        made[SHAPE] = pc.if_else(pc.is_valid(raw[SHAPE]), LONGER_TEXT, pa.scalar(None, pa.string()))
    return pa.table(made).filter(is_row)


def _list_of(head: FileHead, raw: pa.Table) -> tuple[pa.ChunkedArray | pa.Array, pa.ChunkedArray | pa.Array]:
    import pyarrow as pa

    if {"issue_id", "team_id"} <= set(raw.column_names):
        return raw["issue_id"], raw["team_id"]
    issue, team = _named(head) or (None, None)
    return pa.repeat(pa.scalar(issue, pa.string()), raw.num_rows), pa.repeat(pa.scalar(team, pa.string()), raw.num_rows)


def _has_note(raw: pa.Table) -> pa.Array:
    import pyarrow as pa

    if "note" not in raw.column_names:
        return pa.repeat("false", raw.num_rows)
    return pa.array(["true" if note and note.casefold() not in ("false", "no", "0") else "false" for note in raw["note"].to_pylist()], pa.string())


def _return_id(head: FileHead) -> str:
    with head.path.open("rb") as stream:
        return return_id(hashlib.file_digest(stream, "sha256").hexdigest(), head.member or "")


def return_id(content_hash: str, member: str = "") -> str:
    """What names a return in tables: the beginning of its file's SHA-256 (core/landing_file, content_hash), and of its sheet's or member's name."""
    content = content_hash[:12]
    return f"{content}-{hashlib.sha256(member.encode()).hexdigest()[:4]}" if member else content


SOURCE = SourceSpec(contract="inbound/review_outcome", expects=EXPECTS, recognise=recognise, read=read, all_files=True)
