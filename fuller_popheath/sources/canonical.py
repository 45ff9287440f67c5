"""Text columns in one spelling: dates as ISO, counts without thousands separators, NHS numbers without blanks.

What cannot be put right stays exactly as it stands, so that the contract quarantines it and a person can see what was sent.
Work is done on the distinct values of a column, of which there are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from fuller_popheath.periods import parse_published_date

if TYPE_CHECKING:
    import pyarrow as pa

THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
WHOLE_WITH_ZEROS = re.compile(r"([+-]?\d+)\.0*")
SPACED_DIGITS = re.compile(r"\d[\d\s-]*\d")
SEX_WORDS = {"m": "male", "f": "female", "i": "indeterminate", "u": "unknown"}
FLAG_WORDS = {"1": "true", "yes": "true", "y": "true", "t": "true", "0": "false", "no": "false", "n": "false", "f": "false"}
MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?$")

Reading = Callable[[str], str]
"""One value, already trimmed, to its one spelling."""


def as_text(value: str) -> str:
    """The value as it is."""
    return value


def as_date(value: str) -> str:
    """A day in any published style as ISO; a midnight written behind it is dropped."""
    day = parse_published_date(MIDNIGHT.sub("", value))
    return day.isoformat() if day else value


def as_number(value: str) -> str:
    """A number without thousands separators."""
    return value.replace(",", "") if THOUSANDS.fullmatch(value) else value


def as_whole(value: str) -> str:
    """A whole number without thousands separators and without the `.0` that spreadsheets add."""
    value = as_number(value)
    found = WHOLE_WITH_ZEROS.fullmatch(value)
    return found.group(1) if found else value


def as_nhs_number(value: str) -> str:
    """Blanks and hyphens between the digits dropped; whether it is a valid number is the contract's to say."""
    return re.sub(r"[\s-]", "", value) if SPACED_DIGITS.fullmatch(value) else value


def as_sex(value: str) -> str:
    """Lower case, and the single letters that suppliers write spelled out."""
    return SEX_WORDS.get(value.casefold(), value.casefold())


def as_code(value: str) -> str:
    """A code in capitals."""
    return value.upper()


def as_lower(value: str) -> str:
    """A word in lower case, its blanks and hyphens as underscores."""
    return re.sub(r"[\s-]+", "_", value.casefold())


def as_flag(value: str) -> str:
    """true or false, also from 1, 0, yes, no and their first letters."""
    return FLAG_WORDS.get(value.casefold(), value.casefold())


def canonical_coded(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """As `canonical`, for a column that may be dictionary-encoded (and then stays so), or typed already (and is then left as it is)."""
    import pyarrow as pa

    if pa.types.is_string(column.type):
        return canonical(column, reading)
    if not pa.types.is_dictionary(column.type):
        return column
    whole = column.unify_dictionaries().combine_chunks()
    coded = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    values = pa.chunked_array([coded.dictionary.cast(pa.string())])
    read = canonical(values, reading)
    if read is values or read.equals(values):
        return pa.chunked_array([coded])
    again = read.combine_chunks().dictionary_encode()
    return pa.chunked_array([pa.DictionaryArray.from_arrays(again.indices.take(coded.indices), again.dictionary)])


def canonical(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """The column trimmed, blank as null, every value in its one spelling; text in, text out, same length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.utf8_trim_whitespace(column)
    if pc.any(pc.equal(column, "")).as_py():
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    if reading is as_text or column.null_count == len(column):
        return column
    coded = column.combine_chunks().dictionary_encode()
    before = coded.dictionary.to_pylist()
    after = [reading(value) for value in before]
    if after == before:
        return column
    return pa.chunked_array([pa.array(after, pa.string()).take(coded.indices)])
