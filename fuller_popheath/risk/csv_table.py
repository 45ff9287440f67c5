"""Reads a CSV from anywhere as a table to fit models on: numbers, categories, one outcome that happened or did not, and whose row it is.

Nothing is known of the file but that its first line names the columns. What cannot be a feature is left out with a word: a column that never
varies, a date, a row number, an identifier. What does not belong here: fitting, and our own files (`sources/`).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.sources.csv_text import to_utf8

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PERSON = "person_id"
RESERVED = "as_of"

LEAST_ROWS = 50
LEAST_OF_EACH = 10
"""So few rows, or persons with or without the outcome, say nothing about a model."""

DELIMITERS = (",", ";", "\t", "|")
MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "?", "."})
"""Cells that say nothing, in lower case. "none" is not among them: it is an answer to many questions."""

HAPPENED = frozenset({"1", "1.0", "true", "t", "yes", "y"})
DID_NOT_HAPPEN = frozenset({"0", "0.0", "false", "f", "no", "n"})

MOSTLY = 0.95
"""A column of which so much is numbers (or dates) is one of numbers (or dates); the other cells count as missing."""

MANY_VALUES, MANY_SHARE = 50, 0.5
"""Text with more different values than this, and more than this share of the rows, identifies rows or is free text."""

_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}( .*)?")
_IDENTIFIER = re.compile(r"(^|[_\s.-])(id|index|row|rownum|rowid|mrn|nhs_?number|identifier|unnamed)([_\s.:-]|\d|$)|^unnamed", re.IGNORECASE)

Say = Callable[[str], None]


@dataclass(frozen=True)
class OneTable:
    """The rows that can be used, in an order that rests on what they hold and not on where they stood.

    `features`: person_id (the row itself where the file has none) and the columns that can be features: double, or text for categories.
    `row_number`: which row of the file each was, from 1 below the header. `left_out`: columns that are no features, and why.
    """

    features: pa.Table
    has_outcome: np.ndarray
    row_number: np.ndarray
    left_out: dict[str, str]
    has_persons: bool


def read_table(path: Path, outcome_column: str, seed: int, say: Say) -> OneTable:
    """One table to fit models on. Raises FileRefused for a file that is no such table or holds too little, SettingsWrong for an unknown outcome."""
    import pandas as pd
    import pyarrow as pa

    cells, decimal_comma = _cells(path)
    if outcome_column not in cells:
        raise SettingsWrong(f"{path.name} has no column {outcome_column}; it has {_some(list(cells))}")
    if not set(cells) - {outcome_column, PERSON}:
        raise FileRefused(f"{path.name} has no column but {outcome_column}; a model needs others to predict it from")
    outcome = _outcome(cells.pop(outcome_column), outcome_column, path)
    has_outcome, said = outcome == 1, outcome >= 0
    if (unsaid := int((~said).sum())) > 0:
        say(f"{unsaid:,} of {len(said):,} rows do not say whether {outcome_column} happened and are left out.")
    whole = pd.DataFrame(cells)
    people, order = _people_and_order(whole, has_outcome, seed)
    order = order[said[order]]
    persons = people.iloc[order]
    _refuse_too_little(has_outcome[order], persons, outcome_column, path)
    columns: dict[str, pa.Array] = {PERSON: pa.array(persons, pa.string())}
    left_out: dict[str, str] = {}
    for name in whole.columns.drop(PERSON, errors="ignore"):
        values, why = _feature(name, whole[name], said, decimal_comma, say)
        if values is None:
            left_out[name] = why
            say(f"{name} is left out: {why}.")
        else:
            columns[name] = pa.array(values.iloc[order], from_pandas=True, type=pa.float64() if values.dtype == float else pa.string())
    if len(columns) == 1:
        raise FileRefused(f"{path.name}: none of its {whole.shape[1]} other columns can be a feature; it needs numbers or categories that vary")
    return OneTable(pa.table(columns), has_outcome[order], order + 1, left_out, PERSON in whole)


def _cells(path: Path) -> tuple[dict[str, list[str]], bool]:
    """The cells of every column as text without blanks around, and whether numbers have a decimal comma."""
    try:
        text = to_utf8(path.read_bytes()).decode("utf-8", errors="replace")
    except OSError:
        raise FileRefused(f"{path.name} cannot be read; is it there, and may this user read it?") from None
    delimiter = _delimiter(text)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error:
        raise FileRefused(f"{path.name} is not a CSV that can be read: a cell is too long, or its quotation marks do not close") from None
    if len(rows) < 2:
        raise FileRefused(f"{path.name} has no rows; the first line names the columns, and a row for each person follows")
    header = [name.strip() or f"unnamed_{place}" for place, name in enumerate(rows[0], 1)]
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise FileRefused(f"{path.name} has more than one column {_some(twice)}; give each a name of its own")
    wrong = sum(len(row) != len(header) for row in rows[1:])
    if wrong:
        raise FileRefused(f"{path.name}: {wrong:,} of {len(rows) - 1:,} rows do not have {len(header)} fields as its first line; mend or drop them")
    return {name: [cell.strip() for cell in column] for name, column in zip(header, zip(*rows[1:], strict=True), strict=True)}, delimiter == ";"


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into the same number of fields, and most of them; a comma where none does."""
    first = text[:65_536].splitlines()[:50]
    first = first[:-1] if len(first) > 1 and len(text) > 65_536 else first
    widths = {sign: {len(row) for row in csv.reader(first, delimiter=sign) if row} for sign in DELIMITERS}
    even = [sign for sign in DELIMITERS if len(widths[sign]) == 1 and max(widths[sign]) > 1]
    return max(even, key=lambda sign: (max(widths[sign]), -DELIMITERS.index(sign)), default=",")


