"""What a release says of itself, signed, and whether that is still so: every file by its hash, and nothing else beside them.

`manifest.json` and `manifest.sig` at the top of a release. It holds counts, hashes and names of contracts and models, and no path of the machine.
What does not belong here: making a release, and moving the pointer (`release.py`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from fuller_popheath.contracts.loading import CONTRACTS_FOLDER
from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.publish.release_signature import PublicKey
from fuller_popheath.site import PROJECT_ROOT

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = 2
"""1 was unsigned."""
NIGHT, BY_HAND, ROLLBACK = "night", "by hand", "rollback"
CODE = ("fuller_popheath", "pipelines", "data_contracts")
ENDINGS = (".py", ".csv", ".yaml", ".jinja", ".css", ".js", ".html")
HASH_LETTERS = 12
CHUNK = 1 << 20
OWN = (MANIFEST, SIGNATURE)


@dataclass(frozen=True)
class Place:
    """Whose data it is: the ICB it was limited to (empty: none), and a hash of where its files arrived. Another one's is not mixed in."""

    icb: str = ""
    landing: str = ""


def place_of(icb: str, landing: Path) -> Place:
    """The place of a run, from its settings: the manifest has a hash of the folder, not its path."""
    return Place(icb, hashlib.sha256(os.fsencode(landing.resolve())).hexdigest()[:HASH_LETTERS])


@dataclass(frozen=True)
class Statement:
    """What a release says besides its files.

    `as_of`: the day its products are about; `people_as_of`: the last day whose deaths, departures, objections and reviews its lists know, where that
    is later; `when`: the moment it was made, as text; `coverage`: whose extracts it rests on and how old they are; `code`, `contracts`, `models`:
    what it was made with; `accepted`: why a change beyond a limit was let through, and `changes`: which; `rolled_back_to`, `because`: of a rollback.
    """

    as_of: date
    run: str
    kind: str = NIGHT
    when: str = ""
    people_as_of: date | None = None
    place: Place = Place()
    coverage: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str | None] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    accepted: str = ""
    changes: tuple[str, ...] = ()
    rolled_back_to: str = ""
    because: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def newest_day(self) -> date:
        """The day before which nothing may replace it."""
        return max(self.as_of, self.people_as_of or self.as_of)

    def told(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        days = {"as_of": self.as_of.isoformat(), "people_as_of": self.newest_day.isoformat()}
        return {"format": FORMAT, **asdict(self), **days}


def contract_hashes(contract_ids: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each contract as it stands in data_contracts/."""
    return {name: hashlib.sha256((CONTRACTS_FOLDER / f"{name}.yaml").read_bytes()).hexdigest() for name in sorted(set(contract_ids))}


def code_in_use(root: Path = PROJECT_ROOT) -> dict[str, str | None]:
    """The version of the package, the commit that is checked out (None outside a Git working copy), and a hash of the sources as they are.

    The hash tells of a change that was not committed.
    """
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted(path for path in (root / folder).rglob("*") if path.suffix in ENDINGS and path.is_file()):
            digest.update(f"{path.relative_to(root).as_posix()}:".encode() + path.read_bytes() + b"\n")
    return {"version": version("fuller-popheath"), "commit": _commit(root), "sources": digest.hexdigest()[:HASH_LETTERS]}


def _commit(root: Path) -> str | None:
    """Read from Git's own files: no program is started."""
    git = root / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except (OSError, UnicodeDecodeError):
        return None


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What a release says, whether or not that is true; None where nothing can be read. Of one from before they were signed, `format` is 1."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        days = {name: date.fromisoformat(told[name]).isoformat() for name in ("as_of", "people_as_of") if name in told}
        files = [{**file, "file": str(file["file"]), "sha256": str(file["sha256"])} for file in told["files"]]
        return {"format": 1, "run": "", "kind": NIGHT, "people_as_of": days["as_of"], **told, **days, "files": files}
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Verified:
    """Whether a release is what was signed; `wrong`: what is not, in words (names of files, never what is in them)."""

    name: str
    wrong: tuple[str, ...]
    manifest: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def is_good(self) -> bool:
        """Whether every file is there as it was signed, and no other."""
        return not self.wrong

    @property
    def words(self) -> str:
        """One line."""
        more = f"; and {len(self.wrong) - 5} more" if len(self.wrong) > 5 else ""
        return "; ".join(self.wrong[:5]) + more if self.wrong else "as it was signed"


def verify(folder: Path, key: PublicKey) -> Verified:
    """Hold a release against its manifest, and the manifest against its signature. Reads every file; writes nothing."""
    name = folder.resolve().name
    told = read_manifest(folder)
    if told is None:
        return Verified(name, ("it has no manifest that can be read",))
    if told["format"] == 1 or not (folder / SIGNATURE).is_file():
        return Verified(name, ("it is not signed",), told)
    try:
        signature = (folder / SIGNATURE).read_text(encoding="ascii").strip()
        is_signed = key.has_signed((folder / MANIFEST).read_bytes(), signature)
    except (OSError, UnicodeDecodeError):
        is_signed = False
    if not is_signed:
        by = told.get("signed_by")
        why = "its manifest was changed after it was signed" if by == key.name else "it was signed with another key than this site's"
        return Verified(name, (why,), told)
    return Verified(name, tuple(_wrong_files(folder, told["files"])), told)


def _wrong_files(folder: Path, files: list[dict[str, Any]]) -> Iterable[str]:
    listed = {file["file"]: file for file in files}
    for name, file in listed.items():
        parts, path = PurePosixPath(name), folder / name
        if parts.is_absolute() or ".." in parts.parts:
            yield f"{name} lies outside of it"
        elif told := _changed(path, file):
            yield f"{name} {told}"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    for name in sorted(there - {*listed, *OWN}):
        yield f"{name} was added"


def _changed(path: Path, file: Mapping[str, Any]) -> str:
    try:
        if path.is_symlink() or not path.is_file():
            return "is missing"
        return "" if path.stat().st_size == file["bytes"] and hash_of(path) == file["sha256"] else "was changed"
    except OSError:
        return "cannot be read by this user"


def refuse_changed(folder: Path, key: PublicKey) -> Mapping[str, Any]:
    """The manifest of a release that is as it was signed. Raises FileRefused for any other."""
    found = verify(folder, key)
    if not found.is_good or found.manifest is None:
        raise FileRefused(f"the release {found.name} cannot be used: {found.words}; take another (fuller releases), or restore it from a backup")
    return found.manifest


def refuse_other_place(manifest: Mapping[str, Any], place: Place) -> None:
    """Raises SettingsWrong where a release is of another ICB or landing folder than this run."""
    if told := other_place(manifest, place):
        raise SettingsWrong(f"{told}; give each place folders of its own (site.toml, [folders])")


def other_place(manifest: Mapping[str, Any], place: Place) -> str:
    """How a release is of another place than this run, in words; empty where it is of the same. One from before they were signed does not say."""
    told = manifest.get("place")
    if not isinstance(told, dict):
        return ""
    if told.get("icb", "") != place.icb:
        return f"the release is of {told.get('icb') or 'every ICB'}, and this run of {place.icb or 'every ICB'}"
    return "" if told.get("landing", "") == place.landing else "the release was made from another landing folder than this run's"
