"""Bytes out of plain, gzip and zip files, within a bound, with one clear refusal for everything that can be wrong with the wrapping.

Every refusal is raised `from None`: the texts of zlib and zipfile errors are not ours to vouch for.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.names import file_told

MEGABYTE = 1 << 20
MOST_MEMBERS = 10_000
"""Files in one zip or parts of one workbook: nothing that is published or sent has a hundredth of it."""
ASK_AGAIN = "fetch or ask for the file again"


def unreadable(name: str) -> FileRefused:
    """The refusal for a file that the operating system does not let us read."""
    return FileRefused(f"{name}: cannot be read from disk; check that it is there and that this user may read it")


def too_large(name: str, max_bytes: int) -> FileRefused:
    """The refusal for content beyond the bound."""
    return FileRefused(
        f"{name}: holds more than {max_bytes // MEGABYTE:,} MB once unpacked; if it is what you expect, raise arrival.max_file_megabytes in site.toml"
    )


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_bounded(stream: _Readable, name: str, max_bytes: int) -> bytes:
    """All bytes of an open stream; FileRefused where there are more than `max_bytes`."""
    content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise too_large(name, max_bytes)
    return content


def plain_bytes(path: Path, max_bytes: int) -> bytes:
    """A file as it lies on disk. Raises FileRefused if it is larger than the bound or cannot be read."""
    try:
        with path.open("rb") as stream:
            return read_bounded(stream, file_told(path.name), max_bytes)
    except OSError:
        raise unreadable(file_told(path.name)) from None


def gzip_bytes(path: Path, max_bytes: int) -> bytes:
    """The content of a .gz file. Raises FileRefused if it is cut short, damaged or larger than the bound."""
    return _unpacked(path, lambda stream: read_bounded(stream, file_told(path.name), max_bytes))


def gzip_beginning(path: Path, size: int) -> bytes:
    """The first bytes of what is in a .gz file. Raises FileRefused if even they are damaged or missing."""
    return _unpacked(path, lambda stream: stream.read(size))


def refuse_damaged_gzip(path: Path, max_bytes: int) -> None:
    """Unpack a .gz file to its end without keeping it. Raises FileRefused if it is cut short, damaged or larger than the bound."""

    def to_the_end(stream: _Readable) -> bytes:
        size = 0
        while piece := stream.read(MEGABYTE):
            size += len(piece)
            if size > max_bytes:
                raise too_large(file_told(path.name), max_bytes)
        return b""

    _unpacked(path, to_the_end)


def _unpacked(path: Path, read: Callable[[_Readable], bytes]) -> bytes:
    try:
        with gzip.open(path, "rb") as stream:
            return read(stream)
    except EOFError:
        raise FileRefused(f"{file_told(path.name)}: the gzip file is cut short, its end is missing; {ASK_AGAIN}") from None
    except (gzip.BadGzipFile, zlib.error):
        raise FileRefused(f"{file_told(path.name)}: the gzip file is damaged; {ASK_AGAIN}") from None
    except OSError:
        raise unreadable(file_told(path.name)) from None


def zip_members(path: Path, max_bytes: int) -> list[str]:
    """The names of the files inside a zip, in its order.

    Raises FileRefused if its end is missing, it has too many members, one is encrypted, or what it says it holds is larger than the bound.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise FileRefused(
            f"{file_told(path.name)}: the zip or workbook is cut short, damaged or none: its list of contents cannot be read; {ASK_AGAIN}"
        ) from None
    except OSError:
        raise unreadable(file_told(path.name)) from None
    if not members:
        raise FileRefused(f"{file_told(path.name)}: the zip holds no file; {ASK_AGAIN}")
    if len(members) > MOST_MEMBERS:
        raise FileRefused(
            f"{file_told(path.name)}: the zip holds {len(members):,} files, more than the {MOST_MEMBERS:,} that are looked at; {ASK_AGAIN}"
        )
    if any(info.flag_bits & 1 for info in members):
        raise FileRefused(f"{file_told(path.name)}: the zip file is encrypted; unpack it with its password and put in the file inside instead")
    if sum(info.file_size for info in members) > max_bytes:
        raise too_large(file_told(path.name), max_bytes)
    return [info.filename for info in members]


def zip_bytes(path: Path, member: str, told: str, max_bytes: int, at_most: int | None = None) -> bytes:
    """The content of one member of a zip, or its first `at_most` bytes. Raises FileRefused if it is damaged or larger than the bound.

    `told`: how messages call the member.
    """
    name = f"{file_told(path.name)} ({told})"
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            return stream.read(at_most) if at_most is not None else read_bounded(stream, name, max_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, NotImplementedError, ValueError):
        raise FileRefused(f"{name}: this part of the zip file is damaged or packed in a way that cannot be read; {ASK_AGAIN}") from None
    except OSError:
        raise unreadable(file_told(path.name)) from None
