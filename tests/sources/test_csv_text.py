"""CSV rows: one dialect, and no line lost whatever is wrong with it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.sources.csv_text import ROW, SHAPE, _line_by_line, read_text


def _lines(*lines: str, end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


def test_a_quote_that_first_appears_far_down_is_understood() -> None:
    """Line 31,794 is the first with a quote, around a name that ends in a comma."""
    plain = [f"A8{at:04d},PRACTICE {at},{at}" for at in range(31_792)]
    table = read_text(_lines("CODE,NAME,N", *plain, 'A90000,"THE SURGERY,",7', "A90001,NEXT,8"), 1, 3, [1, 2])
    assert table.num_rows == 31_794
    assert table.slice(31_792).to_pylist() == [{"c1": "THE SURGERY,", "c2": "7", ROW: 31_794}, {"c1": "NEXT", "c2": "8", ROW: 31_795}]
    assert SHAPE not in table.column_names


def test_doubled_quotes_are_one_quote() -> None:
    assert read_text(_lines("A,B", '"THE ""OLD"" SURGERY",1'), 1, 2, [0])["c0"].to_pylist() == ['THE "OLD" SURGERY']


def test_rows_of_the_wrong_shape_come_out_with_their_line_and_number() -> None:
    table = read_text(_lines("A,B,C", "1,2,3", "4,5", "6,7,8,9", "10,11,12"), 1, 3, [0, 2])
    assert table[ROW].to_pylist() == [2, 3, 4, 5]
    assert table[SHAPE].to_pylist() == [None, "4,5", "6,7,8,9", None]
    assert table["c0"].to_pylist() == ["1", None, None, "10"]


def test_a_quotation_mark_that_is_never_closed_costs_one_line_only() -> None:
    table = read_text(_lines("A,B", '1,"OPEN', "2,x", "3,y", '4,"closed"'), 1, 2, [0, 1])
    assert table[SHAPE].to_pylist() == ['1,"OPEN', None, None, None]
    assert table["c1"].to_pylist() == [None, "x", "y", "closed"]


def test_two_stray_quotes_do_not_swallow_the_lines_between_them() -> None:
    # Read by the book, lines 2 to 4 are one row of the right width: its name would hold two people's rows.
    table = read_text(_lines("A,B", '1,"OPEN', "2,x", '3,y"', "4,z"), 1, 2, [0])
    assert table.num_rows == 4
    assert table[SHAPE].to_pylist() == ['1,"OPEN', None, None, None]


def test_blank_lines_are_no_rows_and_do_not_shift_the_numbers() -> None:
    table = read_text(b"A,B\r\n1,2\r\n\r\n3,4\r\n\r\n\r\n", 1, 2, [0])
    assert table["c0"].to_pylist() == ["1", "3"]
    assert table[ROW].to_pylist() == [2, 4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(end: str) -> None:
    assert read_text(_lines("A,B", "1,2", "3,4", end=end), 1, 2, [0, 1])["c1"].to_pylist() == ["2", "4"]


def test_windows_1252_and_utf8_give_the_same_names() -> None:
    """The workforce files are cp1252, the payments file is UTF-8 with a byte-order mark."""
    line = "NAME,B\nSt Zoë’s – Surgery,1\n"
    for content in (line.encode("cp1252"), line.encode(), b"\xef\xbb\xbf" + line.encode()):
        assert read_text(content, 1, 2, [0])["c0"].to_pylist() == ["St Zoë’s – Surgery"]


def test_a_header_over_several_lines_is_left_out_whole() -> None:
    assert read_text(b'"A\nCode","B"\n1,2\n', 2, 2, [0]).to_pylist() == [{"c0": "1", ROW: 3}]


@pytest.mark.parametrize("content", [b"", b"\n", b"A,B", b"A,B\n", b"\xef\xbb\xbfA,B\r\n\r\n"])
def test_a_file_without_rows_gives_the_columns_and_no_rows(content: bytes) -> None:
    table = read_text(content, 1, 2, [1])
    assert table.num_rows == 0
    assert table.column_names == ["c1", ROW]


CELL = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=8)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12))
def test_the_quick_and_the_careful_reader_agree_on_every_sound_file(rows: list[tuple[str, str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("A", "B", "C"), *rows])
    quick, careful = read_text(text.getvalue().encode(), 1, 3, [0, 1, 2]), _line_by_line(text.getvalue().encode(), 1, 3, [0, 1, 2])
    assert quick.to_pylist() == careful.to_pylist()
    assert [tuple(row[f"c{at}"] or "" for at in range(3)) for row in quick.to_pylist()] == rows


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(st.sampled_from('ab,"'), min_size=1, max_size=10).filter(lambda line: line.strip()), min_size=1, max_size=15))
def test_whatever_the_lines_hold_none_is_lost(lines: list[str]) -> None:
    table = read_text(_lines("A,B,C", *lines), 1, 3, [0, 1, 2])
    starts = table[ROW].to_pylist()
    ends = [*(start - 1 for start in starts[1:]), len(lines) + 1]
    assert starts[0] == 2
    for start, end, row in zip(starts, ends, table.to_pylist(), strict=True):
        if end > start:  # a cell in quotes that holds line breaks: together its lines are one row of the right width, and it is read
            (fields,) = csv.reader([f"{line}\n" for line in lines[start - 2 : end - 1]], strict=True)
            assert [field.rstrip("\n") or None for field in fields] == [(row[name] or "").rstrip("\n") or None for name in ("c0", "c1", "c2")]
