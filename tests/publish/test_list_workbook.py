"""The workbook of a list: read back cell by cell, the same bytes twice, private, readable again, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import importlib.util
import re
import sys
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from python_calamine import CalamineWorkbook

from fuller_popheath.cohorts.review_words import REVIEW_WORDS
from fuller_popheath.publish.list_columns import COLUMNS, NHS_NUMBER, PRACTICE, RISK, ago, compared, continuity_in_words
from fuller_popheath.publish.list_front import LABELS, first_sheet_lines
from fuller_popheath.publish.list_identities import identified
from fuller_popheath.publish.list_sheets import HEAD_ROW, MOVES, PEOPLE, lines_of
from fuller_popheath.publish.list_workbook import ListBook, write_workbook
from fuller_popheath.publish.lists import CHANGE
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

_spec = importlib.util.spec_from_file_location("list_example", Path(__file__).with_name("list_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
sys.modules["list_example"] = example
_spec.loader.exec_module(example)

DAY, ISSUE, TEAM, NIGHT = example.DAY, example.ISSUE, example.TEAM, example.NIGHT
LATER_NIGHT = Night(as_of=DAY + timedelta(days=2), site=Site())
HEADINGS = [heading for heading, _, _ in COLUMNS]


def a_book(listed: pa.Table, changes: Sequence[dict[str, Any]] = (), night: Night = NIGHT, practice: str = "", **account: Any) -> ListBook:
    """A workbook's content; its rows are identified unless it is the team's own."""
    removed = sum(state == "removed" for state in listed["state"].to_pylist())
    counts = {"listed_count": listed.num_rows - removed, "removed_count": removed}
    return ListBook(example.an_account(**{**counts, **account}), listed, example.a_table(CHANGE, changes), night, practice)


def known(listed: pa.Table, without: Sequence[int] = ()) -> pa.Table:
    return identified(listed, example.identities(listed, without))


def cells(path: Path, sheet: str) -> list[list[Any]]:
    with CalamineWorkbook.from_path(str(path)) as book:
        return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def people(path: Path) -> list[dict[str, Any]]:
    """The rows of the people's sheet by heading."""
    heading, *rows = cells(path, PEOPLE)[HEAD_ROW:]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def told(path: Path) -> dict[str, str]:
    return {row[0]: row[1] for row in cells(path, "Read this first") if row[0]}


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    listed = example.a_list(
        {"risk_words": "about 1 in 6", "risk_is_demonstration": False, "risk_reasons": "aged 84; heart failure", "is_newly_surfaced": True},
        {"continuity_upc": None, "continuity_contact_count": 1, "received_percentile": None, "days_since_last_contact": None, "is_new": True},
        {"extract_age_days": 12, "usual_gp_code": None, "last_review": "later on 3 Nov 2026", "risk_change": "rose: admitted twice"},
    )
    return write_workbook(tmp_path / "list.xlsx", a_book(known(listed, without=(2,))))


def test_the_first_sheet_says_in_ten_lines_what_this_is_before_anybody_is_shown(written: Path) -> None:
    with CalamineWorkbook.from_path(str(written)) as book:
        assert book.sheet_names == ["Read this first", PEOPLE, MOVES]
    said = told(written)
    assert [label for label, _ in first_sheet_lines(example.an_account(), NIGHT)] == list(LABELS)
    assert len(LABELS) == 10
    assert set(LABELS) <= set(said)
    assert cells(written, "Read this first")[1][0] == "Issue: list-2026-11-16 · Team: U12345"
    assert said["As at"] == "16 November 2026, the day of the issue. What was recorded on or after that day is not known here."
    assert said["Practices' data"] == "3 of 3 practices have sent a list. All are up to date."
    assert said["Who is on it"] == (
        "3 of 31,000 registered people, for 45 places, 5 of them kept free for people whom the team itself names. About 9 (5 to 14) of them would "
        "have an emergency admission within 12 months, by the model."
    )
    assert said["Who is not"].startswith("1,241 could have been listed, but there is no place for them; 28,086 have fewer points of need")
    assert "1,597 are left out for their Type 1 objection" in said["Who is not"]
    assert "cannot be read" not in said["Who is not"], "what counts nobody is not told"
    assert said["The rule"].endswith("It is not validated.")
    assert said["Order and floors"].endswith("at least 1 times their share, which is 11; 12 are listed.")
    assert "Never re-type or move row references" in said["How to return it"]
    assert "direct care only" in part(written, "xl/worksheets/sheet2.xml"), "every printed page says so"


