"""NHS England, Patients Registered at a GP Practice: which PCN, sub-ICB and ICB each practice belongs to (`gp-reg-pat-prac-map.csv`).

Until June 2022 the file speaks of CCGs and STPs; they became the sub-ICBs and ICBs of 1 July 2022, mostly under the same codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_date
from fuller_popheath.sources.layouts import Layout, LayoutColumn, first_date, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("extract_date", ("EXTRACT_DATE",), as_date),
        LayoutColumn("practice_code", ("PRACTICE_CODE",), as_code),
        LayoutColumn("practice_name", ("PRACTICE_NAME",)),
        LayoutColumn("practice_postcode", ("PRACTICE_POSTCODE",), needed=False),
        LayoutColumn("pcn_code", ("PCN_CODE",)),
        LayoutColumn("pcn_name", ("PCN_NAME",)),
        LayoutColumn("sub_icb_ons_code", ("ONS_SUB_ICB_LOCATION_CODE", "ONS_CCG_CODE"), needed=False),
        LayoutColumn("sub_icb_code", ("SUB_ICB_LOCATION_CODE", "CCG_CODE")),
        LayoutColumn("sub_icb_name", ("SUB_ICB_LOCATION_NAME", "CCG_NAME")),
        LayoutColumn("icb_ons_code", ("ONS_ICB_CODE", "ONS_STP_CODE"), needed=False),
        LayoutColumn("icb_code", ("ICB_CODE", "STP_CODE")),
        LayoutColumn("icb_name", ("ICB_NAME", "STP_NAME")),
        LayoutColumn("region_code", ("COMM_REGION_CODE",), needed=False),
        LayoutColumn("region_name", ("COMM_REGION_NAME",), needed=False),
        LayoutColumn("supplier_name", ("SUPPLIER_NAME",), needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By its headers, old or new; the day is the extract date of its first row."""
    return recognised(LAYOUT, head, extract_date=first_date(LAYOUT, head, "extract_date"))


def read(head: FileHead) -> pa.Table:
    """One row per practice."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/practice_map",
    expects="the practice map (gp-reg-pat-prac-map.csv, also .gz or its zip)",
    recognise=recognise,
    read=read,
)
