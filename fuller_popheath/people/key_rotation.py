"""A new key for person ids, without losing history: every id that anything kept has is made over with the new key, and so is whoever comes later.

An id under the new key is made of the id under the old one (`pseudonyms.made_over`), so that nobody need be known by number: people who left the
vault years ago, and people without an NHS number, keep their reviews and their past. Everything is laid ready beside what stands, then switched by
renaming; a rotation that was interrupted is gone on with, and until then no key is handed out. The keys before stay in the vault. It takes as much
room on the disk again as tables about persons have. What does not belong here: releases (`publish/remade_releases.py`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people.audit_log import AuditLog
from fuller_popheath.people.person_rows import PERSON, change_csv
from fuller_popheath.people.pseudonyms import FORMER, FORMER_FOLDER, SWITCHING, PseudonymKey, check_of, made_over
from fuller_popheath.people.vault import IDENTITY
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

STAGING, BEFORE = ".rotating", ".before_rotation"
VERSION = "key_version"
EXTRACT_FOLDER = "extracts"


@dataclass
class Renamer:
    """Gives tables the ids of the new key; whoever was met before is not worked out again. `version` goes into columns that tell it."""

    secret: bytes = field(repr=False)
    version: int
    known: dict[str, str] = field(default_factory=dict, repr=False)

    def new_id(self, person_id: str) -> str:
        """The id of somebody under the new key."""
        if person_id not in self.known:
            self.known[person_id] = made_over(self.secret, person_id)
        return self.known[person_id]

    def renamed(self, table: pa.Table) -> pa.Table:
        """The same rows under the new key; the very same table where it has no ids. Where rows were in the order of ids, they are again."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if PERSON not in table.column_names or not table.num_rows:
            return table
        plain = table[PERSON].cast(pa.string()).combine_chunks()
        plain = plain if isinstance(plain, pa.Array) else pa.concat_arrays(plain.chunks)
        was_sorted = len(plain) < 2 or bool(pc.all(pc.less_equal(plain[:-1], plain[1:])).as_py())
        coded = plain.dictionary_encode()
        words = pa.array([None if person is None else self.new_id(person) for person in coded.dictionary.to_pylist()], pa.string())
        place = table.column_names.index(PERSON)
        made = words.take(coded.indices)
        kind = table.schema.field(PERSON).type
        made = made.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else made.cast(kind)
        table = table.set_column(place, table.schema.field(place), made)
        if VERSION in table.column_names:
            at = table.column_names.index(VERSION)
            table = table.set_column(at, table.schema.field(at), pa.array([self.version] * table.num_rows, table.schema.field(at).type))
        return table.take(pc.sort_indices(table[PERSON].cast(pa.string()))) if was_sorted else table


def key_after(old: PseudonymKey, secret: bytes) -> PseudonymKey:
    """The key that a rotation leads to. Raises SettingsWrong where it is one that is or was in use."""
    if check_of(secret) in {check_of(each) for each in (old.secret, *old.former)}:
        raise SettingsWrong("the new key is one that is, or was, in use; draw another (for example: openssl rand -hex 32)")
    return PseudonymKey(secret, old.version + 1, former=(*old.former, old.secret))


def interrupted(vault: Path) -> dict[str, Any] | None:
    """What a rotation that was interrupted while it switched has written down; None where there is none."""
    path = vault / FORMER_FOLDER / SWITCHING
    return dict(json.loads(path.read_text(encoding="ascii"))) if path.is_file() else None


def lay_ready(store: Path, vault: Path, old: PseudonymKey, new: PseudonymKey) -> Renamer:
    """Write everything that has ids beside what stands, under the new key; what an earlier attempt left is removed first. Nothing is in use yet."""
    renamer = Renamer(new.secret, new.version)
    for root in _roots(store, vault):
        shutil.rmtree(_beside(root, STAGING), ignore_errors=True)
        if root.is_dir():
            _stage(root, _beside(root, STAGING), renamer, (old.fingerprint, new.fingerprint))
    AuditLog(vault).stage_renamed(renamer.new_id)
    return renamer


def switch(store: Path, vault: Path, new: PseudonymKey) -> None:
    """Put what was laid ready in its place: from the first line on it can only be gone on with. May be done again wherever it was interrupted.

    Until `finish`, no key is handed out.
    """
    folder = vault / FORMER_FOLDER
    for level in (vault, folder):
        make_folder(level, PRIVATE_FOLDER)
    told = {"former": [secret.hex() for secret in new.former], "version": new.version, "current": check_of(new.secret)}
    text = json.dumps({**told, "fingerprint": new.fingerprint})
    replace_whole(folder / SWITCHING, lambda part: part.write_text(text, encoding="ascii"), PRIVATE_FILE)
    for root in _roots(store, vault):
        staged, before = _beside(root, STAGING), _beside(root, BEFORE)
        if not staged.is_dir():
            continue
        if root.exists() and not before.exists():
            root.rename(before)
        staged.rename(root)
    AuditLog(vault).use_staged()
    replace_whole(folder / FORMER, lambda part: part.write_text(json.dumps(told), encoding="ascii"), PRIVATE_FILE)


def finish(store: Path, vault: Path) -> None:
    """Remove what lay there before, and hand out keys again."""
    for root in _roots(store, vault):
        shutil.rmtree(_beside(root, BEFORE), ignore_errors=True)
    (vault / FORMER_FOLDER / SWITCHING).unlink(missing_ok=True)


def _roots(store: Path, vault: Path) -> Sequence[Path]:
    return store, vault / IDENTITY


def _beside(root: Path, ending: str) -> Path:
    return root.with_name(f".{root.name}{ending}")


def _stage(root: Path, staged: Path, renamer: Renamer, fingerprints: tuple[str, str]) -> None:
    for folder in (root, *sorted(path for path in root.rglob("*") if path.is_dir())):
        made = staged / folder.relative_to(root)
        make_folder(made, folder.stat().st_mode & 0o777)
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        target = staged / path.relative_to(root)
        mode = path.stat().st_mode & 0o777
        if path.suffix == ".parquet" and rename_parquet(path, target, renamer, mode) is not None:
            continue
        if path.suffix == ".csv" and (text := change_csv(path.read_text(encoding="utf-8"), renamer.renamed)) is not None:
            _write(target, text, mode)
            continue
        if path.suffix == ".json" and path.parent.name == EXTRACT_FOLDER:
            told = json.loads(path.read_text(encoding="utf-8"))
            if told.get("key") == fingerprints[0]:
                _write(target, json.dumps({**told, "key": fingerprints[1]}, indent=1), mode)
                continue
        os.link(path, target)


def rename_parquet(path: Path, target: Path, renamer: Renamer, mode: int) -> int | None:
    """Write a Parquet file with the ids of the new key at `target`. Returns its rows; None where it has no ids, and then nothing is written.

    The whole file at once: rows that were in the order of ids must be again.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        if PERSON not in file.schema_arrow.names:
            return None
        schema, rows = file.schema_arrow, file.read()
        most = max((file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)), default=0)
    made = renamer.renamed(rows).cast(schema)
    replace_whole(target, lambda part: pq.write_table(made, part, compression="zstd", row_group_size=most or None, write_page_checksum=True), mode)
    return int(made.num_rows)


def _write(path: Path, text: str, mode: int) -> None:
    replace_whole(path, lambda part: part.write_text(text, encoding="utf-8", newline=""), mode)
