"""A continuity list as a workbook that a practice opens once a week: first what it is and is not, then the people, ready to filter, mark and print.

For direct care: it tells about persons, mostly with NHS numbers, so it is written with mode 0600, its name says nothing about anybody, and nothing
of it touches the disk but itself. It shows the NHS numbers of the table that it is given, and none where that has none. What does not belong here:
who is listed, who may see whose number (`lists.py`), and how a number is found (`people/vault.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.reason_words import rule_in_words
from fuller_popheath.errors import ContractBroken
from fuller_popheath.publish.wording import calm, day
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

Row = Mapping[str, Any]

REVIEWS = ("Offer continuity", "Already has it", "Not now", "Person declined", "Moved away", "Has died", "Discuss as a team")
"""What a clinician can say about a listed person, in the drop-down."""

COLUMNS: tuple[tuple[str, float, str], ...] = (
    ("No.", 5, "middle"),
    ("NHS number", 13, "middle"),
    ("Practice", 20, "text"),
    ("Age", 5, "middle"),
    ("Sex", 7, "text"),
    ("Why on this list", 60, "text"),
    ("Points", 7, "middle"),
    ("Usual GP", 10, "text"),
    ("With the same clinician", 15, "text"),
    ("Last contact", 13, "text"),
    ("Emergency admissions in 12 months", 11, "middle"),
    ("Risk of one in the next 12 months", 14, "text"),
    ("Review", 15, "mark"),
    ("Reviewed on", 11, "date"),
)
"""Heading, width in characters and look of each column of the people's sheet; without NHS numbers the second is left out, without risks that one."""

RISK = "Risk of one in the next 12 months"
DEMONSTRATION = "DEMONSTRATION: "
"""Before every word about a risk that rests on make-believe data."""

NUMBER, RECORD, NUMBER_COLUMN = "nhs_number", "patient_id", 1

CHARACTERS_A_LINE = 70
"""How much of a reason fits on a line; widths are of digits, and letters are narrower."""

HEAD_ROW = 3
BLUE, PALE, GREY = "#005EB8", "#E8EDEE", "#425563"
"""Colours of the NHS identity guidelines."""

NOT_LISTED = (
    ("below_points_count", "have fewer points than the rule asks for"),
    ("beyond_capacity_count", "have enough points, but the list has no place for them"),
    ("type_1_objection_count", "are left out for their Type 1 objection"),
    (
        "type_1_unknown_count",
        "are left out because their practice's Type 1 objections cannot be read, so that they count as objecting: whoever runs this pipeline adds "
        "the Type 1 code of the practice's system to the folder of [codelists] in site.toml",
    ),
    ("national_objection_count", "are left out for their national data opt-out"),
    ("sensitive_record_count", "are left out because their record is marked as not to be shared"),
    ("no_team_count", "are left out because their practice belongs to no neighbourhood"),
)


def write_workbook(path: Path, listed: pa.Table, account: Row, night: Night, practice: str = "") -> Path:
    """Write the list of one neighbourhood, or of one practice in it; the same input gives the same bytes. The file appears whole, with mode 0600.

    `listed`: its rows of products/continuity_list, with the columns that `identified` adds where NHS numbers are to be shown;
    `account`: the neighbourhood's row of products/continuity_list_account; `practice`: the name of the practice whose people alone these are, ""
    where they are the neighbourhood's. Rows keep their number in the neighbourhood. Returns `path`.
    """
    shows_numbers = NUMBER in listed.column_names
    people = listed.sort_by("rank").to_pylist()
    return replace_whole(path, lambda temporary: _write(temporary, people, account, night, practice, shows_numbers), PRIVATE_FILE)


def _write(path: Path, people: Sequence[Row], account: Row, night: Night, practice: str, shows_numbers: bool) -> None:
    import xlsxwriter

    # In memory: the library would otherwise put sheets with NHS numbers into the machine's temporary folder.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        made_on = datetime(night.as_of.year, night.as_of.month, night.as_of.day)  # noqa: DTZ001 a day, not a moment
        book.set_properties({"title": f"Continuity list {account['issue_id']}", "subject": "For direct care", "created": made_on})
        looks = _looks(book)
        names = names_in_words(account, practice, len(people), shows_numbers)
        _first_sheet(book, looks, account, (*first_sheet_lines(account, night), ("Names", names)), practice)
        _people_sheet(book, looks, people, account, _people_title(people, account, night, practice), shows_numbers)


def identified(rows: pa.Table, identities: pa.Table) -> pa.Table:
    """The rows by rank, with nhs_number and patient_id: those of the practice at which the person is listed, which alone may be told them.

    Somebody who has moved is known to several practices; of several records at one, the lowest number stands. Raises ContractBroken with counts
    where a listed person is not known at their practice.
    """
    import pyarrow as pa

    known: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for identity in identities.sort_by("patient_id").to_pylist():
        known.setdefault((identity["person_id"], identity["practice_code"]), (identity["nhs_number"], identity["patient_id"]))
    listed = rows.sort_by("rank")
    who = [known.get(key) for key in zip(listed["person_id"].to_pylist(), listed["practice_code"].to_pylist(), strict=True)]
    missing = sum(found is None for found in who)
    if missing:
        raise ContractBroken(
            f"{missing} of {len(who)} listed people are not in the vault as people of their practice; take tonight's practice lists again"
        )
    for number, name in enumerate((NUMBER, RECORD)):
        listed = listed.append_column(name, pa.array([found[number] for found in who if found], pa.string()))
    return listed


