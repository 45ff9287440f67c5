"""Mid-year population by LSOA 2021, as ONS publishes it (a workbook with lines above the header) or as any CSV with a code and a total."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_whole
from fuller_popheath.sources.heads import OpenedHead
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("lsoa21_code", ("LSOA 2021 Code", "LSOA21CD", "LSOA code (2021)", "lsoa21_code", "2021 LSOA Code", "LSOA21 Code")),
        LayoutColumn(
            "population_count", ("Total", "Total population*", "population_count", "population", "All ages", "Total persons", "Persons"), as_whole
        ),
    )
)


def estimate_date(head: FileHead) -> date | None:
    """30 June of the year that a sheet, file or header calls `mid 2022` (ONS mid-year estimates are as at 30 June), else the file's own date."""
    sheet = head.sheet if isinstance(head, OpenedHead) else ""
    for text in (sheet, head.member or "", head.path.name, *head.columns):
        found = re.search(r"(?i)\bmid[-_ ]?(?:year)?[-_ ]?(\d{4})", text)
        if found:
            return date(int(found.group(1)), 6, 30)
    return head.saved_on


def recognise(head: FileHead) -> Recognised | None:
    """By a column of LSOA 2021 codes and one of totals."""
    return recognised(LAYOUT, head, extract_date=estimate_date(head))


def read(head: FileHead) -> pa.Table:
    """One row per LSOA 2021."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/lsoa_population",
    expects="population by LSOA 2021 (CSV or .xlsx with a column LSOA 2021 Code and a column Total)",
    recognise=recognise,
    read=read,
)
