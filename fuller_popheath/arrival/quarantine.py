"""The rows that broke their contract, kept as read: one Parquet file a file that arrived, readable by its owner only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa


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
    return replace_whole(path, lambda temporary: pq.write_table(rows, temporary, compression="zstd"), PRIVATE_FILE)


def _private_folder(folder: Path, top: Path) -> None:
    # mkdir gives its mode to the last folder only, and the umask takes from it: each level is made and set by itself.
    levels = [folder, *(parent for parent in folder.parents if parent.is_relative_to(top))]
    for level in reversed(levels):
        make_folder(level, PRIVATE_FOLDER)
