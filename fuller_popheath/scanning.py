"""Looks through every byte of some folders for the NHS numbers of people whom the vault knows: the proof that none has leaked out of its place.

What is found is told by file and count, never by value. What does not belong here: how a packed file is opened (`scan_contents`), what counts as a
number (`known_numbers`), which folders a site has (`scan_command`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.scan_contents import numbers_in
from fuller_popheath.sources.names import file_told

if TYPE_CHECKING:
    from fuller_popheath.known_numbers import Known

PARTS_TOLD = 5
"""Of a file's path, so many of its last parts are told."""


@dataclass(frozen=True)
class Scanned:
    """What a scan came to: how much was looked through, where numbers stand (file -> how many), and what could not be opened (file -> why)."""

    files: int
    bytes: int
    found: dict[str, int]
    closed: dict[str, str]


def scan(folders: Iterable[Path], left_out: Callable[[Path], bool], known: Known, on_file: Callable[[int], None] | None = None) -> Scanned:
    """Look through every file below `folders`, once each, but those `left_out`; links are not followed. `on_file` hears how many are done.

    A file that is gone by the time it is opened is none. The names of files count too.
    """
    files = size = 0
    found: dict[str, int] = {}
    closed: dict[str, str] = {}
    for path in _files(folders, left_out):
        told = "/".join(file_told(part) for part in path.parts[-PARTS_TOLD:])
        try:
            inside = numbers_in(path, known)
        except FileNotFoundError:
            continue
        except OSError:
            closed[told] = "this user may not read it"
            continue
        files, size = files + 1, size + inside.bytes
        count = inside.count + known.in_bytes(os.fsencode(path.name))
        if count:
            found[told] = found.get(told, 0) + count
        if inside.closed:
            closed[told] = inside.closed
        if on_file:
            on_file(files)
    return Scanned(files, size, found, closed)


def _files(folders: Iterable[Path], left_out: Callable[[Path], bool]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        for parent, below, names in os.walk(folder.resolve()):
            here = Path(parent)
            below[:] = sorted(name for name in below if not left_out(here / name))
            for path in (here / name for name in sorted(names)):
                if path not in seen and path.is_file() and not path.is_symlink() and not left_out(path):
                    seen.add(path)
                    yield path