def test_the_first_sheet_says_what_is_missing_and_what_is_make_believe() -> None:
    account = example.an_account(
        is_demonstration=True,
        shortfall_count=7,
        removed_count=2,
        floors=None,
        floors_unmet="PLUS groups: 2 too few",
        type_1_unknown_count=9_000,
        below_points_count=19_086,
        rule="People in order of need.",
    )
    said = dict(first_sheet_lines(account, LATER_NIGHT))
    assert "DEMONSTRATION, from a model of make-believe data: about 9 (5 to 14) of them" in said["Who is on it"]
    assert "7 places stay empty, because too few people could be listed. 2 have been taken off since." in said["Who is on it"]
    assert "9,000 are left out because their practice's Type 1 objections cannot be read" in said["Who is not"]
    assert said["Order and floors"].endswith("No group of people has a floor. Could not be met: PLUS groups: 2 too few.")
    assert said["The rule"].endswith("A local choice: not validated.")
    assert "Since then people were only taken off or marked, last on 18 November 2026" in said["As at"]
    nobody = example.an_account(listed_count=0, eligible_count=0, expected_admissions=None, expected_lower=None, expected_upper=None)
    said = dict(first_sheet_lines(nobody, NIGHT))
    assert "emergency" not in said["Who is on it"]
    assert said["Order and floors"] == "Nobody was put in order."


def test_the_people_are_shown_in_their_order_with_what_a_clinician_needs(written: Path) -> None:
    assert cells(written, PEOPLE)[1][0] == "Issue list-2026-11-16, team U12345"
    first, second, third = people(written)
    assert list(first) == HEADINGS
    assert first == {
        **dict.fromkeys(HEADINGS, ""),
        "No.": 1,
        "Row": example.reference(0),
        NHS_NUMBER: "999 000 0000",
        PRACTICE: "Green Lane Surgery",
        "Age": 84,
        "Sex": "female",
        "Why on this list": "severe frailty (14 of 36 deficits); dementia",
        "New to us": "new",
        "Usual GP": "G1234567",
        "Continuity received": "2 of 8 contacts with the same clinician: less than 9 in 10 people seen as often",
        "Last contact": "12 days ago",
        "Emergency admissions in 12 months": 1,
        RISK: "about 1 in 6\naged 84; heart failure",
    }
    assert (second["Continuity received"], second["Last contact"], second[RISK]) == ("too few contacts to say (1)", "none in 2 years", "not scored")
    assert (second["What changed"], second["New to us"]) == ("New on this list", "")
    assert third[NHS_NUMBER] == "none; record RECORD-2"
    assert third[PRACTICE] == "Green Lane Surgery; data 12 days old"
    assert (third["Usual GP"], third["What changed"]) == ("none named", "Risk rose: admitted twice\nLast review: later on 3 Nov 2026")


def test_a_risk_of_make_believe_says_so_and_without_a_model_there_is_no_such_column(tmp_path: Path) -> None:
    listed = example.a_list({"risk_words": "about 1 in 90", "risk_is_demonstration": True}, {})
    path = write_workbook(tmp_path / "list.xlsx", a_book(listed, is_demonstration=True))
    assert [row[RISK] for row in people(path)] == ["DEMONSTRATION: about 1 in 90", "not scored"]
    assert cells(path, PEOPLE)[2][0].startswith("DEMONSTRATION: risks are from make-believe data.")
    path = write_workbook(tmp_path / "other.xlsx", a_book(example.a_list({})))
    assert list(people(path)[0]) == [heading for heading in HEADINGS if heading not in (RISK, NHS_NUMBER)]


