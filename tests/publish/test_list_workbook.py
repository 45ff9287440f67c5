"""The workbook of a continuity list: read back cell by cell, the same bytes twice, private, and nothing in it that a spreadsheet would run.

And whom its files tell about: every byte of those that are not a practice's own is searched for the NHS numbers of its people.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from python_calamine import CalamineWorkbook

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.vault import Vault
from fuller_popheath.publish.list_workbook import COLUMNS, HEAD_ROW, REVIEWS, RISK, first_sheet_lines, identified, write_workbook
from fuller_popheath.publish.lists import ACCOUNT, IMPORTED, LIST, UNNAMED, publish_lists
from fuller_popheath.site import FirstList, Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2024, 7, 1)
NIGHT = Night(as_of=DAY, site=Site())
SHARED_NIGHT = Night(as_of=DAY, site=Site(first_list=FirstList(identities="neighbourhood")))
"""Of a site whose neighbourhoods have agreed to share whom their lists mean."""
ISSUE = "continuity-2024-07-01"
NUMBERS = ("9990000018", "9990000026", None, "9990000042", "9990000050")
"""Four of the test range, which is never issued, and somebody without."""


def a_table(contract_id: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(contract_id)
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in contract.schema}), contract)


def a_list(*people: dict[str, Any], neighbourhood: str = "U00001") -> pa.Table:
    usual = {
        "as_of": DAY,
        "issue_id": ISSUE,
        "neighbourhood_code": neighbourhood,
        "points": 5,
        "reasons": "severe frailty (14 of 36 deficits); dementia",
        "reason_codes": "severe_frailty,dementia",
        "practice_code": "A00001",
        "practice_name": "GREEN LANE SURGERY",
        "age_years": 84,
        "sex": "female",
        "usual_gp_code": "G1234567",
        "continuity_upc": 0.25,
        "continuity_contact_count": 8,
        "continuity_clinician_count": 5,
        "days_since_last_contact": 12,
        "emergency_admission_count_365": 1,
        "is_linked": True,
        "extract_date": DAY,
        "extract_age_days": 0,
        "draw": 0.5,
    }
    rows = [
        {**usual, "person_id": f"{neighbourhood[-1]}p{n}".translate(str.maketrans("0123", "abcd")).ljust(12, "a"), "rank": n + 1, **p}
        for n, p in enumerate(people)
    ]
    return a_table(LIST, rows)


def an_account(neighbourhood: str = "U00001", **more: Any) -> dict[str, Any]:
    usual = {
        "as_of": DAY,
        "issue_id": ISSUE,
        "neighbourhood_code": neighbourhood,
        "neighbourhood_name": "NORTH PCN",
        "registered_count": 31_000,
        "listed_count": 3,
        "beyond_capacity_count": 400,
        "below_points_count": 29_000,
        "no_team_count": 0,
        "type_1_objection_count": 1_597,
        "type_1_unknown_count": 0,
        "national_objection_count": 0,
        "sensitive_record_count": 0,
        "last_listed_points": 5,
        "equal_points_not_listed_count": 17,
        "practice_count": 4,
        "stale_practice_count": 0,
        "missing_practice_count": 0,
        "coverage": "4 of 4 practices have sent a list. All are up to date.",
    }
    return {**usual, **more}


def identities(listed: pa.Table, practices: Sequence[str] = ()) -> pa.Table:
    """The vault's rows for listed people, all of A00001 unless `practices` says otherwise."""
    import pyarrow as pa

    ids = listed["person_id"].to_pylist()
    return pa.table(
        {
            "person_id": pa.array(ids, pa.string()),
            "nhs_number": pa.array(NUMBERS[: len(ids)], pa.string()),
            "practice_code": pa.array(practices or ["A00001"] * len(ids), pa.string()),
            "patient_id": pa.array([f"R{n}" for n in range(len(ids))], pa.string()),
            "key_version": pa.array([1] * len(ids)),
        }
    )


@pytest.fixture
def written(tmp_path: Path) -> Path:
    listed = a_list({}, {"continuity_upc": None, "continuity_contact_count": 1, "days_since_last_contact": None}, {"extract_age_days": 12})
    return write_workbook(tmp_path / "list.xlsx", identified(listed, identities(listed)), an_account(), NIGHT)


