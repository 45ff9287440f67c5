"""Date arithmetic. Every function takes its day as an argument: nothing here, or anywhere below the pipelines, reads a clock."""

from __future__ import annotations

from datetime import date

MONTH_NUMBERS = {
    name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)
}


def is_open_on(day: date, start: date | None, end: date | None) -> bool:
    """Whether a period covers `day`: start <= day < end, and an open end counts (the end day itself is outside)."""
    return start is not None and start <= day and (end is None or day < end)


def completed_years(born: date, day: date) -> int:
    """Age in completed years; someone born on 29 February has their birthday on 1 March in other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def parse_published_date(text: str) -> date | None:
    """Read the date styles that NHS and ONS files use: `01Jul2022`, `01APR2020`, `2026-08-01`, `20220701`, `01/04/1974`. None for any other text."""
    text = text.strip()
    try:
        if len(text) == 9 and text[2:5].isalpha():
            return date(int(text[5:]), MONTH_NUMBERS[text[2:5].lower()], int(text[:2]))
        if len(text) >= 10 and text[4] == text[7] == "-" and text[10:] in ("", " 00:00:00", "T00:00:00"):
            return date(int(text[:4]), int(text[5:7]), int(text[8:10]))
        if len(text) == 8 and text.isdigit():
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if len(text) == 10 and text[2] == text[5] == "/":
            return date(int(text[6:]), int(text[3:5]), int(text[:2]))
    except (ValueError, KeyError):
        return None
    return None