def _outcome(cells: Sequence[str], name: str, path: Path) -> np.ndarray:
    """1 happened, 0 did not, -1 not said."""
    known = {**dict.fromkeys(HAPPENED, 1), **dict.fromkeys(DID_NOT_HAPPEN, 0), **dict.fromkeys(MISSING, -1)}
    told = np.array([known.get(cell.lower(), -2) for cell in cells])
    wrong = int((told == -2).sum())
    if wrong:
        different = len({cell for cell, code in zip(cells, told, strict=True) if code != -1})
        raise FileRefused(
            f"{path.name}: {wrong:,} of {len(cells):,} cells of {name} ({different:,} different values) are neither 1/0, true/false nor yes/no; "
            "write 1 for those to whom it happened and 0 for the others"
        )
    return told


def _people_and_order(whole: pd.DataFrame, has_outcome: np.ndarray, seed: int) -> tuple[pd.Series, np.ndarray]:
    """Whose each row is, and the order of the rows by what they hold. A row that names nobody is a person of its own."""
    import pandas as pd
    import pyarrow as pa

    content = pd.Series("", whole.index).str.cat(whole, sep="\x1f")
    shares = person_share(pa.array(content + np.where(has_outcome, "\x1f1", "\x1f0"), pa.string()), seed, "a row of a table")
    # Rows that hold the same are told apart by counting them: which is which makes no difference.
    copy = pd.Series(shares).groupby(shares, sort=False).cumcount().to_numpy()
    order = np.lexsort((copy, shares))
    own = pd.Series([f"row {share!r} {number}" for share, number in zip(shares.tolist(), copy.tolist(), strict=True)], whole.index)
    return (whole[PERSON].where(~whole[PERSON].str.lower().isin(MISSING), own) if PERSON in whole else own), order


def _refuse_too_little(has_outcome: np.ndarray, persons: pd.Series, name: str, path: Path) -> None:
    events = int(has_outcome.sum())
    if len(has_outcome) < LEAST_ROWS:
        raise FileRefused(f"{path.name} has {len(has_outcome)} rows that can be used; {LEAST_ROWS} are the least that a model can be judged on")
    for what, count, people in (
        ("happened", events, persons[has_outcome].nunique()),
        ("did not happen", len(has_outcome) - events, persons[~has_outcome].nunique()),
    ):
        if people < LEAST_OF_EACH:
            raise FileRefused(
                f"{path.name}: {name} {what} in {count} of {len(has_outcome):,} rows, of {people} persons; "
                f"at least {LEAST_OF_EACH} persons are needed on either side"
            )


def _feature(name: str, cells: pd.Series, said: np.ndarray, decimal_comma: bool, say: Say) -> tuple[pd.Series | None, str]:
    """The column as numbers (NaN missing) or text (None missing); or nothing, and why."""
    import pandas as pd

    if name == RESERVED:
        return None, "the name stands for the day of a table"
    known = ~cells.str.lower().isin(MISSING)
    different = cells[known & said].nunique()
    if different == 0:
        return None, "it is empty"
    if different == 1 and known[said].all():
        return None, "all rows have the same value"
    told = cells.str.replace(",", ".", regex=False) if decimal_comma else cells
    numbers = pd.to_numeric(told.where(known), errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
    is_number = numbers.notna()
    if is_number.sum() >= MOSTLY * known.sum():
        if _counts_rows(name, numbers):
            return None, "it is a row number or an identifier"
        if lost := int((known & ~is_number).sum()):
            say(f"{name}: {lost:,} of {len(cells):,} cells are not numbers and count as missing.")
        return numbers, ""
    if cells[known].str.fullmatch(_DATE).mean() >= MOSTLY:
        return None, "it is a date; make it a number, as an age or the days between two dates"
    if different > MANY_VALUES and different > MANY_SHARE * known.sum():
        return None, f"it is text with {different:,} different values: an identifier, or free text"
    return cells.where(known, None), ""


def _counts_rows(name: str, numbers: pd.Series) -> bool:
    """Whether a column of numbers is a different whole number in every row, and says so by its name or by leaving none out."""
    whole = numbers.notna().all() and bool((numbers % 1 == 0).all()) and numbers.is_unique
    return bool(whole and (_IDENTIFIER.search(name) or numbers.max() - numbers.min() == len(numbers) - 1))


def _some(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
