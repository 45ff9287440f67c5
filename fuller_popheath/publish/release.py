"""Publish whole: all products of a day in one folder, and one pointer that moves to it when every file of it stands (docs/architecture.md, law 8).

`releases/<day>_<run>/<purpose>/<name>.csv` ..., with a signed `manifest.json`; `products` is a symbolic link to the current one. A file that is as it
was in the current release is that file (a hard link), so that a small change costs little room. What does not belong here: making a product, and
knowing one by name.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.publish.release_manifest import MANIFEST, OWN, SIGNATURE, Statement, hash_of, read_manifest, verify
from fuller_popheath.publish.release_signature import PUBLIC, PublicKey, SigningKey, publish_key
from fuller_popheath.whole_files import OPEN_FILE, OPEN_FOLDER, PRIVATE_FILE, PRIVATE_FOLDER, flush, make_folder, replace_whole

OPEN = "open"
INTERNAL = "internal"
"""The purpose of what is kept in a release for the house alone: what it is compared by, and what its lists can be made again from."""
KEPT = 10
"""How many releases are kept unless told otherwise."""


@dataclass(frozen=True)
class Part:
    """One file of a release: who may have it, its name, what writes it, how many rows it has where it is a table, and of which contract or page."""

    purpose: str
    name: str
    write: Callable[[Path], object]
    rows: int | None = None
    made_of: str = ""


@dataclass(frozen=True)
class Released:
    """A release that stands. `is_current` says whether the pointer moved to it; where it did not, `current_as_of` is the day that stayed."""

    folder: Path
    files: tuple[str, ...]
    is_current: bool
    current_as_of: date
    removed: tuple[str, ...] = ()


def release(products: Path, releases: Path, told: Statement, parts: Iterable[Part], key: SigningKey, keep: int = KEPT) -> Released:
    """Write and sign a release and, unless that would go back to an older day, move the pointer `products` to it in one step.

    Until then everything stays as it was, whatever fails. Of all releases the `keep` newest and the current one are kept. A real folder at
    `products`, from before there were releases, is moved in among them. One release is written at a time: the caller sees to that.
    Raises SettingsWrong where two parts would be one file or `products` is a file.
    """
    if products.exists() and not products.is_dir():
        raise SettingsWrong(f"{products.name} is a file; it has to be free for the pointer to the current release: move it away")
    folder = _write_release(releases, told, list(parts), key, _standing(products))
    before = current_as_of(products)
    is_current = before is None or before <= told.newest_day
    if is_current:
        point(products, folder)
    files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name not in OWN))
    removed = prune(releases, products, keep, also=folder)
    return Released(folder, files, is_current, told.newest_day if is_current or before is None else before, removed)


def current_as_of(products: Path) -> date | None:
    """The day before which nothing replaces the current release; None where there is none, or it does not say."""
    told = read_manifest(products)
    return None if told is None else max(date.fromisoformat(told["as_of"]), date.fromisoformat(told["people_as_of"]))


def all_releases(releases: Path) -> tuple[Path, ...]:
    """Every release that is kept, from the one written last to the first; not what is being made or removed, whatever is in it."""
    there = releases.iterdir() if releases.is_dir() else ()
    found = [path for path in there if not path.name.startswith(".") and (path / MANIFEST).is_file()]
    return tuple(sorted(found, key=lambda path: ((path / MANIFEST).stat().st_mtime_ns, path.name), reverse=True))


def current_release(products: Path) -> Path | None:
    """The folder of the current release; None where there is none."""
    return products.resolve() if (products / MANIFEST).is_file() else None


def earlier_release(products: Path, releases: Path, as_of: date, key: PublicKey) -> Path | None:
    """What a release of a day is compared with: the current one where it is of an earlier day, else the last written one that is.

    One that is not as it was signed is passed over. None where there is no other.
    """
    current = current_release(products)
    for folder in [*([current] if current else []), *all_releases(releases)]:
        told = read_manifest(folder)
        if told is not None and date.fromisoformat(told["as_of"]) < as_of and verify(folder, key).is_good:
            return folder
    return None


def point(products: Path, folder: Path) -> None:
    """Make `products` a link to a release by one rename, so that a reader finds the last one or this one and never neither.

    Only a real folder from before there were releases cannot be replaced in one step: it is moved aside first, and put back if that fails.
    """
    for left in products.parent.glob(f".{products.name}.*.tmp"):  # by a process that was killed
        left.unlink(missing_ok=True)
    aside = None
    if products.is_dir() and not products.is_symlink():
        aside = free_name(folder.parent / "before_releases")
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
    current = products.resolve()
    old = [path for path in all_releases(releases)[max(1, keep) :] if path.resolve() != current and path != also]
    for path in reversed(old):
        # It stops being a release in one step, before its first file goes; what a kill leaves of it goes with the next release.
        shutil.rmtree(path.rename(releases / f".making-{uuid4().hex}"))
    return tuple(path.name for path in reversed(old))


def _standing(products: Path) -> dict[tuple[str, str], Path]:
    """The files of the current release, by purpose and hash."""
    told = read_manifest(products)
    return {(file["purpose"], file["sha256"]): products.resolve() / file["file"] for file in told["files"]} if told else {}


def _write_release(releases: Path, told: Statement, parts: list[Part], key: SigningKey, standing: Mapping[tuple[str, str], Path]) -> Path:
    names = [(part.purpose, part.name) for part in parts]
    if twice := sorted({"/".join(name) for name in names if names.count(name) > 1}):
        raise SettingsWrong(f"{', '.join(twice)} would be written twice in one release; give each product and page files of its own names")
    make_folder(releases, OPEN_FOLDER)
    for left in releases.glob(".making-*"):  # by a process that was killed
        shutil.rmtree(left)
    for left in releases.glob(f".{PUBLIC}.*.tmp"):
        left.unlink(missing_ok=True)
    making = releases / f".making-{uuid4().hex}"
    try:
        make_folder(making, OPEN_FOLDER)
        files = [_write_part(making, part, standing) for part in parts]
        write_manifest(making, {**told.told(), "signed_by": key.public.name, "files": files}, key)
        for folder in [path for path in making.rglob("*") if path.is_dir()]:
            flush(folder)
        flush(making)
        publish_key(releases, key.public)
        _be_the_newest(making / MANIFEST, all_releases(releases))
        return making.rename(free_name(releases / f"{told.newest_day.isoformat()}_{told.run}"))
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _be_the_newest(manifest: Path, releases: tuple[Path, ...]) -> None:
    """Releases stand in the order in which they were written, also where the machine's clock was put back in between."""
    newest, own = max(((path / MANIFEST).stat().st_mtime_ns for path in releases), default=0), manifest.stat()
    if own.st_mtime_ns <= newest:
        os.utime(manifest, ns=(own.st_atime_ns, newest + 1_000))


