"""Hospital Episode Statistics: the artificial samples come whole; episodes of one stay become one spell; strange cells are null or quarantined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import check, load_contract
from fuller_popheath.errors import FileRefused
from fuller_popheath.sources import hes
from fuller_popheath.sources.opening import heads
from fuller_popheath.specs import FileHead

Files = Mapping[str, tuple[FileHead, ...]]
NO_LISTS = codelist(())

APC = "artificial_hes_apc_0102_truncated.csv"
AE = "artificial_hes_ae_0708_truncated.csv"
OP = "artificial_hes_op_0304_truncated.csv"

EPISODES = (
    "FYEAR,PSEUDO_HESID,EPIKEY,ADMIDATE,EPISTART,EPIORDER,ADMIMETH,DISDATE,PROCODE3,GPPRAC,DIAG_4_01,DIAG_4_02,DIAG_4_03",
    "0102,A,102,2001-05-01,2001-05-03,2,21,2001-05-09,RXN,P81001,I501,I10X,-",
    "0102,A,101,2001-05-01,2001-05-01,1,22,,RXN,&,J440,I10X,",
    "0102,A,103,2001-05-01,2001-05-01,1,11,2001-05-02,RTX,P81001,M15-,,",
    "0102,B,104,1801-01-01,2001-06-01,1,11,1800-01-01,RXN,P81001,R69X6,,",
    "0102,B,105,1801-01-01,2001-06-01,1,11,,RXN,P81001,R69X,,",
    "0102,C,106,2001-07-01,2001-07-01,99,21,,RXN,P81001,0000,,",
    "0102,C,107,2001-07-01,2001-07-04,98,12,2001-07-05,RXN,P81001,-  ,K250,",
)


def of(path: Path) -> Files:
    head = heads(path)[0]
    name = hes.recognise(head)
    assert name
    return {name: (head,)}


def spells(files: Files) -> dict[str, dict[str, Any]]:
    return {row["record_id"]: row for row in hes.read("inbound/hospital_spell", files, NO_LISTS).to_pylist()}


@pytest.fixture
def episodes(write_csv: Callable[..., Path]) -> Files:
    return of(write_csv("episodes.csv", EPISODES))


def test_the_artificial_samples_come_whole(synthetic_data: Path) -> None:
    """2,075 episodes and 1,000 attendances, as many as the files hold; four episodes have a cell that cannot be put right."""
    folder = synthetic_data / "artificial_hes"
    for name, contract, rows, refused, day in (
        (APC, "inbound/hospital_spell", 2075, 4, date(2002, 3, 31)),
        (AE, "inbound/ed_attendance", 1000, 0, date(2008, 3, 31)),
    ):
        files = of(folder / name)
        assert hes.extract_date(files) == day
        checked = check(hes.read(contract, files, NO_LISTS), load_contract(contract))
        assert checked.rows_read == checked.accepted.num_rows + checked.quarantined.num_rows == rows
        assert checked.quarantined.num_rows == refused
        assert hes.unmapped(files).num_rows == 0


def test_outpatients_are_counted_as_not_mapped(synthetic_data: Path) -> None:
    files = of(synthetic_data / "artificial_hes" / OP)
    assert list(files) == ["OP"]
    assert not [contract for contract, needs in hes.SUPPLIER.needs.items() if set(needs) <= set(files)]
    assert hes.unmapped(files).to_pylist() == [{"vocabulary": None, "code": None, "table": "OP", "rows": 1000}]


def test_emergency_admissions_of_the_sample_are_those_of_its_methods(synthetic_data: Path) -> None:
    """Counted in the file itself: methods 21, 22, 23, 24 and 28 in 431, 242, 24, 35 and 85 rows."""
    rows = spells(of(synthetic_data / "artificial_hes" / APC)).values()
    assert sum(row["admission_method"] in {"21", "22", "23", "24", "28"} for row in rows) == 431 + 242 + 24 + 35 + 85


def test_the_first_episode_stands_for_the_spell(episodes: Files) -> None:
    found = spells(episodes)
    assert len(found) == len(EPISODES) - 1
    first = found["101"]
    assert (first["_removed"], found["102"]["_removed"]) == (None, "folded_into_spell")
    assert (first["admission_method"], first["primary_diagnosis_code"]) == ("22", "J440")
    assert first["diagnosis_codes"] == "J440;I10;I501"
    assert first["discharge_date"] == "2001-05-09"
    # The same day at another provider is another spell.
    assert (found["103"]["_removed"], found["103"]["primary_diagnosis_code"]) == (None, "M15")


def test_an_episode_whose_order_is_not_known_comes_by_its_start(episodes: Files) -> None:
    found = spells(episodes)
    assert (found["106"]["_removed"], found["107"]["_removed"]) == (None, "folded_into_spell")
    assert found["106"]["diagnosis_codes"] == "0000;K250"


def test_strange_cells_are_null_or_quarantined_and_no_row_is_lost(episodes: Files) -> None:
    table = hes.read("inbound/hospital_spell", episodes, NO_LISTS)
    found = {row["record_id"]: row for row in table.to_pylist()}
    assert found["101"]["practice_code"] is None
    assert found["104"]["discharge_date"] is None
    # Two stays of one person whose days are not known are not one stay.
    assert (found["104"]["_removed"], found["105"]["_removed"]) == (None, None)
    checked = check(table, load_contract("inbound/hospital_spell"))
    assert checked.rows_read == checked.accepted.num_rows + checked.quarantined.num_rows == 7
    assert set(checked.quarantined["record_id"].to_pylist()) == {"104", "105", "106"}


def test_an_attendance(write_csv: Callable[..., Path]) -> None:
    header = "FYEAR,PSEUDO_HESID,AEKEY,ARRIVALDATE,AEATTENDCAT,AEDEPTTYPE,AEATTENDDISP,PROCODE3,GPPRAC"
    lines = ("0708,A,1,2008-01-01,1,01,01,RXN,P81001", "0708,A,2,1800-01-01,1,99,03,RXN,&", "0708,B,3,2008-01-02,1,3,99,RXN,&")
    files = of(write_csv("attendances.csv", (header, *lines)))
    rows = hes.read("inbound/ed_attendance", files, NO_LISTS).to_pylist()
    assert [(row["department_type"], row["is_admitted"], row["arrival_date"]) for row in rows] == [
        ("1", True, "2008-01-01"),
        (None, False, None),
        ("3", None, "2008-01-02"),
    ]


@pytest.mark.parametrize(
    ("year", "day"), [("0102", date(2002, 3, 31)), ("9900", date(2000, 3, 31)), ("8990", date(1990, 3, 31)), ("200708", date(2008, 3, 31))]
)
def test_the_day_is_the_end_of_the_year_of_the_data(write_csv: Callable[..., Path], year: str, day: date) -> None:
    assert hes.extract_date(of(write_csv("e.csv", [line.replace("0102,", f"{year},") for line in EPISODES]))) == day


def test_a_file_that_says_no_year_is_refused(write_csv: Callable[..., Path]) -> None:
    files = of(write_csv("e.csv", [line.replace("0102,", "0105,") for line in EPISODES]))
    with pytest.raises(FileRefused, match=r"e\.csv: says nowhere of which year it is"):
        hes.read("inbound/hospital_spell", files, NO_LISTS)


def test_no_other_file_is_taken_for_one(write_csv: Callable[..., Path]) -> None:
    assert hes.recognise(heads(write_csv("x.csv", ("PSEUDO_HESID,SEX", "A,1")))[0]) is None


def test_an_unfinished_episode_is_no_record_of_this_year(write_csv: Callable[..., Path]) -> None:
    """EPISTAT 1 (and 9): the finished episodes of the stay stay, and one that has not been discharged is known to be open at the end of the year."""
    header = "FYEAR,PSEUDO_HESID,EPIKEY,ADMIDATE,EPIORDER,EPISTAT,ADMIMETH,DISDATE,PROCODE3,GPPRAC,DIAG_4_01"
    lines = (
        "0102,A,1,2002-03-20,1,1,21,,RXN,,I501",
        "0102,A,2,2002-03-20,2,3,21,,RXN,,J440",
        "0102,B,3,2002-03-25,1,9,21,,RXN,,K250",
        "0102,C,4,2002-03-01,1,3,21,2002-03-05,RXN,,K250",
    )
    found = spells(of(write_csv("unfinished.csv", (header, *lines))))
    assert {record: row["_removed"] for record, row in found.items()} == {"1": "unfinished_episode", "2": None, "3": "unfinished_episode", "4": None}
    assert [(found[record]["diagnosis_codes"], found[record]["recorded_date"]) for record in ("2", "4")] == [("J440", "2002-03-31"), ("K250", None)]


def test_unfinished_episodes_of_the_sample_are_told_apart(synthetic_data: Path) -> None:
    """Counted in the file itself: 16 rows of EPISTAT 1 among 2,075."""
    rows = spells(of(synthetic_data / "artificial_hes" / APC)).values()
    assert sum(row["_removed"] == "unfinished_episode" for row in rows) == 16
