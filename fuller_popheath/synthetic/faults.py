"""Break a landing folder on purpose, one way at a time, in the ways that files really arrive broken.

Each fault changes the written folder in place and returns the files it touched; its docstring says in a sentence what is now wrong. Faults of one
file may be planted together, except that a file whose count column is gone, or that was cut, cannot be broken again.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.extract_faults import EXTRACT_FAULTS
from fuller_popheath.synthetic.landing import (
    BOUNDARIES_2021_FILE,
    IMD_2019_FILE,
    IMD_2025_FILE,
    LISTS_FOLDER,
    PCN_FILE,
    REGISTRATIONS_FILE,
    write_whole,
    write_workbook,
)

COUNT_COLUMN = "NUMBER_OF_PATIENTS"
ROWS_EACH = 20
"""How many rows of a practice list are spoilt in each way."""

Plant = Callable[[Path], tuple[Path, ...]]


def plant_fault(folder: Path, name: str) -> tuple[Path, ...]:
    """Plant one of FAULTS, or of EXTRACT_FAULTS where there are records, in a folder that `write_landing` wrote; returns the files now wrong.

    Raises SettingsWrong for a name that is not known, or where the file to break is not there.
    """
    every = FAULTS | EXTRACT_FAULTS
    if name not in every:
        raise SettingsWrong(f'no fault is called "{name}"; there are {", ".join(every)}')
    return every[name](folder)


def truncated_zip(folder: Path) -> tuple[Path, ...]:
    """The registrations came as a zip whose second half is missing, as after a broken download; the CSV itself is gone."""
    plain = _there(folder / REGISTRATIONS_FILE)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(plain.name), plain.read_bytes(), zipfile.ZIP_DEFLATED)
    whole = memory.getvalue()
    plain.unlink()
    return (write_whole(plain.with_suffix(".zip"), whole[: len(whole) // 2]),)


def missing_column(folder: Path) -> tuple[Path, ...]:
    """The registrations have no column of counts."""
    path = _there(folder / REGISTRATIONS_FILE)
    rows = _read(path)
    count = _count_column(rows, path)
    return (_write(path, [row[:count] + row[count + 1 :] for row in rows]),)


def letters_in_count(folder: Path) -> tuple[Path, ...]:
    """Three registration rows have letters where the count should be: a word, a letter O for a nought, and "n/a"."""
    return _change_counts(folder, {5: "twelve", 15: "1O", 25: "n/a"})


def negative_counts(folder: Path) -> tuple[Path, ...]:
    """Two registration rows count fewer people than none."""
    return _change_counts(folder, {7: "-1", 17: "-250"})


def duplicated_row(folder: Path) -> tuple[Path, ...]:
    """Two rows of registrations stand in the file twice: once where they belong, and once more at the end."""
    path = _there(folder / REGISTRATIONS_FILE)
    rows = _read(path)
    return (_write(path, [*rows, rows[9], rows[19]]),)


def wrong_imd_edition(folder: Path) -> tuple[Path, ...]:
    """The file of IMD 2019 holds the areas and ranks of 2025 under the headings of 2019, so its deciles do not follow from its ranks."""
    path, other = _there(folder / IMD_2019_FILE), _there(folder / IMD_2025_FILE)
    headings, newer = _read(path)[0], _read(other)[1:]
    # 2025 has no population aged 16-59, the third of the five denominators of 2019.
    return (_write(path, [headings, *([*row[:54], "", *row[54:]] for row in newer)], "\n"),)


def overlapping_membership(folder: Path) -> tuple[Path, ...]:
    """One practice is in two PCNs at once: its first membership never ended, and a second one started 200 days later."""
    from python_calamine import CalamineWorkbook

    path = _there(folder / PCN_FILE)
    book = CalamineWorkbook.from_path(path)
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    members = sheets[book.sheet_names[1]]
    first = members[1]
    other = next(row for row in members[1:] if row[4] != first[4])
    text = str(first[8])
    later = date(int(text[:4]), int(text[4:6]), int(text[6:])) + timedelta(days=200)
    members.append([*first[:4], *other[4:8], f"{later:%Y%m%d}", "", first[2] == other[6]])
    return (write_workbook(path, sheets, _saved_on(path)),)


def wrong_projection(folder: Path) -> tuple[Path, ...]:
    """The boundaries of 2021 are in metres of the British National Grid, and nothing in the file says so."""
    import numpy as np
    import shapely
    from pyproj import Transformer

    path = _there(folder / BOUNDARIES_2021_FILE)
    collection = json.loads(path.read_text(encoding="utf-8"))
    to_grid = Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)
    for feature in collection["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        on_grid = shapely.transform(shape, lambda xy: np.round(np.column_stack(to_grid.transform(xy[:, 0], xy[:, 1])), 1))
        feature["geometry"] = json.loads(shapely.to_geojson(on_grid))
    del collection["crs"]
    return (write_whole(path, json.dumps(collection).encode()),)


def malformed_practice_list(folder: Path) -> tuple[Path, ...]:
    """One practice's list has NHS numbers in every wrong column: shifted a column left, shifted right, or typed in another field."""
    path = _first_list(folder)
    rows = _read(path)
    identifier = rows[0].index("nhs_number")
    spoilt = rows[:1]
    for number, row in enumerate(rows[1:]):
        if number < ROWS_EACH:
            spoilt.append([*row[1:], ""])
        elif number < 2 * ROWS_EACH:
            spoilt.append(["", *row[:-1]])
        elif number < 3 * ROWS_EACH:
            # One wrong column after another: every column but its own gets NHS numbers.
            wrong = [column for column in range(len(row)) if column != identifier][number % (len(row) - 1)]
            spoilt.append([row[identifier] if column == wrong else value for column, value in enumerate(row)])
        else:
            spoilt.append(row)
    return (_write(path, spoilt, "\n"),)


