"""A file is there whole or not at all: written under another name beside its place, flushed to the disk, then renamed. And who may read it.

Grain: one file. What does not belong here: what a file holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from fuller_popheath.errors import SettingsWrong

OPEN_FILE, PRIVATE_FILE = 0o644, 0o600
OPEN_FOLDER, PRIVATE_FOLDER = 0o755, 0o700


def replace_whole(path: Path, write: Callable[[Path], object], mode: int = OPEN_FILE) -> Path:
    """Have `write` fill a temporary file beside `path`, and put it in its place; the folder is made where needed. Returns `path`.

    The file has its mode before the first byte is in it, whatever the umask, so that nobody reads a private one while it grows. If `write` fails,
    its error is passed on, what lay at `path` stays as it was, and nothing else is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        made = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        try:
            os.fchmod(made, mode)
        finally:
            os.close(made)
        write(temporary)
        flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_folder(folder: Path, mode: int) -> None:
    """Make one folder of exactly this mode, whatever the umask; one that is there gets it too."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)


def refuse_others(path: Path, what: str) -> None:
    """Raises SettingsWrong where others than the owner may read, write or enter a file or folder, called `what`; one that is not there is fine."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & 0o077:
        wanted = PRIVATE_FOLDER if stat.S_ISDIR(mode) else PRIVATE_FILE
        raise SettingsWrong(
            f"{what} can be read by others than its owner (mode {stat.S_IMODE(mode):o}), so nothing is done with it; take their rights away: "
            f"chmod {wanted:o}, and ask who may have read it meanwhile"
        )
