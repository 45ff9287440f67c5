"""Staff as the ICB or a training hub supplies them, by practice or PCN: a CSV or a sheet with the columns of the contract.

Practice nurses and ages are in no open file that is read here. Several days may stand in one file; the newest file counts whole, and its day is the
one that its name carries (workforce_2026-09-30.csv). What does not belong here: adding up (`place/workforce.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_date, as_lower, as_number, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

STAFF_GROUPS = {
    "gp": "gp",
    "gps": "gp",
    "nurse": "nurse",
    "nurses": "nurse",
    "practice_nurses": "nurse",
    "direct_patient_care": "direct_patient_care",
    "other_direct_patient_care": "direct_patient_care",
    "other_direct_patient_care_staff": "direct_patient_care",
    "admin_non_clinical": "admin_non_clinical",
    "other_admin_non_clinical": "admin_non_clinical",
    "other_admin_non_clinical_staff": "admin_non_clinical",
    "directors": "directors",
}
"""Staff groups as NHS England's workforce publications write them, and as they are called here."""


def as_words(value: str) -> str:
    """A name in lower case with underscores for everything between its words."""
    return re.sub(r"[^a-z0-9]+", "_", value.casefold()).strip("_")


def as_staff_group(value: str) -> str:
    """A staff group as it is called here; one that is not known stays as it stands, so that the contract quarantines it."""
    return STAFF_GROUPS.get(as_words(value), value)


LAYOUT = Layout(
    (
        LayoutColumn("census_date", ("census_date", "census day", "as at"), as_date),
        LayoutColumn("area_type", ("area_type",), as_lower),
        LayoutColumn("area_code", ("area_code",), as_code),
        LayoutColumn("staff_group", ("staff_group",), as_staff_group),
        LayoutColumn("headcount", ("headcount", "head count"), as_whole),
        LayoutColumn("fte", ("fte", "full-time equivalent", "full time equivalent"), as_number),
        LayoutColumn("aged_55_plus_count", ("aged_55_plus_count", "aged 55+", "aged 55 plus"), as_whole, needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By its census day, staff groups and full-time equivalents; the day is the one in the file's name."""
    if {"census_date", "staff_group", "fte"} - set(LAYOUT.positions(head.columns)):
        return None
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per census day, practice or PCN, and staff group."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="inbound/workforce",
    expects="staff by practice or PCN (CSV or .xlsx with census_date, area_type, area_code, staff_group, headcount, fte, aged_55_plus_count)",
    recognise=recognise,
    read=read,
)
