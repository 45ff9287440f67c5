"""What neighbourhood teams can take on: a CSV or a sheet with the columns of the contract. One file for all teams; the newest counts.

The day is the one that the file's name carries (team_capacity_2026-11-01.csv). What does not belong here: which row holds on a day, and what
stands in where a cell is empty (`cohorts/team_capacity.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_date, as_lower, as_number, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


def as_words(value: str) -> str:
    """Words in lower case with underscores, joined by semicolons; commas are taken for semicolons."""
    return ";".join(as_lower(word.strip()) for word in re.split(r"[;,]", value) if word.strip())


def as_percent(value: str) -> str:
    """A number without the percent sign behind it."""
    return as_number(value.removesuffix("%").rstrip())


LAYOUT = Layout(
    (
        LayoutColumn("team_id", ("team_id", "team code", "team"), as_code),
        LayoutColumn("team_name", ("team_name",)),
        LayoutColumn("neighbourhood_code", ("neighbourhood_code", "neighbourhood", "pcn_code")),
        LayoutColumn("valid_from_date", ("valid_from_date", "valid from", "from"), as_date),
        LayoutColumn("valid_to_date", ("valid_to_date", "valid to", "to"), as_date, needed=False),
        LayoutColumn("slots_count", ("slots_count", "slots", "places"), as_whole),
        LayoutColumn("reserve_count", ("reserve_count", "reserve"), as_whole, needed=False),
        LayoutColumn("skills", ("skills",), as_words, needed=False),
        LayoutColumn("exclude", ("exclude", "exclusions"), as_words, needed=False),
        LayoutColumn("priority", ("priority",), as_lower, needed=False),
        LayoutColumn("newly_surfaced_percent", ("newly_surfaced_percent", "newly surfaced"), as_percent, needed=False),
        LayoutColumn("core20_floor", ("core20_floor",), as_number, needed=False),
        LayoutColumn("plus_floor", ("plus_floor",), as_number, needed=False),
        LayoutColumn("under_18_floor", ("under_18_floor",), as_number, needed=False),
        LayoutColumn("low_contact_floor", ("low_contact_floor",), as_number, needed=False),
        LayoutColumn("minimum_age", ("minimum_age",), as_whole, needed=False),
        LayoutColumn("maximum_age", ("maximum_age",), as_whole, needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By a column of teams and one of places; the day is the one in the file's name."""
    if {"team_id", "slots_count"} - set(LAYOUT.positions(head.columns)):
        return None
    return recognised(LAYOUT, head, extract_date=head.saved_on)


def read(head: FileHead) -> pa.Table:
    """One row per team, neighbourhood and first day."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="inbound/team_capacity",
    expects="what neighbourhood teams can take on (CSV or .xlsx with team_id, team_name, neighbourhood_code, valid_from_date, slots_count)",
    recognise=recognise,
    read=read,
)