def ragged_practice_list(folder: Path) -> tuple[Path, ...]:
    """One practice's list has a few rows with a field too many, so that a strict reader stops there, and would say the row in its error."""
    path = _first_list(folder)
    rows = _read(path)
    identifier = rows[0].index("nhs_number")
    return (_write(path, [[*row, row[identifier]] if 3 <= number <= 5 else row for number, row in enumerate(rows)], "\n"),)


FAULTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        truncated_zip,
        missing_column,
        letters_in_count,
        negative_counts,
        duplicated_row,
        wrong_imd_edition,
        overlapping_membership,
        wrong_projection,
        malformed_practice_list,
        ragged_practice_list,
    )
}
"""Every fault by its name; the function's docstring describes it."""


def _there(path: Path) -> Path:
    if not path.is_file():
        raise SettingsWrong(f"{path.name} is not in {path.parent.name}, so it cannot be broken; write a make-believe place there first")
    return path


def _first_list(folder: Path) -> Path:
    lists = sorted((folder / LISTS_FOLDER).glob("*.csv"))
    return lists[0] if lists else _there(folder / LISTS_FOLDER / "any.csv")


def _read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _write(path: Path, rows: list[list[str]], line_end: str = "\r\n") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return write_whole(path, text.getvalue().encode())


def _count_column(rows: list[list[str]], path: Path) -> int:
    if COUNT_COLUMN not in rows[0]:
        raise SettingsWrong(f"{path.name} has no column {COUNT_COLUMN} any more, so its counts cannot be broken; plant that fault first")
    return rows[0].index(COUNT_COLUMN)


def _change_counts(folder: Path, texts: dict[int, str]) -> tuple[Path, ...]:
    path = _there(folder / REGISTRATIONS_FILE)
    rows = _read(path)
    count = _count_column(rows, path)
    for row, text in texts.items():
        rows[row][count] = text
    return (_write(path, rows),)


def _saved_on(path: Path) -> date:
    """The day in the workbook's own properties."""
    with zipfile.ZipFile(path) as archive:
        found = re.search(rb"<dcterms:created[^>]*>(\d{4})-(\d{2})-(\d{2})", archive.read("docProps/core.xml"))
    if found is None:
        raise SettingsWrong(f"{path.name} does not say when it was saved, so it is not one of ours; write a make-believe place there first")
    return date(*(int(part) for part in found.groups()))