def cells(path: Path, sheet: str) -> list[list[Any]]:
    with CalamineWorkbook.from_path(str(path)) as book:
        return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def test_the_first_sheet_says_what_this_is_before_anybody_is_shown(written: Path) -> None:
    with CalamineWorkbook.from_path(str(written)) as book:
        assert book.sheet_names == ["Read this first", "People"]
    told = {row[0]: row[1] for row in cells(written, "Read this first") if row[0]}
    assert len(first_sheet_lines(an_account(), NIGHT)) == 10
    assert told["As at"].startswith("1 July 2024")
    assert told["Who is on it"] == "3 of 31,000 registered people. The last person listed has 5 points; 17 others with as many were not drawn."
    assert "1,597 are left out for their Type 1 objection" in told["Who is not"]
    assert "cannot be read" not in told["Who is not"], "what counts nobody is not told"
    assert "end of life care 4" in told["The rule"]
    assert "not validated" in told["A local choice"]
    assert ISSUE in cells(written, "Read this first")[14][0]
    assert "direct care only" in part(written, "xl/worksheets/sheet2.xml"), "every printed page says so"


def test_the_people_are_shown_in_their_order_with_what_a_clinician_needs(written: Path) -> None:
    rows = cells(written, "People")
    assert rows[HEAD_ROW] == [heading for heading, _, _ in COLUMNS if heading != RISK]
    first, second, third = rows[HEAD_ROW + 1 :]
    assert first[:11] == [
        *(1, "999 000 0018", "Green Lane Surgery", 84, "female", "severe frailty (14 of 36 deficits); dementia", 5, "G1234567"),
        *("25 % of 8 contacts", "12 days ago", 1),
    ]
    assert (second[8], second[9]) == ("too few to say (1)", "over 2 years")
    assert third[1:3] == ["none; record R2", "Green Lane Surgery; data 12 days old"]
    assert {row[11] for row in rows[HEAD_ROW + 1 :]} == {""}


def test_a_risk_is_shown_in_words_and_one_of_make_believe_says_so(tmp_path: Path) -> None:
    people = ({"risk_words": "about 1 in 6", "risk_is_demonstration": False}, {"risk_words": "about 1 in 90", "risk_is_demonstration": True}, {})
    listed = a_list(*people)
    path = write_workbook(tmp_path / "list.xlsx", identified(listed, identities(listed)), an_account(listed_count=3), NIGHT)
    rows = cells(path, "People")[HEAD_ROW:]
    assert rows[0] == [heading for heading, _, _ in COLUMNS]
    assert [row[rows[0].index(RISK)] for row in rows[1:]] == ["about 1 in 6", "DEMONSTRATION: about 1 in 90", "not scored"]


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


