"""A new key for person ids: the old ids are nowhere, nothing else has changed, reviews still bind, and a rotation that was killed is gone on with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people.audit_log import AuditLog, Disclosure
from fuller_popheath.people.forgetting import begin, people_of_numbers
from fuller_popheath.people.key_rotation import Renamer, interrupted, key_after, lay_ready, switch
from fuller_popheath.people.pseudonyms import FORMER, FORMER_FOLDER, SWITCHING, PseudonymKey, key
from fuller_popheath.people.vault import Vault
from fuller_popheath.publish.release_manifest import verify
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.site import Site
from pipelines.erasing import forget_people
from pipelines.rotating import rotate

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("kept_example", Path(__file__).with_name("kept_example.py"))
assert _spec is not None
assert _spec.loader is not None
kept = importlib.util.module_from_spec(_spec)
sys.modules["kept_example"] = kept
_spec.loader.exec_module(kept)

OLD = kept.ids_of(kept.key_of())
NEW_KEY = key_after(kept.key_of(), kept.NEW_SECRET)
NEW = kept.ids_of(NEW_KEY)
NAMES = "vault/audit/keys/keys.json"
"""The only file that may know old ids: by them the log finds the entries from before."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    kept.set_key(tmp_path, kept.SECRET)
    kept.set_key(tmp_path, kept.NEW_SECRET, "new_key")
    return kept.fill(tmp_path, kept.key_of())


def _rotated(site: Site) -> None:
    rotate(site, str(site.folder("store").parent / "new_key"))
    kept.set_key(site.folder("store").parent, kept.NEW_SECRET)


def _all_is_well(site: Site) -> None:
    root, store = site.folder("store").parent, site.folder("store")
    assert set(kept.holding(root, *OLD)) <= {NAMES}
    assert [row["person_id"] for row in kept.table_of(store, "core/person")] == sorted(NEW), "in the order of ids again"
    assert [row["person_id"] for row in kept.table_of(store, "products/cohort_list")] == NEW[:3], "and lists in theirs"
    hidden = {path.name for path in root.iterdir() if path.name.startswith(".")}
    assert not hidden, "nothing is left of what was laid ready, or lay there before"
    public = signing_key(site.folder("vault")).public
    releases = [path for path in (root / "releases").iterdir() if path.is_dir()]
    assert len(releases) == 2 and all(verify(path, public).is_good for path in releases)
    released = site.folder("products") / "direct_care" / "cohort_list.parquet"
    assert pq.read_table(released)["person_id"].to_pylist() == NEW[:3]


def test_old_ids_are_nowhere_and_everything_else_is_as_it_was(site: Site) -> None:
    store = site.folder("store")
    before = {name: kept.table_of(store, name) for name in ("products/cohort_list", "core/review", "core/segment", "inbound/review_outcome")}
    _rotated(site)
    _all_is_well(site)
    said = dict(zip(OLD, NEW, strict=True))
    for name, rows in before.items():
        expected = [{**row, **({"person_id": said[row["person_id"]]} if "person_id" in row else {})} for row in rows]
        assert kept.table_of(store, name) == expected, f"{name}: the same rows in the same order, reviews bound to the same rows of lists"
    path = store / "core/segment" / f"as_of={kept.DAY}" / "part.parquet"
    assert (pq.read_schema(path).metadata[b"fuller.landing"], path.stat().st_mode & 0o777) == (b"x", 0o600)
    assert pa.types.is_dictionary(pq.read_schema(path).field("person_id").type)


