"""What a list says beside each person, in the words of a surgery: the columns of the people's sheet, and the cells of one row.

Only counts, ages and dates are numbers; everything else is a sentence that needs no legend. What does not belong here: how it looks
(`list_sheets.py`), and who is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fuller_popheath.cohorts.list_words import MARKS, OBJECTS, SENSITIVE, WISH, day_told
from fuller_popheath.cohorts.review_words import LATER, NOTE, REVIEW, REVIEWED_ON, ROW
from fuller_popheath.publish.wording import calm, cut

Row = Mapping[str, Any]
Cell = str | int | None

NUMBER, RECORD = "nhs_number", "patient_id"
LISTED, REMOVED = "listed", "removed"
HIDES = frozenset({OBJECTS, SENSITIVE, WISH})
"""Marks of people who may not be listed any more: their row keeps its place and says so, and nothing else of them is shown."""

NHS_NUMBER, PRACTICE, RISK, CHANGED = "NHS number", "Practice", "Risk of an emergency admission in 12 months", "What changed"
COLUMNS: tuple[tuple[str, float, str], ...] = (
    ("No.", 4, "middle"),
    (ROW, 8.4, "middle"),
    (NHS_NUMBER, 12.4, "middle"),
    (PRACTICE, 13, "text"),
    ("Age", 4.2, "middle"),
    ("Sex", 6.6, "text"),
    ("Why on this list", 28.5, "text"),
    (CHANGED, 18.5, "text"),
    ("New to us", 4.8, "middle"),
    ("Usual GP", 9.2, "text"),
    ("Continuity received", 18, "text"),
    ("Last contact", 8, "text"),
    ("Emergency admissions in 12 months", 10.6, "middle"),
    (RISK, 27, "text"),
    (REVIEW, 12, "mark"),
    (REVIEWED_ON, 10.2, "date"),
    (LATER, 10.2, "date"),
    (NOTE, 12, "mark"),
)
"""Heading, width in characters and look of each column; which of NHS number, practice and risk are there depends on whose file it is."""

DEMONSTRATION = "DEMONSTRATION: "
"""Before every word about a risk that rests on make-believe data."""
LONGEST = 90
"""How much of a change of risk, or of the reasons of a risk, is told in a cell."""


def columns_of(people: Sequence[Row], shows_numbers: bool, shows_practice: bool) -> tuple[tuple[str, float, str], ...]:
    """COLUMNS without what this file has nothing to say in: NHS numbers, the practice where it is one practice's file, risks where none is known."""
    shows_risk = any(person["risk_words"] for person in people)
    hidden = {name for name, is_shown in ((NHS_NUMBER, shows_numbers), (PRACTICE, shows_practice), (RISK, shows_risk)) if not is_shown}
    return tuple(column for column in COLUMNS if column[0] not in hidden)


def cells_of(person: Row, why: str, stale_after_days: int) -> dict[str, Cell]:
    """The cells of one person by heading. `why`: what core/list_change says of their mark, ""; older data than `stale_after_days` is shown as old."""
    shown: dict[str, Cell] = dict.fromkeys(name for name, _, _ in COLUMNS)
    shown |= {"No.": person["rank"], ROW: person["row_reference"], PRACTICE: _practice(person, stale_after_days), CHANGED: changed(person, why)}
    if is_hidden(person):
        return shown
    return shown | {
        NHS_NUMBER: _number(person),
        "Age": person["age_years"],
        "Sex": person["sex"],
        "Why on this list": person["reasons"],
        "New to us": "new" if person["is_newly_surfaced"] else None,
        "Usual GP": person["usual_gp_code"] or "none named",
        "Continuity received": continuity_in_words(person),
        "Last contact": ago(person["days_since_last_contact"]),
        "Emergency admissions in 12 months": person["emergency_admission_count_365"],
        RISK: risk_told(person),
    }


def is_hidden(person: Row) -> bool:
    """Whether nothing about the person may be shown any more but that their row was taken off."""
    return person["state"] == REMOVED and person["mark"] in HIDES


def practice_in_words(person: Row) -> str:
    """The name of somebody's practice, its code where it has none."""
    return calm(person["practice_name"]) if person["practice_name"] else str(person["practice_code"])


def changed(person: Row, why: str) -> str | None:
    """What is different since the last list, a line each: taken off or marked, new on the list, the risk, and what was said last time."""
    lines = []
    if person["mark"]:
        words = why or MARKS.get(person["mark"], str(person["mark"]).replace("_", " "))
        when = f" {day_told(person['marked_on'])}" if person["marked_on"] else ""
        lines.append(f"TAKEN OFF{when}: {words}" if person["state"] == REMOVED else f"Since{when}: {words}")
    if person["state"] != REMOVED:
        lines += ["New on this list"] if person["is_new"] else []
        lines += [f"Risk {_some(person['risk_change'])}"] if person["risk_change"] else []
        lines += [f"Last review: {person['last_review']}"] if person["last_review"] else []
    return "\n".join(lines) or None


def continuity_in_words(person: Row) -> str:
    """How often somebody sees the same clinician, and how that compares with people who are seen as often."""
    contacts, share, percentile = person["continuity_contact_count"], person["continuity_upc"], person["received_percentile"]
    if share is None:
        return f"too few contacts to say ({contacts})"
    with_one = round(share * contacts)
    told = f"{with_one} of {contacts} contacts with the same clinician"
    return told if percentile is None else f"{told}: {compared(percentile)}"


def compared(percentile: float) -> str:
    """A place from 0 to 1 among people with as many contacts, in words: 0 is the least continuity."""
    tenths = int(percentile * 10 + 0.5)
    if tenths == 0:
        return "among the lowest of people seen as often"
    if tenths == 10:
        return "among the highest of people seen as often"
    if tenths == 5:
        return "about the middle of people seen as often"
    return f"less than {10 - tenths} in 10 people seen as often" if tenths < 5 else f"more than {tenths} in 10 people seen as often"


def ago(days: int | None) -> str:
    """How long ago a contact was, as people say it."""
    if days is None:
        return "none in 2 years"
    if days == 0:
        return "today"
    return f"{days} day{'s' * (days != 1)} ago" if days < 60 else f"{days // 30} months ago"


def risk_told(person: Row) -> str:
    """The risk in words and what raises it; that it is a demonstration stands before everything else."""
    if not person["risk_words"]:
        return "not scored"
    told = (DEMONSTRATION if person["risk_is_demonstration"] else "") + str(person["risk_words"])
    return f"{told}\n{_some(person['risk_reasons'])}" if person["risk_reasons"] else told


def _some(reasons: str) -> str:
    """The first of several reasons between semicolons, whole, as far as they fit; of the first one at least its beginning."""
    first, *others = reasons.split("; ")
    told = cut(first, LONGEST)
    for reason in others:
        if len(told) + len(reason) + 2 > LONGEST:
            break
        told += f"; {reason}"
    return told


def _practice(person: Row, stale_after_days: int) -> str:
    age = person["extract_age_days"]
    return practice_in_words(person) + (f"; data {age} days old" if age > stale_after_days else "")


def _number(person: Row) -> str | None:
    if NUMBER not in person:
        return None
    number, record = person[NUMBER], person[RECORD]
    if number:
        return f"{number[:3]} {number[3:6]} {number[6:]}"
    return f"none; record {record}" if record else ("not known any more" if person["state"] == REMOVED else "none; record unknown")
