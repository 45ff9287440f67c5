"""Receipts: what was sent to whom, a JSON line each, added and never changed.

`<folder>/receipts.jsonl` (0600, its folder 0700). Each line has its number and the hash of the one before, so that a line that was changed or taken
out from between others shows; one taken off the end does not. A last line that was never finished is one that was interrupted: it counts for
nothing. What does not belong here: who may be sent what.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, flush, make_folder

FILE, LOCK = "receipts.jsonl", "lock"
START = "0" * 64
SENT, FOUND = "sent", "found"
"""How a file came to lie there: it was sent, or it lay there already because whoever sent it was interrupted before the receipt."""


@dataclass(frozen=True)
class Receipt:
    """That a file of a release lies with a recipient, under a name. `when` and `made` (of the release): ISO 8601 with an offset.

    `newest_day`: the last day that the release's lists know of; `release_hash`: of its manifest.
    """

    when: str
    run: str
    release: str
    newest_day: str
    made: str
    release_hash: str
    recipient: str
    file: str
    sent_as: str
    sha256: str
    bytes: int
    state: str = SENT


@dataclass(frozen=True)
class Receipts:
    """The folder of receipts."""

    folder: Path

    def all(self) -> tuple[Receipt, ...]:
        """Every receipt, the oldest first. Raises ContractBroken where a line was changed, taken out or moved."""
        found, before = [], START
        for number, line in enumerate(self._lines(), start=1):
            told = _read(line)
            if told is None or told.pop("number", None) != number or told.pop("previous", None) != before:
                raise ContractBroken(
                    f"{FILE}: line {number} is not as it was written, so nobody can say what was sent; look into it and restore the file first"
                )
            found.append(_receipt(told, number))
            before = hashlib.sha256(line).hexdigest()
        return tuple(found)

    def add(self, receipt: Receipt) -> None:
        """Add one; it is on the disk when this returns. Only while `locked`."""
        lines = self._lines()
        previous = hashlib.sha256(lines[-1]).hexdigest() if lines else START
        text = json.dumps({"number": len(lines) + 1, "previous": previous, **asdict(receipt)}, sort_keys=True, separators=(",", ":"))
        path = self.folder / FILE
        is_new = not path.exists()
        opened = os.open(path, os.O_CREAT | os.O_WRONLY, PRIVATE_FILE)
        try:
            os.fchmod(opened, PRIVATE_FILE)
            # What is behind the last whole line was never finished.
            end = sum(len(line) + 1 for line in lines)
            os.ftruncate(opened, end)
            os.lseek(opened, end, os.SEEK_SET)
            with os.fdopen(opened, "wb", closefd=False) as stream:
                stream.write(text.encode() + b"\n")
            os.fsync(opened)
        finally:
            os.close(opened)
        if is_new:
            flush(self.folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One delivery at a time, in any process; the lock ends with the process. Raises SettingsWrong where another is on its way."""
        make_folder(self.folder, PRIVATE_FOLDER)
        opened = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR, PRIVATE_FILE)
        try:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SettingsWrong("another delivery is on its way; wait until it ends, then start this one again") from None
            yield
        finally:
            os.close(opened)

    def _lines(self) -> list[bytes]:
        path = self.folder / FILE
        return path.read_bytes().split(b"\n")[:-1] if path.is_file() else []


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return dict(told) if isinstance(told, dict) else None


def _receipt(told: Mapping[str, Any], number: int) -> Receipt:
    try:
        return Receipt(**told)
    except TypeError:
        raise ContractBroken(f"{FILE}: line {number} has other fields than a receipt; restore the file first") from None
