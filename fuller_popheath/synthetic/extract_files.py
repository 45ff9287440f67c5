"""Write extract tables as files in our own layout: CSV, gzipped CSV or Parquet, whole or not at all.

The same table gives the same bytes. What does not belong here: what the tables hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.whole_files import replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

EXTRACTS_FOLDER = "extracts"
PRACTICE_TABLES = ("clinical_event", "medication_issue", "appointment", "objection")
TRUST_TABLES = ("hospital_spell", "ed_attendance")
SUFFIXES = {"csv": ".csv", "csv.gz": ".csv.gz", "parquet": ".parquet"}


def check_format(file_format: str) -> str:
    """The format's name, checked. Raises SettingsWrong for one that cannot be written."""
    if file_format not in SUFFIXES:
        raise SettingsWrong(f'file_format "{file_format}" is not known; there are {", ".join(SUFFIXES)}')
    return file_format


def extract_path(folder: Path, table: str, sender: str, day: date, file_format: str) -> Path:
    """Where a sender's extract of a table lies: extracts/<table>/<sender>_<YYYYMMDD>.<format>."""
    return folder / EXTRACTS_FOLDER / table / f"{sender}_{day:%Y%m%d}{SUFFIXES[file_format]}"


def write_extract(path: Path, tables: Iterable[pa.Table], file_format: str) -> Path:
    """Write tables of the same columns, one below the other, as one file. Nothing in them may need a quote."""
    tables = list(tables)
    return replace_whole(path, lambda temporary: _write(temporary, tables, file_format))


def _write(path: Path, tables: list[pa.Table], file_format: str) -> None:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    if file_format == "parquet":
        with parquet.ParquetWriter(path, tables[0].schema, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table, row_group_size=1 << 20)
        return
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none", batch_size=8192)
    with pa.CompressedOutputStream(str(path), "gzip") if file_format == "csv.gz" else pa.OSFile(str(path), "wb") as file:
        file.write((",".join(tables[0].column_names) + "\n").encode())
        for table in tables:
            arrow_csv.write_csv(table, file, options)
