"""Opening files: what is in them, and a clear refusal for what cannot be opened."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.opening import date_in_name, heads

PLANTED = "9434765919"


def test_a_csv_reads_the_same_plain_gzipped_and_zipped(write_csv: Callable[..., Path]) -> None:
    lines = ["A_CODE,A_NAME", "x,y"]
    for name in ("a.csv", "a.csv.gz", "a.zip"):
        (head,) = heads(write_csv(name, lines))
        assert (head.kind, head.columns, head.first_row, head.header_row) == ("csv", ("A_CODE", "A_NAME"), ("x", "y"), 1)


def test_a_zip_may_hold_several_files_and_notes_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.csv", "A_CODE,B_CODE\n1,2\n")
        archive.writestr("deep/two.csv", "C_CODE,D_CODE\n1,2\n")
        archive.writestr("notes.pdf", "words")
        archive.writestr("__MACOSX/._one.csv", "\0\0")
    assert [(head.member, head.columns) for head in heads(path)] == [("one.csv", ("A_CODE", "B_CODE")), ("deep/two.csv", ("C_CODE", "D_CODE"))]


def test_a_workbook_inside_a_zip_is_opened_sheet_by_sheet(tmp_path: Path, write_workbook: Callable[..., Path]) -> None:
    book = write_workbook("inner.xlsx", {"Notes": [], "Data": [["LSOA code (2011)", "LSOA name (2011)"], ["E01000001", "City"]]})
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(book, "inner.xlsx")
    (head,) = heads(path)
    assert (head.member, head.columns, head.row_count) == ("inner.xlsx: Data", ("LSOA code (2011)", "LSOA name (2011)"), 1)


def test_headers_lose_their_byte_order_mark_line_breaks_and_doubled_blanks(write_csv: Callable[..., Path]) -> None:
    path = write_csv("h.csv", ['\ufeffPartner\u00a0 Name,"Practice\nParent\r\nCCG Code ",  LSOA_CODE  ', "a,b,c"])
    (head,) = heads(path)
    assert head.columns == ("Partner Name", "Practice Parent CCG Code", "LSOA_CODE")
    assert head.header_row == 3


def test_the_header_is_found_below_title_lines(write_workbook: Callable[..., Path], write_csv: Callable[..., Path]) -> None:
    rows = [["Population estimates"], ["Contains notes"], [], ["LSOA 2021 Code", "LSOA 2021 Name", "Total"], ["E01000001", "City", 1500]]
    (sheet,) = heads(write_workbook("p.xlsx", {"Mid-2022": rows}))
    assert (sheet.header_row, sheet.columns[0], sheet.first_row[2]) == (4, "LSOA 2021 Code", "1500")
    (text,) = heads(write_csv("p.csv", ["Population estimates", "", "LSOA 2021 Code,LSOA 2021 Name,Total", "E01000001,City,1500"]))
    assert (text.header_row, text.first_row) == (3, ("E01000001", "City", "1500"))


def test_the_day_of_a_file_comes_from_its_name_before_its_properties(write_workbook: Callable[..., Path]) -> None:
    rows = {"S": [["A_CODE", "B_CODE"], ["1", "2"]]}
    saved = datetime(2023, 1, 26, 13, 40, tzinfo=UTC)
    assert heads(write_workbook("ePCN_2022-04-27.xlsx", rows, saved))[0].saved_on == date(2022, 4, 27)
    assert heads(write_workbook("ePCN.xlsx", rows, saved))[0].saved_on == date(2023, 1, 26)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("ePCN_2022-04-27.xlsx", date(2022, 4, 27)),
        ("epraccur_20230224.csv", date(2023, 2, 24)),
        ("gp-reg-pat-prac-map_2022-01.csv", None),
        ("lsoa_1234567890.csv", None),
        ("list_2022-13-45.csv", None),
    ],
)
def test_only_a_whole_date_in_a_name_counts(name: str, day: date | None) -> None:
    assert date_in_name(name) == day


def _truncated(path: Path, content: bytes) -> Path:
    path.write_bytes(content[: len(content) * 2 // 3])
    return path


def _zip_of(path: Path, text: str) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", text)
    return path.read_bytes()


LONG = "A_CODE,B_CODE\n" + "".join(f"{at * 7919 % 100003},{PLANTED}\n" for at in range(5000))


def test_a_truncated_zip_says_so(tmp_path: Path) -> None:
    path = _truncated(tmp_path / "cut.zip", _zip_of(tmp_path / "whole.zip", LONG))
    with pytest.raises(FileRefused, match=r"^cut\.zip: the zip or workbook is cut short.*ask for the file again"):
        heads(path)


def test_a_truncated_workbook_says_so(tmp_path: Path, write_workbook: Callable[..., Path]) -> None:
    whole = write_workbook("book.xlsx", {"S": [["A_CODE", "B_CODE"], [PLANTED, "2"]]})
    with pytest.raises(FileRefused, match=r"^cut\.xlsx: .*cut short"):
        heads(_truncated(tmp_path / "cut.xlsx", whole.read_bytes()))


def test_a_truncated_gzip_says_so_before_it_is_chosen(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"^cut\.csv\.gz: the gzip file is cut short") as refused:
        heads(_truncated(tmp_path / "cut.csv.gz", gzip.compress(LONG.encode())))
    assert PLANTED not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_damaged_gzip_says_so(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(LONG.encode()))
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "bad.csv.gz").write_bytes(bytes(content))
    with pytest.raises(FileRefused, match=r"^bad\.csv\.gz: the gzip file is (damaged|cut short)"):
        heads(tmp_path / "bad.csv.gz")


def test_an_encrypted_zip_says_what_to_do(tmp_path: Path) -> None:
    content = bytearray(_zip_of(tmp_path / "plain.zip", LONG))
    # The bit that says "encrypted", in the local header and in the list of contents (APPNOTE.TXT 4.4.4).
    content[6] |= 1
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(content))
    with pytest.raises(FileRefused, match=r"^locked\.zip: the zip file is encrypted; unpack it"):
        heads(tmp_path / "locked.zip")


def test_a_damaged_member_is_refused_when_it_is_read(tmp_path: Path) -> None:
    content = bytearray(_zip_of(tmp_path / "plain.zip", LONG))
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    (tmp_path / "bad.zip").write_bytes(bytes(content))
    from fuller_popheath.sources.opening import text_table

    with pytest.raises(FileRefused, match=r"^bad\.zip \(data\.csv\): this part of the zip file is damaged"):
        text_table(heads(tmp_path / "bad.zip")[0], [0, 1])


def test_nothing_larger_than_the_bound_is_unpacked(tmp_path: Path) -> None:
    zeros = "0" * (3 << 20)
    _zip_of(tmp_path / "bomb.zip", zeros)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(zeros.encode()))
    (tmp_path / "big.csv").write_text(zeros)
    for name in ("bomb.zip", "bomb.csv.gz", "big.csv"):
        with pytest.raises(FileRefused, match=r"holds more than 2 MB once unpacked; .*max_file_megabytes"):
            heads(tmp_path / name, max_megabytes=2)


def test_a_zip_that_understates_its_size_does_not_get_past_the_bound(tmp_path: Path) -> None:
    content = bytearray(_zip_of(tmp_path / "plain.zip", "0" * (3 << 20)))
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 1000)
    (tmp_path / "liar.zip").write_bytes(bytes(content))
    with pytest.raises(FileRefused):
        from fuller_popheath.sources.opening import text_table

        text_table(heads(tmp_path / "liar.zip", max_megabytes=2)[0], [0])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", r"the file is empty \(0 bytes\)"),
        ("blank.csv", b"\n\n  \n", "no rows and no header"),
        ("picture.png", b"\x89PNG....", "found a file of another kind"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old .xls or a password-protected workbook"),
        ("utf16.csv", "A_CODE,B_CODE\n1,2\n".encode("utf-16"), r"expected a CSV in UTF-8 or Windows-1252"),
        ("error.zip", b"<html>404 not found</html>", "cut short, damaged or none"),
        ("nothing.zip", b"PK\x05\x06" + b"\0" * 18, "the zip holds no file"),
        ("broken.geojson", b'{"type":"FeatureCollection","features":[{"9434765919', "boundary file cannot be read"),
        ("broken.gpkg", b"SQLite format 3\0" + b"9434765919" * 50, "boundary file cannot be read"),
    ],
)
def test_what_cannot_be_opened_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileRefused, match=said) as refused:
        heads(tmp_path / name)
    shown = str(refused.value) + "".join(capfd.readouterr())
    assert name in shown
    assert PLANTED not in shown


def test_a_zip_without_anything_known_says_how_many_files_it_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "docs.zip", "w") as archive:
        archive.writestr("a.pdf", "x")
        archive.writestr("b.docx", "x")
    with pytest.raises(FileRefused, match="none of the 2 files in the zip"):
        heads(tmp_path / "docs.zip")


def test_a_missing_file_is_a_refusal_not_a_stack_trace(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"^gone\.csv: cannot be read from disk"):
        heads(tmp_path / "gone.csv")
