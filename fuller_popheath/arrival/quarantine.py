"""The rows that broke their contract, kept as read, also those in use but for some cells: one Parquet file a file that arrived, its owner's alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.arrival.extract_store import SenderRows
    from fuller_popheath.arrival.extracts import Extract
    from fuller_popheath.arrival.files import LandingFile

FILE, SENDER, BROKEN, BLANKED = "_file", "_sender", "broken_rules", "_blanked"


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


def keep_extract(folder: Path, extract: Extract, rows: pa.Table, senders: Mapping[str, SenderRows]) -> None:
    """Keep the quarantined rows of an extract, one Parquet file a file of it, and beside each an account of rows a sender and rule, without values.

    `rows` have the columns as read, `_row`, `_file` (the supplier's name of the file), `_sender`, `broken_rules`, and `_blanked`: true of a row
    that is in use without the cells that broke them.
    """
    import pyarrow.compute as pc

    files: dict[str, LandingFile] = {}
    for file in extract.files:
        files.setdefault(str(file.supplier_file), file)
    main = extract.files[0]
    told = pc.fill_null(rows[FILE], "") if FILE in rows.column_names else None
    of_file = [_file_of(name, files, main) for name in told.to_pylist()] if told is not None else [main] * rows.num_rows
    for file in dict.fromkeys([main, *of_file]):
        own = rows.filter([each is file for each in of_file]) if rows.num_rows else rows
        name = f"{file.content_hash}-{hashlib.sha256(file.member.encode()).hexdigest()[:8]}" if file.member else file.content_hash
        keep(folder, extract.contract, name, own)
        account = quarantine_path(folder, extract.contract, name).with_suffix(".json")
        if own.num_rows == 0:
            account.unlink(missing_ok=True)
            continue
        refused, blanked = (own.filter(pc.equal(own[BLANKED], is_blanked)) for is_blanked in (False, True))
        content = {
            "contract": extract.contract,
            "file": file.name,
            "supplier": extract.supplier.name,
            "rows_read": {sender: each.rows_read for sender, each in senders.items()},
            "rows_quarantined": dict(sorted(Counter(refused[SENDER].to_pylist()).items())),
            "rows_blanked": dict(sorted(Counter(blanked[SENDER].to_pylist()).items())),
            "broken": _by_rule(refused),
            "blanked": _by_rule(blanked),
        }
        replace_whole(account, partial(_write_text, json.dumps(content, indent=1)), PRIVATE_FILE)


def _by_rule(rows: pa.Table) -> list[dict[str, str | int]]:
    """Rows a sender and rule, sorted."""
    counted = Counter((sender, rule) for sender, rules in zip(rows[SENDER].to_pylist(), rows[BROKEN].to_pylist(), strict=True) for rule in rules)
    return [{"practice_code": sender, "rule": rule, "rows": count} for (sender, rule), count in sorted(counted.items())]


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _file_of(name: str, files: Mapping[str, LandingFile], main: LandingFile) -> LandingFile:
    # Readers say `Admin_Patient` or, of several parts, `Admin_Patient, part 2`.
    return files.get(name) or files.get(name.partition(",")[0]) or main
