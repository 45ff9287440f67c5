"""NHS England, NHS Payments to General Practice: of each practice the people registered, and the same weighted for need. Sums of money are not read.

What does not belong here: the weight of an area (`place/workforce.py`).
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_number
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("practice_code", ("Practice Code",), as_code),
        LayoutColumn("contract_type", ("Contract Type",), needed=False),
        LayoutColumn("rurality", ("Practice Rurality",), needed=False),
        LayoutColumn("registered_mean", ("Number of Registered Patients (Last Known Figure)", "Number of Registered Patients*"), as_number),
        LayoutColumn("weighted_mean", ("Number of Weighted Patients (Last Known Figure)", "Number of Weighted Patients*"), as_number),
    )
)
NOT_SAID = "not_said"


def financial_year(name: str) -> tuple[str, date | None]:
    """The financial year that a file's name carries (nhspaymentsgp-22-23-prac.csv: 2022-23) and its last day; else "not_said" and None."""
    for found in re.finditer(r"(?<!\d)(?:20)?(\d{2})-(\d{2})(?!\d)", name):
        start, end = int(found.group(1)), int(found.group(2))
        if end == start + 1:
            return f"20{start:02d}-{end:02d}", date(2000 + end, 3, 31)
    return NOT_SAID, None


def recognise(head: FileHead) -> Recognised | None:
    """By its two lists; the day is the last of the financial year in its name."""
    return recognised(LAYOUT, head, extract_date=financial_year(head.path.name)[1])


def read(head: FileHead) -> pa.Table:
    """One row per practice."""
    return read_layout(LAYOUT, head, {"financial_year": financial_year(head.path.name)[0]})


SOURCE = SourceSpec(
    contract="reference/practice_payment",
    expects="payments to practices (nhspaymentsgp-22-23-prac.csv of NHS England, with registered and weighted patients)",
    recognise=recognise,
    read=read,
)
