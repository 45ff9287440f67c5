"""Files of lists: whom each tells about, what stops them, that the audit log knows first, and what lies where others can look.

Every byte of the files that are not a practice's own is searched for the NHS numbers of its people.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import stat
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from python_calamine import CalamineWorkbook

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.list_columns import NHS_NUMBER
from fuller_popheath.publish.list_identities import identified
from fuller_popheath.publish.list_sheets import HEAD_ROW
from fuller_popheath.publish.lists import CHANGE, IMPORTED, LIST, PRACTICE, UNNAMED, publish_lists
from fuller_popheath.site import Site
from fuller_popheath.site_lists import Lists
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

_spec = importlib.util.spec_from_file_location("list_example", Path(__file__).with_name("list_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
sys.modules["list_example"] = example
_spec.loader.exec_module(example)

DAY, ISSUE, TEAM, NIGHT, SHARED_NIGHT = example.DAY, example.ISSUE, example.TEAM, example.NIGHT, example.SHARED_NIGHT
OPEN_NIGHT = Night(as_of=DAY, site=Site(lists=Lists(folder_is_access_controlled=False)))
"""Of a site whose folder others can open too."""
PASSWORDS = {"FULLER_LIST_PASSWORD_U12345": "four words drawn by lot", "FULLER_LIST_PASSWORD_N_02": "four other words by lot"}
AT = ("A81001", "A81002", "A81001", "A81002", "A81003")
RECORDS = tuple(f"RECORD-{n}" for n in range(5))


def publish(folder: Path, tables: Mapping[str, pa.Table], night: Night = NIGHT, environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Publish with a vault that knows everybody on the list at their practice."""
    vault = example.a_vault(folder / "vault", example.identities(tables[LIST], without=(2,)), day=night.as_of)
    return publish_lists(folder / "lists", tables, night, vault, example.an_audit(folder / "vault"), environment or {})


def five(*more: Mapping[str, Any]) -> dict[str, pa.Table]:
    """The tables of a team with five people of three practices, and more of them."""
    people = [{"practice_code": practice, "practice_name": example.PRACTICES[practice]} for practice in AT]
    listed = example.a_list(*people, *more)
    removed = sum(state == "removed" for state in listed["state"].to_pylist())
    account = example.an_account(listed_count=listed.num_rows - removed, removed_count=removed)
    return dict(example.tables_of(listed, [account]))


def by_end(files: Sequence[Path]) -> dict[str, Path]:
    """Files of the team by what follows its code in their name, with the ending: `_A81001.csv`."""
    return {path.name.removeprefix(f"{ISSUE}_{TEAM}").replace(f"_{DAY}", ""): path for path in files}


def cells(path: Path, sheet: str) -> list[list[Any]]:
    with CalamineWorkbook.from_path(str(path)) as book:
        return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def people(path: Path) -> list[dict[str, Any]]:
    heading, *rows = cells(path, "People")[HEAD_ROW:]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def everything_in(path: Path) -> str:
    """Whatever can be read in a file, as stored and as a program reads it, without spaces."""
    inside = [path.read_bytes()]
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            inside += [archive.read(name) for name in archive.namelist()]
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.ParquetFile(path).read()
        inside.append(f"{table.schema} {table.to_pylist()}".encode())
    return b"".join(inside).decode(errors="replace").replace(" ", "")


def numbers_in(path: Path) -> set[str]:
    """The test NHS numbers in a file."""
    return set(re.findall(r"999000000\d", everything_in(path)))


