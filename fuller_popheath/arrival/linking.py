"""NHS numbers for a practice's records that came without one: its own list has them, by the practice's own number for the person.

Without this the records of a person whose number stands in the list alone are those of somebody else, whom no table knows. What becomes of such an
extract hangs on the list, so its identity does too: it is read again when the practice's list in use is another.
What does not belong here: making person ids (`people.pseudonyms`), and which list is in use (`door`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.arrival.extracts import LINKED, Extract
from fuller_popheath.people.vault import Vault

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Lists:
    """The practice lists in use on a day: the extract of each practice's, whose identities the vault keeps."""

    vault: Vault
    in_use: Mapping[str, str] = field(default_factory=dict)

    def numbers(self, practice: str) -> pa.Table | None:
        """The practice's patient_id and nhs_number, one row a patient_id; None where it has no list in use."""
        extract = self.in_use.get(practice)
        return None if extract is None else self.vault.numbers(practice, extract)

    def identity(self, bare: str, practices: Iterable[str]) -> str:
        """The identity of an extract whose rows of these practices came without numbers: `bare` where there are none."""
        told = [f"{practice}:{self.in_use.get(practice, '')}" for practice in sorted(practices)]
        return hashlib.sha256("|".join([bare, *told]).encode()).hexdigest()[:16] if told else bare


def lacking_number(rows: pa.Table, extract: Extract) -> np.ndarray:
    """Of each row whether it has no NHS number and the practice's own number for the person, by which its list may know it.

    No row of a hospital table, nor of a feed whose patient ids mean the same person at all its senders: they are not the practice's own.
    """
    import pyarrow.compute as pc

    if extract.contract not in LINKED or extract.supplier.is_one_scope:
        return np.zeros(rows.num_rows, bool)
    is_lacking = pc.and_(pc.is_null(rows["nhs_number"]), pc.is_valid(rows["patient_id"]))
    return np.asarray(is_lacking.to_numpy(), bool)


def with_numbers(rows: pa.Table, senders: Sequence[str], sender: np.ndarray, lacking: np.ndarray, lists: Lists) -> pa.Table:
    """The rows, those that are `lacking` a number with the one that the list of their practice (`senders[sender]`) has for their patient_id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not lacking.any():
        return rows
    at = np.flatnonzero(lacking)
    patients = rows["patient_id"].take(pa.array(at)).cast(pa.string()).combine_chunks()
    found = np.full(len(at), None, object)
    for number in np.unique(sender[at]).tolist():
        known = lists.numbers(senders[number])
        if known is None or not known.num_rows:
            continue
        own = np.flatnonzero(sender[at] == number)
        place = pc.index_in(patients.take(pa.array(own)), value_set=known["patient_id"].combine_chunks())
        found[own] = known["nhs_number"].combine_chunks().take(place).to_numpy(zero_copy_only=False)
    written = rows["nhs_number"].cast(pa.string()).combine_chunks()
    filled = pc.replace_with_mask(written, pa.array(lacking), pa.array(found, pa.string()))
    return rows.set_column(rows.column_names.index("nhs_number"), "nhs_number", pa.chunked_array([filled]))
