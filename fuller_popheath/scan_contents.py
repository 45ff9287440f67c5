"""Opens what a file is packed as, so that a scan sees what a reader would: zip, workbook, gzip, Parquet, Arrow, SQLite, NumPy arrays.

Every file is also looked through as it lies on disk, which finds what a database has deleted but not overwritten. What does not belong here: what is
looked for (`known_numbers`).
"""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.known_numbers import PIECE, Known

if TYPE_CHECKING:
    import pyarrow as pa

DEEPEST = 4
"""So many archives may lie one in another."""
MOST_UNPACKED = 16 << 30
MOST_HELD = 1 << 29
"""What has to be held whole to be opened again: an archive in an archive, an array in a model."""
ROWS = 5_000
LOCKED = b"\xd0\xcf\x11\xe0"
TEN_DIGITS = "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}"
TOO_MUCH = "it unpacks to more than is looked through"
DAMAGED = "it is packed in a way that cannot be opened here"


@dataclass(frozen=True)
class Found:
    """How many numbers stand in a file, how many bytes it has, and why something in it could not be opened ("" where everything was)."""

    count: int
    bytes: int
    closed: str = ""


class _Closed(Exception):
    """Something that cannot be opened; its text says why and holds no value."""


def numbers_in(path: Path, known: Known) -> Found:
    """The numbers in one file, as it lies there and unpacked. Raises OSError where it cannot be read."""
    with path.open("rb") as stream:
        beginning = stream.read(16)
        stream.seek(0)
        count = known.in_pieces(_pieces(stream))
        size = stream.tell()
    try:
        if beginning.startswith(LOCKED):
            raise _Closed("it is encrypted, or an old workbook")
        if beginning.startswith(b"SQLite format 3"):
            count += _in_database(path, known)
        elif beginning.startswith((b"PAR1", b"ARROW1")):
            count += _in_tables(path, known, is_parquet=beginning.startswith(b"PAR1"))
        elif beginning.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\x93NUMPY")):
            with path.open("rb") as stream:
                count += _Opened(known).inside(stream, beginning, 1)
    except _Closed as why:
        return Found(count, size, str(why))
    return Found(count, size)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


class _Opened:
    """One file being unpacked: what may be unpacked of it altogether is bounded."""

    def __init__(self, known: Known) -> None:
        self.known, self.left = known, MOST_UNPACKED

    def inside(self, stream: IO[bytes], beginning: bytes, depth: int) -> int:
        """The numbers in what is packed in an archive; of an array, in its whole numbers. Raises _Closed where it cannot be opened."""
        if depth > DEEPEST:
            raise _Closed(f"archives lie more than {DEEPEST} deep in each other")
        try:
            if beginning.startswith(b"\x93NUMPY"):
                return self._array(stream)
            if beginning.startswith(b"\x1f\x8b"):
                with gzip.open(stream) as unpacked:
                    return self._member(unpacked, depth)  # type: ignore[arg-type]
            with zipfile.ZipFile(stream) as archive:
                return sum(self._zipped(archive, info, depth) for info in archive.infolist() if not info.is_dir())
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, gzip.BadGzipFile):
            raise _Closed(DAMAGED) from None

    def _zipped(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, depth: int) -> int:
        with archive.open(info) as unpacked:
            return self.known.in_bytes(info.filename.encode()) + self._member(unpacked, depth)

    def _member(self, stream: IO[bytes], depth: int) -> int:
        first = stream.read(16)
        if not first.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\x93NUMPY", b"PAR1")):
            return self.known.in_pieces(self._counted(stream, first))
        held = bytearray()
        for piece in self._counted(stream, first):
            held += piece
            if len(held) > MOST_HELD:
                raise _Closed(TOO_MUCH)
        count = self.known.in_bytes(bytes(held))
        if first.startswith(b"PAR1"):
            return count + _in_tables(io.BytesIO(held), self.known, is_parquet=True)
        return count + self.inside(io.BytesIO(held), first, depth + 1)

    def _counted(self, stream: IO[bytes], first: bytes) -> Iterator[bytes]:
        piece = first
        while piece:
            self.left -= len(piece)
            if self.left < 0:
                raise _Closed(TOO_MUCH)
            yield piece
            piece = stream.read(PIECE)

    def _array(self, stream: IO[bytes]) -> int:
        values = np.load(stream, allow_pickle=False)
        return _in_values(values.ravel(), self.known)


def _in_values(values: np.ndarray, known: Known) -> int:
    if values.dtype.kind in "iu":
        return known.among(values.astype(np.int64))
    if values.dtype.kind == "f":
        whole = values[np.isfinite(values) & (np.abs(values) < 1e15)]
        return known.among(whole[whole == np.floor(whole)].astype(np.int64))
    return 0


def _in_tables(source: Any, known: Known, is_parquet: bool) -> int:
    """The numbers in a Parquet or Arrow file: in its notes, and in every column, once a different text. Raises _Closed where it cannot be read."""
    import pyarrow as pa
    import pyarrow.ipc
    import pyarrow.parquet as pq

    try:
        if is_parquet:
            with pq.ParquetFile(source) as file:
                count = known.in_bytes(str(file.schema_arrow.metadata).encode())
                return count + sum(_in_column(column, known) for batch in file.iter_batches(batch_size=1 << 17) for column in batch.columns)
        with pa.ipc.open_file(source) as file:
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            return sum(_in_column(column, known) for batch in batches for column in batch.columns)
    except (pa.ArrowException, OSError):  # whatever is wrong with a file, Arrow's text may quote it
        raise _Closed(DAMAGED) from None


def _in_column(column: pa.Array, known: Known) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _in_column(column.dictionary, known)
    if pa.types.is_struct(kind):
        return sum(_in_column(part, known) for part in column.flatten())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_map(kind):
        return sum(_in_column(part, known) for part in ((column.keys, column.items) if pa.types.is_map(kind) else (column.flatten(),)))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _in_values(column.drop_null().to_numpy(zero_copy_only=False), known)
    if pa.types.is_decimal(kind):
        column, kind = column.cast(pa.string()), pa.string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        likely = column.filter(pc.match_substring_regex(column, TEN_DIGITS).fill_null(False))
        return known.in_bytes("\n".join(likely.to_pylist()).encode()) if len(likely) else 0
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return known.in_pieces(b"\n" + value for value in column.drop_null().to_pylist())
    return 0


def _in_database(path: Path, known: Known) -> int:
    """The numbers in every cell of a SQLite file, which as it lies on disk may cut one in two. Raises _Closed where it cannot be opened."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as database:
            database.text_factory = bytes
            names = [row[0].decode() for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return sum(_in_rows(database.execute(f'SELECT * FROM "{name.replace(chr(34), chr(34) * 2)}"'), known) for name in names)
    except sqlite3.Error:
        raise _Closed("the database cannot be opened; try again when no night runs") from None


def _in_rows(rows: sqlite3.Cursor, known: Known) -> int:
    count = 0
    while batch := rows.fetchmany(ROWS):
        cells = [cell for row in batch for cell in row]
        count += known.in_pieces(b"\n" + cell for cell in cells if isinstance(cell, bytes))
        count += known.among(np.array([cell for cell in cells if isinstance(cell, int)], np.int64))
        count += _in_values(np.array([cell for cell in cells if isinstance(cell, float)], np.float64), known)
    return count
