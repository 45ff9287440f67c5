"""A new key for person ids: the store and the vault switched, releases written anew, and an entry in the audit log.

The clock and the environment come in here. What does not belong here: what becomes of a table (`fuller_popheath/people/key_rotation.py`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people import key_rotation
from fuller_popheath.people.audit_log import AuditLog, Disclosure
from fuller_popheath.people.forgetting import under_way
from fuller_popheath.people.key_rotation import Renamer, interrupted, key_after
from fuller_popheath.people.person_rows import People, change_csv
from fuller_popheath.people.pseudonyms import PseudonymKey, check_of, new_key
from fuller_popheath.people.pseudonyms import key as key_in_use
from pipelines.stores import Store

if TYPE_CHECKING:
    from fuller_popheath.publish.remade_releases import Fate
    from fuller_popheath.site import Site

ROTATION = "key_rotation"


@dataclass(frozen=True)
class Rotated:
    """What was done: how many people have another id, which releases were written anew and which removed, and the version of the key."""

    people_count: int
    version: int
    releases: tuple[str, ...]
    removed: tuple[str, ...]
    is_resumed: bool


def rotate(site: Site, new_key_file: str = "", run: str = ROTATION) -> Rotated:
    """Give everybody an id under the new key. Only while the store is locked. Raises SettingsWrong where there is no new key, or it is an old one."""
    vault, store = site.folder("vault"), Store(site.folder("store"), site.folder("products"))
    secret = new_key(os.environ, new_key_file)
    told = interrupted(vault)
    if told is not None:
        if check_of(secret) != told["current"]:
            raise SettingsWrong("a rotation was interrupted, and this is not the new key it was begun with: give that one")
        new = PseudonymKey(secret, int(told["version"]), former=tuple(bytes.fromhex(each) for each in told["former"]))
        renamer = Renamer(secret, new.version)
    else:
        if under_way(vault) != People():
            raise SettingsWrong("somebody is still being forgotten: run fuller forget --resume first")
        old = key_in_use(site, os.environ)
        new = key_after(old, secret)
        renamer = key_rotation.lay_ready(store.folder, vault, old, new)
    key_rotation.switch(store.folder, vault, new)
    releases, removed = _releases_anew(site, store, renamer, new.fingerprint)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    AuditLog(vault).record([Disclosure(ROTATION, "", "", "nobody", (f"key version {new.version}",), ())], run, when)
    key_rotation.finish(store.folder, vault)
    return Rotated(len(renamer.known), new.version, releases, removed, told is not None)


def _releases_anew(site: Site, store: Store, renamer: Renamer, fingerprint: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from fuller_popheath.publish.release_signature import signing_key
    from fuller_popheath.publish.remade_releases import remade

    why = {"because": "person ids have a new key", "key": fingerprint}
    return remade(store.products, store.releases, signing_key(site.folder("vault")), partial(_renamed, renamer), why, is_once=True)


def _renamed(renamer: Renamer, source: Path, target: Path) -> Fate:
    """A file of a release under the new key."""
    from fuller_popheath.publish.remade_releases import KEPT, Written
    from fuller_popheath.whole_files import replace_whole

    mode = source.stat().st_mode & 0o777
    if source.suffix == ".parquet":
        return KEPT if key_rotation.rename_parquet(source, target, renamer, mode) is None else Written()
    if source.suffix == ".csv" and (text := change_csv(source.read_text(encoding="utf-8"), renamer.renamed)) is not None:
        replace_whole(target, lambda part: part.write_text(text, encoding="utf-8", newline=""), mode)
        return Written()
    return KEPT
