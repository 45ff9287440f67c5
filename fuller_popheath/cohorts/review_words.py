"""What was said about a listed person, in the words of the drop-down and in those that the next reader sees.

The words of the drop-down themselves stand in `sources/review_words.py`, because whoever reads a workbook back needs them too.
What does not belong here: what a review does (`reviews.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from fuller_popheath.sources.review_words import LATER, LISTS_AGAIN, NOTE, REVIEW, REVIEW_WORDS, REVIEWED_ON, ROW, list_line

__all__ = ["LATER", "LISTS_AGAIN", "NOTE", "REVIEW", "REVIEWED_ON", "REVIEW_TOLD", "REVIEW_WORDS", "ROW", "list_line", "review_in_words"]

REVIEW_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "accepted": "accepted",
        "already_known": "already known to the team",
        "unsuitable": "not suitable",
        "declined": "declined by the person",
        "end_of_life": "has end of life care",
        "moved_or_died": "moved or died",
        "later": "later",
        "no_lists_please": "the person wants no lists",
        LISTS_AGAIN: "the person wants lists again",
    }
)
"""Each outcome as it is told afterwards."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def review_in_words(outcome: str, reviewed_on: date, until: date | None = None, is_for_good: bool = False) -> str:
    """What was said, when, and the day from which the person may be listed again: `declined by the person on 3 Nov 2026, until 3 Nov 2027`."""
    end = f", until {_day(until)}" if until else ", for good" if is_for_good else ""
    return f"{REVIEW_TOLD[outcome]} on {_day(reviewed_on)}{end}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
