"""Sites of neighbourhoods as the place keeps them, in a layout of our own: a CSV or a sheet with the columns of the contract.

The newest file counts whole; its day is the one that its name carries (sites_2026-09-01.csv). What does not belong here: maps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_number, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.sources.workforce import as_words
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


def as_postcode(value: str) -> str:
    """A postcode in capitals with one blank before its last three characters; what is none stays as it stands, for the contract to quarantine."""
    squeezed = re.sub(r"\s+", "", value).upper()
    return f"{squeezed[:-3]} {squeezed[-3:]}" if 5 <= len(squeezed) <= 7 else value


LAYOUT = Layout(
    (
        LayoutColumn("site_code", ("site_code", "site"), as_code),
        LayoutColumn("site_name", ("site_name",)),
        LayoutColumn("site_kind", ("site_kind", "kind of site"), as_words),
        LayoutColumn("pcn_code", ("pcn_code", "neighbourhood_code"), as_code),
        LayoutColumn("postcode", ("postcode",), as_postcode, needed=False),
        LayoutColumn("latitude", ("latitude",), as_number, needed=False),
        LayoutColumn("longitude", ("longitude",), as_number, needed=False),
        LayoutColumn("free_room_count", ("free_room_count", "free rooms"), as_whole, needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By its sites and their kinds; the day is the one in the file's name."""
    if {"site_name", "site_kind"} - set(LAYOUT.positions(head.columns)):
        return None
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per site."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/community_site",
    expects="sites of neighbourhoods (CSV or .xlsx with site_code, site_name, site_kind, pcn_code, postcode, latitude, longitude, free_room_count)",
    recognise=recognise,
    read=read,
)
