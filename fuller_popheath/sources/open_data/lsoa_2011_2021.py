"""ONS lookup of LSOAs 2011 to LSOAs 2021, with the kind of change (CHGIND U, S, M, X); the order of its columns varies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("lsoa11_code", ("LSOA11CD", "lsoa11_code")),
        LayoutColumn("lsoa11_name", ("LSOA11NM", "lsoa11_name"), needed=False),
        LayoutColumn("lsoa21_code", ("LSOA21CD", "lsoa21_code")),
        LayoutColumn("lsoa21_name", ("LSOA21NM", "lsoa21_name"), needed=False),
        LayoutColumn("change_code", ("CHGIND", "CHNGIND", "change_code"), as_code),
        LayoutColumn("lad22_code", ("LAD22CD", "lad22_code"), needed=False),
        LayoutColumn("lad22_name", ("LAD22NM", "lad22_name"), needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By both code columns and the change indicator; a lookup without the indicator is a near miss."""
    return recognised(LAYOUT, head)


def read(head: FileHead) -> pa.Table:
    """One row per pair of LSOAs that share ground, England and Wales."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/lsoa_2011_2021",
    expects="the LSOA 2011 to LSOA 2021 lookup of ONS (LSOA11CD, LSOA21CD, CHGIND)",
    recognise=recognise,
    read=read,
)
