"""Finds parts of earlier extracts that have been damaged on the disk since they were written, and removes them: their extracts are read again.

What does not belong here: which extract is taken instead of one that is not in the landing folder any more (`door`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fuller_popheath.arrival.loading import Door
from fuller_popheath.sound_parquet import is_sound


def remove_damaged(door: Door, identities: Iterable[str], say: Callable[[str], None]) -> int:
    """Look through every part of these extracts, identities in the vault included; remove what is damaged. Returns how many parts that were."""
    damaged = [path for identity in sorted(set(identities)) for path in _parts(door, identity) if path.is_file() and not is_sound(path)]
    for path in damaged:
        path.unlink(missing_ok=True)
    if damaged:
        say(
            f"{door.contract.id}: {len(damaged):,} stored parts were damaged on the disk and are removed; their extracts are read again where they "
            "are in the landing folder. Have the disk looked at"
        )
    return len(damaged)


def _parts(door: Door, identity: str) -> list[Path]:
    loaded = door.store.loaded(door.contract.id, identity)
    if loaded is None:
        return []
    kept = [(sender, rows) for sender, rows in loaded.senders.items() if rows.rows_in_use]
    parts = [door.store.part_path(core, sender, identity) for sender, rows in kept for core in rows.parts or {}]
    return parts + ([door.vault.part_path(sender, identity) for sender, _ in kept] if door.contract.id == "inbound/practice_list" else [])
