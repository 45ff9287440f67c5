"""Which NHS numbers are looked for in a scan, and finding them in bytes and among whole numbers.

A number counts as ten digits that stand alone, as 943 476 5919 or 943-476-5919, in UTF-8 or UTF-16, and as a whole number in a typed column. Only
numbers that are in the vault count, so that a telephone number or a moment in seconds is no alarm. What does not belong here: files that are packed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fuller_popheath.errors import InputMissing

PIECE = 1 << 22
MARGIN = 32
"""No number as it is looked for is longer, spaces and the zero bytes of UTF-16 included."""
NUMBER = "nhs_number"
_BEFORE = 2
_ALONE = re.compile(rb"(?<![0-9])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9])")
_WIDE = re.compile(rb"(?<![0-9]\0)[0-9]\0[0-9]\0[0-9]\0(?:[ -]\0)?[0-9]\0[0-9]\0[0-9]\0(?:[ -]\0)?[0-9]\0[0-9]\0[0-9]\0[0-9](?!\0[0-9])")
_NO_DIGIT = bytes(set(range(256)) - set(b"0123456789"))


@dataclass(frozen=True)
class Known:
    """The numbers that are looked for, sorted and each once."""

    numbers: np.ndarray = field(repr=False)

    def among(self, candidates: np.ndarray) -> int:
        """How many of some whole numbers are among them."""
        if not self.numbers.size or not candidates.size:
            return 0
        near = candidates[(candidates >= self.numbers[0]) & (candidates <= self.numbers[-1])]
        at = np.searchsorted(self.numbers, near)
        return int((self.numbers[at] == near).sum())

    def in_bytes(self, content: bytes) -> int:
        """How many stand in some bytes."""
        return self.in_pieces([content])

    def in_pieces(self, pieces: Iterable[bytes]) -> int:
        """The same of bytes that come piece by piece, also where a number is cut in two."""
        found, held = 0, b"\n" * _BEFORE
        for piece in pieces:
            held += piece
            if (end := len(held) - MARGIN) > _BEFORE:
                found += self._starting_before(held, end)
                held = held[end - _BEFORE :]
        return found + self._starting_before(held, len(held))

    def _starting_before(self, held: bytes, end: int) -> int:
        """How many begin behind the bytes that are only there to see what stands before a number, and before `end`."""
        spans = [found.group() for found in _ALONE.finditer(held) if _BEFORE <= found.start() < end]
        if b"\0" in held:
            spans += [found.group() for found in _WIDE.finditer(held) if _BEFORE <= found.start() < end]
        return self.among(np.array([int(span.translate(None, _NO_DIGIT)) for span in spans], np.int64)) if spans else 0


def known_numbers(vault: Path) -> Known:
    """Every NHS number in the vault's files, of all the nights it keeps; read as files, for the numbers alone.

    Raises InputMissing where there is none: then a scan would find nothing whatever there is.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    numbers = []
    for path in sorted(vault.rglob("*.parquet")):
        if NUMBER in pq.read_schema(path).names:
            column = pq.read_table(path, columns=[NUMBER], partitioning=None)[NUMBER].drop_null()
            numbers.append(pc.unique(column).cast("int64").to_numpy())
    if not numbers:
        raise InputMissing("the vault holds no NHS number, so there is nothing to look for; run a night first")
    return Known(np.unique(np.concatenate(numbers)))
