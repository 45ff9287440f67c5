"""Our own layout for practice list extracts: one CSV a practice, one row a registration, columns as the contract `inbound/practice_list`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_date, as_nhs_number, as_sex
from fuller_popheath.sources.layouts import Layout, LayoutColumn, first_date, first_value, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

# Every column must be there, though many values may be blank: a list without, say, its end dates would register everyone for ever.
LAYOUT = Layout(
    (
        LayoutColumn("extract_date", ("extract_date",), as_date),
        LayoutColumn("practice_code", ("practice_code", "organisation_code", "ods_code"), as_code),
        LayoutColumn("nhs_number", ("nhs_number", "NHS no"), as_nhs_number),
        LayoutColumn("date_of_birth", ("date_of_birth", "DOB", "birth_date"), as_date),
        LayoutColumn("sex", ("sex",), as_sex),
        LayoutColumn("ethnic_category", ("ethnic_category", "ethnicity", "ethnic_group"), as_code),
        LayoutColumn("lsoa_code", ("lsoa_code", "lsoa"), as_code),
        LayoutColumn("registration_start_date", ("registration_start_date", "registration_start", "registered_date"), as_date),
        LayoutColumn("registration_end_date", ("registration_end_date", "registration_end", "deregistered_date"), as_date),
        LayoutColumn("usual_gp_code", ("usual_gp_code", "usual_gp"), as_code),
        LayoutColumn("death_date", ("death_date", "date_of_death", "DOD"), as_date),
    )
)
PRACTICE_CODE = re.compile(r"[A-HJ-NPV-Y]\d{5}")


def recognise(head: FileHead) -> Recognised | None:
    """By its headers; the variant is the practice of the first row where that is a practice code, so that each practice's newest list counts."""
    practice = first_value(LAYOUT, head, "practice_code").upper()
    variant = practice if PRACTICE_CODE.fullmatch(practice) else ""
    return recognised(LAYOUT, head, variant=variant, extract_date=first_date(LAYOUT, head, "extract_date"))


def read(head: FileHead) -> pa.Table:
    """One row per registration of the practice, with values as sent where they cannot be put into one spelling."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="inbound/practice_list",
    expects="a practice list extract (CSV, one row a registration: " + ", ".join(column.published for column in LAYOUT.columns) + ")",
    recognise=recognise,
    read=read,
    per_practice=True,
)
