"""Break the extracts of a make-believe ICS on purpose, one way at a time, in the ways that practices' files really arrive broken.

Every fault is planted in the first practice's file (by its code), which must be a CSV in our own layout; its docstring says what is now wrong.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.extract_files import EXTRACTS_FOLDER
from fuller_popheath.whole_files import replace_whole

ROWS_EACH = 20
"""How many rows are spoilt, one in every fifty."""

Rows = list[list[str]]
Plant = Callable[[Path], tuple[Path, ...]]


def repeated_digits(folder: Path) -> tuple[Path, ...]:
    """Some clinical events are of somebody whose NHS number is one digit ten times, which passes Modulus 11."""
    return _change(_first(folder, "clinical_event"), "nhs_number", lambda row, _: "9999999999")


def number_in_code(folder: Path) -> tuple[Path, ...]:
    """Some clinical events have the person's NHS number where the code should be."""
    path = _first(folder, "clinical_event")
    number = _read(path)[0].index("nhs_number")
    return _change(path, "code", lambda row, _: row[number])


def future_birth_dates(folder: Path) -> tuple[Path, ...]:
    """Some people on the practice's list are born after the day of the extract."""
    return _change(_first_list(folder), "date_of_birth", lambda row, day: (day + timedelta(days=400)).isoformat())


def unknown_birth_dates(folder: Path) -> tuple[Path, ...]:
    """Some people on the practice's list are born on 1 January 1900, which is what systems write when they do not know."""
    return _change(_first_list(folder), "date_of_birth", lambda row, _: "1900-01-01")


def halved_list(folder: Path) -> tuple[Path, ...]:
    """The second half of the practice's list is missing."""
    path = _first_list(folder)
    rows = _read(path)
    return (_write(path, rows[: len(rows) // 2]),)


def empty_extract(folder: Path) -> tuple[Path, ...]:
    """The practice's clinical events are a file with headings and no rows."""
    path = _first(folder, "clinical_event")
    return (_write(path, _read(path)[:1]),)


def wrong_delimiter(folder: Path) -> tuple[Path, ...]:
    """The practice's appointments are separated by semicolons."""
    path = _first(folder, "appointment")
    return (_write(path, _read(path), delimiter=";"),)


def twice_the_same_rows(folder: Path) -> tuple[Path, ...]:
    """Some medication issues stand in the file twice, the second time at its end."""
    path = _first(folder, "medication_issue")
    rows = _read(path)
    return (_write(path, rows + rows[1 : ROWS_EACH + 1]),)


def truncated_gzip(folder: Path) -> tuple[Path, ...]:
    """The practice's medication issues came gzipped, and the second half is missing; the CSV itself is gone."""
    path = _first(folder, "medication_issue")
    whole = gzip.compress(path.read_bytes(), mtime=0)
    path.unlink()
    cut = path.with_name(path.name + ".gz")
    return (replace_whole(cut, lambda temporary: temporary.write_bytes(whole[: len(whole) // 2])),)


def practice_not_ours(folder: Path) -> tuple[Path, ...]:
    """The practice's clinical events say that they are another practice's, which is not in the area."""
    path = _first(folder, "clinical_event")
    rows = _read(path)
    column = rows[0].index("practice_code")
    return (_write(path, rows[:1] + [[*row[:column], "Y00001", *row[column + 1 :]] for row in rows[1:]]),)


def swapped_columns(folder: Path) -> tuple[Path, ...]:
    """The headings of NHS number and local id are swapped in the practice's appointments."""
    path = _first(folder, "appointment")
    rows = _read(path)
    one, other = rows[0].index("nhs_number"), rows[0].index("patient_id")
    rows[0][one], rows[0][other] = rows[0][other], rows[0][one]
    return (_write(path, rows),)


EXTRACT_FAULTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        repeated_digits,
        number_in_code,
        future_birth_dates,
        unknown_birth_dates,
        halved_list,
        empty_extract,
        wrong_delimiter,
        twice_the_same_rows,
        truncated_gzip,
        practice_not_ours,
        swapped_columns,
    )
}
"""Every fault by its name; the function's docstring describes it."""


def _first(folder: Path, table: str) -> Path:
    files = sorted((folder / EXTRACTS_FOLDER / table).glob("[A-Z][0-9]*.csv"))
    if not files:
        raise SettingsWrong(f"there is no practice's {table} as CSV in our own layout in {folder.name}; write a make-believe ICS there first")
    return files[0]


def _first_list(folder: Path) -> Path:
    lists = sorted((folder / "practice_lists").glob("*.csv"))
    if not lists:
        raise SettingsWrong(f"there is no practice list in {folder.name}; write a make-believe ICS there first")
    return lists[0]


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _write(path: Path, rows: Rows, delimiter: str = ",") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", delimiter=delimiter).writerows(rows)
    return replace_whole(path, lambda temporary: temporary.write_bytes(text.getvalue().encode()))


def _change(path: Path, column: str, value: Callable[[list[str], date], str]) -> tuple[Path, ...]:
    """Put another value into a column of some rows."""
    rows = _read(path)
    at, day = rows[0].index(column), rows[0].index("extract_date")
    for number in range(1, len(rows), 50)[:ROWS_EACH]:
        rows[number][at] = value(rows[number], date.fromisoformat(rows[number][day]))
    return (_write(path, rows),)
