"""Delivery: each recipient their own files and nobody else's, once, from a release that is as its manifest says; else nothing at all."""

from __future__ import annotations

import importlib.util
import json
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from fuller_popheath.errors import ContractBroken, FileRefused, FullerError, InputMissing, SettingsWrong
from fuller_popheath.publish.delivery import Delivered, Verified, deliver, planned, verified
from fuller_popheath.publish.delivery_receipts import FILE, FOUND, SENT, Receipts
from fuller_popheath.publish.lists import publish_lists
from fuller_popheath.publish.release import Part, Released, release
from fuller_popheath.publish.release_manifest import Statement
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.site import Folders, Site
from fuller_popheath.site_delivery import Delivery
from fuller_popheath.site_lists import Lists
from fuller_popheath.specs import Night

_spec = importlib.util.spec_from_file_location("list_example", Path(__file__).with_name("list_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
sys.modules["list_example"] = example
_spec.loader.exec_module(example)

DAY, TEAM = example.DAY, example.TEAM
OTHER = "N-02"
WHEN = "2026-11-16T06:00:00+00:00"
NEIGHBOURHOOD_OF = {"A81001": TEAM, "A81002": TEAM, "A81003": TEAM, "B82001": OTHER}
PASSWORDS = {"FULLER_LIST_PASSWORD_U12345": "four words drawn by lot", "FULLER_LIST_PASSWORD_N_02": "four other words by lot"}


class House:
    """A site below a temporary folder: it releases lists of two teams, and delivers."""

    def __init__(self, folder: Path, **lists: Any) -> None:
        self.folder, self.lists = folder, Lists(**lists)
        self.receipts = Receipts(folder / "var" / "delivery")
        self.run = 0

    def site(self, recipients: Mapping[str, Mapping[str, Any]]) -> Site:
        folders = Folders(**{name: str(self.folder / "var" / name) for name in Folders.model_fields})
        return Site(folders=folders, lists=self.lists, delivery=Delivery.model_validate({"recipients": recipients}))

    def publish(self, as_of: date = DAY, *more: Part, reasons: str = "dementia") -> Released:
        """A release: both teams' lists as files, the account, the list as a table, an open and a secondary-use product."""
        listed = [example.a_list({"reasons": reasons}, {"practice_code": "A81002", "practice_name": "HIGH STREET"})]
        listed.append(example.a_list({"practice_code": "B82001", "practice_name": "OTHER ROAD"}, team=OTHER))
        import pyarrow as pa

        rows = pa.concat_tables(listed)
        accounts = [example.an_account(listed_count=2), example.an_account(team=OTHER, team_name="Other team", listed_count=1)]
        tables = example.tables_of(rows, accounts, B82001=OTHER)
        made = self.folder / "var" / "made"
        vault = example.a_vault(self.folder / "var" / "vault", example.identities(rows), day=as_of)
        night = Night(as_of=as_of, site=Site(lists=self.lists))
        for path in made.glob("*"):
            path.unlink()
        publish_lists(made, tables, night, vault, example.an_audit(self.folder / "var" / "vault"), PASSWORDS)
        parts = [Part("direct_care", path.name, partial(_copy, path)) for path in sorted(made.glob("*"))]
        parts.append(Part("direct_care", "cohort_list_account.parquet", partial(pq.write_table, tables[example.ACCOUNT])))
        parts.append(Part("direct_care", "cohort_list.parquet", partial(pq.write_table, rows)))
        parts += [Part("open", "core20_by_pcn.csv", partial(_text, "pcn\n")), Part("secondary_use", "segment_count.csv", partial(_text, "area\n"))]
        return self.release([*parts, *more], as_of)

    def release(self, parts: Sequence[Part], as_of: date = DAY, people_as_of: date | None = None) -> Released:
        self.run += 1
        told = Statement(as_of, f"run{self.run}", when=f"{DAY}T05:00:{self.run:02d}+00:00", people_as_of=people_as_of)
        folder = self.folder / "var"
        return release(folder / "products", folder / "releases", told, parts, signing_key(folder / "vault"))

    def verified(self) -> Verified:
        return verified(self.folder / "var" / "products", signing_key(self.folder / "var" / "vault").public)

    def deliver(self, recipients: Mapping[str, Mapping[str, Any]], *only: str) -> Delivered:
        with self.receipts.locked():
            plan = planned(self.verified(), self.site(recipients), NEIGHBOURHOOD_OF, self.receipts.all(), only)
            return deliver(plan, self.receipts, "run-1", WHEN)

    def own(self, name: str, mode: int = 0o750) -> str:
        path = self.folder / "drives" / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return str(path)

    def lying(self, name: str) -> list[str]:
        return sorted(path.name for path in (self.folder / "drives" / name).iterdir())


def _copy(source: Path, path: Path) -> None:
    path.write_bytes(source.read_bytes())


def _text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _line(folder: str, *teams: str, **more: Any) -> dict[str, Any]:
    return {"folder": folder, "access_controlled": True, "teams": teams, **more}


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.publish()
    return made


@pytest.fixture
def shared(tmp_path: Path) -> House:
    """A house whose lists lie in folders that others can open too."""
    made = House(tmp_path, folder_is_access_controlled=False)
    made.publish()
    return made


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    yield
    fsspec.filesystem("memory").store.clear()


STEM = f"list-2026-11-16_{TEAM}"


def test_each_gets_their_own_files_and_no_others(house: House) -> None:
    recipients = {
        "north-team": _line(house.own("north"), TEAM),
        "green-lane": _line(house.own("green"), TEAM, practices=("A81001",)),
        "other": _line(house.own("other"), OTHER),
        "analysts": {"folder": house.own("analysts"), "access_controlled": True, "purposes": ("open", "secondary_use")},
    }
    made = house.deliver(recipients)
    assert house.lying("north") == [f"{STEM}_2026-11-16.csv", f"{STEM}_2026-11-16.xlsx"]
    assert house.lying("green") == [f"{STEM}_A81001_2026-11-16.csv", f"{STEM}_A81001_2026-11-16.xlsx"]
    assert house.lying("other") == ["list-2026-11-16_N-02_2026-11-16.csv", "list-2026-11-16_N-02_2026-11-16.xlsx"]
    assert house.lying("analysts") == ["core20_by_pcn.csv", "segment_count.csv"], "tables of whole lists go to nobody"
    assert len(made.receipts) == 8 and not made.failed
    numbers = [example.nhs_number(n).encode() for n in range(3)]
    told = {name: b"".join(path.read_bytes() for path in (house.folder / "drives" / name).glob("*.csv")) for name in ("north", "green", "other")}
    assert not any(number in told["north"] for number in numbers)
    assert [number in told["green"] for number in numbers] == [True, False, False], "of one practice's people alone"
    assert stat.S_IMODE((house.folder / "drives" / "north" / f"{STEM}_2026-11-16.csv").stat().st_mode) == 0o640


def test_the_same_file_is_not_sent_twice_and_receipts_say_what_was(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    first = house.deliver(recipients)
    again = house.deliver(recipients)
    assert (len(first.receipts), len(again.receipts), again.already_count) == (2, 0, 2)
    kept = house.receipts.all()
    assert [(each.recipient, each.state, each.when, each.newest_day) for each in kept] == [("north-team", SENT, WHEN, "2026-11-16")] * 2
    assert all((house.folder / "drives" / "north" / each.sent_as).stat().st_size == each.bytes for each in kept)
    path = house.receipts.folder / FILE
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert not any(example.nhs_number(n).encode() in path.read_bytes() for n in range(3))


def test_a_receipt_that_was_never_written_is_written_when_the_file_is_found(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    house.deliver(recipients)
    path = house.receipts.folder / FILE
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(lines[0] + b"\n" + lines[1][:40])  # killed while it wrote the second
    made = house.deliver(recipients)
    assert [receipt.state for receipt in made.receipts] == [FOUND] and len(house.receipts.all()) == 2
    assert len(house.lying("north")) == 2


def test_a_copy_that_somebody_has_written_into_stays(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    house.deliver(recipients)
    book = house.folder / "drives" / "north" / f"{STEM}_2026-11-16.xlsx"
    book.write_bytes(b"with what the team has said")
    house.publish(reasons="severe frailty")
    made = house.deliver(recipients)
    assert book.read_bytes() == b"with what the team has said"
    assert sorted(receipt.sent_as for receipt in made.receipts) == [f"{STEM}_2026-11-16.csv", f"{STEM}_2026-11-16_2.xlsx"]
    assert len(house.lying("north")) == 3, "the CSV, which nobody has touched, is replaced"


def test_where_others_can_open_the_folder_encrypted_workbooks_alone_are_sent(shared: House) -> None:
    recipients = {"north-team": {"folder": shared.own("north", 0o777), "teams": (TEAM,), "purposes": ("direct_care", "open")}}
    made = shared.deliver(recipients)
    assert [receipt.sent_as for receipt in made.receipts] == [f"{STEM}_2026-11-16.xlsx", "core20_by_pcn.csv"]
    assert (shared.folder / "drives" / "north" / f"{STEM}_2026-11-16.xlsx").read_bytes()[:4] == b"\xd0\xcf\x11\xe0"


def test_a_workbook_that_is_not_encrypted_does_not_go_there(house: House) -> None:
    recipients = {"fine": _line(house.own("fine"), OTHER), "north-team": {"folder": house.own("north"), "teams": (TEAM,)}}
    with pytest.raises(SettingsWrong, match=r"north-team: 1 workbooks are not encrypted, and its folder is not access-controlled"):
        house.deliver(recipients)
    assert house.lying("north") == house.lying("fine") == [], "judged before the first file is written"
    assert house.receipts.all() == ()


def test_a_folder_that_anybody_can_open_is_not_access_controlled(house: House) -> None:
    with pytest.raises(SettingsWrong, match="said to be access-controlled, and anybody on this machine can open it"):
        house.deliver({"north-team": _line(house.own("north", 0o755), TEAM)})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"teams": ("U99999",)}, "1 of its 1 teams are not in the release"),
        ({"teams": (TEAM,), "practices": ("B82001",)}, "1 of its 1 practices are not of the neighbourhood that its team serves"),
        ({"teams": (TEAM,), "practices": ("Z99999",)}, "1 of its 1 practices are not of the neighbourhood that its team serves"),
        ({"teams": (TEAM,), "purposes": ("direct_care", "open"), "products": ("cohort_list",)}, "1 of its products are not in the release"),
    ],
)
def test_a_recipient_that_does_not_match_the_release_stops_everything(house: House, line: dict[str, Any], words: str) -> None:
    recipients = {"fine": _line(house.own("fine"), OTHER), "wrong": {"folder": house.own("wrong"), "access_controlled": True, **line}}
    with pytest.raises(SettingsWrong, match=words) as refused:
        house.deliver(recipients)
    assert "B82001" not in str(refused.value)
    assert house.lying("fine") == house.lying("wrong") == []


def test_who_is_not_in_the_register_is_refused(house: House) -> None:
    with pytest.raises(SettingsWrong, match="1 recipients are not in the register"):
        house.deliver({"north-team": _line(house.own("north"), TEAM)}, "somebody-else")
    assert house.lying("north") == []


def test_two_recipients_never_have_one_folder(house: House) -> None:
    inner = house.own("north/inner")
    for folder in (house.own("north"), inner):
        with pytest.raises(SettingsWrong, match="have one folder, or one inside the other's"):
            house.deliver({"north-team": _line(house.own("north"), TEAM), "other": _line(folder, OTHER)})


def test_our_own_folders_and_missing_ones_are_refused(house: House) -> None:
    (house.folder / "var" / "store").mkdir(exist_ok=True)
    (house.folder / "link").symlink_to(house.folder / "var" / "store")
    for folder in (str(house.folder / "var" / "vault"), str(house.folder / "link"), str(house.folder)):
        with pytest.raises(SettingsWrong, match=r"lies in the project or in one of \[folders\], or holds one of them"):
            house.deliver({"north-team": _line(folder, TEAM)})
    with pytest.raises(SettingsWrong, match="is not there; mount it or make it"):
        house.deliver({"north-team": _line(str(house.folder / "not_mounted"), TEAM)})
    assert not (house.folder / "not_mounted").exists()
    with pytest.raises(SettingsWrong, match="cannot be written from here"):
        house.deliver({"north-team": _line("nosuchkind://here/there", TEAM)})


def test_a_release_that_was_tampered_with_goes_nowhere(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    folder = (house.folder / "var" / "products").resolve()
    file, slipped_in = folder / "open" / "core20_by_pcn.csv", folder / "direct_care" / f"{STEM}_2026-11-17.xlsx"
    file.write_text("forged\n", encoding="utf-8")
    with pytest.raises(FileRefused, match=r"open/core20_by_pcn\.csv was changed"):
        house.deliver(recipients)
    file.write_text("pcn\n", encoding="utf-8")
    slipped_in.write_bytes(b"slipped in")
    with pytest.raises(FileRefused, match="was added"):
        house.deliver(recipients)
    slipped_in.unlink()
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("secondary_use", "open"), encoding="utf-8")
    with pytest.raises(FileRefused, match="its manifest was changed after it was signed"):
        house.deliver(recipients)
    assert house.lying("north") == []


def test_a_list_with_another_teams_rows_goes_nowhere(house: House) -> None:
    """As a fault of ours would make it: the manifest agrees, the rows do not."""
    folder = (house.folder / "var" / "products").resolve()
    own, others = (folder / "direct_care" / f"list-2026-11-16_{team}_2026-11-16.csv" for team in (TEAM, OTHER))
    parts = [Part("direct_care", own.name, partial(_text, others.read_text(encoding="utf-8")))]
    parts.append(Part("direct_care", "cohort_list_account.parquet", partial(_copy, folder / "direct_care" / "cohort_list_account.parquet")))
    house.release(parts)
    with pytest.raises(ContractBroken, match="1 rows of another team or practice than its name says"):
        house.deliver({"north-team": _line(house.own("north"), TEAM)})


def test_a_replayed_release_is_refused(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    first = (house.folder / "var" / "products").resolve()
    house.deliver(recipients)
    house.publish(reasons="severe frailty")
    house.deliver(recipients)
    before = house.lying("north")
    pointer = house.folder / "var" / "products"
    pointer.unlink()
    pointer.symlink_to(first)
    with pytest.raises(ContractBroken, match=r"1 recipients have had the release .*, and a newer one since"):
        house.deliver(recipients)
    assert house.lying("north") == before


def test_a_release_that_knows_less_is_refused_and_a_rollback_knows_as_much(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    later = DAY + timedelta(days=1)
    older = (house.folder / "var" / "products").resolve()
    house.publish(later)
    house.deliver(recipients)
    pointer = house.folder / "var" / "products"
    pointer.unlink()
    pointer.symlink_to(older)  # never delivered before
    with pytest.raises(ContractBroken, match="1 recipients have had a newer release than"):
        house.deliver(recipients)
    before = list((older / "direct_care").iterdir())
    house.release([Part("direct_care", path.name, partial(_copy, path)) for path in before], DAY, people_as_of=later)
    assert len(house.deliver(recipients).receipts) == 2


def test_a_receipt_that_was_changed_stops_delivery(house: House) -> None:
    recipients = {"north-team": _line(house.own("north"), TEAM)}
    house.deliver(recipients)
    path = house.receipts.folder / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    told = json.loads(lines[0])
    for wrong in (lines[1:], [json.dumps({**told, "bytes": 1}).encode() + b"\n", lines[1]], [b"{}\n"], [b"no JSON\n"]):
        path.write_bytes(b"".join(wrong))
        with pytest.raises(ContractBroken, match=r"line [12] "):
            house.deliver(recipients)


def test_a_folder_that_cannot_be_written_stops_its_own_recipient_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    recipients = {"a-broken": _line("memory://broken", TEAM), "other": _line(house.own("other"), OTHER)}
    memory = fsspec.filesystem("memory")
    memory.mkdir("/broken")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/somebody/secret")

    monkeypatch.setattr(type(memory), "pipe_file", full)
    made = house.deliver(recipients)
    assert list(made.failed) == ["a-broken"] and "(OSError)" in made.failed["a-broken"] and "secret" not in made.failed["a-broken"]
    assert len(house.lying("other")) == 2
    monkeypatch.undo()
    assert [receipt.recipient for receipt in house.deliver(recipients).receipts] == ["a-broken"] * 2
    assert sorted(memory.ls("/broken", detail=False)) == [f"/broken/{STEM}_2026-11-16.csv", f"/broken/{STEM}_2026-11-16.xlsx"]


def test_without_a_release_there_is_nothing_to_deliver(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="there is no release to deliver"):
        House(tmp_path).verified()


@pytest.mark.parametrize(
    "line",
    [
        {"folder": "sftp://user:secret@host/lists", "teams": ("U12345",)},
        {"folder": "", "teams": ("U12345",)},
        {"folder": "/mnt/x"},
        {"folder": "/mnt/x", "purposes": ("secondary_use",)},
        {"folder": "/mnt/x", "teams": ("U12345",), "purposes": ("open",)},
        {"folder": "/mnt/x", "teams": ("U12345",), "purposes": ("everything",)},
        {"folder": "/mnt/x", "teams": ("U12345",), "pasword": "x"},
    ],
)
def test_a_register_that_cannot_be_meant_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Delivery.model_validate({"recipients": {"somebody": line}})
    with pytest.raises(ValidationError):
        Delivery.model_validate({"recipients": {"Some/body": {"folder": "/mnt/x", "teams": ("U12345",)}}})


def test_two_deliveries_never_run_at_once(house: House) -> None:
    with house.receipts.locked(), pytest.raises(FullerError, match="another delivery is on its way"):
        house.deliver({"north-team": _line(house.own("north"), TEAM)})
