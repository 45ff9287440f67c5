"""The night after: a share of the practices send new extracts, with a few rows more than yesterday's; the others send nothing.

What does not belong here: a new simulation. New rows are old ones of the same people that happened again.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.extract_files import EXTRACTS_FOLDER, PRACTICE_TABLES, SUFFIXES, extract_path, write_extract
from fuller_popheath.synthetic.landing import LISTS_FOLDER
from fuller_popheath.synthetic.place import stream

if TYPE_CHECKING:
    import pyarrow as pa

NEW_ROWS = 0.001
"""New rows of a night to those that were there: about four years' records over four years' nights (made up)."""
LEAVERS = 0.0002
"""Registrations that end on the day, to all on the list (made up)."""
HAPPENED_ON = {"clinical_event": "event_date", "medication_issue": "issue_date", "appointment": "appointment_date"}


def next_night(folder: Path, *, seed: int, as_of: date, share: float = 0.1) -> tuple[Path, ...]:
    """Write extracts of the day after `as_of` for a share of the practices whose extracts of `as_of` lie in a landing folder in our own layout.

    Every practice table gets a new file beside the old one, and the list is replaced. The same arguments write the same bytes. Returns the files.
    Raises SettingsWrong where there is nothing to go on, or for a share that is none.
    """
    if not 0 < share <= 1:
        raise SettingsWrong(f"share must be over 0 and at most 1, and is {share}")
    found = {
        (path.name.partition("_")[0], file_format)
        for file_format, suffix in SUFFIXES.items()
        for path in (folder / EXTRACTS_FOLDER / PRACTICE_TABLES[0]).glob(f"*_{as_of:%Y%m%d}{suffix}")
    }
    if not found:
        raise SettingsWrong(f"{folder.name} holds no practice's extracts of {as_of} in our own layout; write a make-believe ICS there first")
    rng = stream(seed, f"night after {as_of}")
    practices = sorted(found)
    chosen = sorted(rng.choice(len(practices), max(1, round(share * len(practices))), replace=False))
    files: list[Path] = []
    for number in chosen:
        code, file_format = practices[number]
        for table in PRACTICE_TABLES:
            path = extract_path(folder, table, code, as_of, file_format)
            rows = _a_day_later(rng, _read(path, file_format), table, as_of)
            files.append(write_extract(extract_path(folder, table, code, as_of + timedelta(days=1), file_format), [rows], file_format))
        files.append(_list_a_day_later(rng, folder / LISTS_FOLDER / f"{code}.csv", as_of))
    return tuple(files)


def _read(path: Path, file_format: str) -> pa.Table:
    """The rows as they stand; of a CSV every column as text, with blanks as blanks."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    if file_format == "parquet":
        return parquet.read_table(path)
    with path.open("rb") if file_format == "csv" else pa.CompressedInputStream(str(path), "gzip") as file:
        names = file.readline().decode().rstrip("\n").split(",")
        if not file.read(1):
            return pa.table({name: pa.array([], pa.string()) for name in names})
    types = {name: pa.string() for name in names}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    return csv.read_csv(path, convert_options=options)


def _a_day_later(rng: np.random.Generator, rows: pa.Table, table: str, as_of: date) -> pa.Table:
    import pyarrow as pa

    day = HAPPENED_ON.get(table)
    if day and rows.num_rows:
        again = rows.take(pa.array(rng.integers(0, rows.num_rows, max(1, round(rows.num_rows * NEW_ROWS)))))
        numbers = pa.array(np.arange(rows.num_rows + 1, rows.num_rows + again.num_rows + 1)).cast(pa.string())
        again = again.set_column(again.column_names.index("record_id"), "record_id", numbers)
        for name in (day, "recorded_date", "booked_date"):
            if name in again.column_names:
                again = _with(again, name, as_of)
        if table == "appointment":
            again = again.set_column(again.column_names.index("status"), "status", pa.array(["attended"] * again.num_rows))
        rows = pa.concat_tables([rows, again])
    return _with(rows, "extract_date", as_of + timedelta(days=1))


def _with(rows: pa.Table, name: str, day: date) -> pa.Table:
    """The same rows with one day throughout a column, as a date or as text, as the column has it."""
    import pyarrow as pa

    kind = rows.schema.field(name).type
    value = pa.scalar(day.isoformat(), pa.string()) if pa.types.is_string(kind) else pa.scalar(day, kind)
    return rows.set_column(rows.column_names.index(name), name, pa.repeat(value, rows.num_rows))


def _list_a_day_later(rng: np.random.Generator, path: Path, as_of: date) -> Path:
    """The practice's list with a few registrations ended on the day before."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = _with(_read(path, "csv"), "extract_date", as_of + timedelta(days=1))
    open_rows = pc.and_(pc.equal(rows["registration_end_date"], ""), pc.less(rows["registration_start_date"], as_of.isoformat()))
    leaves = pc.and_(open_rows, pa.array(rng.random(rows.num_rows) < LEAVERS))
    ended = pc.if_else(leaves, as_of.isoformat(), rows["registration_end_date"])
    return write_extract(path, [rows.set_column(rows.column_names.index("registration_end_date"), "registration_end_date", ended)], "csv")
