"""ONS, National Statistics Postcode Lookup (NSPL) and Postcode Directory (ONSPD): the LSOA of 2021 of each postcode; the whole UK in one CSV."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


def as_postcode(value: str) -> str:
    """A postcode in capitals without its blank: the directories write it in three ways."""
    return re.sub(r"\s", "", value).upper()


LAYOUT = Layout(
    (
        LayoutColumn("postcode", ("pcds", "pcd7", "pcd8", "pcd2", "pcd"), as_postcode),
        LayoutColumn("lsoa_code", ("lsoa21cd", "lsoa21"), as_code),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By both columns: whoever has only one of them is another file."""
    return None if LAYOUT.missing(head.columns) else recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per postcode, those that have been given up included."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/postcode_lsoa",
    expects="the postcode lookup of ONS (NSPL or ONSPD: pcds, lsoa21)",
    recognise=recognise,
    read=read,
)
