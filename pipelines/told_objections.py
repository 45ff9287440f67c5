"""What people told the house itself, put beside the objections of files on a day: one more part of core/objection.

What does not belong here: the register (`fuller_popheath/people/objection_register.py`), and what an objection keeps a person out of.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

from fuller_popheath.arrival.extract_store import AS_OF, PARTS, ExtractStore
from fuller_popheath.people.objection_register import CONTRACT, FOLDER, ObjectionRegister
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.whole_files import OPEN_FILE, PRIVATE_FILE, replace_whole
from pipelines.stores import write_parquet


def add_told_ones(store: ExtractStore, vault: Path, using: PseudonymKey, as_of: date) -> int:
    """Put the register's objections beside those of files on a day. Returns how many rows that are; may be done twice.

    Raises InputMissing where the day has no objections of files yet, ContractBroken where the register has lost its key.
    """
    rows = ObjectionRegister(vault).rows(using, as_of)
    manifest = dict(store.manifest(CONTRACT, as_of))
    parts = [part for part in manifest["parts"] if part["practice_code"] != FOLDER]
    if rows.num_rows:
        identity = hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()[:16]
        path = replace_whole(store.part_path(CONTRACT, FOLDER, identity), lambda temporary: write_parquet(rows, temporary), PRIVATE_FILE)
        told = {"practice_code": FOLDER, "path": path.relative_to(store.folder).as_posix(), "rows": rows.num_rows}
        parts.append({**told, "extract_date": as_of.isoformat(), "extract": identity})
    if parts != manifest["parts"]:
        text = json.dumps({**manifest, "parts": parts}, indent=1)
        listed = store.folder / CONTRACT / f"{AS_OF}{as_of.isoformat()}" / PARTS
        replace_whole(listed, lambda temporary: temporary.write_text(text, encoding="utf-8"), OPEN_FILE)
    return rows.num_rows
