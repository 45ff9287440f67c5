"""Recipients' folders: where a file gets its name only when it is whole. A folder of this machine, or of whatever fsspec can reach.

A folder is never made: one that is not there is a drive that is not mounted, and what is written then would lie where nobody guards it. What does not
belong here: what is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, Folders, Site
from fuller_popheath.site_delivery import DIRECT_CARE, Recipient
from fuller_popheath.whole_files import replace_whole

LOCAL = ("file", "local")
DELIVERED_FILE = 0o640
"""For its owner to write and its group to read: the folder's group is the recipient."""
_ANYBODY = 0o007


@dataclass(frozen=True)
class RecipientFolder:
    """One recipient's folder: `system` is fsspec's file system, `path` the folder in it."""

    system: Any = field(repr=False)
    path: str
    is_local: bool

    def hash_of(self, name: str) -> str | None:
        """The hash of a file that lies there; None where none does."""
        if not self.system.exists(self._at(name)):
            return None
        return hashlib.sha256(self.system.cat_file(self._at(name))).hexdigest()

    def write(self, name: str, content: bytes) -> None:
        """Put a file there under a temporary name, then rename it."""
        if self.is_local:
            replace_whole(Path(self.path) / name, lambda part: part.write_bytes(content), DELIVERED_FILE)
            return
        temporary = self._at(f".{name}.part")
        self.system.pipe_file(temporary, content)
        if self.system.exists(self._at(name)):
            self.system.rm_file(self._at(name))
        self.system.mv(temporary, self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"


def open_folders(register: Mapping[str, Recipient], site: Site) -> dict[str, RecipientFolder]:
    """Every recipient's folder. Raises SettingsWrong where one is not there, is somebody else's too, is one of ours, or can be opened by anybody."""
    found = {name: _opened(name, recipient) for name, recipient in register.items()}
    for name, folder in found.items():
        if folder.is_local:
            _refuse_local(name, Path(folder.path), register[name], site)
    _refuse_shared(found, register)
    return found


def _opened(name: str, recipient: Recipient) -> RecipientFolder:
    import fsspec

    told = f"delivery.recipients.{name}.folder"
    try:
        system, path = fsspec.core.url_to_fs(recipient.folder)
    except (ValueError, ImportError):
        raise SettingsWrong(f"{told} is of a kind that cannot be written from here: give a path, or install what fsspec needs for it") from None
    except Exception as wrong:
        raise SettingsWrong(f"{told} cannot be reached ({type(wrong).__name__}): check the address, the network and the key") from None
    is_local = bool(set((system.protocol,) if isinstance(system.protocol, str) else system.protocol) & set(LOCAL))
    if is_local and "://" not in recipient.folder and not Path(recipient.folder).is_absolute():
        raise SettingsWrong(f"{told} is a path that begins in the middle: give the whole of it, from / on")
    path = str(Path(path).resolve()) if is_local else str(path)
    try:
        is_there = bool(system.isdir(path))
    except Exception as wrong:
        raise SettingsWrong(f"{told} cannot be reached ({type(wrong).__name__}): check the address, the network and the key") from None
    if not is_there:
        raise SettingsWrong(f"{told} is not there; mount it or make it, for it is never made here")
    return RecipientFolder(system, path, is_local)


def _refuse_local(name: str, path: Path, recipient: Recipient, site: Site) -> None:
    told = f"delivery.recipients.{name}.folder"
    ours = [site.folder(each).resolve() for each in Folders.model_fields]
    if path.is_relative_to(PROJECT_ROOT) or any(path.is_relative_to(own) or own.is_relative_to(path) for own in ours):
        raise SettingsWrong(f"{told} lies in the project or in one of [folders], or holds one of them; give the recipient a folder elsewhere")
    if recipient.access_controlled and path.stat().st_mode & _ANYBODY:
        raise SettingsWrong(
            f"{told} is said to be access-controlled, and anybody on this machine can open it: take their rights away (chmod o-rwx), or put "
            "access_controlled = false"
        )


def _refuse_shared(found: Mapping[str, RecipientFolder], register: Mapping[str, Recipient]) -> None:
    """Raises SettingsWrong where the folder of a recipient of lists is, holds, or lies in that of another recipient."""
    for name, folder in found.items():
        if DIRECT_CARE not in register[name].purposes:
            continue
        for other, theirs in found.items():
            # The kind of file system is part of the place.
            same_system = type(folder.system) is type(theirs.system) and folder.system == theirs.system
            own, others = Path("/", folder.path), Path("/", theirs.path)
            if other != name and same_system and (own.is_relative_to(others) or others.is_relative_to(own)):
                raise SettingsWrong(f"delivery.recipients.{name} and {other} have one folder, or one inside the other's; give each its own")