def test_only_the_practice_that_holds_a_person_is_told_who_it_is(tmp_path: Path) -> None:
    files = by_end(publish(tmp_path, five()))
    assert list(files) == [
        *(".csv", ".parquet", ".xlsx"),
        *(f"_{practice}.{ending}" for practice in ("A81001", "A81002", "A81003") for ending in ("csv", "xlsx")),
    ]
    for name, path in files.items():
        own = [n for n, practice in enumerate(AT) if practice in name]
        assert numbers_in(path) == {example.nhs_number(n) for n in own if n != 2}, name
        assert set(re.findall(r"RECORD-\w+", everything_in(path))) <= {RECORDS[n] for n in own}, name
        assert bool(own) or "nhs_number" not in everything_in(path), name
    assert {row["Row"]: row[NHS_NUMBER] for row in people(files["_A81001.xlsx"])} == {
        example.reference(0): "999 000 0000",
        example.reference(2): "none; record RECORD-2",
    }
    for practice in sorted(set(AT)):
        own_rows = {row["Row"]: {**row, "Practice": "", NHS_NUMBER: ""} for row in people(files[f"_{practice}.xlsx"])}
        team_rows = {row["Row"]: {**row, "Practice": "", NHS_NUMBER: ""} for row in people(files[".xlsx"])}
        assert own_rows == {reference: row for reference, row in team_rows.items() if reference in own_rows}


def test_a_site_may_choose_that_the_team_is_told(tmp_path: Path) -> None:
    files = by_end(publish(tmp_path, five(), SHARED_NIGHT))
    assert list(files) == [".csv", ".parquet", ".xlsx"]
    assert [row[NHS_NUMBER] for row in people(files[".xlsx"])] == [
        *("999 000 0000", "999 000 0001", "none; record RECORD-2", "999 000 0003", "999 000 0004")
    ]
    assert files[".csv"].read_text(encoding="utf-8").splitlines()[2].startswith("9990000001,A81002,RECORD-1,")
    assert not numbers_in(files[".parquet"])
    said = {row[0]: row[1] for row in cells(files[".xlsx"], "Read this first")}
    assert "this site chose so" in said["Names"]


def test_no_other_choice_of_who_is_told_is_taken() -> None:
    with pytest.raises(ValidationError, match="identities"):
        Lists(identities="everybody")


def test_every_workbook_says_where_the_names_are(tmp_path: Path) -> None:
    files = by_end(publish(tmp_path, five()))
    said = {name: {row[0]: row[1] for row in cells(path, "Read this first")} for name, path in files.items() if name.endswith("xlsx")}
    assert said[".xlsx"]["Names"].startswith("Names are with each practice: its own file has the same rows")
    assert said["_A81001.xlsx"]["Names"] == f"{said['.xlsx']['Names']} This is the file of Green Lane Surgery: 2 of the 5 people."
    assert cells(files["_A81002.xlsx"], "Read this first")[0][0] == "Continuity list: North team (North PCN), High Street Medical Centre"
    assert cells(files["_A81002.xlsx"], "People")[0][0].endswith("High Street Medical Centre: 2 of 5 people, as at 16 November 2026")


def test_files_are_private_and_say_nothing_by_their_names(tmp_path: Path) -> None:
    files = publish(tmp_path, five())
    folder = tmp_path / "lists"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {path.name for path in folder.iterdir()} == {path.name for path in files}
    assert files[2].name == "list-2026-11-16_U12345_2026-11-16.xlsx"


def test_a_team_with_nobody_on_its_list_is_told_why_and_no_team_has_no_list(tmp_path: Path) -> None:
    none = {"listed_count": 0, "eligible_count": 0, "expected_admissions": None, "expected_lower": None, "expected_upper": None}
    empty = dict.fromkeys(("registered_count", "below_points_count", "type_1_objection_count", "review_count", "sensitive_record_count"), 0)
    accounts = [
        example.an_account(**none, type_1_unknown_count=29_330, type_1_objection_count=1_597, below_points_count=0),
        example.an_account("NO-TEAM", neighbourhood_code=NO_PCN, **none),
        example.an_account("U00008", **none, **empty),
    ]
    files = by_end(publish(tmp_path, example.tables_of(example.a_list(), accounts)))
    assert list(files) == [".csv", ".parquet", ".xlsx"]
    said = {row[0]: row[1] for row in cells(files[".xlsx"], "Read this first")}
    assert said["Who is not"].startswith("61 are left out for what was said")
    assert "29,330 are left out because their practice's Type 1 objections cannot be read" in said["Who is not"]
    assert people(files[".xlsx"]) == []


