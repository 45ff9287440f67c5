"""Releases written anew with other files in them, where keeping what they had would be wrong: somebody was forgotten, or ids have another key.

A release as it was goes only when the one that takes its place stands, signed anew; the pointer moves with it, and the order of releases stays. What
does not belong here: why, and what becomes of a file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from fuller_popheath.errors import FileRefused
from fuller_popheath.publish.release import all_releases, point, write_manifest
from fuller_popheath.publish.release_manifest import MANIFEST, hash_of, read_manifest, verify
from fuller_popheath.publish.release_signature import SigningKey
from fuller_popheath.whole_files import OPEN_FOLDER, PRIVATE_FOLDER, flush, make_folder

OPEN = "open"
INSTEAD = "instead_of"
MOST_DIGITS = 4
"""A number behind a name has fewer digits than what a run is known by, which stands there too."""


@dataclass(frozen=True)
class Kept:
    """A file stays as it is."""


@dataclass(frozen=True)
class Gone:
    """A file is in the release no longer."""


@dataclass(frozen=True)
class Written:
    """A file was written anew at the place it was given, with so many rows (None: as the manifest said)."""

    rows: int | None = None


Fate = Kept | Gone | Written
KEPT, GONE = Kept(), Gone()
Change = Callable[[Path, Path], Fate]
"""Given a file and where it would be written anew, what becomes of it."""


def remade(
    products: Path, releases: Path, key: SigningKey, change: Change, why: Mapping[str, Any], is_once: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write every release anew in which something changes. Returns the names of those, and of those that were removed for not being as signed.

    `why` is added to the manifest under "remade". May be done twice; with `is_once`, a release that says so already is passed over. Raises
    FileRefused where the current release is not as it was signed.
    """
    anew, removed = [], []
    _clear(products, releases)
    for folder in reversed(all_releases(releases)):
        is_current = products.is_symlink() and products.resolve() == folder.resolve()
        if not verify(folder, key.public).is_good:
            # What cannot be told from a forgery is not signed; nor may it stay as it is.
            if is_current:
                raise FileRefused(f"the current release {folder.name} is not as it was signed; release again (fuller release), then do this again")
            _remove(folder)
            removed.append(folder.name)
            continue
        said = (read_manifest(folder) or {}).get("remade", ())
        if is_once and any(dict(why).items() <= each.items() for each in said):
            continue
        made = _one(folder, releases, key, change, why)
        if made is None:
            continue
        if is_current:
            point(products, made)
        _remove(folder)
        anew.append(made.name)
    return tuple(anew), tuple(removed)


def _clear(products: Path, releases: Path) -> None:
    """Remove what an interrupted one left: what it was making, and releases whose place another has taken."""
    for left in releases.glob(".making-*"):
        shutil.rmtree(left)
    names = {folder.name: folder for folder in all_releases(releases)}
    for folder in names.values():
        said = (read_manifest(folder) or {}).get("remade") or [{}]
        before = names.get(said[-1].get(INSTEAD, ""))
        # A later one may have the same name: the one whose place was taken has the very moment of the one that took it.
        if before is None or (before / MANIFEST).stat().st_mtime_ns != (folder / MANIFEST).stat().st_mtime_ns:
            continue
        if products.is_symlink() and products.resolve() == before.resolve():
            point(products, folder)
        _remove(before)


def _remove(folder: Path) -> None:
    """Under a name that is cleared away if this is interrupted."""
    gone = folder.rename(folder.with_name(f".making-{uuid4().hex}"))
    shutil.rmtree(gone)


def _next_name(folder: Path) -> Path:
    """The next free one of `<name>_2`, `<name>_3` ... after a release's own: no name is ever used again for other files."""
    name, number = folder.name, 1
    bare, _, last = name.rpartition("_")
    if bare and last.isdecimal() and len(last) <= MOST_DIGITS:
        name, number = bare, int(last)
    while (made := folder.with_name(f"{name}_{(number := number + 1)}")).exists():
        pass
    return made


def _one(folder: Path, releases: Path, key: SigningKey, change: Change, why: Mapping[str, Any]) -> Path | None:
    told = read_manifest(folder)
    if told is None:
        return None
    making = releases / f".making-{uuid4().hex}"
    try:
        make_folder(making, OPEN_FOLDER)
        files, is_changed = [], False
        for entry in told["files"]:
            source, target = folder / entry["file"], making / entry["file"]
            make_folder(target.parent, OPEN_FOLDER if entry["purpose"] == OPEN else PRIVATE_FOLDER)
            fate = change(source, target)
            is_changed |= not isinstance(fate, Kept)
            if isinstance(fate, Gone):
                continue
            if isinstance(fate, Kept):
                os.link(source, target)
                files.append(entry)
                continue
            rows = entry.get("rows") if fate.rows is None else fate.rows
            files.append({**entry, "rows": rows, "bytes": target.stat().st_size, "sha256": hash_of(target)})
        if not is_changed:
            return None
        write_manifest(
            making, {**told, "signed_by": key.public.name, "remade": [*told.get("remade", ()), {**why, INSTEAD: folder.name}], "files": files}, key
        )
        for each in [path for path in making.rglob("*") if path.is_dir()]:
            flush(each)
        flush(making)
        was = (folder / MANIFEST).stat()
        os.utime(making / MANIFEST, ns=(was.st_atime_ns, was.st_mtime_ns))
        return making.rename(_next_name(folder))
    finally:
        shutil.rmtree(making, ignore_errors=True)
