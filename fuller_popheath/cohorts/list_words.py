"""What lists say of people and places in plain English: days, reviews, marks, groups and floors.

What does not belong here: what is true of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from fuller_popheath.cohorts.review_words import MONTHS, review_in_words

DIED, LEFT, OBJECTS, SENSITIVE = "died", "left", "objects", "sensitive"
REVIEWED, WISH, TEAM_ENDED = "reviewed", "unlisted_wish", "team_ended"
NEW_ADMISSION, EXCLUDED_BY_TEAM, TAKEN_ON = "new_admission", "excluded_by_team", "taken_on"
TAKES_OFF = (DIED, LEFT, OBJECTS, SENSITIVE, REVIEWED, WISH, TEAM_ENDED)
MARKS_ONLY = (NEW_ADMISSION, EXCLUDED_BY_TEAM, TAKEN_ON)
MARKS: Mapping[str, str] = MappingProxyType(
    {
        DIED: "has died",
        LEFT: "not on the practice's own list any more (left, died, or the row could not be read)",
        OBJECTS: "objects to lists",
        SENSITIVE: "the record is marked as not to be shared",
        TEAM_ENDED: "the team is not in force any more",
        EXCLUDED_BY_TEAM: "the team does not see such people any more",
    }
)

VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "type_1_objection": "a Type 1 objection",
        "type_1_unknown": "Type 1 objections cannot be read for the practice, so everybody there counts as objecting",
        "national_objection": "the national data opt-out",
        "sensitive_record": "the record is marked as not to be shared",
        "review": "what was said of the person keeps them off",
        "team_excludes": "the team does not see such people (age, care home or skills)",
        "below_points": "too few points of need for a list",
        "eligible": "could be listed",
    }
)
"""Why somebody cannot be listed: the verdicts of core/list_candidate, in the order in which the first that is true counts."""

PRIORITIES: Mapping[str, str] = MappingProxyType(
    {
        "risk": "the predicted risk of an emergency admission in a year",
        "gap": "the continuity gap: continuity needed and not received",
        "risk_and_gap": "the mean of two places among those who could be listed: by risk, and by continuity gap",
        "need": "the points of need for continuity",
    }
)

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "core20": "Core20 (the most deprived fifth)",
        "plus": "PLUS groups",
        "under_18": "under-18s",
        "newly_surfaced": "newly surfaced people",
        "low_contact": "people without a contact in a year",
    }
)


def day_told(day: date) -> str:
    """A day as it is written on a list: 3 Nov 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def review_told(review: Mapping[str, Any]) -> str:
    """What keeps a person off, until when, and who said so in which issue. `review`: a row of `reviews.in_force`."""
    said = review_in_words(review["outcome"], review["reviewed_on"], review["until"], review["until"] is None)
    return f"{said} (said by team {review['team_id']} in {review['issue_id']})"


def group_told(group: str) -> str:
    """A group of people by its name in tables."""
    return GROUPS.get(group, group.replace("_", " "))
