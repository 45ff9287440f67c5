"""The key of a register of people in the vault, by which somebody is known again without the register saying who they are.

Registers share one key, `<vault>/suppressed/key`, 0600 in a folder 0700. It is not the key of person ids, so that a register outlasts a change of
that, and nobody without the vault can try numbers against it. What does not belong here: what a register says of anybody.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, KEY = "suppressed", "key"
KEY_BYTES = 32
REGISTERS = ("suppressed/people.json", "objections/people.json")
"""What the key is needed for, below the vault: while one of these is there, a key that is gone is never drawn anew."""


@dataclass(frozen=True)
class RegisterKey:
    """The key in a vault's folder. `draw_key` makes it: of the system, because a key that a seed could make again is none."""

    vault: Path
    draw_key: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(KEY_BYTES), repr=False)

    def secret(self) -> bytes:
        """The key. Raises ContractBroken where it is not there."""
        path = self.vault / FOLDER / KEY
        if not path.is_file():
            raise ContractBroken(f"the vault has lost {FOLDER}/{KEY}, without which nobody in its registers is known; restore it from a backup")
        return bytes.fromhex(path.read_text(encoding="ascii"))

    def drawn(self) -> bytes:
        """The key, made where no register has needed one yet. Raises ContractBroken where one has, and it is gone."""
        path = self.vault / FOLDER / KEY
        if path.is_file() or any((self.vault / register).is_file() for register in REGISTERS):
            return self.secret()
        for level in (self.vault, path.parent):
            make_folder(level, PRIVATE_FOLDER)
        made = self.draw_key().hex()
        replace_whole(path, lambda part: part.write_text(made, encoding="ascii"), PRIVATE_FILE)
        return self.secret()


def token(secret: bytes, message: str) -> str:
    """What stands for `nhs:<number>` or `record:<practice>|<its own number>` in a register."""
    return hmac.digest(secret, message.encode(), "sha256").hex()


def tokens_of(secret: bytes, numbers: Iterable[str], records: Iterable[tuple[str, str]]) -> set[str]:
    """What stands for people by NHS number, and by practice and the practice's own number for them."""
    return {token(secret, f"nhs:{number}") for number in numbers} | {token(secret, f"record:{sender}|{own}") for sender, own in records}


def coded(column: pa.Array | pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The distinct values, and of each row which it has; one more than there are where it has none."""
    import pyarrow as pa

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    found = whole.cast(pa.string()).dictionary_encode()
    return found.dictionary.to_pylist(), found.indices.fill_null(len(found.dictionary)).to_numpy(zero_copy_only=False)
