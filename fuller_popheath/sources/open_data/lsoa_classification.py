"""Which LSOAs are coastal or rural, as the site supplies it: a row for each LSOA and word, in a layout of our own.

What does not belong here: who is in which PLUS group for it (`catalogue/plus_groups/places`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


def as_word(value: str) -> str:
    """The word in small letters."""
    return value.strip().lower()


LAYOUT = Layout(
    (
        LayoutColumn("lsoa_code", ("lsoa_code", "LSOA21CD", "LSOA11CD", "LSOA code")),
        LayoutColumn("lsoa_vintage", ("lsoa_vintage", "LSOA vintage")),
        LayoutColumn("classification", ("classification",), as_word),
        LayoutColumn("source", ("source",), needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By a code, the census of it, and a word."""
    if "classification" not in LAYOUT.positions(head.columns):
        return None
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per LSOA and word that holds for it."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/lsoa_classification",
    expects="LSOAs that are coastal, inland, rural or urban (CSV or .xlsx with lsoa_code, lsoa_vintage and classification)",
    recognise=recognise,
    read=read,
)
