"""The rows that broke their contract, kept as read: one Parquet file a file that arrived, readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def quarantine_path(folder: Path, contract: ContractId, content_hash: str) -> Path:
    """Where the quarantined rows of a file lie: `<folder>/<contract id>/<file hash>.parquet`."""
    return folder / contract / f"{content_hash}.parquet"


def keep(folder: Path, contract: ContractId, content_hash: str, rows: pa.Table) -> Path | None:
    """Write the rows (mode 0600, folders 0700, whole or not at all), or remove those of an earlier read where there are none now.

    `rows` have the columns as read, `_row` (row number in the file) and `broken_rules`. Returns the path, None where nothing is kept.
    """
    import pyarrow.parquet as pq

    path = quarantine_path(folder, contract, content_hash)
    if rows.num_rows == 0:
        path.unlink(missing_ok=True)
        return None
    _private_folder(path.parent, top=folder)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as stream:
            pq.write_table(rows, stream, compression="zstd")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _private_folder(folder: Path, top: Path) -> None:
    # mkdir gives its mode to the last folder only, and the umask takes from it: each level is made and set by itself.
    levels = [folder, *(parent for parent in folder.parents if parent.is_relative_to(top))]
    for level in reversed(levels):
        level.mkdir(parents=True, exist_ok=True)
        level.chmod(FOLDER_MODE)
