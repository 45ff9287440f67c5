"""CSV for spreadsheets: exact values, quotes where they are needed, and no text that would run as a formula."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuller_popheath.publish.csv_files import as_csv, write_csv

if TYPE_CHECKING:
    import pyarrow as pa

HYPERLINK = '=HYPERLINK("http://example.org","open me")'


@pytest.fixture
def table() -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "name": ["Smith, Jones & Sons", HYPERLINK, "Ärzte", None],
            "difference_points": [-1.25, 0.1 + 0.2, None, 3.0],
            "change_count": [-3, 0, None, 7],
            "as_of": [date(2022, 7, 1)] * 4,
            "is_due": [True, False, None, True],
        }
    )


def test_what_is_written_byte_for_byte(table: pa.Table, tmp_path: Path) -> None:
    write_csv(table, tmp_path / "made.csv")
    assert (tmp_path / "made.csv").read_bytes().decode("utf-8") == (
        "name,difference_points,change_count,as_of,is_due\n"
        '"Smith, Jones & Sons",-1.25,-3,2022-07-01,true\n'
        '"\'=HYPERLINK(""http://example.org"",""open me"")",0.30000000000000004,0,2022-07-01,false\n'
        "Ärzte,,,2022-07-01,\n"
        ",3.0,7,2022-07-01,true\n"
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_a_formula_and_every_number_is_still_one(start: str, tmp_path: Path) -> None:
    import pyarrow as pa

    write_csv(pa.table({"name": [f"{start}1+1"], "=column": [-1]}), tmp_path / "made.csv")
    with (tmp_path / "made.csv").open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [["name", "'=column"], [f"'{start}1+1", "-1"]]


def test_a_file_and_the_page_hold_the_same_text(table: pa.Table, tmp_path: Path) -> None:
    write_csv(table, tmp_path / "made.csv")
    assert (tmp_path / "made.csv").read_bytes() == as_csv(table).encode("utf-8")
