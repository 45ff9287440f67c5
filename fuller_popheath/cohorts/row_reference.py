"""What a row of a list is known by when the list comes back: letters that stand for one person in one issue and team, and tell nothing.

Consonants alone, without those that look alike: a spreadsheet takes them for no number, date or formula, and they spell no word. What does not
belong here: finding the person again; whoever has the rows of the issue joins by issue, team and reference.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

LETTERS = "BCDFGHJKMNPQRSTVWXYZ"
SHORTEST = 6


def row_reference(issue_id: str, team_id: str, person_id: str, length: int = SHORTEST) -> str:
    """The reference of a row: so many letters made of the SHA-256 of issue, team and person. A longer one begins with the shorter one."""
    number = int.from_bytes(hashlib.sha256(f"{issue_id}|{team_id}|{person_id}".encode()).digest(), "big")
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "".join(letters)


def row_references(issue_id: str, team_id: str, person_ids: Sequence[str]) -> list[str]:
    """The references of different people of one list, in their order, no two of them alike: those that would be are lengthened."""
    lengths = [SHORTEST] * len(person_ids)
    while True:
        made = [row_reference(issue_id, team_id, person, length) for person, length in zip(person_ids, lengths, strict=True)]
        times = Counter(made)
        if len(times) == len(made):
            return made
        lengths = [length + (times[reference] > 1) for length, reference in zip(lengths, made, strict=True)]
