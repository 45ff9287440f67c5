"""A small file that says it is a huge one: refused, with what to do, before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources import parquet_files
from fuller_popheath.sources.archives import MOST_MEMBERS
from fuller_popheath.sources.opening import heads


def test_a_parquet_file_that_unpacks_to_more_than_the_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"practice_code": pa.array(["A" * 1000] * 5_000)}), path, use_dictionary=False, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(FileRefused, match=r"list\.parquet: holds more than 1 MB once unpacked.*max_file_megabytes"):
        heads(path, max_megabytes=1)
    assert heads(path, max_megabytes=10)[0].columns == ("practice_code",)


def test_a_parquet_file_of_more_rows_than_any_extract_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"a": pa.nulls(3_000_000, pa.int8()), "b": pa.nulls(3_000_000, pa.int8())}), path)
    assert path.stat().st_size < 20_000, "six million cells in a few bytes"
    monkeypatch.setattr(parquet_files, "MOST_CELLS", 5_000_000)
    with pytest.raises(FileRefused, match="3,000,000 rows of 2 columns, more than any extract"):
        heads(path)


def test_a_zip_of_very_many_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(MOST_MEMBERS + 1):
            archive.writestr(f"{number}.csv", b"")
    with pytest.raises(FileRefused, match=r"many\.zip: the zip holds 10,001 files"):
        heads(path)


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    """Only what lies in the outer one is looked at, so that no bomb can be hidden one deeper."""
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", bytes(1 << 20))
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(inner, "inner.zip")
    with pytest.raises(FileRefused, match="none of the 1 files in the zip is a CSV"):
        heads(tmp_path / "outer.zip")
