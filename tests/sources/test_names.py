"""Names of files and parts that may be a person's number are withheld; the names that real files have are shown."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.names import FILE_WITHHELD, file_told, part_told
from fuller_popheath.sources.opening import heads, text_table

NUMBER = "9434765919"  # the example of the NHS Data Dictionary; 9434765918 fails its check digit


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("PCNDetails", True),
        ("IoD2025 File 7", True),
        ("gp-reg-pat-prac-lsoa-all-20220701.csv", True),
        ("extract 01072022", True),
        ("list_202207", True),
        ("Sheet1234", True),
        ("12345", False),
        ("list 123456", False),  # month 56 is no date
        ("20221301", False),
        ("A81001 20220701 4010232137", False),
        (NUMBER, False),
        ("943 476 5919", False),
    ],
)
def test_a_part_with_a_long_number_is_told_by_its_position(name: str, shown: bool) -> None:
    assert part_told(name, "sheet", 2) == (name if shown else "sheet 2")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("practice_list_A81001_20220701.csv", True),
        (f"{NUMBER}.csv", False),
        ("patient 943 476 5919 list.csv", False),
        ("patient 943-476-5919 list.csv", False),
        ("9434765918.csv", True),  # no NHS number
        (f"{NUMBER}1.csv", True),  # eleven digits are none
    ],
)
def test_a_file_name_is_withheld_only_where_it_holds_an_nhs_number(name: str, shown: bool) -> None:
    assert file_told(name) == (name if shown else FILE_WITHHELD)


def test_sheets_and_members_are_read_whatever_they_are_called(write_workbook: Callable[..., Path], tmp_path: Path) -> None:
    book = write_workbook("book.xlsx", {"Notes": [["a note"]], NUMBER: [["LSOA code", "rank"], ["E01000001", 1]]})
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(book, f"{NUMBER}.xlsx")
        archive.writestr("plain.csv", "LSOA code,rank\nE01000002,2\n")
    (sheet,) = [head for head in heads(book) if "rank" in head.columns]
    assert (sheet.member, sheet.name) == ("sheet 2", "book.xlsx (sheet 2)")
    assert text_table(sheet, [0])["c0"].to_pylist() == ["E01000001"]
    found = {head.member: text_table(head, [0])["c0"].to_pylist() for head in heads(packed) if "rank" in head.columns}
    assert found == {"member 1: sheet 2": ["E01000001"], "plain.csv": ["E01000002"]}


def test_a_refusal_does_not_say_the_number(tmp_path: Path) -> None:
    (tmp_path / f"{NUMBER}.zip").write_bytes(b"PK\x03\x04 and no end")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr(f"{NUMBER}.xlsx", b"no workbook")
        archive.writestr(f"{NUMBER}.csv", b"a\0b")
    for name in (f"{NUMBER}.zip", "packed.zip"):
        with pytest.raises(FileRefused) as refusal:
            heads(tmp_path / name)
        assert NUMBER not in str(refusal.value)
