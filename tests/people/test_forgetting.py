"""Forgetting somebody: no byte of the store, of releases, of quarantine and of the vault tells of them, and no later file brings them back."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.key_commands import numbers_of, rows_of
from fuller_popheath.people.audit_log import AuditLog
from fuller_popheath.people.forgetting import UNDER_WAY, begin, forget, people_of_numbers, with_rows
from fuller_popheath.people.person_rows import People, change_csv, change_parquet
from fuller_popheath.people.register_key import FOLDER
from fuller_popheath.people.suppressed import Suppressed
from fuller_popheath.publish.release_manifest import verify
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.site import Site
from pipelines.erasing import forget_people

_spec = importlib.util.spec_from_file_location("kept_example", Path(__file__).with_name("kept_example.py"))
assert _spec is not None
assert _spec.loader is not None
kept = importlib.util.module_from_spec(_spec)
sys.modules["kept_example"] = kept
_spec.loader.exec_module(kept)

ROOT, KILLS = Path(__file__).resolve().parents[2], 4
ANNA, ANNAS_ROW = kept.NUMBERS[0], kept.REFERENCE[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    kept.set_key(tmp_path, kept.SECRET)
    made = kept.fill(tmp_path, kept.key_of())
    assert len(kept.holding(tmp_path, kept.ids_of(kept.key_of())[0])) > 8
    return made


def _nowhere(site: Site, number: int) -> None:
    """Not by id, number or row, in no file but the log, whose keys are gone."""
    key = kept.key_of()
    words = [kept.ids_of(key)[number], kept.NUMBERS[number], "999 000 0018" if number == 0 else kept.NUMBERS[number]]
    words += [kept.REFERENCE[number]] if number < 3 else []
    root = site.folder("store").parent
    assert kept.holding(root, *words) == []


def test_nothing_that_is_kept_tells_of_somebody_who_was_forgotten(site: Site) -> None:
    done = forget_people(site, [ANNA])
    _nowhere(site, 0)
    assert done.counts.vault_rows == 1 and done.counts.audit_keys >= 1 and not done.is_resumed
    store, products = site.folder("store"), site.folder("products")
    # Everybody else is where they were.
    others = kept.ids_of(kept.key_of())[1:]
    assert sorted(row["person_id"] for row in kept.table_of(store, "core/person")) == sorted(others)
    assert [row["row_reference"] for row in kept.table_of(store, "products/cohort_list")] == list(kept.REFERENCE[1:])
    assert pq.read_schema(store / "core/person" / f"as_of={kept.DAY}" / "part.parquet").metadata[b"fuller.landing"] == b"x"
    # Both releases are written anew, signed, and current as before.
    key = signing_key(site.folder("vault")).public
    assert len(done.releases) == 2 and not done.removed and products.resolve().name in done.releases
    assert all(verify(products.parent / "releases" / name, key).is_good for name in done.releases)
    files = {path.name for path in (products / "direct_care").iterdir()}
    assert f"{kept.ISSUE}_{kept.TEAM}_{kept.DAY}.xlsx" in files, "made again without them"


def test_what_is_counted_still_adds_up(site: Site) -> None:
    forget_people(site, [ANNA])
    store = site.folder("store")
    parts = json.loads((store / "core/registration" / f"as_of={kept.DAY}" / "parts.json").read_text())["parts"]
    assert [(part["practice_code"], part["rows"]) for part in parts] == [("A81001", 3), ("B82001", 1)]
    assert all(pq.read_metadata(store / part["path"]).num_rows == part["rows"] for part in parts)
    told = json.loads((store / "inbound/practice_list/extracts" / f"{kept.EXTRACT}.json").read_text())["senders"]["A81001"]
    assert (told["rows_accepted"], told["parts"]["core/registration"], told["withheld"]) == (4, 3, {"forgotten": 1})
    account = {row["team_id"]: row for row in kept.table_of(store, "products/cohort_list_account")}
    for team, listed in ((kept.TEAM, 1), (kept.OTHER, 1)):
        assert (account[team]["issued_count"], account[team]["listed_count"], account[team]["removed_count"]) == (listed, listed, 0)


def test_a_row_of_a_list_says_who_is_meant(site: Site) -> None:
    forget_people(site, rows=[(kept.ISSUE, kept.TEAM, ANNAS_ROW)])
    _nowhere(site, 0)


def test_the_audit_log_stays_whole_and_says_that_somebody_was_forgotten(site: Site) -> None:
    log = AuditLog(site.folder("vault"))
    anna, ben = kept.ids_of(kept.key_of())[:2]
    told_of_ben = len(log.entries_about(ben))
    assert log.entries_about(anna) and told_of_ben
    forget_people(site, [ANNA])
    assert log.verify().is_sound and log.entries_about(anna) == []
    assert len(log.entries_about(ben)) > told_of_ben, "who was told of others when lists were made again is in it too"
    entries = [json.loads(line) for line in (site.folder("vault") / "audit" / "reidentification.jsonl").read_text().splitlines()]
    assert [entry["purpose"] for entry in entries].count("erasure") == 1


def test_a_file_of_tomorrow_does_not_bring_them_back(site: Site) -> None:
    forget_people(site, [ANNA])
    register = Suppressed(site.folder("vault"))
    numbers = pa.array([ANNA, kept.NUMBERS[1], None, None, None, kept.NUMBERS[3]]).dictionary_encode()
    patients = pa.array(["1", "2", "1", "1", "5", "1"])
    found = register.among(numbers, patients, ["A81001", "B82001"], np.array([1, 0, 0, 1, 0, 0]))
    # By number anywhere; without one by their practice's own number; somebody else who has that number now is somebody else.
    assert found.tolist() == [True, False, True, False, False, False]
    rows = pa.table({"nhs_number": ["999 000-0018", "9990000026", "?"], "broken_rules": [["x"]] * 3})
    assert register.kept(rows)["nhs_number"].to_pylist() == ["9990000026", "?"]
    text = "".join(path.read_text() for path in (site.folder("vault") / FOLDER).iterdir())
    assert ANNA not in text and kept.ids_of(kept.key_of())[0] not in text


def test_a_register_without_its_key_lets_nobody_in(site: Site) -> None:
    forget_people(site, [ANNA])
    (site.folder("vault") / FOLDER / "key").unlink()
    one = pa.array([ANNA])
    with pytest.raises(ContractBroken, match="has lost suppressed/key"):
        Suppressed(site.folder("vault")).among(one, one, ["A81001"], np.array([0]))
    with pytest.raises(ContractBroken, match="has lost suppressed/key"):
        Suppressed(site.folder("vault")).add([kept.NUMBERS[1]], ())


def test_a_forgetting_that_was_interrupted_is_gone_on_with(site: Site) -> None:
    store, vault = site.folder("store"), site.folder("vault")
    people = with_rows(store, people_of_numbers(vault, kept.key_of(), [ANNA]))
    begin(vault, people)
    part = store / "core/registration/parts/A81001" / f"{kept.EXTRACT}.parquet"
    change_parquet(part, part, people.taken_out, 0o600)  # killed after the first file, before anything was counted
    assert (vault / UNDER_WAY).is_file()
    done = forget_people(site)
    assert done.is_resumed and not (vault / UNDER_WAY).exists()
    _nowhere(site, 0)
    told = json.loads((store / "inbound/practice_list/extracts" / f"{kept.EXTRACT}.json").read_text())["senders"]["A81001"]
    assert (told["parts"]["core/registration"], told["withheld"]) == (3, {"forgotten": 1})


KILLED = """
import sys
from pathlib import Path
import pyarrow.parquet, xlsxwriter, pipelines.erasing
import fuller_popheath.publish.lists, fuller_popheath.publish.remade_releases, fuller_popheath.publish.release_signature
from fuller_popheath.site import Folders, Site
folder = Path(sys.argv[1])
folders = Folders(**{name: str(folder / name) for name in Folders.model_fields})
site = Site(folders=folders, pseudonyms={"key_version": 1, "data_is_synthetic": True, "key_file": str(folder / "key")})
number = sys.stdin.readline().strip()
print("ready", flush=True)
sys.stdin.readline()
pipelines.erasing.forget_people(site, [number])
print("done", flush=True)
"""


def killed(folder: Path, after: float, is_begun: bool) -> bool:
    """Forget Anna in a process of its own and kill it so many seconds later, counted from its beginning or from when it wrote down whom it forgets;
    whether that came before its end."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{ANNA}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        while is_begun and not (folder / "vault" / UNDER_WAY).exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(after)
        process.kill()
        return "done" not in process.stdout.read()


