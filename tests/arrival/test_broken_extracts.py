"""The ways in which extracts come broken: each is told, or its rows are in quarantine with their rule; rows read = accepted + quarantined."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath.arrival.files import LandingFile, State, survey
from tests.arrival.conftest import LIST_HEADER, nhs_number

PRACTICE = "P81001"


def _line(at: int, **changes: str) -> str:
    cells = dict(
        zip(LIST_HEADER.split(","), f"2026-08-01,{PRACTICE},{nhs_number(at)},1950-05-12,female,A,E01012345,2001-01-01,,,".split(","), strict=True)
    )
    return ",".join({**cells, **changes}.values())


SOUND = [_line(at) for at in range(60)]


def _file(folder: Path, lines: Sequence[str], header: str = LIST_HEADER, encoding: str = "utf-8", name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(("\n".join([header, *lines]) + "\n").encode(encoding))
    return path


QUARANTINED: dict[str, tuple[Sequence[str], dict[str, int]]] = {
    "1900-01-01": ([_line(70, date_of_birth="1900-01-01")], {"date_of_birth.range": 1}),
    "future birth": ([_line(70, date_of_birth="2031-01-01")], {"date_of_birth.not_after_extract_date": 1}),
    "repeated digits": ([_line(70, nhs_number="7777777777")], {"nhs_number.check_digit": 1}),
    "nine digits": ([_line(70, nhs_number=nhs_number(70)[1:])], {"nhs_number.pattern": 1}),
    "wrong check digit": ([_line(70, nhs_number="9990000001")], {"nhs_number.check_digit": 1}),
    "duplicated row": ([SOUND[0]], {"primary_key": 1}),
    "two births of one number": ([_line(0, date_of_birth="1951-05-12")], {"primary_key": 2}),
    "sex words": ([_line(70, sex="lady")], {"sex.allowed": 1}),
    "end before start": ([_line(70, registration_end_date="1999-01-01")], {"registration_start_not_after_end": 1}),
    "dead before birth": ([_line(70, death_date="1940-01-01")], {"death_date.not_before_birth": 1}),
    "no such day": ([_line(70, registration_start_date="2001-02-30")], {"registration_start_date.type": 1}),
    "too few fields": (["2026-08-01,P81001,cut"], {"row.shape": 1}),
    "too many fields": ([_line(70) + ",surplus"], {"row.shape": 1}),
    "quotation mark never closed": ([_line(70, usual_gp_code='"G1234567'), _line(71)], {"row.shape": 1}),
    "shifted columns": ([_line(70, practice_code="", nhs_number=PRACTICE)], {"nhs_number.pattern": 1, "practice_code.required": 1}),
}


@pytest.mark.parametrize("kind", QUARANTINED)
def test_faulty_rows_are_in_quarantine_with_their_rule_and_the_others_go_on(landing: Any, night: Any, kind: str) -> None:
    lines, rules = QUARANTINED[kind]
    _file(landing.folder, [*SOUND, *lines])
    taken = night.take()
    row = night.row(taken, PRACTICE)
    assert taken.counts == rules
    assert row["rows_read"] == 60 + len(lines) == row["rows_accepted"] + row["rows_quarantined"]
    assert row["rows_in_use"] == row["rows_accepted"] >= 59
    assert row["state"] == "new"
    kept = list(night.quarantine.rglob("*.parquet"))
    assert len(kept) == 1 and kept[0].stat().st_mode & 0o777 == 0o600 and kept[0].parent.stat().st_mode & 0o777 == 0o700


CELL_LEFT_EMPTY: dict[str, tuple[str, dict[str, int]]] = {
    "number among the LSOAs": (_line(70, lsoa_code=nhs_number(71)), {"lsoa_code.pattern": 1}),
    "number among the GPs": (_line(70, usual_gp_code=nhs_number(71)), {"usual_gp_code.pattern": 1}),
    "ethnicity in words": (_line(70, ethnic_category="White"), {"ethnic_category.allowed": 1}),
}


@pytest.mark.parametrize("kind", CELL_LEFT_EMPTY)
def test_a_slip_in_an_optional_column_costs_the_cell_and_not_the_person(landing: Any, night: Any, kind: str) -> None:
    line, cells = CELL_LEFT_EMPTY[kind]
    _file(landing.folder, [*SOUND, line])
    taken = night.take()
    row = night.row(taken, PRACTICE)
    assert (taken.counts, taken.cells_blanked) == ({}, cells)
    assert (row["rows_read"], row["rows_in_use"], row["rows_quarantined"], row["cells_blanked"]) == (61, 61, 0, 1)
    kept = list(night.quarantine.rglob("*.parquet"))
    assert len(kept) == 1 and kept[0].stat().st_mode & 0o777 == 0o600


READ_ALL_THE_SAME: dict[str, Callable[[Path], Path]] = {
    "numbers with blanks": lambda folder: _file(
        folder, [*SOUND, _line(70, nhs_number=f"{nhs_number(70)[:3]} {nhs_number(70)[3:6]} {nhs_number(70)[6:]}")]
    ),
    "dates in three styles": lambda folder: _file(
        folder,
        [*SOUND[:57], _line(70, date_of_birth="12/05/1950"), _line(71, date_of_birth="12May1950"), _line(72, date_of_birth="19500512"), _line(73)],
    ),
    "byte-order mark": lambda folder: _file(folder, [*SOUND, _line(70)], encoding="utf-8-sig"),
    "Windows-1252": lambda folder: _file(folder, [f"{line},é" for line in [*SOUND, _line(70)]], f"{LIST_HEADER},note", encoding="cp1252"),
    "columns more": lambda folder: _file(folder, [f"{line},x,y" for line in [*SOUND, _line(70)]], f"{LIST_HEADER},shoe_size,mood"),
    "columns in another order": lambda folder: _file(
        folder, [",".join(reversed(line.split(","))) for line in [*SOUND, _line(70)]], ",".join(reversed(LIST_HEADER.split(",")))
    ),
    "old line ends": lambda folder: _file(folder, ["\r".join([LIST_HEADER, *SOUND, _line(70)])][0].split("\r")[1:], LIST_HEADER),
    "a line break within quotes": lambda folder: _file(
        folder, [*(f"{line},fine" for line in SOUND), _line(70) + ',"told\nat length"'], f"{LIST_HEADER},note"
    ),
    "letters for sexes": lambda folder: _file(folder, [*SOUND, _line(70, sex="F")]),
}


@pytest.mark.parametrize("kind", READ_ALL_THE_SAME)
def test_what_can_be_put_right_is_read(landing: Any, night: Any, kind: str) -> None:
    READ_ALL_THE_SAME[kind](landing.folder)
    row = night.row(night.take(), PRACTICE)
    assert (row["rows_read"], row["rows_accepted"], row["rows_quarantined"], row["state"]) == (61, 61, 0, "new")


def _swapped(folder: Path) -> Path:
    header = LIST_HEADER.replace("nhs_number", "@").replace("lsoa_code", "nhs_number").replace("@", "lsoa_code")
    return _file(folder, SOUND, header)


def test_a_file_whose_columns_are_swapped_is_refused_whole(landing: Any, night: Any) -> None:
    _swapped(landing.folder)
    row = night.row(night.take(), PRACTICE)
    assert (row["state"], row["rows_read"], row["rows_quarantined"], row["rows_in_use"]) == ("never", 60, 60, 0)
    assert "60 of 60 rows break the contract inbound/practice_list" in row["reason"]


def test_a_number_in_the_code_column_is_no_code(landing: Any, night: Any) -> None:
    # 9990000018 is a test number, and by its last digits might be a SNOMED code.
    number = next(nhs_number(at) for at in range(100_000) if nhs_number(at)[7:9] in ("00", "01", "10", "11"))
    landing.events(PRACTICE, rows=60, extra=[f"2026-08-01,{PRACTICE},p99,{number},x1,2025-03-01,,synthetic,{number},,,"])
    taken = night.take(table="clinical_event")
    assert taken.counts == {"code.holds_no_nhs_number": 1, "code.long_number_is_snomed": 1}
    assert (taken.rows_read, taken.rows_accepted, taken.rows_quarantined) == (61, 60, 1)


def _surveyed(landing: Any) -> LandingFile:
    (found,) = survey(landing.folder)
    return found


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "semicolons": (
        lambda folder: _file(folder, [line.replace(",", ";") for line in SOUND], LIST_HEADER.replace(",", ";")),
        "its columns are separated by semicolons; expected commas",
    ),
    "a column missing": (
        lambda folder: _file(folder, [line.rpartition(",")[0] for line in SOUND], LIST_HEADER.replace(",death_date", "")),
        "needs the column death_date",
    ),
    "0 bytes": (lambda folder: (folder / "list.csv").write_bytes(b""), "the file is empty (0 bytes)"),
    "UTF-16": (lambda folder: _file(folder, SOUND, encoding="utf-16"), "expected a CSV in UTF-8 or Windows-1252"),
    "Parquet cut short": (lambda folder: (folder / "list.parquet").write_bytes(b"PAR1" + bytes(100)), "the Parquet file is cut short or damaged"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_cannot_be_read_says_why_and_stops_nothing(landing: Any, night: Any, kind: str) -> None:
    write, said = REFUSED[kind]
    write(landing.folder)
    found = _surveyed(landing)
    assert found.state is State.REFUSED
    assert said in str(found.problem)
    assert night.take().account.num_rows == 0
    landing.practice_list("P81002", people=60)
    assert night.states(night.take()) == {"P81002": "new"}


def test_a_gzip_that_is_cut_short_is_told_of_the_practice_that_sent_it(landing: Any, night: Any) -> None:
    packed = gzip.compress("\n".join([LIST_HEADER, *[_line(at) for at in range(10_000)]]).encode())
    (landing.folder / "list.csv.gz").write_bytes(packed[: len(packed) - 1000])
    row = night.row(night.take(), PRACTICE)
    assert row["state"] == "never"
    assert "the gzip file is cut short, its end is missing" in row["reason"]


def test_nobody_s_rows_are_told(landing: Any, night: Any) -> None:
    _file(landing.folder, [_line(at, practice_code="") for at in range(60)])
    taken = night.take()
    assert [use for use, _ in taken.files.values()] == ["refused"]
    assert "no row of it says whose it is" in str(list(taken.files.values()))


def test_no_message_and_no_account_holds_a_value(landing: Any, night: Any) -> None:
    planted = nhs_number(70)
    _file(landing.folder, [*SOUND, *(_line(70, sex=planted, lsoa_code=planted, registration_start_date=planted) for _ in range(10))])
    taken = night.take()
    assert planted not in str(taken.account.to_pylist()) + str([reason for _, reason in taken.files.values()])
    outside = [path for path in night.folder.rglob("*") if path.is_file() and not path.is_relative_to(landing.folder) and path.suffix == ".json"]
    assert outside and not any(planted in path.read_text() for path in outside)
