"""One night at a time in one store: a lock of the operating system, which ends with the process that holds it, however that ends.

What does not belong here: what a night does while it holds the lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fuller_popheath.errors import SettingsWrong

LOCK = ".night.lock"
_held: dict[Path, int] = {}  # lock file -> its descriptor, which is the lock


@contextmanager
def one_night(store: Path) -> Iterator[None]:
    """Hold the lock of a store; within the process that holds it, it can be taken again. Raises SettingsWrong at once where another has it,
    or where the store cannot be written."""
    import fcntl

    path = store.resolve() / LOCK
    if path in _held:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as wrong:
        raise SettingsWrong(
            f"nothing can be written to the store's folder ({os.strerror(wrong.errno) if wrong.errno else type(wrong).__name__}), so there is no "
            "night and everything stays as it is; mount it for writing, make room, or give this user the right to, then start again"
        ) from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(opened, 100, 0).decode(errors="replace").strip()
            raise SettingsWrong(
                f"another night is still running in this store{f' ({holder})' if holder else ''}; wait until it ends, then start this one again"
            ) from None
        os.truncate(opened, 0)
        os.pwrite(opened, f"process {os.getpid()}".encode(), 0)
        _held[path] = opened
        try:
            yield
        finally:
            del _held[path]
    finally:
        os.close(opened)
