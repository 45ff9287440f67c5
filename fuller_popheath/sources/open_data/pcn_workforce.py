"""NHS England, Primary Care Network Workforce, individual level: one line a person in post. Counted while it is read: no line is kept as such.

Lines are added up by PCN, staff group, role and kind of employment, so that the pseudonyms of members of staff, which tell who has several posts,
end here. What does not belong here: rates (`place/workforce.py`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fuller_popheath.sources.canonical import as_code, as_number, as_whole
from fuller_popheath.sources.csv_text import ROW, SHAPE
from fuller_popheath.sources.layouts import Layout, LayoutColumn, first_value, read_layout, recognised
from fuller_popheath.sources.workforce import as_staff_group, as_words
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("employment", ("Data_source",), as_words, needed=False),
        LayoutColumn("year", ("CENSUS_YEAR",), as_whole),
        LayoutColumn("month", ("CENSUS_MONTH",), as_whole),
        LayoutColumn("pcn_code", ("PCN_CODE",), as_code),
        LayoutColumn("pcn_name", ("PCN_NAME",), needed=False),
        LayoutColumn("sub_icb_code", ("SUB_ICB_CODE", "CCG_CODE"), as_code, needed=False),
        LayoutColumn("icb_code", ("ICB_CODE", "STP_CODE"), as_code, needed=False),
        LayoutColumn("staff_group", ("STAFF_GROUP",), as_staff_group),
        LayoutColumn("staff_role", ("STAFF_ROLE",), as_words),
        LayoutColumn("fte", ("FTE",), as_number),
        LayoutColumn("member_of_staff", ("UNIQUE_IDENTIFIER",), needed=False),
    )
)
CELL = ("census_date", "pcn_code", "staff_group", "staff_role", "employment")
SAME_IN_A_CELL = ("pcn_name", "sub_icb_code", "icb_code")
NOT_SAID = "not_said"
NUMBER = re.compile(r"-?\d+(\.\d+)?|-?\.\d+")


def census_day(year: str, month: str) -> str:
    """The last day of a month as ISO; what is no month is left as it stands, for the contract to quarantine."""
    if not (re.fullmatch(r"\d{4}", year) and re.fullmatch(r"0?[1-9]|1[0-2]", month)):
        return f"{year}-{month}"
    return date(int(year), int(month), monthrange(int(year), int(month))[1]).isoformat()


def recognise(head: FileHead) -> Recognised | None:
    """By its headers; the day is the last of the census month in its first row."""
    day = census_day(first_value(LAYOUT, head, "year"), first_value(LAYOUT, head, "month"))
    is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", day)
    return recognised(LAYOUT, head, extract_date=date.fromisoformat(day) if is_day else None)


def read(head: FileHead) -> pa.Table:
    """One row per census day, PCN, staff group, role and kind of employment; `_row` is the first of its lines.

    A line that cannot be added up (its full-time equivalent is no number, or it has not as many fields as the header) is a row by itself.
    """
    import pyarrow as pa

    lines = read_layout(LAYOUT, head)
    cells: dict[tuple[object, ...], _Cell] = {}
    days: dict[tuple[str, str], str] = {}
    for line in lines.to_pylist():
        when = (line["year"] or "", line["month"] or "")
        line["census_date"] = days.setdefault(when, census_day(*when))
        line["employment"] = line.get("employment") or NOT_SAID
        adds_up = not line.get(SHAPE) and NUMBER.fullmatch(line["fte"] or "")
        key = (*(line[name] for name in CELL), None if adds_up else line[ROW])
        cells.setdefault(key, _Cell(line)).add(line, bool(adds_up))
    shape = [SHAPE] if SHAPE in lines.column_names else []
    names = (*CELL, *SAME_IN_A_CELL, "post_count", "headcount", "fte", ROW, *shape)
    rows = [cell.row() for cell in cells.values()]
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.int64() if name == ROW else pa.string()) for name in names})


@dataclass
class _Cell:
    """Lines that are added up: the first of them, how many there are, whose they are, and their full-time equivalents, exactly."""

    first: Mapping[str, Any]
    posts: int = 0
    staff: set[str] = field(default_factory=set)
    fte: Decimal = Decimal(0)

    def add(self, line: Mapping[str, Any], adds_up: bool) -> None:
        self.posts += 1
        if member := line.get("member_of_staff"):
            self.staff.add(member)
        if adds_up:
            self.fte += Decimal(line["fte"])

    def row(self) -> dict[str, Any]:
        is_number = NUMBER.fullmatch(self.first["fte"] or "")
        counts = {"post_count": str(self.posts), "headcount": str(len(self.staff)) if self.staff else None}
        return {**self.first, **counts, "fte": str(self.fte) if is_number else self.first["fte"]}


SOURCE = SourceSpec(
    contract="reference/pcn_workforce",
    expects="the PCN workforce census (Primary_Care_Networks_..._Individual_Level.csv of NHS England, also .gz or its zip)",
    recognise=recognise,
    read=read,
)
