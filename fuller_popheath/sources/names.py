"""Names of files and of their parts as they may be shown and stored: a name that may be a person's number is withheld.

A sheet, layer or zip member with five or more digits in a row is told by its position, unless the digits are a date. A file must be found again by
whoever reads the message, so its name is withheld only where it holds a number that passes as an NHS number.
"""

from __future__ import annotations

import re
from datetime import date

from fuller_popheath.periods import parse_published_date

WITHHELD = "name withheld: it looks like a person's number"
FILE_WITHHELD = f"a file ({WITHHELD})"
_LONG_NUMBER = re.compile(r"\d{5,}")
_NHS_NUMBER = re.compile(r"(?<!\d)\d{3}[ _-]?\d{3}[ _-]?\d{4}(?!\d)")


def holds_nhs_number(text: str) -> bool:
    """Whether ten digits in it, as 9434765919 or 943 476 5919, pass the check of an NHS number.

    Source: NHS Data Dictionary, NHS NUMBER: Modulus 11 with weights 10 to 2; with weight 1 for the check digit, 11 divides the sum.
    """
    numbers = (re.sub(r"\D", "", found) for found in _NHS_NUMBER.findall(text))
    return any(sum(int(digit) * weight for digit, weight in zip(number, range(10, 0, -1), strict=True)) % 11 == 0 for number in numbers)


def file_told(name: str) -> str:
    """A file's name for a message, or that it is withheld."""
    return FILE_WITHHELD if holds_nhs_number(name) else name


def file_told_by_position(name: str, position: int) -> str:
    """The same, with which file of the folder it is (1 = the first by name), so that it can be found and two can be told apart."""
    return f"file {position} ({WITHHELD})" if holds_nhs_number(name) else name


def part_told(name: str, kind: str, position: int) -> str:
    """A part's name, or `sheet 2`, `member 1`, `layer 1` where it holds a long number that is no date."""
    is_safe = all(_is_date(number) for number in _LONG_NUMBER.findall(name)) and not holds_nhs_number(name)
    return name if is_safe else f"{kind} {position}"


def _is_date(digits: str) -> bool:
    """YYYYMMDD, DDMMYYYY, YYYYMM or DDMMYY of 1990 to 2100."""
    if len(digits) == 8:
        days = (digits, digits[4:] + digits[2:4] + digits[:2])
    elif len(digits) == 6:
        days = (f"{digits}01", f"20{digits[4:]}{digits[2:4]}{digits[:2]}")
    else:
        return False
    found: list[date | None] = [parse_published_date(f"{day[:4]}-{day[4:6]}-{day[6:]}") for day in days]
    return any(day is not None and 1990 <= day.year <= 2100 for day in found)
