"""GPs by practice and year with the practice's list of that year, as derived from NHS England's General Practice Workforce and published as one CSV.

The file's own IMD quintile is not read: it runs the other way round (5 = most deprived). What does not belong here: rates (`place/workforce.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_number, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("na", "nd", "null", ".")


def as_known_number(value: str) -> str:
    """A number without thousands separators; the words that statistics programs write for a missing one are blank."""
    return "" if value.casefold() in MISSING else as_number(value)


def as_known_whole(value: str) -> str:
    """The same of a whole number."""
    return as_whole(as_known_number(value))


LAYOUT = Layout(
    (
        LayoutColumn("practice_code", ("Practice.Code", "PRAC_CODE", "practice_code"), as_code),
        LayoutColumn("year", ("Year",), as_whole),
        LayoutColumn("people_count", ("TOTAL_PATIENTS",), as_known_number),
        LayoutColumn("gp_headcount", ("TOTAL_GP_EXTGL_HC",), as_known_whole),
        LayoutColumn("gp_fte", ("TOTAL_GP_EXTGL_FTE",), as_known_number),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By its headers; it does not say of which day its years are."""
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per practice and year."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/gp_workforce",
    expects="GPs by practice and year (CSV with Practice.Code, Year, TOTAL_PATIENTS, TOTAL_GP_EXTGL_HC, TOTAL_GP_EXTGL_FTE)",
    recognise=recognise,
    read=read,
)