def test_what_comes_tomorrow_has_the_same_ids(site: Site) -> None:
    _rotated(site)
    now = key(site, {})
    assert kept.ids_of(now) == NEW and (now.version, now.fingerprint) == (2, NEW_KEY.fingerprint)
    # People who are still in the store, and some of whom nothing says any more who they are: none of them needed to be known.
    assert now.person_id("row:hash|7") == NEW_KEY.person_id("row:hash|7") != kept.key_of().person_id("row:hash|7")
    vault = Vault(site.folder("vault"))
    found = vault.reidentify(pa.array(NEW), "direct_care", kept.DAY)
    assert set(found["nhs_number"].drop_null().to_pylist()) == set(kept.NUMBERS)
    parts = [pq.read_table(path, partitioning=None) for path in (vault.folder / "identity" / "parts").glob("*/*.parquet")]
    assert {version for part in parts for version in part["key_version"].to_pylist()} == {2}


def test_extracts_that_stand_are_of_the_new_key(site: Site) -> None:
    _rotated(site)
    told = (site.folder("store") / "inbound/practice_list/extracts" / f"{kept.EXTRACT}.json").read_text()
    assert NEW_KEY.fingerprint in told and kept.key_of().fingerprint not in told


def test_the_audit_log_still_finds_everybody(site: Site) -> None:
    log = AuditLog(site.folder("vault"))
    before = [log.entries_about(person) for person in OLD]
    assert before[0] and before[2]
    _rotated(site)
    assert [log.entries_about(person) for person in NEW] == before and log.verify().is_sound
    log.record([Disclosure("direct_care", "issue", "team", "A81001", (), (NEW[0],))], "run", kept.WHEN)
    assert len(log.entries_about(NEW[0])) == len(before[0]) + 1
    forget_people(site, [kept.NUMBERS[0]])
    assert log.entries_about(NEW[0]) == [] and not kept.holding(site.folder("store").parent, OLD[0], NEW[0], kept.NUMBERS[0])


def test_a_second_rotation_follows_the_first(site: Site) -> None:
    _rotated(site)
    kept.set_key(site.folder("store").parent, b"a third secret, also of 32 bytes", "new_key")
    rotate(site, str(site.folder("store").parent / "new_key"))
    kept.set_key(site.folder("store").parent, b"a third secret, also of 32 bytes")
    now = key(site, {})
    assert (now.version, len(now.former)) == (3, 2)
    assert sorted(row["person_id"] for row in kept.table_of(site.folder("store"), "core/person")) == sorted(kept.ids_of(now))
    assert set(kept.holding(site.folder("store").parent, *NEW)) == set()


def test_until_the_new_key_is_set_none_is_handed_out(site: Site) -> None:
    rotate(site, str(site.folder("store").parent / "new_key"))
    with pytest.raises(SettingsWrong, match="not the one that the store was rotated to"):
        key(site, {})
    assert key(site, {"FULLER_PSEUDONYM_KEY": kept.NEW_SECRET.hex()}).fingerprint == NEW_KEY.fingerprint


def test_a_key_that_was_in_use_is_refused(site: Site) -> None:
    path = kept.set_key(site.folder("store").parent, kept.SECRET, "same")
    before = dict(kept.texts_of(site.folder("store")))
    with pytest.raises(SettingsWrong, match="one that is, or was, in use"):
        rotate(site, str(path))
    with pytest.raises(SettingsWrong, match="there is no new key"):
        rotate(site)
    assert dict(kept.texts_of(site.folder("store"))) == before


def test_nobody_is_rotated_while_somebody_is_being_forgotten(site: Site) -> None:
    begin(site.folder("vault"), people_of_numbers(site.folder("vault"), kept.key_of(), [kept.NUMBERS[0]]))
    with pytest.raises(SettingsWrong, match="run fuller forget --resume first"):
        rotate(site, str(site.folder("store").parent / "new_key"))


def test_what_was_laid_ready_and_never_used_changes_nothing(site: Site) -> None:
    store, vault = site.folder("store"), site.folder("vault")
    before = dict(kept.texts_of(store))
    lay_ready(store, vault, kept.key_of(), NEW_KEY)
    assert dict(kept.texts_of(store)) == before and kept.ids_of(key(site, {})) == OLD
    _rotated(site)
    _all_is_well(site)