def test_csvs_hold_what_clinical_systems_need_of_those_still_listed_and_no_formula(tmp_path: Path) -> None:
    hostile = {"practice_name": "=1+1", "reasons": "@SUM(A1)", "state": "listed"}
    files = by_end(publish(tmp_path, five(hostile, {"state": "removed", "mark": "reviewed", "marked_on": DAY})))
    for name, columns in ((".csv", UNNAMED), ("_A81001.csv", IMPORTED)):
        with files[name].open(encoding="utf-8", newline="") as stream:
            heading, *rows = list(csv.reader(stream))
        assert heading == list(columns)
        assert [row[heading.index("rank")] for row in rows] == (["1", "2", "3", "4", "5", "6"] if name == ".csv" else ["1", "3", "6"])
        assert rows[-1][heading.index("reasons")] == "'@SUM(A1)"
    import pyarrow.parquet as pq

    assert pq.ParquetFile(files[".parquet"]).read().num_rows == 7


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_column_of_a_csv_can_be_run(tmp_path: Path, start: str) -> None:
    texts = dict.fromkeys(("practice_name", "reasons"), f"{start}1+1")
    for night in (NIGHT, SHARED_NIGHT):
        files = by_end(publish(tmp_path / str(night == NIGHT), five(texts), night))
        for path in (path for name, path in files.items() if name.endswith(".csv")):
            with path.open(encoding="utf-8", newline="") as stream:
                cells_of_file = [cell for row in csv.reader(stream) for cell in row]
            assert not [cell for cell in cells_of_file if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_whoever_objects_or_wants_no_lists_is_named_to_nobody_any_more(tmp_path: Path) -> None:
    gone = [{"state": "removed", "mark": mark, "marked_on": DAY, "reasons": f"secret {mark}"} for mark in ("objects", "sensitive", "unlisted_wish")]
    shown = {"state": "removed", "mark": "reviewed", "marked_on": DAY}
    files = by_end(publish(tmp_path, five(*gone, shown)))
    assert {name: numbers_in(path) for name, path in files.items() if "A81001" in name and "xlsx" in name} == {
        "_A81001.xlsx": {example.nhs_number(n) for n in (0, 8)}
    }
    assert not [name for name, path in files.items() if "secret" in everything_in(path)]
    log = example.an_audit(tmp_path / "vault").log
    assert [len(log.entries_about(example.person_id(n))) for n in (0, 5, 6, 7, 8)] == [1, 0, 0, 0, 1]


def test_whoever_is_gone_from_the_vault_keeps_a_row_without_a_number(tmp_path: Path) -> None:
    tables = five({"state": "removed", "mark": "left", "marked_on": DAY})
    vault = example.a_vault(tmp_path / "vault", example.identities(tables[LIST].slice(0, 5)))
    files = by_end(publish_lists(tmp_path / "lists", tables, NIGHT, vault, example.an_audit(tmp_path / "vault"), {}))
    assert people(files["_A81001.xlsx"])[-1][NHS_NUMBER] == "not known any more"


def test_every_re_identification_is_in_the_audit_log(tmp_path: Path) -> None:
    files = publish(tmp_path, five())
    log = example.an_audit(tmp_path / "vault").log
    entries = [json.loads(line) for line in (tmp_path / "vault" / "audit" / "reidentification.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(entry["recipient"], entry["people_count"], entry["issue_id"], entry["team_id"]) for entry in entries] == [
        ("A81001", 2, ISSUE, TEAM),
        ("A81002", 2, ISSUE, TEAM),
        ("A81003", 1, ISSUE, TEAM),
    ]
    named = {path.name for path in files if numbers_in(path)}
    assert {name for entry in entries for name in entry["files"]} == named, "every file with a number, and no other"
    assert (log.verify().is_sound, [entry["recipient"] for entry in log.entries_about(example.person_id(1))]) == (True, ["A81002"])
    publish(tmp_path / "shared", five(), SHARED_NIGHT)
    (entry,) = example.an_audit(tmp_path / "shared" / "vault").log.entries_about(example.person_id(1))
    assert (entry["recipient"], entry["people_count"]) == (TEAM, 5)


def test_no_file_is_there_before_the_audit_log_has_it(tmp_path: Path) -> None:
    publish(tmp_path, five())
    (tmp_path / "vault" / "audit" / "reidentification.jsonl").write_text("", encoding="utf-8")
    for path in (tmp_path / "lists").iterdir():
        path.unlink()
    with pytest.raises(ContractBroken, match=r"the audit log is .* shorter than it was"):
        publish(tmp_path, five())
    assert not list((tmp_path / "lists").iterdir())


def planted(how: str) -> tuple[dict[str, pa.Table], str]:
    """Two teams with lists, and a mistake; and what is said of it."""
    import pyarrow as pa

    north, south = example.a_list({}, {}), example.a_list({}, team="N-02")
    accounts = [example.an_account(listed_count=2), example.an_account("N-02", listed_count=1)]
    said = {
        "another team's people": "1 of 3 rows are people of another team's neighbourhood",
        "another team's practice": "1 of 3 listed people are of a practice that is not in the team's neighbourhood",
        "on two lists": "1 people are on two lists",
        "a team without account": "1 of 3 rows are of an issue and team without an account",
        "another number": "its account another number",
        "one reference twice": "1 row references stand for two people",
    }[how]
    if how == "another team's people":
        south = example.a_list({"neighbourhood_code": TEAM}, team="N-02")
    elif how == "on two lists":
        south = example.a_list({"person_id": north["person_id"][0].as_py()}, team="N-02")
    elif how == "a team without account":
        accounts = accounts[:1]
    elif how == "another number":
        accounts = [example.an_account(listed_count=2), example.an_account("N-02", listed_count=2)]
    elif how == "one reference twice":
        north = example.a_list({}, {"row_reference": example.reference(0)})
    practice = "A81001" if how == "another team's practice" else "A81009"
    south = south.set_column(south.schema.get_field_index("practice_code"), south.schema.field("practice_code"), [[practice]])
    return example.tables_of(pa.concat_tables([north, south]), accounts, A81009="N-02"), said


@pytest.mark.parametrize(
    "how", ["another team's people", "another team's practice", "on two lists", "a team without account", "another number", "one reference twice"]
)
def test_a_team_s_list_with_another_team_s_people_is_not_written(tmp_path: Path, how: str) -> None:
    tables, said = planted(how)
    with pytest.raises(ContractBroken, match=said) as refused:
        publish(tmp_path, tables)
    assert not [person for person in tables[LIST]["person_id"].to_pylist() if person in str(refused.value)]
    assert not (tmp_path / "lists").exists()
    assert not (tmp_path / "vault" / "audit").exists(), "nobody was told anything"


def test_two_teams_are_not_written_over_each_other(tmp_path: Path) -> None:
    import pyarrow as pa

    both = pa.concat_tables([example.a_list({}, team="N-0"), example.a_list({}, team="N--0")])
    tables = example.tables_of(both, [example.an_account("N-0", listed_count=1), example.an_account("N--0", listed_count=1)])
    tables[PRACTICE] = tables[PRACTICE].slice(0, 0)
    with pytest.raises(ContractBroken, match="2 of 2 listed people are of a practice"):
        publish(tmp_path, tables)
    rows = [{"practice_code": "A81001", "practice_name": "X"}]
    listed = [example.a_list(*rows, team="N-0", area="N"), example.a_list(*rows, team="N--0", area="N")]
    accounts = [example.an_account(team, neighbourhood_code="N", listed_count=1) for team in ("N-0", "N--0")]
    with pytest.raises(ContractBroken, match="two teams would have files of one name"):
        publish(tmp_path, example.tables_of(pa.concat_tables(listed), accounts, A81001="N"))


def test_everybody_listed_is_known_at_their_practice(tmp_path: Path) -> None:
    tables = five()
    elsewhere = example.identities(tables[LIST]).set_column(2, "practice_code", [["A81009", *AT[1:]]])
    vault = example.a_vault(tmp_path / "vault", elsewhere)
    with pytest.raises(ContractBroken, match="1 of 5 listed people are not in the vault as people of their practice") as refused:
        publish_lists(tmp_path / "lists", tables, NIGHT, vault, example.an_audit(tmp_path / "vault"), {})
    assert "999" not in str(refused.value)
    assert not (tmp_path / "lists").exists()


def test_somebody_who_moved_is_told_as_their_practice_knows_them() -> None:
    import pyarrow as pa

    listed = example.a_list({"practice_code": "A81002"})
    at = [("A81001", "R9"), ("A81002", "R7"), ("A81002", "R3")]
    held = pa.table(
        {
            "person_id": [listed["person_id"][0].as_py()] * 3,
            "nhs_number": [example.nhs_number(0)] * 3,
            "practice_code": [practice for practice, _ in at],
            "patient_id": [record for _, record in at],
        }
    )
    assert identified(listed, held).select(["nhs_number", "patient_id"]).to_pylist() == [{"nhs_number": "9990000000", "patient_id": "R3"}]


def opened(path: Path, password: str) -> bytes:
    import msoffcrypto

    file: Any = msoffcrypto.OfficeFile(BytesIO(path.read_bytes()))
    file.load_key(password=password, verify_password=True)
    made = BytesIO()
    file.decrypt(made, verify_integrity=True)
    return made.getvalue()


def test_where_others_can_look_there_are_encrypted_workbooks_and_nothing_else(tmp_path: Path) -> None:
    from msoffcrypto.exceptions import InvalidKeyError

    files = by_end(publish(tmp_path, five(), OPEN_NIGHT, PASSWORDS))
    assert list(files) == [".xlsx", "_A81001.xlsx", "_A81002.xlsx", "_A81003.xlsx"]
    plain = by_end(publish(tmp_path / "plain", five()))
    password = PASSWORDS["FULLER_LIST_PASSWORD_U12345"]
    for name, path in files.items():
        assert path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0", "an encrypted package, and no zip"
        with pytest.raises(InvalidKeyError):
            opened(path, PASSWORDS["FULLER_LIST_PASSWORD_N_02"])
        assert opened(path, password) == plain[name].read_bytes()
    entries = example.an_audit(tmp_path / "vault").log.entries_about(example.person_id(0))
    assert [entry["files"] for entry in entries] == [[files["_A81001.xlsx"].name]]


def test_no_temporary_file_is_ever_made_of_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's time of change tells of every name that was ever in it, also of those that are gone again."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    os.utime(temporary, ns=(1, 1))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    publish(tmp_path, five(), OPEN_NIGHT, PASSWORDS)
    publish(tmp_path / "plain", five())
    assert temporary.stat().st_mtime_ns == 1
    with tempfile.NamedTemporaryFile(dir=temporary):
        assert temporary.stat().st_mtime_ns > 1, "it would have been seen"


def test_without_its_password_no_team_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="1 of 1 teams have no password"):
        publish(tmp_path, five(), OPEN_NIGHT, {})
    assert not (tmp_path / "lists").exists()
    assert not (tmp_path / "vault" / "audit").exists()


def test_a_night_between_two_issues_has_files_of_its_own(tmp_path: Path) -> None:
    """So that what a team has written into its copy of an earlier night is not written over."""
    tables = five()
    publish(tmp_path, tables)
    tuesday = replace(NIGHT, as_of=DAY + timedelta(days=1))
    files = publish(tmp_path, tables, tuesday)
    assert files[2].name == "list-2026-11-16_U12345_2026-11-17.xlsx"
    assert len(list((tmp_path / "lists").iterdir())) == 18
    assert tables[CHANGE].num_rows == 0
