"""How figures, names and dates are written for people: half-up percentages, thousands separators, British dates, names that do not shout.

What does not belong here: figures themselves. Nothing written here goes back into data.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from fuller_popheath.methods.bands import percent_tenths

NOT_GIVEN = "–"


def share(part: int, whole: int) -> str:
    """`34.9%`: half-up to one decimal in integer arithmetic, as the bands are decided. A whole of nothing has no share."""
    if whole <= 0:
        return NOT_GIVEN
    tenths = int(percent_tenths(part, whole))
    return f"{tenths // 10}.{tenths % 10}%"


def decimals(value: float | None, places: int = 1) -> str:
    """A number half-up to so many decimals, e.g. an interval's end in percent."""
    if value is None or value != value:
        return NOT_GIVEN
    return f"{Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def signed(value: float | None) -> str:
    """`+1.2`, `−0.4` (with a true minus), `0.0`: a difference in percentage points."""
    text = decimals(value)
    if text == NOT_GIVEN or float(text.replace(",", "")) == 0:
        return text.lstrip("-")
    return text.replace("-", "−") if text.startswith("-") else f"+{text}"


def count(value: int | None) -> str:
    """`1,818,958`."""
    return NOT_GIVEN if value is None else f"{value:,}"


def plural(number: int, one: str, many: str) -> str:
    """`1 practice`, `24 practices`."""
    return f"{number:,} {one if number == 1 else many}"


def chance(probability: float | None) -> str:
    """A probability for people: never a certainty that the data cannot carry."""
    if probability is None:
        return NOT_GIVEN
    if probability > 0.99:
        return "over 99%"
    if probability < 0.01:
        return "under 1%"
    return f"{int(probability * 100 + 0.5)}%"


def day(value: date | None) -> str:
    """`1 July 2022`."""
    return NOT_GIVEN if value is None else f"{value.day} {value:%B %Y}"


def day_of_text(value: str | None) -> str:
    """The same for a date kept as text, such as a membership snapshot; what is no date is shown as it stands."""
    try:
        return day(date.fromisoformat(value or ""))
    except ValueError:
        return value or NOT_GIVEN


_KEPT_UPPER = {"PCN", "NHS", "GP", "ICB", "ICS", "CIC", "UK"}
_SHORTENED = {"ST", "LTD", "DR"}
_KEPT_LOWER = {"and", "of", "the", "on", "in", "under", "upon", "by", "for", "le", "la", "en", "cum"}


def calm(name: str) -> str:
    """A name written in capitals only, in mixed case: `LYTHAM ST ANNE'S & ANSDELL (LSA) PCN` -> `Lytham St Anne's & Ansdell (LSA) PCN`.

    Words in brackets, with digits, or without a vowel stay in capitals: they are mostly abbreviations. Any other name stays as it is.
    """
    if name != name.upper() or not any(c.isalpha() for c in name):
        return name
    words = name.split(" ")
    return " ".join(_calm_word(word, first=i == 0) for i, word in enumerate(words))


def _calm_word(word: str, first: bool) -> str:
    letters = re.sub(r"[^A-Z]", "", word)
    in_brackets = word.startswith("(") and word.endswith(")") and len(letters) <= 5
    unspeakable = len(letters) > 1 and not set(letters) & set("AEIOUY") and letters not in _SHORTENED
    if letters in _KEPT_UPPER or in_brackets or unspeakable or any(c.isdigit() for c in word):
        return word
    if not first and word.lower() in _KEPT_LOWER:
        return word.lower()
    return re.sub(r"[A-Z]+('[A-Z]{1,2}(?![A-Z]))?", lambda m: m.group(0).capitalize(), word)


def short_pcn(name: str) -> str:
    """A PCN's name where it is plain that it is one: calm, without the closing "PCN" or "Primary Care Network"."""
    shorter = re.sub(r"\s+(PCN|primary care network)\.?$", "", calm(name).strip(), flags=re.IGNORECASE)
    return shorter or name


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
