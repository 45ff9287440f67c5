"""The self-assessment and planning sheet at the end of a profile: what a neighbourhood team asks itself, theme by theme, with what the profile says.

The seven themes are those of the delivery planning approach of Lancashire and South Cumbria's board paper on the Fuller stocktake (July 2022, section
3, after the stocktake's framework for shared action); section 2.25 asks for investment, workforce and activity of each neighbourhood. The
statements are our own and a starting point for a conversation: they are no national measure. What does not belong here: figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fuller_popheath.publish.profile_figures import Row, Shown

STAGES = ("Not yet", "Begun", "Mostly", "In place")


@dataclass(frozen=True)
class Theme:
    """One theme: what should be so, and which rows of the profile (figure, label) belong beside it."""

    name: str
    title: str
    statements: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...] = ()


THEMES = (
    Theme(
        "same_day",
        "Same-day urgent care",
        (
            "People who need help today reach it by one way in, whichever practice they are with.",
            "We know who asks for urgent help often, and offer them something better.",
            "Pharmacies and other services take what they can, and tell the practice.",
        ),
        (("activity", "Urgent contacts"), ("activity", "Booked and held on the same day"), ("activity", "Appointments not attended")),
    ),
    Theme(
        "team",
        "The neighbourhood team",
        (
            "General practice, community, mental health, social care and the voluntary sector work as one team with one list.",
            "People with high need for continuity know who looks after them, and see that person.",
            "Each week we decide together whom to see, and record what came of it.",
            "Children, and people whom practices rarely see, have a place on the list.",
        ),
        (("continuity", "Everybody with high need: receive little"), ("segments_fuller_split", "Continuity")),
    ),
    Theme(
        "people",
        "Working alongside people and communities",
        (
            "People who live here have helped to choose what we work on.",
            "We know our PLUS groups, and who among them is missing from our records.",
            "We reach people through places and groups that they trust.",
        ),
        (("plus", "Inclusion health"), ("survey", "Overall experience is good"), ("survey", "Usually see the preferred GP")),
    ),
    Theme(
        "data",
        "Digital, data and intelligence",
        (
            "Every practice sends its extracts, and somebody looks at what was refused.",
            "Ethnicity, carers and communication needs are recorded for nearly everybody.",
            "We look at gaps between Core20 and the rest when we plan, and again when we review.",
        ),
    ),
    Theme(
        "workforce",
        "Workforce",
        (
            "We know who will retire within five years, and have a plan.",
            "Roles that PCNs employ are filled, supervised and know their part in the team.",
            "Staff say that the work is bearable.",
        ),
        (("workforce", "GPs"), ("workforce", "Practice nurses"), ("workforce", "PCN-employed staff, all")),
    ),
    Theme(
        "estates",
        "Estates",
        (
            "The team has rooms in which to work together, near to where people in Core20 live.",
            "We know which public buildings could be used, and have asked.",
        ),
    ),
    Theme(
        "support",
        "Support and investment",
        (
            "We know what is spent here on primary and community care, beside what need would ask for.",
            "We have said what help we need from place and system, and who gives it.",
            "Somebody has time set aside to lead this.",
        ),
    ),
)
PLAN_COLUMNS = ("What we will change", "For whom", "Who leads", "By when", "How we shall know", "Help and money needed")
PLAN_ROWS = 5


@dataclass(frozen=True)
class Sheet:
    """The themes with what the profile says of each."""

    themes: tuple[tuple[Theme, tuple[str, ...]], ...]
    stages: tuple[str, ...] = STAGES
    columns: tuple[str, ...] = PLAN_COLUMNS
    rows: int = PLAN_ROWS


def sheet(figures: Sequence[Shown]) -> Sheet:
    """The sheet of one PCN: beside each theme its figures, in words."""
    rows: Mapping[tuple[str, str], Row] = {(figure.name, row.label): row for figure in figures for row in figure.rows}
    return Sheet(tuple((theme, tuple(rows[key].told for key in theme.evidence if key in rows)) for theme in THEMES))
