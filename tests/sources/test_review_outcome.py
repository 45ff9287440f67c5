"""Returned lists, as people return them: mistyped, with further columns, rows gone, sorted, saved by another program, or made up."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.arrival.landing import Arrived, State, examine, plan, survey
from fuller_popheath.arrival.returned_rows import rows_not_read
from fuller_popheath.errors import FileRefused
from fuller_popheath.sources import review_outcome
from fuller_popheath.sources.opening import heads
from fuller_popheath.sources.review_words import LISTS_AGAIN, list_line
from fuller_popheath.specs import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "inbound/review_outcome"
SOURCES: dict[str, SourceSpec] = {CONTRACT: review_outcome.SOURCE}
HEADINGS = ["No.", "Row", "Practice", "Age", "Why on this list", "Review", "Reviewed on", "Later: when", "Note"]
ISSUE, TEAM = "list-2026-11-16", "U12345"
FIRST_ROW = 5
"""The first person's row in the sheet: a title, the line that names the list, an empty row and the header stand above."""

Write = Callable[..., Path]


def references(count: int) -> list[str]:
    letters = "BCDFGHJKMNPQRSTVWXYZ"
    return [f"BCDF{letters[at // 20]}{letters[at % 20]}" for at in range(count)]


def people(count: int, said: dict[int, Sequence[Any]] | None = None) -> list[list[Any]]:
    """Rows of a list as sent, with review, day, later and note of some, counted from 0."""
    rows = []
    for at, reference in enumerate(references(count)):
        review, day, later, note = (*(said or {}).get(at, ()), None, None, None, None)[:4]
        rows.append([at + 1, reference, "Green Lane Surgery", 70 + at, "severe frailty", review, day, later, note])
    return rows


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def write(landing: Path) -> Write:
    """Write a list as a workbook, as it is agreed to look: what is said of it on the first sheet and above the people, and the people."""

    def written(
        name: str,
        rows: Sequence[Sequence[Any]],
        headings: Sequence[str] = HEADINGS,
        line: str | None = "",
        first: str | None = "",
        people: str = "People",
    ) -> Path:
        import xlsxwriter

        path = landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with xlsxwriter.Workbook(str(path)) as book:
            day = book.add_format({"num_format": "dd/mm/yyyy"})
            about = book.add_worksheet("Read this first")
            about.write(0, 0, "List: NORTH TEAM")
            if first is not None:
                about.write(12, 0, first or f"Issue: {ISSUE} · Team: {TEAM}")
            sheet = book.add_worksheet(people)
            sheet.write(0, 0, f"NORTH TEAM: {len(rows)} people")
            if line is not None:
                sheet.write(1, 0, line or list_line(ISSUE, TEAM))
            sheet.write_row(3, 0, headings)
            for at, row in enumerate(rows, start=4):
                for column, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(at, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001 a day, not a moment
                    elif isinstance(cell, str) and cell.startswith("="):
                        sheet.write_formula(at, column, cell, None, "Accept")
                    elif cell is not None:
                        sheet.write(at, column, cell)
            sheet.autofilter(3, 0, 4 + len(rows), len(headings) - 1)
        return path

    return written


def take(landing: Path, quarantine: Path | None = None) -> Arrived:
    return examine(plan(survey(landing, SOURCES, suppliers={}), date(2026, 11, 20), SOURCES), CONTRACT, quarantine, sources=SOURCES)


def said_of(arrived: Arrived) -> dict[str, str]:
    """Row reference -> outcome, of the rows with a review."""
    rows = arrived.table.to_pylist()
    return {row["row_reference"]: row["review_outcome"] for row in rows if row["review_outcome"] != "not_reviewed"}


def faulty(arrived: Arrived) -> dict[int, list[str]]:
    """Row number -> rules broken, of the rows in quarantine."""
    import pyarrow.parquet as pq

    found: dict[int, list[str]] = {}
    for file in arrived.files:
        if file.quarantined_in is not None:
            rows: pa.Table = pq.read_table(file.quarantined_in, partitioning=None)
            found |= dict(zip(rows["_row"].to_pylist(), rows["broken_rules"].to_pylist(), strict=True))
    return found


def test_a_list_comes_back_as_it_was_filled_in(write: Write, landing: Path) -> None:
    write(
        "list.xlsx",
        people(
            4,
            {
                0: ("Accept", date(2026, 11, 17)),
                1: ("Later (give a date)", date(2026, 11, 17), date(2027, 2, 1), "see wife"),
                3: ("Person declined",),
            },
        ),
    )
    arrived = take(landing)
    first, second, third, fourth = arrived.table.to_pylist()
    assert (first["issue_id"], first["team_id"], first["row_reference"], first["row_number"]) == (ISSUE, TEAM, references(1)[0], FIRST_ROW)
    assert (first["review_outcome"], first["reviewed_on"], first["later_until"], first["has_note"]) == ("accepted", date(2026, 11, 17), None, False)
    assert (second["review_outcome"], second["later_until"], second["has_note"]) == ("later", date(2027, 2, 1), True)
    assert third["review_outcome"] == "not_reviewed"
    assert (fourth["review_outcome"], fourth["reviewed_on"]) == ("declined", None)
    assert (arrived.rows_read, arrived.rows_accepted, arrived.rows_quarantined) == (4, 4, 0)


def test_what_people_do_to_a_list_costs_no_row_but_those_that_are_wrong(write: Write, landing: Path, tmp_path: Path) -> None:
    """Typing errors, an extra column, columns moved, a deleted row, rows sorted, another name; what cannot be used is told by row number."""
    rows = people(
        12,
        {
            0: ("accpet", "17/11/2026"),
            1: ("  PERSON  DECLINED. ", "17.11.26"),
            2: ("End of live care", "17 Nov 2026"),
            3: ("maybe", "17/11/2026"),
            4: ("Not suitable", "last Tuesday"),
            5: (None, "17/11/2026"),
            6: ("Later (give a date)", "17/11/2026", "1/2/27"),
            7: ("Later (give a date)", "17/11/2026", "17/10/2026"),
            8: ("Accept", "17/11/2026", "sometime"),
        },
    )
    del rows[10]
    rows[9][1] = "BCDF1"
    rows[9][5] = "Accept"
    rows.reverse()
    order = [5, 1, 8, 0, 7, 6, 2, 3, 4]
    moved = [[*(row[at] for at in order), f"nurse {number}"] for number, row in enumerate(rows)]
    write("back from north (2) FINAL.xlsx", moved, [*(HEADINGS[at] for at in order), "Seen by"])
    arrived = take(landing, tmp_path / "quarantine")
    names = references(12)
    assert said_of(arrived) == {
        names[0]: "accepted",
        names[1]: "declined",
        names[2]: "end_of_life",
        names[6]: "later",
        names[8]: "accepted",
    }
    row_of = {row[1]: FIRST_ROW + at for at, row in enumerate(rows)}
    assert faulty(arrived) == {
        row_of[names[3]]: ["review_outcome.allowed"],
        row_of[names[4]]: ["reviewed_on.type"],
        row_of[names[5]]: ["review_outcome.required"],
        row_of[names[7]]: ["later_until.after_the_review"],
        row_of["BCDF1"]: ["row_reference.pattern"],
    }
    told = rows_not_read(arrived.files)
    assert f"FINAL.xlsx (People), row {row_of[names[3]]}: the review is none of the words to choose from" in told
    assert told.count(", row ") == 5
    assert arrived.rows_read == len(rows)
    assert arrived.rows_read == arrived.rows_accepted + arrived.rows_quarantined


def test_every_returned_file_is_read_and_accounted_for(write: Write, landing: Path) -> None:
    """Not only the newest: each team's, and a second return of the same list; a copy of a file is none."""
    write("2026-11-17/list.xlsx", people(3, {0: ("Accept", date(2026, 11, 17))}))
    write("2026-11-18/list.xlsx", people(3, {0: ("Person declined", date(2026, 11, 18)), 1: ("Accept", date(2026, 11, 18))}))
    write("south.xlsx", people(2, {0: ("Moved or died", None)}), line=list_line(ISSUE, "U54321"), first=None)
    shutil.copyfile(landing / "south.xlsx", landing / "south copy 2026-11-19.xlsx")
    arrived = take(landing)
    assert {file.file.file_name for file in arrived.files} == {"2026-11-17/list.xlsx", "2026-11-18/list.xlsx", "south copy 2026-11-19.xlsx"}
    assert arrived.rows_read == 8
    assert all(file.is_used and file.rows_read == file.rows_accepted for file in arrived.files)
    both = [row["review_outcome"] for row in arrived.table.to_pylist() if row["row_reference"] == references(1)[0] and row["team_id"] == TEAM]
    assert sorted(both) == ["accepted", "declined"]
    found = plan(survey(landing, SOURCES, suppliers={}), date(2026, 11, 1), SOURCES).table.to_pylist()
    assert {row["file_name"]: row["use"] for row in found}["south.xlsx"] == "not used"


def test_a_return_that_is_mostly_wrong_still_gives_what_is_right(write: Write, landing: Path) -> None:
    """Elsewhere a file with so many faulty rows would be refused as a whole."""
    write("list.xlsx", people(4, {0: ("Accept",), 1: ("?",), 2: ("??",), 3: ("???",)}))
    arrived = take(landing)
    assert (arrived.rows_accepted, arrived.rows_quarantined) == (1, 3)
    assert said_of(arrived) == {references(1)[0]: "accepted"}


def test_a_row_twice_in_one_file_counts_once_and_not_at_all_where_its_copies_differ(write: Write, landing: Path, tmp_path: Path) -> None:
    rows = people(3, {0: ("Accept",), 1: ("Accept",)})
    write("list.xlsx", [*rows, [*rows[1][:5], "Person declined", None, None, None]])
    arrived = take(landing, tmp_path / "quarantine")
    assert said_of(arrived) == {references(1)[0]: "accepted"}
    assert set(faulty(arrived)) == {FIRST_ROW + 1, FIRST_ROW + 3}


def test_nothing_of_a_note_is_kept_anywhere(write: Write, landing: Path, tmp_path: Path) -> None:
    secret = "her daughter rang about the will on Monday"
    rows = people(4, {0: ("Accept", None, None, secret), 1: ("whatever", None, None, secret), 2: (secret,), 3: ("Accept", secret)})
    write("list.xlsx", rows)
    lines = [f'"{list_line(ISSUE, TEAM)}",,,', "Row,Review,Reviewed on,Note", f"{references(1)[0]},Accept,17/11/2026,{secret}, and more"]
    (landing / "list.csv").write_text("\n".join([*lines, f"{references(2)[1]},Accept,17/11/2026,{secret}"]) + "\n", encoding="utf-8")
    arrived = take(landing, tmp_path / "quarantine")
    import pyarrow.parquet as pq

    kept = [path for path in (tmp_path / "quarantine").rglob("*") if path.is_file()]
    assert arrived.counts == {"review_outcome.allowed": 2, "reviewed_on.type": 1, "row.shape": 1}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
    told = [str(pq.read_table(path, partitioning=None).to_pylist()) for path in kept]
    assert not any("daughter" in text for text in [*told, str(arrived.table.to_pylist()), str(arrived.files)])


def test_the_peoples_sheet_as_csv_tells_which_list_it_is(landing: Path) -> None:
    lines = [
        "NORTH TEAM: 2 people,,,,",
        f'"{list_line(ISSUE, TEAM)}",,,,',
        ",,,,",
        "Row,Age,Review,Reviewed on,Note",
        f"{references(2)[0]},70,Accept,46343,",
        f"{references(2)[1]},71,,,ask again",
    ]
    (landing / "people.csv").write_text("\r\n".join(lines) + "\r\n", encoding="cp1252")
    arrived = take(landing)
    first, second = arrived.table.to_pylist()
    # 46343 days after 30 December 1899: the day that a spreadsheet shows for this number.
    assert (first["issue_id"], first["team_id"], first["reviewed_on"], first["row_number"]) == (ISSUE, TEAM, date(2026, 11, 17), 5)
    assert (second["review_outcome"], second["has_note"]) == ("not_reviewed", True)


def test_a_csv_of_the_contract_names_the_list_in_each_row_and_may_take_a_wish_back(landing: Path) -> None:
    lines = [
        "issue_id,team_id,row_reference,review_outcome,reviewed_on",
        f"{ISSUE},{TEAM.lower()},{references(2)[0].lower()},{LISTS_AGAIN},2026-11-17",
        f"list-2026-11-09-2,U54321,{references(2)[1]},no_lists_please,2026-11-17",
    ]
    (landing / "reviews.csv").write_text("\n".join(lines) + "\n")
    rows = take(landing).table.to_pylist()
    told = {row["row_reference"]: (row["issue_id"], row["team_id"], row["review_outcome"]) for row in rows}
    assert told == {
        references(2)[0]: (ISSUE, TEAM, LISTS_AGAIN),
        references(2)[1]: ("list-2026-11-09-2", "U54321", "no_lists_please"),
    }


@pytest.mark.parametrize("target", ["xlsx", "csv"])
def test_libreoffice_saves_a_list_and_it_still_reads(write: Write, landing: Path, tmp_path: Path, target: str) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed here, so what it makes of a list cannot be read")
    sent = write("list.xlsx", people(3, {0: ("Accept", date(2026, 11, 17)), 2: ("Later (give a date)", date(2026, 11, 17), date(2027, 2, 1))}))
    sent = sent.rename(tmp_path / "list.xlsx")
    # The third number in the filter's options is the sheet: the people's is the second.
    kind = "xlsx" if target == "xlsx" else "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", kind, "--outdir", str(landing), str(sent)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    arrived = take(landing)
    rows = {row["row_reference"]: row for row in arrived.table.to_pylist()}
    assert said_of(arrived) == {references(3)[0]: "accepted", references(3)[2]: "later"}
    assert rows[references(3)[2]]["later_until"] == date(2027, 2, 1)
    assert {row["reviewed_on"] for row in rows.values()} == {date(2026, 11, 17), None}
    assert {(row["issue_id"], row["team_id"]) for row in rows.values()} == {(ISSUE, TEAM)}


def _told(landing: Path) -> tuple[State, str]:
    (file,) = survey(landing, SOURCES, suppliers={})
    return file.state, file.problem or ""


def test_the_first_sheet_names_the_list_where_the_line_above_the_people_is_gone(write: Write, landing: Path) -> None:
    write("list.xlsx", people(1, {0: ("Accept",)}), line=None)
    assert said_of(take(landing)) == {references(1)[0]: "accepted"}


def test_a_list_that_does_not_say_which_it_is_is_refused_with_what_to_do(write: Write, landing: Path) -> None:
    write("list.xlsx", people(1, {0: ("Accept",)}), line=None, first=None)
    state, problem = _told(landing)
    assert state is State.REFUSED
    assert "is a returned list that does not say which" in problem
    assert "copy it back" in problem


def test_a_sheet_that_names_two_lists_is_refused(write: Write, landing: Path) -> None:
    write("list.xlsx", people(1, {0: ("Accept",)}), line=f"{list_line(ISSUE, TEAM)} and {list_line(ISSUE, 'U54321')}")
    assert _told(landing) == (
        State.REFUSED,
        "list.xlsx: names 2 lists, so it is not clear whose rows these are; return each list by itself",
    )


def test_a_second_column_called_review_is_not_chosen_from(write: Write, landing: Path) -> None:
    write("list.xlsx", [[*row, "Accept"] for row in people(1, {0: ("Accept",)})], [*HEADINGS, "review"])
    arrived = take(landing)
    assert arrived.files[0].reason == "list.xlsx: the column Review stands twice, so it is not clear which one counts; remove one of them"


def test_other_files_with_rows_and_reviews_are_none_of_ours(landing: Path) -> None:
    (landing / "books.csv").write_text("Row,Review,Title\n1,good,A book\n")
    assert _told(landing)[0] is State.NOT_RECOGNISED


def test_a_formula_is_read_as_what_it_showed_and_a_link_to_another_workbook_is_not_followed(write: Write, landing: Path) -> None:
    rows = people(2, {0: ("='[other.xlsx]Sheet1'!A1",), 1: ("=IF(1,2)",)})
    write("list.xlsx", rows)
    assert said_of(take(landing)) == dict.fromkeys(references(2), "accepted")


def _with_part(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_a_stray_cell_in_the_last_corner_of_a_sheet_is_refused_before_it_fills_the_memory(write: Write, landing: Path) -> None:
    """As a grid the sheet would be 17 thousand million cells."""
    path = write("list.xlsx", people(1))
    corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    _with_part(path, "xl/worksheets/sheet2.xml", lambda xml: xml.replace(b"</sheetData>", corner))
    state, problem = _told(landing)
    assert state is State.REFUSED
    assert "spans 17,179,869,184 cells" in problem
    assert "delete the empty rows below" in problem


def test_a_workbook_that_unpacks_to_far_more_than_it_is_is_refused(write: Write, landing: Path) -> None:
    path = write("list.xlsx", people(1))
    _with_part(path, "xl/styles.xml", lambda xml: xml + b" " * (6 << 20))
    with pytest.raises(FileRefused, match="holds more than 5 MB once unpacked"):
        heads(path, max_megabytes=5)


def test_a_workbook_whose_part_lies_about_its_size_is_refused(write: Write, landing: Path) -> None:
    path = write("list.xlsx", people(1))
    _with_part(path, "xl/worksheets/sheet2.xml", lambda xml: xml + b" " * 100_000)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet2.xml").file_size
    content = bytearray(bytes(content).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
    path.write_bytes(content)
    assert _told(landing)[0] is State.REFUSED


def test_a_file_of_more_rows_than_any_list_is_refused(landing: Path) -> None:
    rows = "\n".join(f"{ISSUE},{TEAM},BCDFGH,accepted" for _ in range(review_outcome.MOST_ROWS + 1))
    (landing / "many.csv").write_text(f"issue_id,team_id,row_reference,review_outcome\n{rows}\n")
    assert "no list has more than 10,000" in str(take(landing).files[0].reason)


def test_days_of_a_spreadsheet_set_to_american_days_are_told_by_those_that_can_be_nothing_else(landing: Path) -> None:
    lines = ["issue_id,team_id,row_reference,review_outcome,reviewed_on,later_until"]
    lines += [f"{ISSUE},{TEAM},{references(2)[0]},later,11/17/2026,02/01/2027", f"{ISSUE},{TEAM},{references(2)[1]},accepted,12/01/2026,"]
    (landing / "reviews.csv").write_text("\n".join(lines) + "\n")
    rows = {row["row_reference"]: row for row in take(landing).table.to_pylist()}
    assert (rows[references(2)[0]]["later_until"], rows[references(2)[1]]["reviewed_on"]) == (date(2027, 2, 1), date(2026, 12, 1))
    assert not review_outcome.is_month_first(["12/01/2026", None, "7/1/27"])
    assert not review_outcome.is_month_first(["11/17/2026", "17/11/2026"])
