"""Reading what was chosen: nothing lost, quarantine kept privately, a poor file refused while the others go on."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fuller_popheath.arrival.landing import Arrival, Arrived, plan, read_and_check, read_file, survey
from fuller_popheath.arrival.quarantine import quarantine_path
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import FileRefused, InputMissing
from fuller_popheath.site import ArrivalLimits

REGISTRATIONS = "reference/practice_lsoa_count"
LISTS = "inbound/practice_list"


def _plan(landing: Any, as_of: date | None = None) -> Arrival:
    return plan(survey(landing.folder), as_of)


def _adds_up(arrived: Arrived) -> None:
    assert arrived.rows_read == arrived.rows_accepted + arrived.rows_quarantined
    assert arrived.table.num_rows == arrived.rows_accepted
    used = [outcome for outcome in arrived.files if outcome.is_used]
    assert sum(outcome.rows_read for outcome in used) == arrived.rows_read
    assert all(outcome.rows_read == outcome.rows_accepted + outcome.rows_quarantined for outcome in used)


def test_a_sound_file_is_read_whole_and_typed(landing: Any, quarantine: Path) -> None:
    landing.registrations(rows=40)
    arrived = read_and_check(_plan(landing), REGISTRATIONS, quarantine)
    _adds_up(arrived)
    assert arrived.table.schema.equals(load_contract(REGISTRATIONS).schema)
    assert (arrived.rows_accepted, arrived.counts, pc.sum(arrived.table["registered_count"]).as_py()) == (40, {}, 400)
    assert not quarantine.exists()


def test_every_way_to_write_an_area_code_is_accepted(landing: Any) -> None:
    """NO2011, CLOSED and Welsh codes are values, and small counts are published as they are."""
    extra = [f"GP_PRAC_PAT_LIST,01Jul2022,A81001,THE SURGERY,{code},ALL,1" for code in ("NO2011", "CLOSED", "W01000001", "S01006506", "95AA01S1")]
    landing.registrations(rows=20, extra=extra)
    assert read_and_check(_plan(landing), REGISTRATIONS).rows_accepted == 25


def test_rows_for_all_and_for_each_sex_are_all_delivered(landing: Any) -> None:
    """Who is counted twice is decided where counts are made, with every row at hand."""
    extra = [f"GP_PRAC_PAT_LIST,01Jul2022,A81001,THE SURGERY,E01000000,{sex},5" for sex in ("MALE", "FEMALE")]
    landing.registrations(rows=20, extra=extra)
    arrived = read_and_check(_plan(landing), REGISTRATIONS)
    assert sorted(arrived.table.filter(pc.equal(arrived.table["lsoa_code"], "E01000000"))["sex"].to_pylist()) == ["ALL", "FEMALE", "MALE"]


def test_two_files_of_one_sex_each_are_one_table(landing: Any) -> None:
    landing.registrations("men.csv", sex="MALE", rows=30)
    landing.registrations("women.csv", sex="FEMALE", rows=25)
    arrived = read_and_check(_plan(landing), REGISTRATIONS)
    _adds_up(arrived)
    assert [(outcome.file.file_name, outcome.rows_accepted) for outcome in arrived.files] == [("men.csv", 30), ("women.csv", 25)]


def test_a_membership_that_ends_on_the_day_the_next_starts_is_no_overlap(landing: Any) -> None:
    """F82001 ends in one PCN and starts in the other on the same day."""
    landing.epcn("ePCN_2022-04-27.xlsx", [("F82001", "U11111", "20191001", "20200831"), ("F82001", "U22222", "20200831", "")])
    arrived = read_and_check(_plan(landing, date(2022, 7, 1)), "reference/pcn_membership")
    assert (arrived.rows_accepted, arrived.rows_quarantined) == (2, 0)
    assert set(arrived.table["membership_snapshot"].to_pylist()) == {"2022-04-27"}


def test_unallocated_is_a_value_and_names_may_repeat(landing: Any) -> None:
    """Traps 4 and 5."""
    path = landing.practice_map("map.csv", "01Aug2026", practices=4)
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace("U12345,NORTH PCN", "U,UNALLOCATED")
    lines[2] = lines[2].replace("U12345", "U54321").replace(",QHM,", ",D7T5G,")
    path.write_text("\n".join(lines) + "\n")
    arrived = read_and_check(_plan(landing, date(2026, 8, 1)), "reference/practice_map")
    assert arrived.rows_quarantined == 0
    assert sorted(arrived.table["pcn_code"].to_pylist()) == ["U", "U12345", "U12345", "U54321"]
    assert arrived.table["pcn_name"].to_pylist().count("NORTH PCN") == 3


def test_broken_rows_are_kept_as_read_with_their_number_and_rules(landing: Any, quarantine: Path) -> None:
    landing.registrations(rows=200, extra=["GP,01Jul2022,A81001,THE SURGERY,E01999999,ALL,about ten", "GP,01Jul2022,A81001", "GP,1,2,3,4,5,6,7,8"])
    arrival = _plan(landing)
    arrived = read_and_check(arrival, REGISTRATIONS, quarantine)
    _adds_up(arrived)
    assert (arrived.rows_read, arrived.rows_quarantined) == (203, 3)
    assert arrived.counts == {"registered_count.type": 1, "row.shape": 2}
    (outcome,) = arrived.files
    path = quarantine_path(quarantine, REGISTRATIONS, arrival.used[REGISTRATIONS][0].content_hash)
    assert outcome.quarantined_in == path
    assert outcome.counts == arrived.counts
    rows = pq.read_table(path).to_pylist()
    assert [(row["_row"], row["broken_rules"]) for row in rows] == [(202, ["registered_count.type"]), (203, ["row.shape"]), (204, ["row.shape"])]
    assert rows[0]["registered_count"] == "about ten"
    assert rows[1]["_shape"] == "GP,01Jul2022,A81001"


def test_quarantine_is_readable_by_its_owner_only(landing: Any, quarantine: Path) -> None:
    landing.registrations(rows=100, extra=["GP,01Jul2022,A81001,S,E01999999,ALL,ten"])
    (outcome,) = read_and_check(_plan(landing), REGISTRATIONS, quarantine).files
    assert outcome.quarantined_in is not None
    assert stat.S_IMODE(outcome.quarantined_in.stat().st_mode) == 0o600
    for folder in (quarantine, quarantine / "reference", quarantine / "reference" / "practice_lsoa_count"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in outcome.quarantined_in.parent.iterdir()] == [outcome.quarantined_in.name]


def test_quarantine_goes_when_the_same_file_has_nothing_to_put_there(landing: Any, quarantine: Path) -> None:
    landing.registrations(rows=30)
    arrival = _plan(landing)
    stale = quarantine_path(quarantine, REGISTRATIONS, arrival.used[REGISTRATIONS][0].content_hash)
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"from a time when the contract was stricter")
    read_and_check(arrival, REGISTRATIONS, quarantine)
    assert not stale.exists()


def test_a_file_with_too_many_broken_rows_is_refused_whole_with_counts(landing: Any, quarantine: Path) -> None:
    landing.registrations(rows=90, extra=[f"GP,01Jul2022,A81001,S,E01{at:06d},ALL,-3" for at in range(500, 510)])
    arrival = _plan(landing)
    said = r"reg\.csv: 10 of 100 rows break the contract reference/.* 5 % .*registered_count\.range: 10 rows; the rows are in quarantine"
    with pytest.raises(FileRefused, match=said):
        read_and_check(arrival, REGISTRATIONS, quarantine)
    assert quarantine_path(quarantine, REGISTRATIONS, arrival.used[REGISTRATIONS][0].content_hash).is_file()
    assert read_and_check(arrival, REGISTRATIONS, limits=ArrivalLimits(max_quarantined_percent=10)).rows_accepted == 90


def test_if_the_women_are_refused_the_men_do_not_stand_for_everyone(landing: Any) -> None:
    landing.registrations("men.csv", sex="MALE", rows=30)
    landing.registrations("women.csv", sex="FEMALE", rows=5, extra=["GP,01Jul2022,A81001,S,E01999999,FEMALE,many"])
    with pytest.raises(FileRefused, match=r"^women\.csv: 1 of 6 rows"):
        read_and_check(_plan(landing), REGISTRATIONS)


def test_what_has_not_arrived_is_said_with_what_was_expected(landing: Any) -> None:
    landing.registrations()
    with pytest.raises(InputMissing, match=r"reference/imd_2019: no file for it .*expected IMD 2019 by LSOA 2011"):
        read_and_check(_plan(landing), "reference/imd_2019")


def test_one_file_by_name_is_read_as_what_it_is_given_for(landing: Any, quarantine: Path) -> None:
    arrived = read_file(landing.imd("imd.csv"), ("reference/imd_2019", "reference/imd_2025"), quarantine)
    assert (arrived.contract_id, arrived.rows_accepted) == ("reference/imd_2019", 40)
    arrived = read_file(landing.imd("imd25.csv", "2021", "2024"), ("reference/imd_2019", "reference/imd_2025"))
    assert arrived.contract_id == "reference/imd_2025"


@pytest.mark.parametrize(
    ("maker", "asked", "said"),
    [
        ("practice_map", "reference/imd_2019", r"^map\.csv: expected IMD 2019 .*; found the practice map \(gp-reg-pat-prac-map\.csv.*use it where"),
        ("imd_2025", "reference/imd_2019", r"^imd\.csv: expected IMD 2019 by LSOA 2011.*; found IMD 2025 by LSOA 2021"),
        ("imd_2015", "reference/imd_2019", r"^imd\.csv: looks like IMD 2015"),
        ("imd_2015", "reference/imd_2025", r"^imd\.csv: expected IMD 2025 .*; found this: imd\.csv: looks like IMD 2015"),
        ("unknown", "reference/imd_2025", r"^x\.csv: expected IMD 2025 .*; found a CSV with 2 columns: TITLE_ID, NOTE_CODE$"),
        ("missing", "reference/imd_2025", r"^gone\.csv: there is no such file"),
        ("folder", "reference/imd_2025", r"^landing: there is no such file"),
    ],
)
def test_one_file_that_is_something_else_says_what_was_expected_and_found(landing: Any, maker: str, asked: str, said: str) -> None:
    makers = {
        "practice_map": lambda: landing.practice_map("map.csv", "01Jan2022"),
        "imd_2025": lambda: landing.imd("imd.csv", "2021", "2024"),
        "imd_2015": lambda: landing.imd("imd.csv", "2011", "2013"),
        "unknown": lambda: landing.lines("x.csv", ["TITLE_ID,NOTE_CODE", "1,2"]),
        "missing": lambda: landing.folder / "gone.csv",
        "folder": lambda: landing.folder,
    }
    with pytest.raises(FileRefused, match=said):
        read_file(makers[maker](), asked)


@pytest.mark.open_data
def test_the_published_files_break_no_rule_of_their_contracts(open_data: Path, quarantine: Path) -> None:
    arrival = plan(survey(open_data))
    read = {contract: read_and_check(arrival, contract, quarantine) for contract in arrival.used}
    assert {contract: arrived.rows_quarantined for contract, arrived in read.items()} == dict.fromkeys(read, 0)
    # Rows as ../shared/data/README.md gives them.
    rows = {contract: arrived.rows_read for contract, arrived in read.items()}
    assert rows[REGISTRATIONS] == 865_965
    assert rows["reference/practice_map"] == 6_527
    assert rows["reference/pcn_membership"] == 7_359
    assert (rows["reference/imd_2019"], rows["reference/imd_2025"]) == (32_844, 33_755)
    assert pc.sum(read[REGISTRATIONS].table["registered_count"]).as_py() == 61_768_942
    assert not quarantine.exists()