def test_it_can_be_filtered_marked_and_printed(written: Path) -> None:
    sheet = part(written, "xl/worksheets/sheet2.xml")
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A4:M7"' in sheet
    assert REVIEWS[0] in sheet
    assert 'sqref="L5:L7"' in sheet
    assert 'orientation="landscape"' in sheet
    assert 'fitToHeight="0"' in sheet
    assert "sheetProtection" not in sheet
    assert "People!$4:$4" in part(written, "xl/workbook.xml"), "the heading is repeated on every page"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    listed = a_list({}, {})
    known = identified(listed, identities(listed))
    one, two = (write_workbook(tmp_path / name, known, an_account(), NIGHT, "Green Lane Surgery") for name in ("one.xlsx", "two.xlsx"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("text", ['=HYPERLINK("http://example.org","x")', "+1+1", "-1", "@SUM(A1)", "http://example.org", "{=1}", "0123"])
def test_no_text_is_run_linked_or_counted(tmp_path: Path, text: str) -> None:
    listed = a_list({"practice_name": text, "reasons": text})
    account = an_account(neighbourhood_name=text, coverage=text)
    path = write_workbook(tmp_path / "list.xlsx", identified(listed, identities(listed)), account, NIGHT, practice=text)
    with zipfile.ZipFile(path) as archive:
        inside = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/"))
    assert "<f>" not in inside
    assert "<f " not in inside
    assert "<hyperlink" not in inside
    assert cells(path, "People")[HEAD_ROW + 1][5] == text


def test_everybody_listed_is_known_at_their_practice(tmp_path: Path) -> None:
    listed = a_list({}, {"practice_code": "A00002"})
    with pytest.raises(ContractBroken, match="1 of 2 listed people are not in the vault") as refused:
        identified(listed, identities(listed))
    assert "9990000018" not in str(refused.value)
    vault = a_vault(tmp_path / "vault", listed)
    with pytest.raises(ContractBroken, match="1 of 2 listed people are not in the vault"):
        publish_lists(tmp_path / "lists", {LIST: listed, ACCOUNT: a_table(ACCOUNT, [an_account(listed_count=2)])}, NIGHT, vault)
    assert not list((tmp_path / "lists").iterdir()), "no list is written, nor half of one"


def test_somebody_who_moved_is_told_as_their_practice_knows_them() -> None:
    import pyarrow as pa

    listed = a_list({"practice_code": "A00002"})
    person = listed["person_id"][0].as_py()
    at = [("A00001", "R9"), ("A00002", "R7"), ("A00002", "R3")]
    known = pa.table(
        {
            "person_id": [person] * 3,
            "nhs_number": ["9990000018"] * 3,
            "practice_code": [practice for practice, _ in at],
            "patient_id": [record for _, record in at],
        }
    )
    assert identified(listed, known).select(["nhs_number", "patient_id"]).to_pylist() == [{"nhs_number": "9990000018", "patient_id": "R3"}]


def a_vault(folder: Path, *lists: pa.Table) -> Vault:
    """A vault that knows the people of these lists."""
    import pyarrow as pa

    vault = Vault(folder)
    whole = pa.concat_tables([identities(rows) for rows in lists])
    vault.write_part("A00001", "0" * 16, whole)
    vault.write_night(DAY, [("A00001", "0" * 16)])
    return vault


def test_lists_are_published_for_each_neighbourhood_and_for_its_eyes_only(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    north, other = a_list({}, {}), a_list({"practice_name": "=1+1", "person_id": "c" * 12}, neighbourhood="N/02")
    nobody = an_account("U00009", listed_count=0, type_1_unknown_count=31_000, below_points_count=0, type_1_objection_count=0)
    empty = an_account("U00008", listed_count=0, registered_count=0)
    accounts = [an_account(listed_count=2), an_account("N/02", listed_count=1), nobody, empty]
    folder = tmp_path / "lists"
    vault = a_vault(tmp_path / "vault", north, other)
    files = publish_lists(folder, {LIST: pa.concat_tables([north, other]), ACCOUNT: a_table(ACCOUNT, accounts)}, NIGHT, vault)
    kinds = {"": ("csv", "parquet", "xlsx"), "_A00001": ("csv", "xlsx")}
    held = [(area, practice) for area in ("N-02", "U00001", "U00009") for practice in kinds if (area, practice) != ("U00009", "_A00001")]
    assert [path.name for path in files] == [
        f"continuity_list_{area}{practice}_2024-07-01.{ending}" for area, practice in held for ending in kinds[practice]
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {path.name for path in folder.iterdir()} == {path.name for path in files}
    lines = (folder / "continuity_list_U00001_A00001_2024-07-01.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",") == list(IMPORTED)
    assert lines[1].startswith("9990000018,A00001,R0,1,")
    lines = (folder / "continuity_list_N-02_2024-07-01.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",") == list(UNNAMED)
    assert lines[1].startswith("1,A00001,'=1+1,"), "nothing in it is a formula"
    assert pq.ParquetFile(folder / "continuity_list_U00001_2024-07-01.parquet").read().num_rows == 2
    # A team whose list is empty is told why.
    told = {row[0]: row[1] for row in cells(files[-1], "Read this first") if row[0]}
    assert "31,000 are left out because their practice's Type 1 objections cannot be read" in told["Who is not"]
    assert "adds the Type 1 code of the practice's system to the folder of [codelists] in site.toml" in told["Who is not"]


@pytest.mark.parametrize(
    ("accounts", "said"),
    [([("N 1", 1), ("N-1", 1)], "files of one name"), ([("N 1", 1), ("N-1", 2)], "its account another number")],
)
def test_a_mistake_between_the_tables_writes_no_list(tmp_path: Path, accounts: list[tuple[str, int]], said: str) -> None:
    import pyarrow as pa

    one, two = a_list({}, neighbourhood="N 1"), a_list({"person_id": "c" * 12}, neighbourhood="N-1")
    tables = {LIST: pa.concat_tables([one, two]), ACCOUNT: a_table(ACCOUNT, [an_account(code, listed_count=n) for code, n in accounts])}
    with pytest.raises(ContractBroken, match=said):
        publish_lists(tmp_path / "lists", tables, NIGHT, a_vault(tmp_path / "vault", one, two))


AT = ("A00001", "A00002", "A00001", "A00002", "A00003")
RECORDS = ("RECORD-0", "RECORD-1", "RECORD-2", "RECORD-3", "RECORD-4")
"""The practices of five people and their patient ids there; the third has no NHS number."""


def published(folder: Path, night: Night) -> dict[str, Path]:
    """The files of a neighbourhood with three practices, by what follows its code in their name, with the ending: `_A00001.csv`."""
    import pyarrow as pa

    names = {"A00001": "GREEN LANE SURGERY", "A00002": "HIGH STREET SURGERY", "A00003": None}
    listed = a_list(*({"practice_code": practice, "practice_name": names[practice]} for practice in AT))
    vault = Vault(folder / "vault")
    # The second person was at A00001 before: that practice still knows a number and a record of theirs.
    moved = identities(listed.slice(1, 1)).set_column(1, "nhs_number", [[NUMBERS[1]]]).set_column(3, "patient_id", [["RECORD-OLD"]])
    held = identities(listed, AT).set_column(3, "patient_id", [list(RECORDS)])
    vault.write_part("A00001", "0" * 16, pa.concat_tables([held, moved]))
    vault.write_night(DAY, [("A00001", "0" * 16)])
    files = publish_lists(folder / "lists", {LIST: listed, ACCOUNT: a_table(ACCOUNT, [an_account(listed_count=5)])}, night, vault)
    return {path.name.removeprefix("continuity_list_U00001").replace("_2024-07-01", ""): path for path in files}


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


def test_only_the_practice_that_holds_a_person_is_told_who_it_is(tmp_path: Path) -> None:
    files = published(tmp_path, NIGHT)
    assert list(files) == [
        *(".csv", ".parquet", ".xlsx"),
        *(f"_{practice}.{ending}" for practice in ("A00001", "A00002", "A00003") for ending in ("csv", "xlsx")),
    ]
    for name, path in files.items():
        inside = everything_in(path)
        own = [n for n, practice in enumerate(AT) if practice in name]
        assert {number for number in NUMBERS if number and number in inside} == {NUMBERS[n] for n in own if NUMBERS[n]}, name
        assert set(re.findall(r"RECORD-\w+", inside)) <= {RECORDS[n] for n in own}, name
        assert bool(own) or "nhs_number" not in inside, name


def test_a_practice_finds_its_people_under_the_numbers_of_the_neighbourhood(tmp_path: Path) -> None:
    files = published(tmp_path, NIGHT)
    team = cells(files[".xlsx"], "People")[HEAD_ROW:]
    assert team[0] == [heading for heading, _, _ in COLUMNS if heading not in ("NHS number", RISK)]
    assert [row[:2] for row in team[1:]] == [
        [1, "Green Lane Surgery"],
        [2, "High Street Surgery"],
        [3, "Green Lane Surgery"],
        [4, "High Street Surgery"],
        [5, "A00003"],
    ]
    shared = dict.fromkeys(range(1, 6))
    for practice in sorted(set(AT)):
        own = cells(files[f"_{practice}.xlsx"], "People")[HEAD_ROW:]
        assert own[0] == [heading for heading, _, _ in COLUMNS if heading != RISK]
        shared |= {row[0]: row[1] for row in own[1:]}
        assert [[row[0], *row[2:]] for row in own[1:]] == [row for row, at in zip(team[1:], AT, strict=True) if at == practice]
    assert list(shared.values()) == ["999 000 0018", "999 000 0026", "none; record RECORD-2", "999 000 0042", "999 000 0050"]


def test_every_workbook_says_where_the_names_are(tmp_path: Path) -> None:
    files = published(tmp_path / "apart", NIGHT)
    sheets = {name: cells(path, "Read this first") for name, path in files.items() if name.endswith("xlsx")}
    told = {name: {row[0]: row[1] for row in sheet if row[0]} for name, sheet in sheets.items()}
    assert told[".xlsx"]["Names"].startswith("Names are with each practice: its own list has the same numbers")
    assert told["_A00001.xlsx"]["Names"] == f"{told['.xlsx']['Names']} This is the list of Green Lane Surgery: 2 of the 5 people."
    for label, text in first_sheet_lines(an_account(listed_count=5), NIGHT):
        assert {lines[label] for lines in told.values()} == {text}, "the practices are told what the neighbourhood is told"
    assert sheets["_A00002.xlsx"][0][0] == "Continuity list: North PCN, High Street Surgery"
    assert cells(files["_A00002.xlsx"], "People")[0][0] == "North PCN, High Street Surgery: 2 of 5 people, as at 1 July 2024"
    (shared,) = (path for name, path in published(tmp_path / "shared", SHARED_NIGHT).items() if name.endswith("xlsx"))
    names = {row[0]: row[1] for row in cells(shared, "Read this first") if row[0]}["Names"]
    assert "this site chose so" in names
    assert "data-sharing agreement" in names


def test_a_site_may_choose_that_the_neighbourhood_is_told(tmp_path: Path) -> None:
    files = published(tmp_path, SHARED_NIGHT)
    assert list(files) == [".csv", ".parquet", ".xlsx"]
    rows = cells(files[".xlsx"], "People")[HEAD_ROW:]
    assert rows[0] == [heading for heading, _, _ in COLUMNS if heading != RISK]
    assert [row[1] for row in rows[1:]] == ["999 000 0018", "999 000 0026", "none; record RECORD-2", "999 000 0042", "999 000 0050"]
    assert files[".csv"].read_text(encoding="utf-8").splitlines()[2].startswith("9990000026,A00002,RECORD-1,2,")
    assert not [number for number in NUMBERS if number and number in everything_in(files[".parquet"])]


def test_no_other_choice_of_who_is_told_is_taken() -> None:
    with pytest.raises(ValidationError, match="identities"):
        FirstList(identities="everybody")
