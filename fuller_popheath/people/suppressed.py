"""Whoever was forgotten stays so: a keyed hash of each, by which the door knows them when tomorrow's file brings them again.

`<vault>/suppressed/people.json`, 0600 in a folder 0700, with the key of `register_key.py` beside it. What does not belong here: taking anybody out of
what is kept (`forgetting.py`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.people.register_key import FOLDER, KEY_BYTES, RegisterKey, coded, token, tokens_of
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

PEOPLE = "people.json"
NUMBER = "nhs_number"


@dataclass(frozen=True)
class Suppressed:
    """The register in a vault's folder. `draw_key` makes its key: of the system, because a key that a seed could make again is none."""

    vault: Path
    draw_key: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(KEY_BYTES), repr=False)

    def add(self, numbers: Iterable[str], records: Iterable[tuple[str, str]]) -> None:
        """Add people by NHS number, and by practice and the practice's own number for them. On the disk when this returns."""
        new = tokens_of(RegisterKey(self.vault, self.draw_key).drawn(), numbers, records)
        text = json.dumps({"people": sorted(self._entries() | new)})
        replace_whole(self.vault / FOLDER / PEOPLE, lambda part: part.write_text(text, encoding="ascii"), PRIVATE_FILE)

    def among(
        self,
        nhs_number: pa.Array | pa.ChunkedArray,
        patient_id: pa.Array | pa.ChunkedArray,
        senders: Sequence[str],
        sender: np.ndarray,
    ) -> np.ndarray:
        """Of each row whether it is of somebody who was forgotten: by NHS number, and where there is none by its sender's own number.

        `sender`: of each row the place in `senders`. Raises ContractBroken where the register has lost its key.
        """
        entries = self._entries()
        if not entries or not len(nhs_number):
            return np.zeros(len(nhs_number), bool)
        secret = RegisterKey(self.vault).secret()
        numbers, at = coded(nhs_number)
        is_number = np.array([token(secret, f"nhs:{number}") in entries for number in numbers] + [False])
        found = np.asarray(is_number[at], bool)
        alone = np.flatnonzero(at == len(numbers))
        patients, own = coded(patient_id)
        for number, patient in {(int(sender[row]), int(own[row])) for row in alone if own[row] < len(patients)}:
            if token(secret, f"record:{senders[number]}|{patients[patient]}") in entries:
                found[alone[(sender[alone] == number) & (own[alone] == patient)]] = True
        return found

    def kept(self, table: pa.Table) -> pa.Table:
        """The rows of what quarantine would keep, as read, without those that have the NHS number of somebody who was forgotten."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if NUMBER not in table.column_names or not table.num_rows or not self._entries():
            return table
        bare = pc.replace_substring_regex(table[NUMBER].cast(pa.string()), pattern=r"[^0-9]", replacement="")
        found = self.among(bare, pa.nulls(table.num_rows, pa.string()), (), np.zeros(table.num_rows, np.int64))
        return table.filter(pa.array(~found)) if found.any() else table

    def _entries(self) -> frozenset[str]:
        path = self.vault / FOLDER / PEOPLE
        return frozenset(json.loads(path.read_text(encoding="ascii"))["people"]) if path.is_file() else frozenset()