def test_it_can_be_killed_at_any_time(site: Site, tmp_path: Path) -> None:
    """Real processes, each killed at a random moment; then it is gone on with, and the house is as if nothing had happened."""
    root, chance = site.folder("store").parent, np.random.default_rng(20261122)
    stopped = 0
    for number in range(KILLS):
        folder = tmp_path / "copies" / str(number)
        shutil.copytree(root, folder, symlinks=True, ignore=shutil.ignore_patterns("copies"))
        copied = kept.site_of(folder)
        stopped += killed(folder, float(chance.uniform(0.0, 0.4)), bool(number % 2))
        is_begun = (copied.folder("vault") / UNDER_WAY).is_file()
        forget_people(copied, [] if is_begun else [ANNA])
        _nowhere(copied, 0)
        key = signing_key(copied.folder("vault")).public
        releases = [path for path in (folder / "releases").iterdir() if path.is_dir()]
        assert len(releases) == 2 and all(verify(path, key).is_good for path in releases) and (folder / "products").is_dir()
        told = json.loads((folder / "store/inbound/practice_list/extracts" / f"{kept.EXTRACT}.json").read_text())["senders"]["A81001"]
        assert (told["parts"]["core/registration"], told["withheld"]) == (3, {"forgotten": 1})
        assert AuditLog(copied.folder("vault")).verify().is_sound
        shutil.rmtree(folder)
    assert stopped


