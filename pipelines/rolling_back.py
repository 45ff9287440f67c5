"""Going back to an earlier release, from the store of the last night: its lists made fit for today, and the new release written.

What does not belong here: who is taken off a list (`fuller_popheath/cohorts/pruning.py`), and what of a release is taken as it was
(`fuller_popheath/publish/rolling_back.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.pruning import INPUTS, LIST, standing_of
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.publish.release import Part, Released, all_releases, current_as_of, current_release, release
from fuller_popheath.publish.release_manifest import ROLLBACK, Statement, code_in_use, contract_hashes, refuse_changed, refuse_other_place
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.publish.rolling_back import (
    FIGURES,
    carried_over,
    chosen,
    left_out,
    lists_for_today,
    lists_kept,
    people_of_today,
    refuse_other_lists,
    tables_of_people,
)
from fuller_popheath.registry import LIST_TABLES
from pipelines.list_history import standing
from pipelines.release_facts import internal_parts, place
from pipelines.stores import prove

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.tonight import Tonight

ACCOUNT = LIST_TABLES[1]
LISTS_AS_FILES = "lists/continuity"


@dataclass(frozen=True)
class Rollback:
    """What is gone back to: the earlier release, its manifest, and its lists as at today (empty where it has none)."""

    folder: Path
    manifest: Mapping[str, Any] = field(repr=False)
    because: str
    lists: Mapping[str, pa.Table] = field(repr=False)
    taken_off: int
    people: tuple[Part, ...] = field(repr=False)

    @property
    def made_anew(self) -> tuple[str, ...]:
        """What is not copied because it is made again."""
        return (*LIST_TABLES, LISTS_AS_FILES) if self.lists else ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the earlier release is in no file of the new one."""
        return left_out(self.manifest, self.people, self.made_anew)

    def store_lists(self, tonight: Tonight) -> None:
        """Keep the lists as tonight's: the next night goes on from these. None is written before all of them are proven."""
        proven = [prove(table, load_contract(name)) for name, table in self.lists.items()]
        for each in proven:
            tonight.store.write(each, tonight.as_of, tonight.landing)

    def to_publish(self, tonight: Tonight) -> dict[str, pa.Table]:
        """What the files of lists are made from."""
        from fuller_popheath.publish.lists import INPUTS as PUBLISHED

        return {name: self.lists[name] if name in self.lists else tonight.store.read(name, tonight.as_of) for name in PUBLISHED}


def prepare(tonight: Tonight, to: str, because: str) -> Rollback:
    """Find and check the release to go back to, and make its lists fit for today; nothing is written.

    Raises SettingsWrong where there is no such release, it is of another place, or the store has no night as new as the current release; FileRefused
    where it is not as it was signed; InputMissing where the last night lacks what lists are pruned by; ContractBroken as `lists_for_today` does.
    """
    store, as_of = tonight.store, tonight.as_of
    key = signing_key(tonight.night.site.folder("vault"))
    folder = chosen(all_releases(store.releases), current_release(store.products), to)
    manifest = refuse_changed(folder, key.public)
    refuse_other_place(manifest, place(tonight))
    newest = current_as_of(store.products)
    if max(date.fromisoformat(manifest["as_of"]), newest or as_of) > as_of:
        raise SettingsWrong(
            f"the current release knows of people up to {newest}, and this run is about {as_of}: leave as_of empty, for the last night"
        )
    lists, taken_off = _lists(tonight, folder, manifest)
    return Rollback(folder, manifest, because, lists, taken_off, tuple(_people(tonight, folder, manifest)))


def _lists(tonight: Tonight, folder: Path, manifest: Mapping[str, Any]) -> tuple[dict[str, pa.Table], int]:
    """The lists of the release as at today, and how many people are not on them any more; nothing where the release has none."""
    store, as_of, day = tonight.store, tonight.as_of, date.fromisoformat(manifest["people_as_of"])
    if not any(file.get("made_of") == ACCOUNT for file in manifest["files"]):
        return {}, 0
    if missing := [name for name in INPUTS if not store.has(name, as_of)]:
        raise InputMissing(
            f"the night of {as_of} did not get as far as {', '.join(missing)}, so nobody can say who has died, left, objected or been reviewed by "
            "then: mend that night first (materialise these and what they need), then go back"
        )
    earlier = lists_kept(folder, manifest)
    if earlier is None:
        earlier = {name: store.read(name, day) for name in LIST_TABLES}
        refuse_other_lists(folder, earlier)
    before = earlier[LIST]["state"].to_pylist().count("listed")
    today = {name: store.read(name, as_of) for name in INPUTS}
    made = lists_for_today(as_of, standing_of(earlier), standing_of(standing(store, as_of)), today)
    return made, before - made[LIST]["state"].to_pylist().count("listed")


def _people(tonight: Tonight, folder: Path, manifest: Mapping[str, Any]) -> list[Part]:
    """The other tables of people of the release."""
    store, as_of = tonight.store, tonight.as_of
    found = tables_of_people(manifest).items()
    return [
        part for name, files in found for part in people_of_today(folder, name, files, store.read(name, as_of) if store.has(name, as_of) else None)
    ]


def publish(tonight: Tonight, asked: Rollback, run: str, when: str) -> Released:
    """Write and sign the new release, and move the pointer to it. The store has the lists by now, and their files."""
    from fuller_popheath.publish.release_limits import Figures
    from pipelines.defs.releases import file_parts, product_parts

    told, site = asked.manifest, tonight.night.site
    parts = [*carried_over(asked.folder, told), *asked.people]
    if asked.lists:
        parts += [part for name in LIST_TABLES if name.startswith("products/") for part in product_parts(tonight, name, tonight.as_of)]
        parts += file_parts(tonight, LISTS_AS_FILES)
        parts += [part for part in internal_parts(tonight, Figures()) if part.name != FIGURES]
    said = Statement(
        as_of=date.fromisoformat(told["as_of"]),
        run=run,
        kind=ROLLBACK,
        when=when,
        people_as_of=tonight.as_of,
        place=place(tonight),
        code=code_in_use(),
        contracts={**told["contracts"], **contract_hashes(asked.lists)},
        models=tuple(told["models"]),
        rolled_back_to=asked.folder.name,
        because=asked.because,
        left_out=asked.left_out,
    )
    key = signing_key(site.folder("vault"))
    return release(tonight.store.products, tonight.store.releases, said, parts, key, site.releases.keep)
