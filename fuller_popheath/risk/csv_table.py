"""Reads a CSV from anywhere as a table to fit models on: numbers, categories, one outcome that happened or did not, and whose row it is.

Nothing is known of the file but that its first line names the columns. What does not belong here: which columns can be features and what their
cells are (`table_columns.py`), fitting, and our own files (`sources/`).
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
from fuller_popheath.risk.table_columns import DATE, MISSING, TEN_DIGITS, features_of
from fuller_popheath.sources.csv_text import MOST_LINES_OF_A_ROW, to_utf8

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PERSON = "person_id"
"""Whose row it is; in the file also Person_ID, PERSON ID, personId."""

LEAST_ROWS = 50
LEAST_OF_EACH = 10
"""So few rows, or persons with or without the outcome, say nothing about a model."""

DELIMITERS = (",", ";", "\t", "|")
HAPPENED = frozenset({"1", "1.0", "true", "t", "yes", "y"})
DID_NOT_HAPPEN = frozenset({"0", "0.0", "false", "f", "no", "n"})

LONGEST_NAME = 64
"""A cell of the first line that is longer is no column's name."""

_NO_NAME = re.compile(rf"[+-]?\d*[.,]?\d+(e[+-]?\d+)?|{DATE}|.*{TEN_DIGITS}.*", re.IGNORECASE | re.DOTALL)

Say = Callable[[str], None]


@dataclass(frozen=True)
class OneTable:
    """The rows that can be used, in an order that rests on what they hold and not on where they stood.

    `features`: person_id (the row itself where the file has none) and the columns that can be features: double, or text for categories.
    `row_number`: which row of the file each was, from 1 below the header. `left_out`: columns that are no features, and why. `warnings`: what may
    make figures look better than they are.
    """

    features: pa.Table
    has_outcome: np.ndarray
    row_number: np.ndarray
    left_out: dict[str, str]
    has_persons: bool
    warnings: tuple[str, ...] = ()


def read_table(path: Path, outcome_column: str, seed: int, say: Say) -> OneTable:
    """One table to fit models on. Raises FileRefused for a file that is no such table or holds too little, SettingsWrong for an unknown outcome."""
    import pandas as pd
    import pyarrow as pa

    cells, delimiter = _cells(path, outcome_column)
    if not set(cells) - {outcome_column, PERSON}:
        raise FileRefused(f"{path.name} has no column but {outcome_column}; a model needs others to predict it from")
    outcome = _outcome(cells.pop(outcome_column), outcome_column, path)
    has_outcome, said = outcome == 1, outcome >= 0
    if (unsaid := int((~said).sum())) > 0:
        say(f"{unsaid:,} of {len(said):,} rows do not say whether {outcome_column} happened and are left out.")
    whole = _with_one_person_column(pd.DataFrame(cells), path, say)
    features, left_out, warnings = features_of(whole.drop(columns=PERSON, errors="ignore"), said, delimiter, path, say)
    people, order, same = _people_and_order(whole, list(features), has_outcome, said, seed)
    warnings = [*([] if PERSON in whole else warnings), *([same] if same else [])]
    for words in warnings:
        say(f"{words}.")
    order = order[said[order]]
    persons = people.iloc[order]
    _refuse_too_little(has_outcome[order], persons, outcome_column, path)
    if not features:
        raise FileRefused(f"{path.name}: none of its {whole.shape[1]} other columns can be a feature; it needs numbers or categories that vary")
    columns = {
        name: pa.array(values.iloc[order], from_pandas=True, type=pa.float64() if values.dtype == float else pa.string())
        for name, values in features.items()
    }
    table = pa.table({PERSON: pa.array(persons, pa.string()), **columns})
    return OneTable(table, has_outcome[order], order + 1, left_out, PERSON in whole, tuple(warnings))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError:
        raise FileRefused(f"{path.name} cannot be read; is it there, and may this user read it?") from None
    # Every other byte of Latin letters in UTF-16 is zero; no CSV in UTF-8 or Windows-1252 holds one.
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise FileRefused(f"{path.name} is in a wrong encoding (UTF-16, or no text at all); save it as CSV in UTF-8")
    return to_utf8(content).decode("utf-8", errors="replace")


def _cells(path: Path, outcome_column: str) -> tuple[dict[str, list[str]], str]:
    """The cells of every column as text without blanks around, and the sign between cells. No refusal shows a cell, or a header that may be one."""
    text = _text(path)
    delimiter = _delimiter(text)
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if any(cell.strip() for cell in row))
    except csv.Error:
        raise FileRefused(
            f"{path.name} is not a CSV that can be read: after {len(rows):,} rows a cell is too long, or its quotation marks do not close"
        ) from None
    if len(rows) < 2:
        raise FileRefused(f"{path.name} has no rows; the first line names the columns, and a row for each person follows")
    header = [name.strip() or f"unnamed_{place}" for place, name in enumerate(rows[0], 1)]
    seems = sum(bool(_NO_NAME.fullmatch(name)) or len(name) > LONGEST_NAME for name in header)
    again = [name in {row[place].strip() for row in rows[1:] if place < len(row)} for place, name in enumerate(header)]
    if not seems and (outcome_column not in header or again[header.index(outcome_column)]):
        seems = sum(again)
    if seems:
        raise FileRefused(
            f"{path.name}: the first line looks like a row, not names: {seems} of its {len(header)} cells are numbers, dates, long or a column's "
            "values; write the columns' names above it"
        )
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise FileRefused(f"{path.name} has more than one column {_some(twice)}; give each a name of its own")
    wrong = sum(len(row) != len(header) for row in rows[1:])
    if wrong:
        raise FileRefused(f"{path.name}: {wrong:,} of {len(rows) - 1:,} rows do not have {len(header)} fields as its first line; mend or drop them")
    _refuse_swallowed(rows, delimiter, path)
    if outcome_column not in header:
        raise SettingsWrong(f"{path.name} has no column {outcome_column}; it has {_some(header)}")
    return {name: [cell.strip() for cell in column] for name, column in zip(header, zip(*rows[1:], strict=True), strict=True)}, delimiter


