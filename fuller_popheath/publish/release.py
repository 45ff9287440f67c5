"""Publish whole: all products of a day in one folder, and one pointer that moves to it when every file of it stands (docs/architecture.md, law 8).

`releases/<as_of>_<run>/<purpose>/<name>.csv` ..., with `manifest.json`; `products` is a symbolic link to the current one. What does not belong
here: making a product, and knowing one by name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.whole_files import OPEN_FILE, OPEN_FOLDER, PRIVATE_FILE, PRIVATE_FOLDER, flush, make_folder, replace_whole

MANIFEST = "manifest.json"
OPEN = "open"
KEPT = 10
"""How many releases are kept unless told otherwise."""


@dataclass(frozen=True)
class Part:
    """One file of a release: who may have it, its name, what writes it, and how many rows it has where it is a table."""

    purpose: str
    name: str
    write: Callable[[Path], object]
    rows: int | None = None


@dataclass(frozen=True)
class Released:
    """A release that stands. `is_current` says whether the pointer moved to it; where it did not, `current_as_of` is the day that stayed."""

    folder: Path
    files: tuple[str, ...]
    is_current: bool
    current_as_of: date
    removed: tuple[str, ...] = ()


def release(products: Path, releases: Path, as_of: date, run: str, parts: Iterable[Part], keep: int = KEPT) -> Released:
    """Write a release of one day and, unless that would go back to an older day, move the pointer `products` to it in one step.

    Until then everything stays as it was, whatever fails. Of all releases the `keep` newest and the current one are kept. A real folder at
    `products`, from before there were releases, is moved in among them. One release is written at a time: the caller sees to that.
    Raises SettingsWrong where two parts would be one file or `products` is a file.
    """
    if products.exists() and not products.is_dir():
        raise SettingsWrong(f"{products.name} is a file; it has to be free for the pointer to the current release: move it away")
    folder = _write_release(releases, as_of, run, list(parts))
    before = current_as_of(products)
    is_current = before is None or before <= as_of
    if is_current:
        point(products, folder)
    files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST))
    removed = prune(releases, products, keep, also=folder)
    return Released(folder, files, is_current, as_of if is_current or before is None else before, removed)


def current_as_of(products: Path) -> date | None:
    """The day of the current release; None where there is none, or it does not say."""
    try:
        return date.fromisoformat(json.loads((products / MANIFEST).read_text(encoding="utf-8"))["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def point(products: Path, folder: Path) -> None:
    """Make `products` a link to a release by one rename, so that a reader finds the last one or this one and never neither.

    Only a real folder from before there were releases cannot be replaced in one step: it is moved aside first, and put back if that fails.
    """
    aside = None
    if products.is_dir() and not products.is_symlink():
        aside = _free(folder.parent / "before_releases")
        products.rename(aside)
    link = products.with_name(f".{products.name}.{uuid4().hex}.tmp")
    try:
        link.symlink_to(os.path.relpath(folder, products.parent), target_is_directory=True)
        link.replace(products)
    except OSError:
        if aside is not None:
            aside.rename(products)
        raise
    finally:
        link.unlink(missing_ok=True)
    flush(products.parent)


def prune(releases: Path, products: Path, keep: int, also: Path | None = None) -> tuple[str, ...]:
    """Remove all but the `keep` releases written last; the current one, and `also`, always stay. Returns the names of what was removed."""
    written = sorted((path for path in releases.iterdir() if (path / MANIFEST).is_file()), key=lambda path: (path / MANIFEST).stat().st_mtime_ns)
    current = products.resolve()
    old = [path for path in written[: max(0, len(written) - max(1, keep))] if path.resolve() != current and path != also]
    for path in old:
        # It stops being a release before its first file goes.
        (path / MANIFEST).unlink()
        shutil.rmtree(path)
    return tuple(path.name for path in old)


def _write_release(releases: Path, as_of: date, run: str, parts: list[Part]) -> Path:
    names = [(part.purpose, part.name) for part in parts]
    if twice := sorted({"/".join(name) for name in names if names.count(name) > 1}):
        raise SettingsWrong(f"{', '.join(twice)} would be written twice in one release; give each product and page files of its own names")
    make_folder(releases, OPEN_FOLDER)
    for left in releases.glob(".making-*"):  # by a process that was killed
        shutil.rmtree(left)
    making = releases / f".making-{uuid4().hex}"
    try:
        make_folder(making, OPEN_FOLDER)
        told = [_write_part(making, part) for part in parts]
        manifest = {"as_of": as_of.isoformat(), "run": run, "files": told}
        text = json.dumps(manifest, indent=1) + "\n"
        replace_whole(making / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"), OPEN_FILE)
        for folder in [path for path in making.rglob("*") if path.is_dir()]:
            flush(folder)
        flush(making)
        return making.rename(_free(releases / f"{as_of.isoformat()}_{run}"))
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _write_part(making: Path, part: Part) -> dict[str, object]:
    is_open = part.purpose == OPEN
    folder = making / part.purpose
    make_folder(folder, OPEN_FOLDER if is_open else PRIVATE_FOLDER)
    path = replace_whole(folder / part.name, part.write, OPEN_FILE if is_open else PRIVATE_FILE)
    content = path.read_bytes()
    told = {"file": f"{part.purpose}/{part.name}", "purpose": part.purpose, "rows": part.rows}
    return {**told, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _free(path: Path) -> Path:
    """The path, or the first of `<path>_2`, `<path>_3` ... that is free: a step that is run again in the same run has a release of its own."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}_{number}")
    return found