def test_doing_it_twice_changes_nothing_more(site: Site) -> None:
    forget_people(site, [ANNA])
    before = {path: told for path, told in kept.texts_of(site.folder("store")) if path.suffix != ".xlsx"}
    people = People(numbers=frozenset([ANNA]), ids=frozenset(kept.ids_of(kept.key_of())[:1]))
    counts = forget(people, site.folder("store"), site.folder("quarantine"))
    assert (counts.store_rows, counts.store_files, counts.quarantine_rows) == (0, 0, 0)
    assert before == {path: told for path, told in kept.texts_of(site.folder("store")) if path.suffix != ".xlsx"}


def test_somebody_whom_nothing_knows_is_kept_out_all_the_same(site: Site) -> None:
    stranger = "9990000050"
    done = forget_people(site, [stranger])
    assert (done.known_count, done.releases) == (0, ())
    one = pa.array([stranger])
    assert Suppressed(site.folder("vault")).among(one, pa.nulls(1, pa.string()), ["A81001"], np.array([0])).tolist() == [True]


def test_a_current_release_that_was_tampered_with_is_not_signed_for(site: Site) -> None:
    file = site.folder("products").resolve() / "open" / "core20_by_pcn.csv"
    file.unlink()
    file.write_text("forged\n", encoding="utf-8")
    with pytest.raises(Exception, match="is not as it was signed; release again"):
        forget_people(site, [ANNA])
    assert (site.folder("vault") / UNDER_WAY).is_file(), "what is left to do is not forgotten"


def test_numbers_and_rows_are_read_with_care() -> None:
    assert numbers_of("999 000 0018\n\n9990000026\r\n9990000018\n") == ("9990000018", "9990000026")
    for wrong in ("9990000019", "123", "name"):
        with pytest.raises(SettingsWrong, match="1 of 2 lines are no NHS number") as refused:
            numbers_of(f"9990000018\n{wrong}")
        assert wrong not in str(refused.value).replace("1 of 2", "")
    assert rows_of(["list-2026-11-16:u12345:bcdfgh"]) == (("list-2026-11-16", "U12345", "BCDFGH"),)
    with pytest.raises(SettingsWrong, match="issue:team:reference"):
        rows_of(["list-2026-11-16:U12345"])


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('person_id,words\na,"x, ""y"""\nb,z\n', 'person_id,words\na,"x, ""y"""\n'),
        ("person_id,words\nb,z\n", "person_id,words\n"),
        ("person_id,words\na,z\n", None),
        ("words\nb\n", None),
    ],
)
def test_a_csv_keeps_its_form(text: str, after: str | None) -> None:
    gone: Any = People(ids=frozenset(["b"]))
    assert change_csv(text, gone.taken_out) == after
