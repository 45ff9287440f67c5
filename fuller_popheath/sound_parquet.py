"""Parquet files that tell when they are damaged: every page is written with a checksum, and held against it when it is read.

Without one, most flipped bits of a compressed column are read as other values and nothing says so. A file that was written without is read as well,
as far as it can be. What does not belong here: what a file holds, and where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 16


def write_sound(table: pa.Table, path: Path, level: int | None = None) -> None:
    """A table as one compressed Parquet file with checksums; `level`: of the compression."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd", compression_level=level, write_page_checksum=True)


def read_sound(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The columns of a file, in memory. Raises as pyarrow does where what is read is not what was written."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(list(columns) if columns is not None else None)


def is_sound(path: Path) -> bool:
    """Whether a file can be read to its end, as it was written. Raises OSError where the disk, and not the file, is at fault."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for _ in file.iter_batches(batch_size=BATCH_ROWS):
                pass
    except Exception as wrong:
        _pass_on(wrong)
        return False
    return True


@contextmanager
def removing_damaged(path: Path, what: str) -> Iterator[None]:
    """While a file is read: one that is damaged is removed, so that the next night does without it or makes it again, and refused as `what`.

    A newer file that meanwhile took its place stays. Raises FileRefused for the damaged one; OSError where the disk is at fault, and the file stays.
    """
    inode = path.stat().st_ino
    try:
        yield
    except Exception as wrong:
        _pass_on(wrong)
        if path.is_file() and path.stat().st_ino == inode and not is_sound(path):
            path.unlink(missing_ok=True)
            raise FileRefused(
                f"{what} is damaged on the disk and was removed; run the night again (of an earlier day: restore the file from a backup, or go on "
                "without that day), and have the disk looked at"
            ) from None
        raise


def _pass_on(wrong: Exception) -> None:
    """Raises what is no fault of the file: the system names its own errors by number, which pyarrow does not for damage it finds itself."""
    if isinstance(wrong, MemoryError) or (isinstance(wrong, OSError) and wrong.errno is not None):
        raise wrong
