"""When files that came after the night start another one: once the landing folder differs from what the last night saw, and has stood still.

A folder is known by the names, sizes and times of its files: nothing of them is opened. What does not belong here: what files are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

SEEN = "landing_seen.json"
SEEN_KEY, SINCE_KEY = "fingerprint", "since"


@dataclass(frozen=True)
class Judged:
    """Whether to start a night now, why (not), and what to remember until the next look."""

    is_start: bool
    words: str
    cursor: str


def fingerprint(landing: Path) -> str:
    """What the folder is known by; empty where it holds no file, or is not there. Hidden files are passed over: they are being written."""
    digest, count = hashlib.sha256(), 0
    for path in sorted(_files(landing)):
        try:
            held = path.stat()
        except OSError:
            continue
        digest.update(f"{path.relative_to(landing).as_posix()}\n{held.st_size}\n{held.st_mtime_ns}\n".encode(errors="surrogateescape"))
        count += 1
    return digest.hexdigest() if count else ""


def _files(landing: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(landing):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder) / name for name in names if not name.startswith((".", "~$"))]
    return found


def remember(status: Path, landing: Path, found: str) -> None:
    """Write down what a night sees of a landing folder, before it looks at the first file: what changes from then on is late."""
    make_folder(status, PRIVATE_FOLDER)
    told = json.dumps({**_seen(status), str(landing.resolve()): found}, indent=1)
    replace_whole(status / SEEN, lambda path: path.write_text(told, encoding="utf-8"), PRIVATE_FILE)


def seen(status: Path, landing: Path) -> str | None:
    """What the last night saw of a landing folder; None where none has looked at it."""
    return _seen(status).get(str(landing.resolve()))


def _seen(status: Path) -> Mapping[str, str]:
    try:
        told = json.loads((status / SEEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def judge(found: str, last_night_saw: str | None, cursor: str | None, now: datetime, quiet: timedelta) -> Judged:
    """Look at the folder as it is now. `cursor`: what the last look remembered; `now`: with a time zone; `quiet`: so long must it stand still."""
    if not found:
        return Judged(False, "the landing folder is empty", "")
    if found == last_night_saw:
        return Judged(False, "nothing has come since the last night", "")
    since = _since(found, cursor)
    if since is None:
        return Judged(False, "files have come or are coming", json.dumps({SEEN_KEY: found, SINCE_KEY: now.isoformat()}))
    if now - since < quiet:
        minutes = int((quiet - (now - since)).total_seconds() // 60) + 1
        return Judged(False, f"files have come; a night starts when none has changed for {minutes} more minutes", cursor or "")
    return Judged(True, "files have come since the last night, and the folder has stood still", cursor or "")


def _since(found: str, cursor: str | None) -> datetime | None:
    """Since when the folder has been as it is; None where it was otherwise at the last look."""
    try:
        told = json.loads(cursor or "{}")
        return datetime.fromisoformat(told[SINCE_KEY]) if told.get(SEEN_KEY) == found else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
