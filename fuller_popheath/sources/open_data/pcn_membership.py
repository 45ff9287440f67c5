"""ODS ePCN workbook, sheet "PCN Core Partner Details": which practice belonged to which PCN between which days.

Every relationship row is kept. ODS rewrites history, so every row carries the day the workbook was saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_date
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("practice_code", ("Partner Organisation Code",), as_code),
        LayoutColumn("practice_name", ("Partner Name",)),
        LayoutColumn("practice_sub_icb_code", ("Practice Parent Sub ICB Loc Code", "Practice Parent CCG Code")),
        LayoutColumn("practice_sub_icb_name", ("Practice Parent Sub ICB Loc Name", "Practice Parent CCG Name"), needed=False),
        LayoutColumn("pcn_code", ("PCN Code",), as_code),
        LayoutColumn("pcn_name", ("PCN Name",)),
        LayoutColumn("pcn_sub_icb_code", ("PCN Parent Sub ICB Loc Code", "PCN Parent CCG Code")),
        LayoutColumn("pcn_sub_icb_name", ("PCN Parent Sub ICB Loc Name", "PCN Parent CCG Name"), needed=False),
        LayoutColumn("start_date", ("Practice to PCN Relationship Start Date",), as_date),
        LayoutColumn("end_date", ("Practice to PCN Relationship End Date",), as_date),
    )
)
UNDATED = "undated"


def recognise(head: FileHead) -> Recognised | None:
    """By the headers of the sheet, with CCGs or sub-ICBs; the day is the one the workbook was saved."""
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per relationship of a practice with a PCN; `membership_snapshot` is the day saved, or "undated" where the file does not say."""
    return read_layout(LAYOUT, head, {"membership_snapshot": head.saved_on.isoformat() if head.saved_on else UNDATED})


SOURCE = SourceSpec(
    contract="reference/pcn_membership",
    expects='PCN membership (the ePCN workbook with its sheet "PCN Core Partner Details")',
    recognise=recognise,
    read=read,
)
