"""The workbook of a continuity list: read back cell by cell, the same bytes twice, private, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from python_calamine import CalamineWorkbook

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.vault import Vault
from fuller_popheath.publish.list_workbook import COLUMNS, HEAD_ROW, REVIEWS, first_sheet_lines, identified, write_workbook
from fuller_popheath.publish.lists import ACCOUNT, LIST, publish_lists
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2024, 7, 1)
NIGHT = Night(as_of=DAY, site=Site())
ISSUE = "continuity-2024-07-01"
NUMBERS = ("9990000018", "9990000026", None)
"""Two of the test range, which is never issued, and somebody without."""


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


def identities(listed: pa.Table) -> pa.Table:
    import pyarrow as pa

    ids = listed["person_id"].to_pylist()
    return pa.table(
        {
            "person_id": pa.array(ids, pa.string()),
            "nhs_number": pa.array(NUMBERS[: len(ids)], pa.string()),
            "practice_code": pa.array(["A00001"] * len(ids), pa.string()),
            "patient_id": pa.array([f"R{n}" for n in range(len(ids))], pa.string()),
            "key_version": pa.array([1] * len(ids)),
        }
    )


@pytest.fixture
def written(tmp_path: Path) -> Path:
    listed = a_list({}, {"continuity_upc": None, "continuity_contact_count": 1, "days_since_last_contact": None}, {"extract_age_days": 12})
    return write_workbook(tmp_path / "list.xlsx", listed, identities(listed), an_account(), NIGHT)


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
    assert ISSUE in cells(written, "Read this first")[13][0]


def test_the_people_are_shown_in_their_order_with_what_a_clinician_needs(written: Path) -> None:
    rows = cells(written, "People")
    assert rows[HEAD_ROW] == [heading for heading, _, _ in COLUMNS]
    first, second, third = rows[HEAD_ROW + 1 :]
    assert first[:11] == [
        *(1, "999 000 0018", "Green Lane Surgery", 84, "female", "severe frailty (14 of 36 deficits); dementia", 5, "G1234567"),
        *("25 % of 8 contacts", "12 days ago", 1),
    ]
    assert (second[8], second[9]) == ("too few to say (1)", "over 2 years")
    assert third[1:3] == ["none; record R2", "Green Lane Surgery; data 12 days old"]
    assert {row[11] for row in rows[HEAD_ROW + 1 :]} == {""}


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
    one, two = (write_workbook(tmp_path / name, listed, identities(listed), an_account(), NIGHT) for name in ("one.xlsx", "two.xlsx"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("text", ['=HYPERLINK("http://example.org","x")', "+1+1", "-1", "@SUM(A1)", "http://example.org", "{=1}", "0123"])
def test_no_text_is_run_linked_or_counted(tmp_path: Path, text: str) -> None:
    listed = a_list({"practice_name": text, "reasons": text})
    account = an_account(neighbourhood_name=text, coverage=text)
    path = write_workbook(tmp_path / "list.xlsx", listed, identities(listed), account, NIGHT)
    with zipfile.ZipFile(path) as archive:
        inside = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/"))
    assert "<f>" not in inside
    assert "<f " not in inside
    assert "<hyperlink" not in inside
    assert cells(path, "People")[HEAD_ROW + 1][5] == text


def test_everybody_listed_is_known_at_their_practice(tmp_path: Path) -> None:
    listed = a_list({}, {"practice_code": "A00002"})
    with pytest.raises(ContractBroken, match="1 of 2 listed people are not in the vault") as refused:
        write_workbook(tmp_path / "list.xlsx", listed, identities(listed), an_account(), NIGHT)
    assert "9990000018" not in str(refused.value)
    assert not list(tmp_path.iterdir()), "nothing half-written is left"


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
    assert [path.name for path in files] == [
        f"continuity_list_{area}_2024-07-01.{ending}" for area in ("N-02", "U00001", "U00009") for ending in ("csv", "parquet", "xlsx")
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {path.name for path in folder.iterdir()} == {path.name for path in files}
    lines = files[3].read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",")[:4] == ["nhs_number", "practice_code", "patient_id", "rank"]
    assert lines[1].startswith("9990000018,A00001,R0,1,")
    assert b"9990000018" not in files[4].read_bytes()
    assert pq.ParquetFile(files[4]).read().num_rows == 2
    # A team whose list is empty is told why.
    told = {row[0]: row[1] for row in cells(files[8], "Read this first") if row[0]}
    assert "31,000 are left out because their practice's Type 1 objections cannot be read" in told["Who is not"]


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
