"""Somebody objects by telling the house: off the lists and the release at once, out of every later night, until it is taken back."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.arrival.extract_store import ExtractStore, InUse
from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.people.audit_log import AuditLog, RunAudit
from fuller_popheath.people.objection_register import FOLDER, KINDS, NATIONAL, NO_LISTS, TYPE_1, ObjectionRegister
from fuller_popheath.people.person_rows import People
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.people.vault import Vault
from fuller_popheath.publish.lists import publish_lists
from fuller_popheath.publish.release import INTERNAL, Part, release
from fuller_popheath.publish.release_manifest import Statement, verify
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.registry import LIST_TABLES
from fuller_popheath.site import Site
from fuller_popheath.specs import Night
from pipelines.erasing import forget_people
from pipelines.objecting import Objected, object_people, take_back
from pipelines.stores import Store, prove, write_parquet
from pipelines.told_objections import add_told_ones


def _module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


kept = _module("kept_example", Path(__file__).with_name("kept_example.py"))
worlds = _module("world_of_lists", Path(__file__).parents[1] / "cohorts" / "lists" / "conftest.py")

DAY, LATER, KEY = worlds.MONDAY, date(2026, 10, 6), kept.key_of()
LIST, JUDGED, CARE_GAPS = LIST_TABLES[0], "core/person_objection", "care_gap_list.parquet"
NAMES = [f"n{letter}" for letter in "abcdefgh"] + [f"q{letter}" for letter in "abc"]
KNOWN = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069", "9990000077", "9990000085", "9990000093")
NUMBERS = (*KNOWN, "9990000107", "9990000115")
NUMBER = dict(zip(NAMES, NUMBERS, strict=True))
NOBODY = "9990000123"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two teams' lists of three places each, from the store to a signed release."""
    folder = tmp_path_factory.mktemp("made")
    kept.set_key(folder, kept.SECRET)
    site: Site = kept.site_of(folder)
    north = {name: {"points": 12 - place} for place, name in enumerate(NAMES[:8])}
    quay = {name: {"points": 5 - place, **worlds.HARBOUR} for place, name in enumerate(NAMES[8:])}
    world = worlds.World({**north, **quay}, site=site)
    _keep(site, world.tables(DAY), world.lists(DAY))
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Site:
    """The same for one test."""
    shutil.copytree(made, tmp_path, symlinks=True, dirs_exist_ok=True)
    site: Site = kept.site_of(tmp_path)
    return site


def _id(name: str) -> str:
    return str(worlds.pseudonym(name))


def _keep(site: Site, tables: Mapping[str, pa.Table], lists: Mapping[str, pa.Table]) -> None:
    store, vault = Store(site.folder("store"), site.folder("products")), site.folder("vault")
    people = tables["core/person"].select(["person_id", "practice_code"]).to_pylist()
    _extracts(store.extracts, vault, people)
    for name in ("core/coded_objection", "core/practice_extract"):
        store.write(prove(empty_table(load_contract(name)), load_contract(name)), DAY, Path("x"))
    for name, table in {**tables, **lists}.items():
        if not store.is_in_parts(name):
            path = store.path(name, DAY)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_parquet(table.replace_schema_metadata({b"fuller.landing": b"x"}), path)
    add_told_ones(store.extracts, vault, KEY, DAY)
    folder = store.page_folder("lists/continuity", DAY)
    audit = RunAudit(AuditLog(vault), "run-1", kept.WHEN)
    files = publish_lists(folder, {**tables, **lists}, Night(as_of=DAY, site=site), Vault(vault), audit, {})
    parts = [Part("direct_care", path.name, partial(_copy, path), made_of="lists/continuity") for path in files]
    for name in LIST_TABLES:
        parts.append(Part(INTERNAL, f"{name.rpartition('/')[2]}.parquet", partial(write_parquet, lists[name]), lists[name].num_rows, name))
    parts.append(Part("direct_care", "cohort_list.parquet", partial(write_parquet, lists[LIST]), lists[LIST].num_rows, LIST))
    gaps = pa.table({"person_id": [_id(name) for name in NAMES], "team_id": ["NORTH"] * 8 + ["QUAY"] * 3})
    parts.append(Part("direct_care", CARE_GAPS, partial(write_parquet, gaps), gaps.num_rows, "products/care_gap_list"))
    release(store.products, store.releases, Statement(DAY, "run-1", when=kept.WHEN), parts, signing_key(vault))


