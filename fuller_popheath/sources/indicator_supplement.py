"""Counts of indicators that no record here can tell, as somebody supplies them: a CSV or a sheet with the columns of the contract.

The newest file counts whole; its day is the one that its name carries (indicator_supplement_2026-11-01.csv). What does not belong here: which
indicators may be supplied (`catalogue/indicators/supplied.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_date, as_lower, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("indicator_id", ("indicator_id", "indicator"), as_lower),
        LayoutColumn("area_type", ("area_type",), as_lower),
        LayoutColumn("area_code", ("area_code",), as_code),
        LayoutColumn("imd_edition", ("imd_edition", "edition")),
        LayoutColumn("quintile", ("quintile", "imd_quintile")),
        LayoutColumn("numerator", ("numerator",), as_whole),
        LayoutColumn("denominator", ("denominator",), as_whole),
        LayoutColumn("period_end_date", ("period_end_date", "period end"), as_date),
        LayoutColumn("supplied_by", ("supplied_by", "data source"), as_lower),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By its columns; the day is the one in the file's name."""
    if {"indicator_id", "numerator", "denominator"} - set(LAYOUT.positions(head.columns)):
        return None
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per indicator, area, edition and quintile."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="inbound/indicator_supplement",
    expects="counts of indicators from elsewhere (CSV or .xlsx with indicator_id, area_type, area_code, quintile, numerator, denominator ...)",
    recognise=recognise,
    read=read,
)