def test_a_rotation_that_was_interrupted_hands_out_no_key_and_is_gone_on_with(site: Site) -> None:
    store, vault = site.folder("store"), site.folder("vault")
    lay_ready(store, vault, kept.key_of(), NEW_KEY)
    switch(store, vault, NEW_KEY)  # killed before releases were made anew
    (vault / FORMER_FOLDER / FORMER).unlink()
    with pytest.raises(SettingsWrong, match="a rotation of the key was interrupted"):
        key(site, {})
    other = kept.set_key(store.parent, b"quite another secret of 32 bytes", "other")
    with pytest.raises(SettingsWrong, match="this is not the new key it was begun with"):
        rotate(site, str(other))
    _rotated(site)
    assert interrupted(vault) is None
    _all_is_well(site)


KILLED = """
import sys
from fuller_popheath.site import Folders, Site
import pyarrow.parquet, pipelines.rotating, fuller_popheath.publish.remade_releases, fuller_popheath.publish.release_signature
from collections.abc import Sequence
from pathlib import Path
folder = Path(sys.argv[1])
folders = Folders(**{name: str(folder / name) for name in Folders.model_fields})
site = Site(folders=folders, pseudonyms={"key_version": 1, "data_is_synthetic": True, "key_file": str(folder / "key")})
print("ready", flush=True)
sys.stdin.readline()
pipelines.rotating.rotate(site, str(folder / "new_key"))
"""


@pytest.mark.parametrize("kills", [(1, 2, 5), pytest.param(range(16), marks=pytest.mark.faults)])
def test_it_can_be_killed_at_any_time(site: Site, tmp_path: Path, kills: Sequence[int]) -> None:
    """Real processes, each killed a little later than the one before, half of them once it switches; then it is gone on with."""
    root = site.folder("store").parent
    for number in kills:
        folder = tmp_path / "copies" / str(number)
        shutil.copytree(root, folder, symlinks=True, ignore=shutil.ignore_patterns("copies"))
        copied = kept.site_of(folder)
        with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin and process.stdout
            process.stdout.readline()
            process.stdin.write(b"\n")
            process.stdin.flush()
            switching = copied.folder("vault") / FORMER_FOLDER / SWITCHING
            while number % 2 and not switching.exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(0.004 * number if number % 2 else 0.05 * number)
            os.kill(process.pid, signal.SIGKILL)
        is_done = (copied.folder("vault") / FORMER_FOLDER / FORMER).is_file() and interrupted(copied.folder("vault")) is None
        if not is_done:
            rotate(copied, str(folder / "new_key"))
        _all_is_well(copied)
        shutil.rmtree(folder)


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=12, max_size=12), max_size=30))
def test_people_stay_apart_and_rows_stay_theirs(people: list[str]) -> None:
    renamer = Renamer(kept.NEW_SECRET, 2)
    table = pa.table({"person_id": pa.array(people, pa.string()), "row": list(range(len(people)))})
    made = renamer.renamed(table)
    assert sorted(zip(made["person_id"].to_pylist(), made["row"].to_pylist(), strict=True)) == sorted(
        (renamer.new_id(person), row) for row, person in enumerate(people)
    )
    assert len(set(made["person_id"].to_pylist())) == len(set(people))
    if people == sorted(people):
        assert made["person_id"].to_pylist() == sorted(made["person_id"].to_pylist())


def test_an_id_made_over_is_the_id_of_the_new_key() -> None:
    old, new = PseudonymKey(b"1" * 16), PseudonymKey(b"2" * 16, former=(b"1" * 16,))
    assert Renamer(b"2" * 16, 2).new_id(old.person_id("nhs:9990000018")) == new.person_id("nhs:9990000018")
    assert new.person_id("nhs:9990000018") != PseudonymKey(b"2" * 16).person_id("nhs:9990000018"), "the new key alone is not enough"
    assert "1111" not in repr(new)
