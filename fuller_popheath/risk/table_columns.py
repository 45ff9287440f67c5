"""The columns of a table from anywhere as features: numbers, or text for categories.

What cannot be a feature is left out with a word: a column that never varies, a date, a row number, and whatever may identify a person, since a
model keeps values of its columns. What does not belong here: files and rows (`csv_table.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts.number_rules import holds_nhs_number
from fuller_popheath.errors import FileRefused

if TYPE_CHECKING:
    import pandas as pd

RESERVED = "as_of"

MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "?", "."})
"""Cells that say nothing, in lower case. "none" is not among them: it is an answer to many questions."""

MOSTLY = 0.95
"""A column of which so much is numbers (or dates) is one of numbers (or dates); the other cells count as missing."""

MANY_VALUES = 50
FEW_VALUES, MANY_SHARE = 20, 0.5
"""Text with more than MANY_VALUES different values, or more than FEW_VALUES and this share of the rows, is no category: it identifies, or is free."""

DATE = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}( .*)?"
_LONG_WHOLE = r"\d{9,}(\.0+)?"
_FRACTION = r"[+-]?\d*[.,]\d+(e[+-]?\d+)?"
TEN_DIGITS = r"\d(?:[ -]?\d){9}"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WHOSE = "person|patient|pt|hospital|hosp|unit|nhs|chi|case|record|row|study|subject|participant|client|member|national|insurance|district|medical"
_COUNTED = "id|ids|no|nos|num|nbr|nr|number|identifier"
_IDENTIFIER = re.compile(rf"({_WHOSE})*({_COUNTED}|nhs|chi|mrn)")
_IDENTIFIES = frozenset({"id", "ids", "identifier", "mrn", "uuid", "guid", "nino", "uprn", "pseudonym", "dob", "birthdate"})
_PERSONAL = frozenset({"surname", "forename", "forenames", "name", "names", "firstname", "lastname", "fullname", "postcode", "address", "email"})
_COUNTS = frozenset({"index", "row", "rownum", "unnamed"})

# Numbers whose comma is the decimal sign for certain, and those of which nobody can say. For points the same, with both signs swapped.
_DECIMAL = r"[+-]?(\d{1,3}(\.\d{3})+,\d+|(\d*,(\d{1,2}|\d{4,})|0*,\d+|\d{4,},\d+)(e[+-]?\d+)?|[1-9]\d{0,2}(\.\d{3}){2,})"
_UNSURE = r"[+-]?[1-9]\d{0,2},\d{3}"
_SWAP = str.maketrans(",.", ".,")

Say = Callable[[str], None]


def features_of(
    others: pd.DataFrame, said: np.ndarray, delimiter: str, path: Path, say: Say
) -> tuple[dict[str, pd.Series], dict[str, str], list[str]]:
    """The columns that can be features (double with NaN missing, or text with None missing), those that cannot and why, and warnings
    of identifiers that repeat.

    `others`: the cells as text, without outcome and person; `said`: rows that can be used; `delimiter`: what cuts the cells of the file `path`.
    Raises FileRefused for a column whose decimal sign cannot be told.
    """
    features: dict[str, pd.Series] = {}
    left_out: dict[str, str] = {}
    warnings: list[str] = []
    usual = cache(lambda: _usual_decimal_comma(others, delimiter))
    for name, cells in others.items():
        values, why = _feature(str(name), cells, said, usual, path, say)
        if values is not None:
            features[str(name)] = values
            continue
        left_out[str(name)] = why
        say(f"{name} is left out: {why}.")
        known = cells[~cells.str.lower().isin(MISSING)]
        if "identif" in why and "text" not in why and FEW_VALUES < known.nunique() < MOSTLY * len(known):
            warnings.append(f"{name} has the same value in several rows; if each is one person, name it person_id, or figures are too good")
    return features, left_out, warnings


def _feature(
    name: str, cells: pd.Series, said: np.ndarray, usual_decimal_comma: Callable[[], bool], path: Path, say: Say
) -> tuple[pd.Series | None, str]:
    """The column as numbers (NaN missing) or text (None missing); or nothing, and why."""
    if name == RESERVED:
        return None, "the name stands for the day of a table"
    known = ~cells.str.lower().isin(MISSING)
    different = cells[known & said].nunique()
    if different == 0:
        return None, "it is empty"
    if different == 1 and known[said].all():
        return None, "all rows have the same value"
    held, why = _numbers_of_persons(cells, known)
    if why:
        return None, why
    numbers, words = _numbers(name, cells.where(known & ~held), usual_decimal_comma, path)
    is_number = numbers.notna()
    if is_number.sum() >= MOSTLY * (known & ~held).sum():
        if _counts_rows(name, numbers) or _identifies(name, numbers, different):
            return None, "it is a row number or an identifier"
        lost = int((known & ~is_number).sum())
        for told in filter(None, [f"{lost:,} of {len(cells):,} cells are not numbers and count as missing" if lost else "", words]):
            say(f"{name}: {told}.")
        return numbers, ""
    if cells[known].str.fullmatch(DATE).mean() >= MOSTLY:
        return None, "it is a date; make it a number, as an age or the days between two dates"
    if why := _why_no_category(name, int(held.sum()), different, int(known.sum())):
        return None, why
    return cells.where(known, None), ""


def _numbers_of_persons(cells: pd.Series, known: pd.Series) -> tuple[pd.Series, str]:
    """Which cells hold an NHS number, and why the column is left out where most are that or whole numbers as long."""
    long = known & cells.str.fullmatch(_LONG_WHOLE)
    tens = known & cells.str.contains(TEN_DIGITS) & (long | ~cells.str.fullmatch(_FRACTION))
    held = tens & cells.isin([cell for cell in cells[tens].unique() if holds_nhs_number(cell)])
    if held.sum() > 0.5 * known.sum():
        return held, "it holds NHS numbers: it identifies persons"
    return held, "it holds whole numbers of nine digits or more: an identifier" if long.sum() > 0.5 * known.sum() else ""


def _why_no_category(name: str, held: int, different: int, known: int) -> str:
    """Why text with so many `different` values in `known` cells, `held` of them with an NHS number, cannot be a category; blank where it can."""
    if held:
        return f"{held:,} of its cells hold an NHS number: it identifies persons"
    if _identifies(name, None, different):
        return "its name says that it identifies persons"
    if different > MANY_VALUES or different > max(FEW_VALUES, MANY_SHARE * known):
        return f"it is text with {different:,} different values: an identifier, or free text; a category may have {MANY_VALUES}"
    return ""


def _identifies(name: str, numbers: pd.Series | None, different: int) -> bool:
    """Whether a column's name, and what it holds (text where there are no `numbers`), say that it tells persons apart."""
    words = [word.lower() for word in _WORD.findall(name)]
    joined = "".join(words)
    if _IDENTIFIER.fullmatch(joined) or _IDENTIFIES & {*words, joined} or joined in _PERSONAL:
        return True
    if numbers is None:
        # Yes or no ("postcode_known") says nothing of a person.
        return (bool(_PERSONAL & set(words)) and different > 2) or (joined in _WHOSE.split("|") and different > FEW_VALUES)
    if different <= MANY_VALUES or not (numbers.dropna() % 1 == 0).all():
        return False
    # Counts (visit_number) begin low, numbers of somebody or something do not.
    return joined in _WHOSE.split("|") or ("".join(words[-1:]) in _COUNTED.split("|") and float(numbers.min()) >= 1_000)