def removed_and_marked() -> tuple[pa.Table, list[dict[str, Any]]]:
    on = {"marked_on": DAY + timedelta(days=1)}
    listed = example.a_list(
        {"state": "removed", "mark": "reviewed", **on},
        {"state": "removed", "mark": "objects", "risk_words": "about 1 in 6", "reasons": "what may not be told", **on},
        {"mark": "new_admission", **on},
        {"state": "removed", "mark": "died", **on},
    )
    words = ("declined by the person on 17 Nov 2026", "objects to lists", "an emergency admission on 15 Nov 2026")
    kinds = ("removed", "removed", "marked")
    changes = [
        example.a_change(listed["person_id"][n].as_py(), kind, text, changed_on=on["marked_on"], row_reference=example.reference(n), rank=n + 1)
        for n, (kind, text) in enumerate(zip(kinds, words, strict=True))
    ]
    return listed, changes


def test_who_is_taken_off_keeps_the_place_struck_through_and_it_is_said_why(tmp_path: Path) -> None:
    listed, changes = removed_and_marked()
    path = write_workbook(tmp_path / "list.xlsx", a_book(known(listed), changes, LATER_NIGHT))
    first, second, third, last = people(path)
    assert [row["No."] for row in (first, second, third, last)] == [1, 2, 3, 4]
    assert first["What changed"] == "TAKEN OFF 17 Nov 2026: declined by the person on 17 Nov 2026"
    assert first[NHS_NUMBER] == "999 000 0000"
    shown = {heading: value for heading, value in second.items() if value != ""}
    assert shown == {
        "No.": 2,
        "Row": example.reference(1),
        PRACTICE: "Green Lane Surgery",
        "What changed": "TAKEN OFF 17 Nov 2026: objects to lists",
    }, "of whoever objects nothing more is shown"
    assert third["What changed"] == "Since 17 Nov 2026: an emergency admission on 15 Nov 2026"
    assert last["What changed"] == "TAKEN OFF 17 Nov 2026: has died", "also where no change tells why"
    with zipfile.ZipFile(path) as archive:
        assert "what may not be told" not in "".join(archive.read(name).decode() for name in archive.namelist())
    assert cells(path, PEOPLE)[2][0].endswith("Struck through: 3 people taken off since, as at 18 November 2026.")
    struck = [number for number, row in enumerate(styles(path), start=1) if row]
    assert struck == [HEAD_ROW + 2, HEAD_ROW + 3, HEAD_ROW + 5]


def styles(path: Path) -> list[bool]:
    """Of each row of the people's sheet whether its first cell is struck through."""
    look, sheet = part(path, "xl/styles.xml"), part(path, "xl/worksheets/sheet2.xml")
    fonts = ["<strike/>" in font for font in re.findall(r"<font>(.*?)</font>", look)]
    used = [fonts[int(font)] for font in re.findall(r'<xf [^>]*fontId="(\d+)"', look.split("<cellXfs", 1)[1])]
    return [used[int(style)] for style in re.findall(r'<row [^>]*>\s*<c r="A\d+" s="(\d+)"', sheet)]