def _refuse_swallowed(rows: Sequence[Sequence[str]], delimiter: str, path: Path) -> None:
    """Refuses cells that hold whole rows: of a quotation mark that is not closed and another that is not opened, all between is one cell."""
    held = [(cell.count("\n"), cell.count(delimiter)) for row in rows for cell in row if "\n" in cell]
    width = len(rows[0])
    # From within a row to within another there are as many signs for each line end as in a row.
    swallowed = [lines for lines, signs in held if lines > MOST_LINES_OF_A_ROW or (width > 2 and signs == lines * (width - 1))]
    if swallowed:
        raise FileRefused(
            f"{path.name}: {len(swallowed):,} cells hold {sum(swallowed):,} line ends and what looks like rows: a quotation mark that is not closed; "
            "close it, or leave out a column of free text"
        )


def _with_one_person_column(whole: pd.DataFrame, path: Path, say: Say) -> pd.DataFrame:
    names = [name for name in map(str, whole.columns) if re.sub(r"[\W_]", "", name).lower() == PERSON.replace("_", "")]
    if len(names) > 1:
        raise FileRefused(f"{path.name} has {len(names)} columns that say whose row it is, {_some(names)}; keep one of them")
    if names and names != [PERSON]:
        say(f"{names[0]} says whose row it is: rows of one person share a fold.")
    return whole.rename(columns=dict.fromkeys(names, PERSON))


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
        different = len({cell for cell, code in zip(cells, told, strict=True) if code == -2})
        raise FileRefused(
            f"{path.name}: {wrong:,} of {len(cells):,} cells of {name} ({different:,} different values) are neither 1/0, true/false nor yes/no; "
            "write 1 for those to whom it happened and 0 for the others"
        )
    return told


def _people_and_order(
    whole: pd.DataFrame, features: list[str], has_outcome: np.ndarray, said: np.ndarray, seed: int
) -> tuple[pd.Series, np.ndarray, str]:
    """Whose each row is, the order of the rows by what they hold, and what to say of rows that are the same.

    A row that names nobody is a person of its own; copies of one row are one person.
    """
    import pandas as pd
    import pyarrow as pa

    def shares_of(names: list[str], end: np.ndarray | str) -> np.ndarray:
        return person_share(
            pa.array(pd.Series("", whole.index).str.cat(whole.loc[:, names], sep="\x1f") + end, pa.string()), seed, "a row of a table"
        )

    shares = shares_of(list(map(str, whole.columns)), np.where(has_outcome, "\x1f1", "\x1f0"))
    # Rows that hold the same are told apart by counting them: which is which makes no difference.
    copy = pd.Series(shares).groupby(shares, sort=False).cumcount().to_numpy()
    order = np.lexsort((copy, shares))
    own = pd.Series([f"row {share!r} {number}" for share, number in zip(shares.tolist(), copy.tolist(), strict=True)], whole.index)
    nobody = whole[PERSON].str.lower().isin(MISSING) if PERSON in whole else pd.Series(True, whole.index)
    words = ""
    if features:
        alike = shares_of(features, "")
        are_copies, words = _copies(alike[nobody.to_numpy() & said], has_outcome[nobody.to_numpy() & said])
        own = pd.Series([f"rows {share!r}" for share in alike.tolist()], whole.index) if are_copies else own
    return (whole[PERSON].where(~nobody, own) if PERSON in whole else own), order, words


def _copies(alike: np.ndarray, has_outcome: np.ndarray) -> tuple[bool, str]:
    """Whether rows with the same features (the same number in `alike`) are copies of a row, and what to say of them.

    Different people with the same features differ in outcome about as often as any two; copies never do. In a table of few categories the former
    are many, and a model must see some of them to know the others.
    """
    import pandas as pd

    exact = int(pd.DataFrame({"row": alike, "outcome": has_outcome}).duplicated(keep=False).sum())
    if not exact:
        return False, ""
    sets = pd.DataFrame({"row": alike, "outcome": has_outcome}).groupby("row")["outcome"].agg(["size", "sum"])
    either = min((sets["sum"] > 0).sum(), (sets["sum"] < sets["size"]).sum())
    sets = sets[sets["size"] > 1]
    differ = float((2 * sets["sum"] * (sets["size"] - sets["sum"]) / (sets["size"] - 1)).sum() / sets["size"].sum())
    told = f"{exact:,} of {len(alike):,} rows are the same as another in every feature and the outcome"
    if differ < has_outcome.mean() * (1 - has_outcome.mean()) and either >= LEAST_OF_EACH:
        return True, f"{told}: they are taken as copies, and the same rows share a fold"
    return False, f"{told}: others with the same features differ in outcome, or too few rows differ, so they are taken as different persons"


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


def _some(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
