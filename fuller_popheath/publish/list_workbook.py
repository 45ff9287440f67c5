"""A list as a workbook that a team opens once a week: first what it is and is not, then the people, then who joined and left.

For direct care: it tells about persons, mostly with NHS numbers, so it is made in memory, written with mode 0600 under a name that says nothing
about anybody, and encrypted where there is a password. It shows the NHS numbers of the rows that it is given, and none where those have none. What
does not belong here: who is listed, and who may see whose number (`lists.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.list_changes import JOINED, LEFT, STAYED
from fuller_popheath.cohorts.list_words import day_told
from fuller_popheath.cohorts.review_words import list_line
from fuller_popheath.publish.list_columns import CHANGED, NUMBER, REMOVED, Cell, Row, cells_of, columns_of, practice_in_words
from fuller_popheath.publish.list_front import first_sheet_lines, issue_line, team_in_words
from fuller_popheath.publish.list_sheets import LETTERS, draw_front, draw_moves, draw_people, looks_of
from fuller_popheath.publish.wording import day, plural
from fuller_popheath.publish.workbook_password import encrypted
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

MOVE_COLUMNS: tuple[tuple[str, float, str], ...] = (
    ("What happened", 14, "text"),
    ("On", 12, "text"),
    ("No.", 6, "middle"),
    ("Reference", 12, "middle"),
    ("No. on the last list", 11, "middle"),
    ("Practice", 24, "text"),
    ("Why", 78, "text"),
)
HAPPENED: Mapping[str, str] = {"joined": "joined", "left": "left", "removed": "taken off since", "marked": "marked since"}
"""How each change of core/list_change is told, in the order in which they are shown; who stayed is counted only."""


@dataclass(frozen=True)
class ListBook:
    """What one workbook tells. `rows`: rows of products/cohort_list of one team, with the columns nhs_number and patient_id where those may be shown;
    `changes`: the rows of core/list_change that go with them; `account`: the team's row of products/cohort_list_account; `practice`: the name of the
    practice whose people alone these are, "" where they are the team's."""

    account: Row
    rows: pa.Table = field(repr=False)
    changes: pa.Table = field(repr=False)
    night: Night
    practice: str = ""


def write_workbook(path: Path, told: ListBook, password: str = "") -> Path:
    """Write a list's workbook; the same input gives the same bytes where there is no password. The file appears whole, with mode 0600.

    With a `password` it opens with that alone, and what is readable of it is never on the disk. Returns `path`.
    """
    made = workbook_of(told)
    content = encrypted(made, password) if password else made
    return replace_whole(path, lambda part: part.write_bytes(content), PRIVATE_FILE)


def workbook_of(told: ListBook) -> bytes:
    """The workbook's bytes, made in memory: the library would otherwise put sheets with NHS numbers into the machine's temporary folder."""
    import xlsxwriter

    account, night = told.account, told.night
    people = told.rows.sort_by("rank").to_pylist()
    shows_numbers = NUMBER in told.rows.column_names
    whose = f"{team_in_words(account)}, {told.practice}" if told.practice else team_in_words(account)
    made = BytesIO()
    options: dict[str, Any] = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    options["default_format_properties"] = dict(LETTERS)
    with xlsxwriter.Workbook(made, options) as book:
        made_on = datetime(night.as_of.year, night.as_of.month, night.as_of.day)  # noqa: DTZ001 a day, not a moment
        book.set_properties({"title": f"Continuity list {account['issue_id']}", "subject": "For direct care", "created": made_on})
        looks, footer = looks_of(book), list_line(account["issue_id"], account["team_id"])
        lines = first_sheet_lines(account, night, told.practice, len(people), shows_numbers)
        note = f"Personal health information: for direct care by {told.practice or 'this team'}, for nobody else."
        draw_front(book, looks, f"Continuity list: {whose}", issue_line(account), lines, note, footer)
        changes = told.changes.to_pylist()
        columns = columns_of(people, shows_numbers, shows_practice=not told.practice)
        draw_people(book, looks, _people_head(told, whose, people), columns, _people_rows(people, changes, night), footer)
        head, rows = _moves(told, whose, people, changes)
        draw_moves(book, looks, head, MOVE_COLUMNS, rows, footer)
    return made.getvalue()


def _people_head(told: ListBook, whose: str, people: Sequence[Row]) -> tuple[str, str, str]:
    account = told.account
    gone = sum(person["state"] == REMOVED for person in people)
    of_all = f"{len(people):,} of {account['issued_count']:,} people" if told.practice else ""
    title = f"{whose}: {of_all or plural(len(people), 'person', 'people')}, as at {day(account['issued_on'])}"
    notes = ["DEMONSTRATION: risks are from make-believe data."] if account["is_demonstration"] else []
    notes += ["By a local choice that is not validated: see the first sheet. New to us: no emergency admission in two years, and on no caseload."]
    notes += [f"Struck through: {plural(gone, 'person', 'people')} taken off since, as at {day(told.night.as_of)}."] if gone else []
    if told.practice and people and people[0]["extract_age_days"] > told.night.site.arrival.stale_after_days:
        notes.append(f"The practice's data are {people[0]['extract_age_days']} days old.")
    return title, list_line(account["issue_id"], account["team_id"]), " ".join(notes)


def _people_rows(people: Sequence[Row], changes: Sequence[Row], night: Night) -> list[tuple[dict[str, Cell], str]]:
    """The cells of each person, and the heading of the cell that says why they were taken off."""
    why = {change["person_id"]: change["words"] for change in changes if change["change"] in ("marked", "removed")}
    why |= {change["person_id"]: change["words"] for change in changes if change["change"] == "removed"}
    stale = night.site.arrival.stale_after_days
    return [(cells_of(person, why.get(person["person_id"], ""), stale), CHANGED if person["state"] == REMOVED else "") for person in people]


def _moves(told: ListBook, whose: str, people: Sequence[Row], changes: Sequence[Row]) -> tuple[tuple[str, str, str], list[dict[str, Cell]]]:
    """The head and rows of the last sheet. Who is on no list any more is told by the number on the last one, and by nothing else."""
    counts = {name: sum(change["change"] == name for change in changes) for name in (JOINED, LEFT, STAYED)}
    is_first = not counts[LEFT] and not counts[STAYED] and all(not change["previous_issue_id"] for change in changes)
    former = sorted({change["previous_issue_id"] for change in changes if change["previous_issue_id"]})
    shown = [change for change in changes if change["change"] in HAPPENED and not (is_first and change["change"] == JOINED)]
    order = tuple(HAPPENED)
    shown.sort(key=lambda change: (order.index(change["change"]), change["changed_on"], change["rank"] or change["previous_rank"] or 0))
    names = {person["practice_code"]: practice_in_words(person) for person in people}
    if is_first:
        said = "This is the first list: everybody on it is new."
    else:
        since = f" since {former[0]}" if len(former) == 1 else ""
        said = f"{counts[JOINED]:,} joined{since}, {counts[LEFT]:,} left, {counts[STAYED]:,} stayed."
    head = (f"{whose}: who joined and left", list_line(told.account["issue_id"], told.account["team_id"]), said)
    return head, [_move(change, names) for change in shown]


def _move(change: Row, names: Mapping[str, str]) -> dict[str, Cell]:
    on: date = change["changed_on"]
    return {
        "What happened": HAPPENED[change["change"]],
        "On": day_told(on),
        "No.": change["rank"],
        "Reference": change["row_reference"],
        "No. on the last list": change["previous_rank"],
        "Practice": names.get(change["practice_code"], change["practice_code"]),
        "Why": change["words"],
    }