def write_manifest(making: Path, told: Mapping[str, object], key: SigningKey) -> None:
    """Sign what a release says of itself and write it, the last of its files: without a manifest a folder is no release."""
    content = (json.dumps(told, indent=1) + "\n").encode()
    signature = key.sign(content) + "\n"
    replace_whole(making / SIGNATURE, lambda path: path.write_text(signature, encoding="ascii"), OPEN_FILE)
    replace_whole(making / MANIFEST, lambda path: path.write_bytes(content), OPEN_FILE)


def _write_part(making: Path, part: Part, standing: Mapping[tuple[str, str], Path]) -> dict[str, object]:
    is_open = part.purpose == OPEN
    folder = making / part.purpose
    make_folder(folder, OPEN_FOLDER if is_open else PRIVATE_FOLDER)
    path = replace_whole(folder / part.name, part.write, OPEN_FILE if is_open else PRIVATE_FILE)
    digest = hash_of(path)
    same = standing.get((part.purpose, digest))
    if same is not None:
        _link(path, same, digest)
    told = {"file": f"{part.purpose}/{part.name}", "purpose": part.purpose, "made_of": part.made_of, "rows": part.rows}
    return {**told, "bytes": path.stat().st_size, "sha256": digest}


def _link(path: Path, same: Path, digest: str) -> None:
    """Have a file be one that stands, where that is still what its manifest says, and the file system can."""
    link = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        if same.is_symlink() or same.stat().st_mode != path.stat().st_mode or hash_of(same) != digest:
            return
        os.link(same, link)
        link.replace(path)
    except OSError:
        return
    finally:
        link.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """The path, or the first of `<path>_2`, `<path>_3` ... that is free: a step that is run again in the same run has a release of its own."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}_{number}")
    return found