def _extracts(store: ExtractStore, vault: Path, people: list[dict[str, Any]]) -> None:
    extract, in_use = "0" * 16, []
    for practice in sorted({row["practice_code"] for row in people}):
        own = [row["person_id"] for row in people if row["practice_code"] == practice]
        numbers = [NUMBER[person.rstrip("x")] for person in own]
        told = {"person_id": own, "nhs_number": numbers, "patient_id": own, "practice_code": [practice] * len(own), "key_version": [1] * len(own)}
        Vault(vault).write_part(practice, extract, pa.table(told))
        in_use.append(InUse(practice, extract, DAY.isoformat(), {}))
    Vault(vault).write_night(DAY, [(each.sender, extract) for each in in_use])
    account = empty_table(load_contract("core/practice_extract"))
    store.write_night("inbound/practice_list", ["core/registration"], DAY, [], account)
    store.write_night("inbound/objection", ["core/objection"], DAY, [], account)


def _copy(source: Path, path: Path) -> None:
    path.write_bytes(source.read_bytes())


def _on_list(site: Site, team: str = "NORTH") -> list[str]:
    listed = Store(site.folder("store"), site.folder("products")).read(LIST, DAY)
    return list(worlds.World.on_list({LIST: listed}, team))


def _judged(site: Site, name: str) -> dict[str, Any]:
    rows = Store(site.folder("store"), site.folder("products")).read(JUDGED, DAY).to_pylist()
    (found,) = (row for row in rows if row["person_id"] == _id(name))
    return found


def _released(site: Site, *words: str) -> list[str]:
    return list(kept.holding(site.folder("products").resolve(), *words))


def _row(site: Site, name: str) -> tuple[str, str, str]:
    rows = Store(site.folder("store"), site.folder("products")).read(LIST, DAY).to_pylist()
    (found,) = (row for row in rows if row["person_id"] == _id(name))
    return found["issue_id"], found["team_id"], found["row_reference"]


def test_an_objection_holds_at_once(site: Site) -> None:
    assert _on_list(site) == ["na", "nb", "nc"] and _released(site, NUMBER["nb"], _id("nb"))
    done = object_people(site, TYPE_1, [NUMBER["nb"]])
    assert (done.rows_taken_off, len(done.releases), done.is_judged) == (1, 1, True)
    assert _on_list(site) == ["na", "nc"], "nobody takes the place before the next issue"
    assert (_judged(site, "nb")["type_1_reason"], _judged(site, "nb")["excluded_from_training"]) == ("dissent", True)
    assert (_judged(site, "na")["type_1_reason"], _judged(site, "na")["excluded_from_training"]) == ("no_record", False)
    # Neither what leaves nor the files of the next release say who it was; the house keeps, under the pseudonym, that they were taken off.
    assert _released(site, NUMBER["nb"]) == []
    assert {name.partition("/")[0] for name in _released(site, _id("nb"))} == {INTERNAL}
    kept_rows = pq.read_table(site.folder("products") / INTERNAL / "cohort_list.parquet").to_pylist()
    assert [(row["state"], row["mark"]) for row in kept_rows if row["person_id"] == _id("nb")] == [("removed", "objects")]
    assert kept.holding(site.folder("store") / "lists", NUMBER["nb"], _id("nb")) == []
    assert _released(site, NUMBER["nc"])
    key = signing_key(site.folder("vault")).public
    assert verify(site.folder("products").resolve(), key).is_good
    assert AuditLog(site.folder("vault")).entries_about(_id("nb"))[-1]["purpose"] == "objection_type_1"


def test_a_row_of_a_list_says_who_objects_and_a_row_of_nobody_is_refused(site: Site) -> None:
    row = _row(site, "nc")
    assert object_people(site, NATIONAL, rows=[row]).rows_taken_off == 1
    assert _on_list(site) == ["na", "nb"] and _judged(site, "nc")["has_national_objection"]
    with pytest.raises(SettingsWrong, match="1 of 2 --reference stand for nobody"):
        object_people(site, NATIONAL, rows=[_row(site, "na"), (row[0], row[1], "ZZZZZZ")])
    assert _on_list(site) == ["na", "nb"], "nothing was done"