def test_joiners_and_leavers_have_their_reasons_and_leavers_no_identity(tmp_path: Path) -> None:
    listed = example.a_list({"is_new": True}, {})
    joined, stayed = listed["person_id"].to_pylist()
    left = example.person_id(77)
    changes = [
        example.a_change(stayed, "stayed", "place 2 of 9 by score", row_reference=example.reference(1), rank=2, previous_rank=1),
        example.a_change(left, "left", "place 61 by score, and there are 40 places", previous_rank=38, practice_code="A81003"),
        example.a_change(joined, "joined", "place 1 of 9 by score; 50 last time", row_reference=example.reference(0), rank=1),
    ]
    path = write_workbook(tmp_path / "list.xlsx", a_book(listed, changes))
    rows = cells(path, MOVES)
    assert rows[2][0] == "1 joined since list-2026-11-09, 1 left, 1 stayed."
    assert rows[HEAD_ROW + 1 :] == [
        ["joined", "16 Nov 2026", 1, example.reference(0), "", "Green Lane Surgery", "place 1 of 9 by score; 50 last time"],
        ["left", "16 Nov 2026", "", "", 38, "A81003", "place 61 by score, and there are 40 places"],
    ]
    with zipfile.ZipFile(path) as archive:
        inside = "".join(archive.read(name).decode() for name in archive.namelist())
    assert not [person for person in (joined, stayed, left) if person in inside]


def test_of_a_first_list_nobody_is_shown_as_new_twice(tmp_path: Path) -> None:
    listed = example.a_list({"is_new": True})
    first = example.a_change(
        listed["person_id"][0].as_py(), "joined", "the team's first list", row_reference="ABCDEF", rank=1, previous_issue_id=None
    )
    rows = cells(write_workbook(tmp_path / "list.xlsx", a_book(listed, [first])), MOVES)
    assert rows[2][0] == "This is the first list: everybody on it is new."
    assert len(rows) == HEAD_ROW + 1


def test_it_can_be_filtered_marked_and_printed(written: Path) -> None:
    sheet = part(written, "xl/worksheets/sheet2.xml")
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A4:R7"' in sheet
    assert 'sqref="O5:O7"' in sheet
    assert ",".join(REVIEW_WORDS.values()) in sheet
    assert all(look in sheet for look in ('paperSize="9"', 'orientation="landscape"'))
    assert 'fitToHeight="0"' in sheet
    assert "sheetProtection" not in sheet
    assert "People!$4:$4" in part(written, "xl/workbook.xml"), "the heading is repeated on every page"
    assert all(look in sheet for look in ('customHeight="1"', "&amp;P of &amp;N"))