def _looks(book: Any) -> dict[str, Any]:
    letters = {"font_name": "Arial", "font_size": 10, "valign": "top"}
    grid = {**letters, "border": 1, "border_color": "#C8CFD3"}
    return {
        "title": book.add_format({**letters, "font_size": 18, "bold": True, "font_color": BLUE}),
        "label": book.add_format({**letters, "bold": True, "font_color": GREY, "text_wrap": True}),
        "line": book.add_format({**letters, "font_size": 11, "text_wrap": True}),
        "note": book.add_format({**letters, "font_color": GREY}),
        "head": book.add_format({**grid, "bold": True, "font_color": "#FFFFFF", "bg_color": BLUE, "text_wrap": True, "valign": "vcenter"}),
        "text": book.add_format({**grid, "text_wrap": True}),
        "middle": book.add_format({**grid, "align": "center"}),
        "mark": book.add_format({**grid, "bg_color": "#FFF9E5", "text_wrap": True}),
        "date": book.add_format({**grid, "bg_color": "#FFF9E5", "num_format": "dd/mm/yyyy", "align": "left"}),
    }


def first_sheet_lines(account: Row, night: Night) -> tuple[tuple[str, str], ...]:
    """What is said before anybody is shown: (label, text), ten of them, the same in every workbook of a neighbourhood."""
    registered, listed = account["registered_count"], account["listed_count"]
    not_listed = [f"{account[name]:,} {words}" for name, words in NOT_LISTED if account[name]]
    points, limits, length, caveat = rule_in_words(night.site.first_list)
    cut = ""
    if account["last_listed_points"] is not None:
        equal = account["equal_points_not_listed_count"]
        cut = f" The last person listed has {account['last_listed_points']} points" + (
            f"; {equal:,} others with as many were not drawn." if equal else "."
        )
    return (
        ("What this is", "People for whom a rule suggests that seeing the same clinician each time may help most. A prompt: you decide."),
        (
            "What it is not",
            "Not a diagnosis, no instruction, and not ordered by risk: a risk beside somebody decided nothing. Nothing here is written back to any "
            "record. Being absent means nothing.",
        ),
        ("As at", f"{day(night.as_of)}. What was recorded on or after that day is not known here."),
        ("Practices' data", account["coverage"]),
        ("Who is on it", f"{listed:,} of {registered:,} registered people.{cut}"),
        ("Who is not", "; ".join(not_listed) + "." if not_listed else "Nobody was left out."),
        ("The rule", f"{points} {limits}"),
        ("Order and length", length),
        ("A local choice", caveat),
        (
            "What to do",
            "Look at each person, choose under Review, add the date, and return the workbook. Row numbers tell us who is meant: do not re-number.",
        ),
    )


def names_in_words(account: Row, practice: str, shown: int, shows_numbers: bool) -> str:
    """Whose NHS numbers a workbook with `shown` people has, and where the others are found; `practice`: its name, "" for the neighbourhood's."""
    if shows_numbers and not practice:
        return (
            "NHS numbers of the people of all practices: this site chose so (site.toml, [first_list], identities), which is for teams with a "
            "data-sharing agreement."
        )
    where = "Names are with each practice: its own list has the same numbers in the first column, and the NHS numbers."
    return f"{where} This is the list of {practice}: {shown:,} of the {account['listed_count']:,} people." if practice else where


def _first_sheet(book: Any, looks: Mapping[str, Any], account: Row, lines: Sequence[tuple[str, str]], practice: str) -> None:
    sheet = book.add_worksheet("Read this first")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 105)
    sheet.set_row(0, 28)
    sheet.write_string(0, 0, f"Continuity list: {_whose(account, practice)}", looks["title"])
    for number, (label, text) in enumerate(lines, start=2):
        sheet.set_row(number, _height(text, 125, 14.5))
        sheet.write_string(number, 0, label, looks["label"])
        sheet.write_string(number, 1, text, looks["line"])
    readers = practice or "the practices named"
    note = f"Issue {account['issue_id']}. Personal health information: for direct care by {readers}, for nobody else."
    sheet.write_string(len(lines) + 3, 0, note, looks["note"])
    _printed(sheet, account)


def _people_title(people: Sequence[Row], account: Row, night: Night, practice: str) -> str:
    of_all = f" of {account['listed_count']:,}" if practice else ""
    return f"{_whose(account, practice)}: {len(people):,}{of_all} people, as at {day(night.as_of)}"