def test_who_wants_no_lists_is_on_none_and_is_counted_and_trained_on(site: Site) -> None:
    object_people(site, NO_LISTS, [NUMBER["na"]])
    judged = _judged(site, "na")
    assert judged["wants_no_lists"] and judged["excluded_from_rule_list"] and judged["excluded_from_score_list"]
    assert not (judged["excluded_from_training"] or judged["excluded_from_scoring"] or judged["has_national_objection"])
    rows = Store(site.folder("store"), site.folder("products")).read(LIST, DAY).to_pylist()
    assert [(row["state"], row["mark"]) for row in rows if row["person_id"] == _id("na")] == [("removed", "unlisted_wish")]
    assert _id("na") not in pq.read_table(site.folder("products") / "direct_care" / CARE_GAPS)["person_id"].to_pylist()


def test_where_the_site_lets_an_objection_keep_nobody_off_lists_nobody_is_taken_off(site: Site) -> None:
    trained = site.model_copy(update={"objections": site.objections.model_copy(update={"type_1": ("training",)})})
    done = object_people(trained, TYPE_1, [NUMBER["nb"]])
    assert (done.rows_taken_off, done.releases, _on_list(site)) == (0, (), ["na", "nb", "nc"])
    assert _judged(site, "nb")["excluded_from_training"] and not _judged(site, "nb")["excluded_from_rule_list"]


def test_doing_it_again_changes_nothing_more(site: Site) -> None:
    object_people(site, TYPE_1, [NUMBER["nb"]])
    before = {path: path.read_bytes() for path in site.folder("store").rglob("*.parquet") if "lists" not in path.parts}
    assert object_people(site, TYPE_1, [NUMBER["nb"]]).releases == ()
    assert {path: path.read_bytes() for path in before} == before


def test_it_is_taken_back_from_the_next_night_on(site: Site) -> None:
    object_people(site, TYPE_1, [NUMBER["nb"]])
    assert take_back(site, [NATIONAL], [NUMBER["nb"]]).taken_back == 0
    assert take_back(site, [TYPE_1], [NUMBER["nb"]]).taken_back > 0
    assert _on_list(site) == ["na", "nc"], "nobody comes back onto a list that stands"
    assert add_told_ones(ExtractStore(site.folder("store")), site.folder("vault"), KEY, DAY) == 0
    assert ObjectionRegister(site.folder("vault")).is_empty()


def test_the_next_night_finds_them_beside_the_files(site: Site) -> None:
    store = ExtractStore(site.folder("store"))
    object_people(site, TYPE_1, [NUMBER["nb"], NOBODY])
    store.write_night("inbound/objection", ["core/objection"], LATER, [], empty_table(load_contract("core/practice_extract")))
    assert add_told_ones(store, site.folder("vault"), KEY, LATER) == add_told_ones(store, site.folder("vault"), KEY, LATER) == 4
    rows = conform(store.read("core/objection", LATER), load_contract("core/objection")).to_pylist()
    # By the id of the list; by number, whether or not anything knows it yet; and by what a record without a number would have.
    made = {KEY.person_id(message) for message in (f"nhs:{NUMBER['nb']}", f"nhs:{NOBODY}", f"local:A00001|{_id('nb')}")}
    assert {row["person_id"] for row in rows} == {_id("nb"), *made}
    parts = json.loads((site.folder("store") / "core/objection" / f"as_of={LATER}" / "parts.json").read_text())["parts"]
    assert [part["practice_code"] for part in parts] == [FOLDER]


KILLED = """
import sys
from pathlib import Path
import pyarrow.parquet, xlsxwriter, ibis, pipelines.objecting
import fuller_popheath.publish.lists, fuller_popheath.publish.remade_releases, fuller_popheath.publish.release_signature
from fuller_popheath.site import Folders, Site
folder = Path(sys.argv[1])
folders = Folders(**{name: str(folder / name) for name in Folders.model_fields})
site = Site(folders=folders, pseudonyms={"key_version": 1, "data_is_synthetic": True, "key_file": str(folder / "key")})
number = sys.stdin.readline().strip()
print("ready", flush=True)
pipelines.objecting.object_people(site, "type_1", [number])
"""