def test_what_is_written_can_be_read_back_as_a_return(tmp_path: Path) -> None:
    from fuller_popheath.sources.opening import heads
    from fuller_popheath.sources.review_outcome import read, recognise

    listed = example.a_list({}, {"state": "removed", "mark": "died"}, {})
    path = write_workbook(tmp_path / "list.xlsx", a_book(known(listed)))
    found = [(head, recognise(head)) for head in heads(path)]
    returned = [head for head, recognised in found if recognised is not None]
    assert len(returned) == 1
    rows = read(returned[0]).select(["issue_id", "team_id", "row_reference", "review_outcome"]).to_pylist()
    assert rows == [
        {"issue_id": ISSUE, "team_id": TEAM, "row_reference": reference, "review_outcome": "not_reviewed"}
        for reference in listed["row_reference"].to_pylist()
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    told_of = a_book(known(example.a_list({}, {})), practice="Green Lane Surgery")
    one, two = (write_workbook(tmp_path / name, told_of) for name in ("one.xlsx", "two.xlsx"))
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o600


HOSTILE = (
    *('=HYPERLINK("http://example.org","x")', "+1+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "http://example.org", "{=1}", "0123"),
    *("=cmd|'/C calc'!A0", "&L&G", "<x>"),
)
FREE_TEXT = ("reasons", "practice_name", "risk_reasons", "risk_change", "last_review")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_in_any_column_is_run_linked_or_counted(tmp_path: Path, text: str) -> None:
    listed = example.a_list({**dict.fromkeys(FREE_TEXT, text), "risk_words": "about 1 in 6", "mark": "new_admission", "marked_on": DAY})
    changes = [example.a_change(listed["person_id"][0].as_py(), change, text) for change in ("marked", "joined")]
    hostile = dict.fromkeys(("neighbourhood_name", "team_name", "coverage", "rule", "floors", "floors_unmet"), text)
    path = write_workbook(tmp_path / "list.xlsx", a_book(known(listed), changes, practice=text, **hostile))
    with zipfile.ZipFile(path) as archive:
        inside = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/"))
        assert not [name for name in archive.namelist() if "externalLink" in name or "rels/sheet" in name]
    assert not [sign for sign in ("<f>", "<f ", "<hyperlink") if sign in inside]
    assert people(path)[0]["Why on this list"].replace("_x000D_", "\r") == text
    with CalamineWorkbook.from_path(str(path)) as book:
        rows = [row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()]
    assert not [cell for row in rows for cell in row if isinstance(cell, float | int | bool) and cell not in (0, 1, 84)], "no text became a number"


@pytest.mark.parametrize(
    ("percentile", "words"),
    [
        (0.0, "among the lowest"),
        (0.049, "among the lowest"),
        (0.12, "less than 9 in 10"),
        (0.3, "less than 7 in 10"),
        (0.5, "about the middle"),
        (0.72, "more than 7 in 10"),
        (0.9, "more than 9 in 10"),
        (1.0, "among the highest"),
    ],
)
def test_a_percentile_is_told_without_one(percentile: float, words: str) -> None:
    assert compared(percentile) == f"{words}{' of' if 'among' in words or 'middle' in words else ''} people seen as often"


def test_days_and_contacts_are_told_as_people_say_them() -> None:
    assert [ago(days) for days in (None, 0, 1, 59, 60, 400)] == [
        "none in 2 years",
        "today",
        "1 day ago",
        "59 days ago",
        "2 months ago",
        "13 months ago",
    ]
    person = {"continuity_contact_count": 3, "continuity_upc": 2 / 3, "received_percentile": None}
    assert continuity_in_words(person) == "2 of 3 contacts with the same clinician"


@pytest.mark.parametrize(
    ("text", "letters", "lines"),
    [("", 10, 1), ("one", 10, 1), ("one two three", 7, 2), ("one\ntwo", 10, 2), ("a" * 25, 10, 3), ("aaaa " + "b" * 25, 10, 4)],
)
def test_a_row_is_as_high_as_its_text(text: str, letters: float, lines: int) -> None:
    assert lines_of(text, letters) == lines


def test_a_whole_list_fits_on_paper(tmp_path: Path) -> None:
    """Printed at the width of A4, letters of 10 points are still 7 points high.

    A unit of width is 7 pixels, with 5 more for each column, at 96 to the inch (ECMA-376, 18.3.1.13).
    """
    import numpy as np

    listed = example.a_realistic_list(np.random.default_rng(3))
    path = write_workbook(tmp_path / "list.xlsx", a_book(listed, example.realistic_changes(listed), LATER_NIGHT))
    widths = [width for heading, width, _ in COLUMNS if heading != NHS_NUMBER]
    inches = sum(7 * width + 5 for width in widths) / 96
    on_paper = (297 / 25.4 - 0.5) / inches
    assert 10 * on_paper >= 7
    heights = [float(points) for points in re.findall(r'<row r="\d+"[^>]* ht="([\d.]+)"', part(path, "xl/worksheets/sheet2.xml"))][HEAD_ROW - 1 :]
    pages = sum(heights) / 72 * on_paper / (210 / 25.4 - 0.9)
    assert pages < 5, "40 people on five pages at most"
    assert len(cells(path, PEOPLE)) == HEAD_ROW + 1 + 40


def test_dates_are_as_at_the_issue(tmp_path: Path) -> None:
    listed = example.a_list({})
    path = write_workbook(tmp_path / "list.xlsx", a_book(listed, night=LATER_NIGHT, issued_on=date(2026, 11, 16)))
    assert cells(path, PEOPLE)[0][0] == "North team (North PCN): 1 person, as at 16 November 2026"