def _people_sheet(book: Any, looks: Mapping[str, Any], people: Sequence[Row], account: Row, title: str, shows_numbers: bool) -> None:
    sheet = book.add_worksheet("People")
    sheet.hide_gridlines(2)
    shows_risk = any(person["risk_words"] for person in people)
    columns = columns_of(shows_numbers, shows_risk)
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, title, looks["title"])
    sheet.write_string(1, 0, "The rule behind this order is a local choice and not validated: see the first sheet. Most points first.", looks["note"])
    sheet.set_row(HEAD_ROW, 44)
    for column, (heading, width, _) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(HEAD_ROW, column, heading, looks["head"])
    last = HEAD_ROW + max(len(people), 1)
    for number, person in enumerate(people, start=HEAD_ROW + 1):
        sheet.set_row(number, _height(person["reasons"], CHARACTERS_A_LINE, 12.75, least=2))
        for column, (cell, (_, _, look)) in enumerate(zip(cells_of(person, shows_risk), columns, strict=True)):
            _put(sheet, number, column, cell, looks[look])
    review, date_column = len(columns) - 2, len(columns) - 1
    choose = {"validate": "list", "source": list(REVIEWS), "error_type": "information", "error_message": "Choose from the list, or write a word."}
    sheet.data_validation(HEAD_ROW + 1, review, last, review, choose)
    sheet.freeze_panes(HEAD_ROW + 1, 2)
    sheet.autofilter(HEAD_ROW, 0, last, date_column)
    _printed(sheet, account)
    sheet.repeat_rows(HEAD_ROW)
    sheet.print_area(0, 0, last, date_column)


def columns_of(shows_numbers: bool, shows_risk: bool = False) -> tuple[tuple[str, float, str], ...]:
    """COLUMNS, without the NHS number and without the risk where none is shown."""
    hidden = {*(() if shows_numbers else (COLUMNS[NUMBER_COLUMN][0],)), *(() if shows_risk else (RISK,))}
    return tuple(column for column in COLUMNS if column[0] not in hidden)


def practice_in_words(person: Row) -> str:
    """The name of somebody's practice, its code where it has none."""
    return calm(person["practice_name"]) if person["practice_name"] else str(person["practice_code"])


def cells_of(person: Row, shows_risk: bool = False) -> tuple[str | int | None, ...]:
    """The cells of one person, in the order of `columns_of`: with an NHS number where the row has that column. Only counts are numbers."""
    stale = f"; data {person['extract_age_days']} days old" if person["extract_age_days"] else ""
    return (
        person["rank"],
        *((_number(person),) if NUMBER in person else ()),
        practice_in_words(person) + stale,
        person["age_years"],
        person["sex"],
        person["reasons"],
        person["points"],
        person["usual_gp_code"] or "none named",
        _continuity(person),
        _ago(person["days_since_last_contact"]),
        person["emergency_admission_count_365"],
        *((_risk(person),) if shows_risk else ()),
        None,
        None,
    )


def _number(person: Row) -> str:
    number = person[NUMBER]
    return f"{number[:3]} {number[3:6]} {number[6:]}" if number else f"none; record {person[RECORD] or 'unknown'}"


def _risk(person: Row) -> str:
    if not person["risk_words"]:
        return "not scored"
    return (DEMONSTRATION if person["risk_is_demonstration"] else "") + str(person["risk_words"])


def _continuity(person: Row) -> str:
    contacts = person["continuity_contact_count"]
    if person["continuity_upc"] is None:
        return f"too few to say ({contacts})"
    return f"{100 * person['continuity_upc']:.0f} % of {contacts} contacts"


def _ago(days: int | None) -> str:
    if days is None:
        return "over 2 years"
    return f"{days} day{'s' * (days != 1)} ago" if days < 60 else f"{days // 30} months ago"


def _put(sheet: Any, row: int, column: int, cell: str | int | None, look: Any) -> None:
    """A cell as what it is: a text is never read as a formula, a link or a number."""
    if cell is None:
        sheet.write_blank(row, column, None, look)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, look)
    else:
        sheet.write_number(row, column, cell, look)


def _printed(sheet: Any, account: Row) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    # An ampersand is how a footer is told what to show: doubled, it is itself.
    issue = str(account["issue_id"]).replace("&", "&&")
    sheet.set_footer(f"&L{issue}&CPersonal health information: direct care only&RPage &P of &N")


def _height(text: str, characters: int, line: float, least: int = 1) -> float:
    """The height of a wrapped cell in points. Spreadsheets disagree about doing it themselves."""
    lines, used = 1, 0
    for word in text.split():
        used += len(word) + 1
        if used > characters + 1:
            lines, used = lines + 1, len(word) + 1
    return max(lines, least) * line + 4


def _area(account: Row) -> str:
    return calm(account["neighbourhood_name"]) if account["neighbourhood_name"] else str(account["neighbourhood_code"])


def _whose(account: Row, practice: str) -> str:
    return f"{_area(account)}, {practice}" if practice else _area(account)
