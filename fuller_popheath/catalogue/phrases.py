"""Sentences about many people at once: what is to be told of each as whole numbers, and one text for each combination that occurs.

People with the same facts get the same text, so a text is made once and people carry its number. What does not belong here: what a reason says
(`reasons/`), and how much it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Told = tuple[np.ndarray, tuple[str, ...]]
"""A number for each person, and the texts the numbers stand for."""

NOT_THERE = -1
"""The key of something the record does not say."""

YEAR = 365
_WEEK, _MONTH, _CALENDAR_YEAR = 7, 30.4375, 365.25
_DAYS_UNTIL, _WEEKS_UNTIL, _MONTHS_UNTIL = 14, 61, 731
_UNIT = 1_000_000
_UNITS = ("day", "week", "month", "year")
_ROOM = 2**62


def told(say: Callable[..., str], *keys: np.ndarray) -> Told:
    """For each person the number of a text, and the texts: `say(*key)` is called once for each combination of `keys` that occurs.

    `keys`: one array of whole numbers for each thing told, one entry a person. Numbers are dense, in the order in which texts are first needed.
    """
    import pandas as pd

    packed = np.zeros(len(keys[0]), np.int64)
    size = 1
    for key in keys:
        lowest, highest = (int(key.min()), int(key.max())) if len(key) else (0, 0)
        if size * (highest - lowest + 1) >= _ROOM:
            packed, size = pd.factorize(packed)[0].astype(np.int64), len(packed) + 1
        packed = packed * (highest - lowest + 1) + (key.astype(np.int64) - lowest)
        size *= highest - lowest + 1
    number, different = pd.factorize(packed)
    somebody = np.zeros(len(different), np.int64)
    somebody[number[::-1]] = np.arange(len(packed))[::-1]
    combinations = zip(*(key[somebody].tolist() for key in keys), strict=True)
    return number, tuple(say(*combination) for combination in combinations)


def whole(values: pd.Series, per_one: int = 1) -> np.ndarray:
    """Values as keys: rounded half up to whole numbers (`per_one` = 10: to tenths, as a number of tenths); NOT_THERE where one is missing."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(numbers), NOT_THERE, np.floor(np.nan_to_num(numbers) * per_one + 0.5)).astype(np.int64)


def flags(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Which of the columns are true for each person, as bits of one number in their order; missing is not true."""
    bits = np.zeros(len(frame), np.int64)
    for place, name in enumerate(columns):
        bits |= (frame[name].to_numpy(dtype=np.float64, na_value=np.nan) == 1).astype(np.int64) << place
    return bits


def chosen(bits: int, names: Sequence[str]) -> list[str]:
    """The names whose bits are set."""
    return [name for place, name in enumerate(names) if bits >> place & 1]


def which(values: pd.Series, names: Sequence[str]) -> np.ndarray:
    """The place of each text among `names`; NOT_THERE for a missing one."""
    import pandas as pd

    return pd.Categorical(values, categories=list(names)).codes.astype(np.int64)


def as_recorded(values: pd.Series, words: Mapping[str, str], absent: str) -> Told:
    """What a record says in one of a few values: `words` says how each reads. One that is missing, or none of these, reads as the value `absent`."""
    names = tuple(words)
    return told(lambda place: words[names[place]] if place >= 0 else words[absent], which(values, names))


def spans(days: pd.Series, longest: int | None = None) -> np.ndarray:
    """Numbers of days as keys for `span`: exact below a fortnight, else whole weeks, months or years that have passed; NOT_THERE where missing.

    Where `longest` is given, longer ones count as missing.
    """
    numbers = days.to_numpy(dtype=np.float64, na_value=np.nan)
    there = ~np.isnan(numbers) & (numbers >= 0) & (numbers <= (np.inf if longest is None else longest))
    numbers = np.where(there, numbers, 0)
    keys = np.select(
        [numbers < _DAYS_UNTIL, numbers < _WEEKS_UNTIL, numbers < _MONTHS_UNTIL],
        [numbers, _UNIT + numbers // _WEEK, 2 * _UNIT + numbers // _MONTH],
        3 * _UNIT + numbers // _CALENDAR_YEAR,
    )
    return np.where(there, keys, NOT_THERE).astype(np.int64)


def span(key: int) -> str:
    """ "3 weeks", "18 months": a key of `spans` in words."""
    unit, number = divmod(key, _UNIT)
    return many(number, _UNITS[unit])


def ago(key: int) -> str:
    """ "3 weeks ago", "yesterday", "today"."""
    return {0: "today", 1: "yesterday"}.get(key) or f"{span(key)} ago"


def many(number: int, singular: str, plural: str = "") -> str:
    """ "1 admission", "3 admissions", "1,200 issues"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def times(number: int) -> str:
    """ "once", "twice", "12 times"."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def listed(things: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return f" {last} ".join(filter(None, (", ".join(things[:-1]), *things[-1:])))


def conditions(frame: pd.DataFrame, names: Mapping[str, str], nothing: str, since: Mapping[str, str] | None = None) -> Told:
    """Conditions by name: `names` says how the column of each reads, in the order of telling; `nothing` is said of people with none of them.

    `since` names for some the column with the days since the first code: one first coded within the last year is told to be so.
    """
    since = since or {}
    columns, dated = tuple(names), tuple(since)

    def say(bits: int, *new: int) -> str:
        first = {column: f" (first recorded {ago(key)})" for column, key in zip(dated, new, strict=True) if key != NOT_THERE}
        return listed([names[column] + first.get(column, "") for column in chosen(bits, columns)]) or nothing

    return told(say, flags(frame, columns), *(spans(frame[days], longest=YEAR) for days in since.values()))


def reading(name: str, value: str, key: int, is_recent: bool) -> str:
    """A measurement: "BMI 34 (2 months ago)", "no BMI for 3 years (34 then)", "no BMI in the last two years". `key` is that of the days since."""
    if key == NOT_THERE or not value:
        return f"no {name} in the last two years"
    return f"{name} {value} ({ago(key)})" if is_recent else f"no {name} for {span(key)} ({value} then)"


def recent(days: pd.Series) -> np.ndarray:
    """Whether something was within the last year, as a key."""
    return (days.to_numpy(dtype=np.float64, na_value=np.nan) <= YEAR).astype(np.int64)


def trends(change_per_year: pd.Series, from_on: float) -> np.ndarray:
    """Changes a year as keys for `trend`, whole numbers; 0 for one smaller than `from_on` and a missing one."""
    numbers = np.nan_to_num(change_per_year.to_numpy(dtype=np.float64, na_value=np.nan))
    # Somebody measured on two days a week apart may seem to change by thousands: beyond any use, and not told.
    told_of = (np.abs(numbers) >= from_on) & (np.abs(numbers) < 100)
    return np.where(told_of, np.sign(numbers) * np.floor(np.abs(numbers) + 0.5), 0).astype(np.int64)


def trend(key: int) -> str:
    """ ", falling by about 7 a year"; nothing for no trend worth telling."""
    return f", {'rising' if key > 0 else 'falling'} by about {abs(key)} a year" if key else ""