def _counts_rows(name: str, numbers: pd.Series) -> bool:
    """Whether a column of numbers is a different whole number in every row, and says so by its name or by leaving none out."""
    whole = numbers.notna().all() and bool((numbers % 1 == 0).all()) and numbers.is_unique
    named = bool(_COUNTS & {word.lower() for word in _WORD.findall(name)})
    return bool(whole and (named or numbers.max() - numbers.min() == len(numbers) - 1))


def _numbers(name: str, cells: pd.Series, usual_decimal_comma: Callable[[], bool], path: Path) -> tuple[pd.Series, str]:
    """The cells as numbers, NaN where they are none, and what to say of the signs. Refuses a column that has both signs for decimals, and more."""
    import pandas as pd

    def as_numbers(told: pd.Series) -> pd.Series:
        return pd.to_numeric(told, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)

    plain = as_numbers(cells)
    signed = cells[cells.str.contains("[.,]", na=False)]
    swapped = signed.str.translate(_SWAP)
    if plain[signed.index].notna().all() and not (len(signed) and swapped.str.fullmatch(_UNSURE).all() and usual_decimal_comma()):
        return plain, ""
    commas, points = (each.str.fullmatch(_DECIMAL, case=False) for each in (signed, swapped))
    unsure = signed.str.fullmatch(_UNSURE) | swapped.str.fullmatch(_UNSURE)
    if (commas | points | unsure).sum() + plain[~cells.index.isin(signed.index)].notna().sum() < MOSTLY * cells.notna().sum():
        return plain, ""
    both = signed.str.fullmatch(_UNSURE).any() and swapped.str.fullmatch(_UNSURE).any()
    if (commas.any() and points.any()) or (both and not commas.any() and not points.any()):
        if unsure.any() or signed[commas | points].str.count("[.,]").max() > 1:
            raise FileRefused(
                f"{path.name}: {len(signed):,} of {len(cells):,} cells of {name} have a comma or a point, and either is the decimal sign in some; "
                "write all with a decimal point and nothing between thousands"
            )
        return as_numbers(cells.str.replace(",", ".", regex=False)), f"{commas.sum():,} cells have a decimal comma and {points.sum():,} a point"
    is_comma = bool(commas.any()) or (not points.any() and usual_decimal_comma())
    told = cells.str.translate(_SWAP) if is_comma else cells
    words = "" if commas.any() or points.any() else f"its {'comma' if is_comma else 'point'} is taken as the decimal sign; the other cuts thousands"
    return as_numbers(told.str.replace(",", "", regex=False)), words


def _usual_decimal_comma(whole: pd.DataFrame, delimiter: str) -> bool:
    """Whether more columns of the file have decimal commas for certain than decimal points; where none has either, whether semicolons cut cells."""
    commas = sum(bool(cells.str.fullmatch(_DECIMAL).any()) for _, cells in whole.items())
    points = sum(bool(cells.str.translate(_SWAP).str.fullmatch(_DECIMAL).any()) for _, cells in whole.items())
    return commas > points or (commas == points and delimiter == ";")
