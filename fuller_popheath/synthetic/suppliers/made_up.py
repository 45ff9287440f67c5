"""What the written extracts are made of: identifiers and postcodes that follow from the record and belong to nobody, and whole CSV files.

Source of what is never issued: no postcode area is called ZV, ZX or ZZ except ZZ99, which is kept for people without a usual address.
What does not belong here: one supplier's files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

ROW_NUMBER_DIGITS = 15
"""Row numbers have fifteen digits, so that none can be taken for an NHS number, and no two of a practice's millions of rows are the same."""

_FIRST_LETTERS, _LAST_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "ABDEFGHJLNPQRSTUWXYZ"
_AREAS = {"E01": "ZZ", "W01": "ZX", "S01": "ZV"}


def guid(kind: str, practice_code: str, identifier: str) -> str:
    """The guid (small letters, no braces) that an EMIS extract of the practice has for a record or person of ours."""
    digest = hashlib.blake2b(f"{kind}|{practice_code}|{identifier}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def row_number(kind: str, practice_code: str, identifier: str) -> str:
    """The row number that a SystmOne extract of the practice has for a record or person of ours."""
    digest = hashlib.blake2b(f"{kind}|{practice_code}|{identifier}".encode(), digest_size=8).digest()
    least = 10 ** (ROW_NUMBER_DIGITS - 1)
    return str(least + int.from_bytes(digest, "big") % (9 * least))


def renamed(identifiers: pa.ChunkedArray, naming: Callable[[str, str, str], str], kind: str, practice_code: str) -> pa.ChunkedArray:
    """Each identifier as `naming` (guid or row_number) has it, null for null."""
    import pyarrow as pa

    coded = identifiers.combine_chunks().dictionary_encode()
    made = pa.array([naming(kind, practice_code, each) for each in coded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([made.take(coded.indices)])


def postcode_of(lsoa_code: str | None) -> str | None:
    """A postcode that is never issued, another one for every LSOA of England, Wales and Scotland; None for what is no such LSOA."""
    if lsoa_code is None or lsoa_code[:3] not in _AREAS or len(lsoa_code) != 9 or not lsoa_code[3:].isdigit():
        return None
    rest, digit = divmod(int(lsoa_code[3:]), 10)
    rest, first = divmod(rest, len(_LAST_LETTERS))
    rest, second = divmod(rest, len(_LAST_LETTERS))
    district, letter = divmod(rest, 25)
    # The 25th kind of district is a bare digit (ZZ4), as most short postcodes have.
    return f"{_AREAS[lsoa_code[:3]]}{district}{_FIRST_LETTERS[letter] if letter < 24 else ''} {digit}{_LAST_LETTERS[first]}{_LAST_LETTERS[second]}"


def postcodes(lsoa_codes: pa.ChunkedArray) -> pa.Table:
    """postcode, lsoa_code of every distinct LSOA given: what a lookup of the place's postcodes would hold."""
    import pyarrow as pa

    pairs = sorted((postcode, code) for code in set(lsoa_codes.to_pylist()) if (postcode := postcode_of(code)) is not None)
    return pa.table({"postcode": pa.array([pair[0] for pair in pairs], pa.string()), "lsoa_code": pa.array([pair[1] for pair in pairs], pa.string())})


def write_csv(path: Path, header: Mapping[str, str], columns: Mapping[str, pa.ChunkedArray | str], rows: int) -> Path:
    """A CSV with every column of `header` (name: what it is called in the file), blank where `columns` has none; readable by its owner only.

    A column given as a text has it in every row. Raises KeyError, naming it, for a column that the header does not have.
    """
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    unknown = set(columns) - set(header)
    if unknown:
        raise KeyError(f"{path.name} has no column {', '.join(sorted(unknown))}")
    blank = pa.nulls(rows, pa.string())
    made = {}
    for name, called in header.items():
        value = columns.get(name)
        made[called] = blank if value is None else pa.repeat(pa.scalar(value), rows) if isinstance(value, str) else value
    table = pa.table(made)
    return replace_whole(path, lambda part: arrow_csv.write_csv(table, part), mode=PRIVATE_FILE)
