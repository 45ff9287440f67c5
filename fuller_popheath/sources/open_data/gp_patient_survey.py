"""The GP Patient Survey by practice, in a layout of our own: one row a year, practice and measure, so that any year's file can be put into it.

The day is the one that the file's name carries, else the first of the survey's year, which is before any night that can have the file. What does not
belong here: areas (`publish/profile_extras.py`).
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import as_code, as_number, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, first_value, read_layout, recognised
from fuller_popheath.sources.workforce import as_words
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


def as_percent(value: str) -> str:
    """A number without the percent sign behind it."""
    return as_number(value.removesuffix("%").rstrip())


LAYOUT = Layout(
    (
        LayoutColumn("survey_year", ("survey_year", "year of survey"), as_whole),
        LayoutColumn("practice_code", ("practice_code",), as_code),
        LayoutColumn("measure", ("measure", "question"), as_words),
        LayoutColumn("favourable_percent", ("favourable_percent", "favourable"), as_percent),
        LayoutColumn("answer_count", ("answer_count", "answers", "responses"), as_whole, needed=False),
    )
)


def recognise(head: FileHead) -> Recognised | None:
    """By its year, measures and shares."""
    if {"survey_year", "measure", "favourable_percent"} - set(LAYOUT.positions(head.columns)):
        return None
    year = first_value(LAYOUT, head, "survey_year")
    day = date(int(year), 1, 1) if re.fullmatch(r"20\d\d", year) else None
    return recognised(LAYOUT, head, extract_date=head.saved_on or day)


def read(head: FileHead) -> pa.Table:
    """One row per year, practice and measure."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/gp_patient_survey",
    expects="GP Patient Survey by practice (CSV or .xlsx with survey_year, practice_code, measure, favourable_percent, answer_count)",
    recognise=recognise,
    read=read,
)