@pytest.mark.parametrize("after", [0.0, 0.6])
def test_one_that_was_killed_is_done_by_doing_it_again(site: Site, after: float) -> None:
    folder, root = site.folder("store").parent, Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{NUMBER['nb']}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        while not (folder / "vault" / FOLDER / "people.json").exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(after)
        process.kill()
    object_people(site, TYPE_1, [NUMBER["nb"]])
    assert _on_list(site) == ["na", "nc"] and _judged(site, "nb")["excluded_from_training"] and _released(site, NUMBER["nb"]) == []
    releases = [path for path in (folder / "releases").iterdir() if path.is_dir()]
    key = signing_key(site.folder("vault")).public
    assert len(releases) == 1 and verify(releases[0], key).is_good and site.folder("products").resolve() == releases[0].resolve()


def test_forgetting_takes_them_out_of_the_register_too(site: Site) -> None:
    object_people(site, TYPE_1, [NUMBER["nb"]])
    forget_people(site, [NUMBER["nb"]])
    assert ObjectionRegister(site.folder("vault")).is_empty()


def test_the_register_names_nobody_by_number_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    register = ObjectionRegister(tmp_path)
    register.add(People(frozenset(), frozenset([NOBODY]), frozenset([("A81001", "p77")])), NO_LISTS, DAY, KEY)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
        assert path.is_dir() or not {word for word in (NOBODY, "p77", "A81001") if word in path.read_text()}


def test_it_outlasts_the_key_of_person_ids(tmp_path: Path) -> None:
    register, gone = ObjectionRegister(tmp_path), KEY.person_id("nhs:9990000018")
    register.add(People(frozenset([gone])), TYPE_1, DAY, KEY)
    rotated = PseudonymKey(kept.NEW_SECRET, 2, former=(kept.SECRET,))
    # Who has left every list is known by the id of then, as the rotation made it over.
    assert register.rows(rotated, DAY)["person_id"].to_pylist() == [rotated.person_id("nhs:9990000018")]
    # Under a key that nothing leads to, by number alone.
    foreign = PseudonymKey(b"a third secret of thirty-two byte", 1)
    assert register.rows(foreign, DAY).num_rows == 0
    register.add(People(numbers=frozenset([NOBODY])), TYPE_1, DAY, KEY)
    told = {"person_id": ["a" * 12], "nhs_number": [NOBODY], "patient_id": ["1"], "practice_code": ["A81001"], "key_version": [1]}
    Vault(tmp_path).write_part("A81001", "0" * 16, pa.table(told))
    Vault(tmp_path).write_night(DAY, [("A81001", "0" * 16)])
    assert register.rows(foreign, DAY)["person_id"].to_pylist() == ["a" * 12]
    assert register.take_back(People(frozenset([rotated.person_id("nhs:9990000018")])), KINDS, rotated) == 1


def test_a_register_without_its_key_is_not_taken_for_nobody_objecting(tmp_path: Path) -> None:
    register = ObjectionRegister(tmp_path)
    register.add(People(numbers=frozenset([NOBODY])), TYPE_1, DAY, KEY)
    (tmp_path / "suppressed" / "key").unlink()
    for act in (lambda: register.rows(KEY, DAY), lambda: register.add(People(numbers=frozenset(["9990000018"])), TYPE_1, DAY, KEY)):
        with pytest.raises(ContractBroken, match="has lost suppressed/key"):
            act()
    (tmp_path / FOLDER / "people.json").write_text("{", encoding="ascii")
    with pytest.raises(ContractBroken, match="cannot be read"):
        register.rows(KEY, DAY)


def test_a_store_without_a_night_takes_an_objection_too(tmp_path: Path) -> None:
    kept.set_key(tmp_path, kept.SECRET)
    done = object_people(kept.site_of(tmp_path), TYPE_1, [NOBODY])
    assert done == Objected(1)
