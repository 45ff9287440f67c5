"""The door, night by night: what is new, unchanged, stale or never came, and that one practice's fault stays its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fuller_popheath.arrival.choice import plan
from fuller_popheath.arrival.correction_sheet import correction_rows, quarantine_summary, write_correction_sheet
from fuller_popheath.arrival.door import with_extracts
from fuller_popheath.arrival.files import survey
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import InputMissing

REGISTRATION = "core/registration"
BROKEN = "2026-08-01,P81001,,never,female,,,2001-01-01,,,"


def _people(night: Any, day: str) -> dict[str, int]:
    counted = night.store.read(REGISTRATION, date.fromisoformat(day)).group_by("practice_code").aggregate([("person_id", "count")])
    return dict(zip(counted["practice_code"].to_pylist(), counted["person_id_count"].to_pylist(), strict=True))


def _modified(night: Any) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in night.store.folder.rglob("*.parquet")}


def test_a_first_night_takes_every_practice(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60)
    landing.practice_list("P81002", people=40, start=1000)
    taken = night.take()
    assert night.states(taken) == {"P81001": "new", "P81002": "new"}
    assert _people(night, "2026-08-01") == {"P81001": 60, "P81002": 40}
    assert (taken.rows_read, taken.rows_accepted, taken.rows_quarantined) == (100, 100, 0)
    refuse_if_broken(taken.account, load_contract("core/practice_extract"))
    refuse_if_broken(night.store.read(REGISTRATION, date(2026, 8, 1)), load_contract(REGISTRATION))


def test_what_is_unchanged_is_not_read_again_and_keeps_its_account(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60, extra=[BROKEN])
    first = night.take()
    written = _modified(night)
    second = night.take("2026-08-02")
    assert night.states(second) == {"P81001": "unchanged"}
    assert _modified(night) == written
    row = night.row(second, "P81001")
    assert (row["rows_read"], row["rows_accepted"], row["rows_quarantined"], row["rows_in_use"], row["age_days"]) == (61, 60, 1, 60, 1)
    assert second.counts == first.counts == {"date_of_birth.type": 1}
    assert night.store.account("inbound/practice_list", date(2026, 8, 2)).equals(second.account)


def test_a_practice_that_sends_nothing_more_stands_on_its_last_good_list(landing: Any, night: Any) -> None:
    late = landing.practice_list("P81001", people=60)
    landing.practice_list("P81002", people=40, start=1000)
    night.take()
    late.unlink()
    landing.practice_list("P81002", day="2026-08-05", people=41, start=1000)
    taken = night.take("2026-08-05")
    assert night.states(taken) == {"P81001": "stale", "P81002": "new"}
    row = night.row(taken, "P81001")
    assert (row["age_days"], row["extract_date"], row["rows_in_use"]) == (4, date(2026, 8, 1), 60)
    assert row["reason"] == "nothing came; the extract of 2026-08-01 stands in"
    assert _people(night, "2026-08-05") == {"P81001": 60, "P81002": 41}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("halved", r"30 sound rows, 50\.0 % fewer than the 60 .* more than 5 % \(arrival\.shrunken_percent\)"),
        ("poor", r"10 of 60 rows break the contract inbound/practice_list, more than 5 % .*date_of_birth\.type: 10 rows"),
        ("empty", r"holds no rows for P81001"),
        ("damaged", r"reading it as|is damaged|cut short"),
    ],
)
def test_a_practice_whose_new_list_cannot_be_used_stands_on_the_last_good_one(landing: Any, night: Any, fault: str, said: str) -> None:
    landing.practice_list("P81001", people=60)
    landing.practice_list("P81002", people=40, start=1000)
    night.take()
    if fault == "damaged":
        import gzip

        whole = landing.practice_list("P81001", day="2026-08-02", people=5000, name="practice_lists/P81001_new.csv")
        packed = gzip.compress(whole.read_bytes())
        whole.unlink()
        (landing.folder / "practice_lists" / "P81001_new.csv.gz").write_bytes(packed[: len(packed) - 200])
        (landing.folder / "practice_lists" / "P81001.csv").unlink()
    else:
        people, extra = {"halved": (30, 0), "poor": (50, 10), "empty": (0, 0)}[fault]
        landing.practice_list("P81001", day="2026-08-02", people=people, extra=[BROKEN.replace("08-01", "08-02")] * extra)
    taken = night.take("2026-08-02")
    row = night.row(taken, "P81001")
    assert (row["state"], row["age_days"], row["rows_in_use"]) == ("stale", 1, 60)
    assert pc.match_substring_regex(row["reason"], said).as_py(), row["reason"]
    assert night.row(taken, "P81002")["state"] == "unchanged"
    assert _people(night, "2026-08-02") == {"P81001": 60, "P81002": 40}
    assert row["rows_read"] == row["rows_accepted"] + row["rows_quarantined"]


def test_an_older_list_of_the_folder_stands_in_for_a_newer_that_is_refused(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60, name="old.csv")
    landing.practice_list("P81001", day="2026-08-02", people=10, extra=[BROKEN] * 20, name="new.csv")
    taken = night.take("2026-08-02")
    assert night.row(taken, "P81001")["rows_in_use"] == 60
    assert night.states(taken) == {"P81001": "stale"}
    uses = {row["file_name"]: row["use"] for row in with_extracts(plan(survey(landing.folder)).table, [taken]).to_pylist()}
    assert uses == {"new.csv": "refused", "old.csv": "used"}


def test_the_newest_list_up_to_the_day_counts_and_of_later_ones_the_earliest(landing: Any, night: Any) -> None:
    for day, people in (("2026-07-01", 50), ("2026-08-01", 51), ("2026-09-01", 52)):
        landing.practice_list("P81001", day=day, people=people, name=f"{day}.csv")
    assert night.row(night.take("2026-08-15", site={"arrival": {"stale_after_days": 30}}), "P81001")["rows_in_use"] == 51
    early = night.row(night.take("2026-06-01"), "P81001")
    assert (early["rows_in_use"], early["age_days"]) == (50, 0)
    assert early["reason"] == "nothing up to 2026-06-01 is here; of what is later this is the earliest"


def test_an_old_list_is_stale_although_it_lies_there(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60)
    assert night.row(night.take("2026-08-08"), "P81001")["state"] == "new"
    row = night.row(night.take("2026-08-09"), "P81001")
    assert (row["state"], row["reason"]) == ("stale", "the newest extract is 8 days old, more than 7 (arrival.stale_after_days)")


def test_of_a_practice_that_is_not_ours_nothing_is_kept(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60)
    landing.practice_list("P89999", people=40, start=1000)
    taken = night.take(known=["P81001", "P81003"])
    assert night.states(taken) == {"P81001": "new", "P81003": "never", "P89999": "never"}
    assert "P89999 is not one of the practices here" in night.row(taken, "P89999")["reason"]
    assert _people(night, "2026-08-01") == {"P81001": 60}
    assert not list(night.folder.rglob("P89999"))
    assert night.take(known=["P81001", "P89999"]).account["rows_in_use"].to_pylist() == [60, 40]


def test_what_a_closed_practice_left_in_the_folder_is_left_out_and_is_no_fault_of_a_file(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60)
    landing.practice_list("P89999", people=40, start=1000)
    night.take(known=["P81001", "P89999"])
    taken = night.take("2026-08-02", known=["P81001"])
    assert _people(night, "2026-08-02") == {"P81001": 60}
    told = {use: reason for use, reason in taken.files.values() if use != "used"}
    assert list(told) == ["not used"]
    assert "P89999 is in no membership file any more" in str(told["not used"])
    assert night.row(taken, "P89999")["state"] == "never"


def test_one_file_may_hold_several_practices_and_each_stands_for_itself(landing: Any, night: Any) -> None:
    first = landing.practice_list("P81001", people=60)
    second = landing.practice_list("P81002", people=40, start=1000, extra=[BROKEN.replace("P81001", "P81002")] * 10)
    (landing.folder / "both.csv").write_text(first.read_text() + "".join(second.read_text().splitlines(keepends=True)[1:]))
    first.unlink()
    second.unlink()
    taken = night.take()
    assert night.states(taken) == {"P81001": "new", "P81002": "never"}
    assert night.row(taken, "P81002")["rows_quarantined"] == 10
    assert _people(night, "2026-08-01") == {"P81001": 60}
    assert (taken.rows_read, taken.rows_accepted + taken.rows_quarantined) == (110, 110)


def test_another_key_or_another_switch_reads_everything_again(landing: Any, night: Any) -> None:
    from fuller_popheath.people.pseudonyms import PseudonymKey

    landing.practice_list("P81001", people=60)
    night.take()
    before = set(night.store.read(REGISTRATION, date(2026, 8, 1))["person_id"].to_pylist())
    night.take("2026-08-02", key=PseudonymKey(b"another key, long enough too", version=2))
    assert not before & set(night.store.read(REGISTRATION, date(2026, 8, 2))["person_id"].to_pylist())
    assert len(list((night.store.folder / REGISTRATION / "parts" / "P81001").iterdir())) == 2


def test_a_landing_folder_of_another_name_keeps_the_last_good_extracts_of_the_store(landing: Any, night: Any) -> None:
    from fuller_popheath.arrival.extract_store import ExtractStore

    path = landing.practice_list("P81001", people=60)
    night.take()
    night.store = ExtractStore(night.store.folder, "landing of the next night")
    path.unlink()
    taken = night.take("2026-08-02")
    assert night.states(taken) == {"P81001": "stale"}
    assert night.row(taken, "P81001")["rows_in_use"] == 60


def test_parts_are_private_sorted_and_hold_no_identifier(landing: Any, night: Any, test_number: Any) -> None:
    landing.practice_list("P81001", people=60)
    landing.events("P81001", rows=90)
    night.take()
    night.take(table="clinical_event")
    numbers = [test_number(at).encode() for at in range(60)]
    parts = list(night.store.folder.rglob("*.parquet"))
    assert len(parts) == 3
    for part in parts:
        assert part.stat().st_mode & 0o777 == 0o600
        table = pq.read_table(part, partitioning=None)
        assert not {"nhs_number", "patient_id", "record_id"} & set(table.column_names)
        assert table["person_id"].to_pylist() == sorted(table["person_id"].to_pylist())
    for file in night.store.folder.rglob("*"):
        assert not file.is_file() or not any(number in file.read_bytes() for number in numbers)


def test_the_correction_sheet_names_rows_and_rules_and_no_value(landing: Any, night: Any, tmp_path: Path, test_number: Any) -> None:
    planted = test_number(0)
    landing.practice_list("P81001", people=60, extra=[f"2026-08-01,P81001,,1950-05-12,{planted},,,2001-01-01,,,", "cut,short"])
    landing.practice_list("P81002", people=60, start=1000, extra=[BROKEN.replace("P81001", "P81002")])
    night.take()
    summary = quarantine_summary(night.quarantine)
    assert [(row["practice_code"], row["rule"], row["rows"]) for row in summary] == [
        ("P81001", "row.shape", 1),
        ("P81001", "sex.allowed", 1),
        ("P81002", "date_of_birth.type", 1),
    ]
    assert [row["practice_code"] for row in quarantine_summary(night.quarantine, "P81002")] == ["P81002"]
    rows = correction_rows(night.quarantine, "P81001").to_pylist()
    assert [(row["row"], row["rule"]) for row in rows] == [(62, "sex.allowed"), (63, "row.shape")]
    sheet, book = write_correction_sheet(night.quarantine, "P81001", tmp_path / "sheets")
    assert planted not in sheet.read_text() and sheet.read_text().count("\n") == 3
    from python_calamine import CalamineWorkbook

    cells = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
    assert [row[2:4] for row in cells[1:]] == [[62.0, "sex.allowed"], [63.0, "row.shape"]]
    with pytest.raises(InputMissing, match="nothing of P81003 is in quarantine"):
        write_correction_sheet(night.quarantine, "P81003", tmp_path / "sheets")


def test_a_stray_row_of_one_practice_in_another_s_file_is_not_its_list(landing: Any, night: Any) -> None:
    whole = landing.practice_list("P81001", people=60, name="z.csv")
    stray = whole.read_text().splitlines()[1]
    landing.practice_list("P81002", people=60, start=9000, extra=[stray], name="a.csv")
    taken = night.take()
    assert _people(night, "2026-08-01") == {"P81001": 60, "P81002": 60}
    assert night.states(taken) == {"P81001": "new", "P81002": "new"}


def test_an_objection_is_never_withheld_however_confidential(landing: Any, night: Any, test_number: Any) -> None:
    """An entry that its system marks confidential stays out; a Type 1 dissent so marked is honoured all the same."""
    entry = "2026-08-01,P81001,p1,{},{},2025-03-01,,synthetic,{},,,true".format
    hidden = [entry(test_number(1), "x1", "z.asthma.1"), entry(test_number(1), "x2", "z.type_1_dissent.1")]
    landing.events("P81001", rows=20, extra=hidden)
    taken = night.take(table="clinical_event")
    assert (taken.rows_accepted, night.row(taken, "P81001")["rows_in_use"]) == (22, 21)
    kept = [code for code in night.store.read("core/event", date(2026, 8, 1))["code"].to_pylist() if "dissent" in code]
    assert kept == ["z.type_1_dissent.1"]


def test_a_slip_in_an_optional_column_costs_the_cell_and_never_the_person(landing: Any, night: Any, test_number: Any) -> None:
    planted = test_number(0)
    slips = [
        f"2026-08-01,P81001,{test_number(5000)},1950-05-12,female,White British,E01000001,2001-01-01,,,",
        f"2026-08-01,P81001,{test_number(5001)},1951-05-12,male,A,Lancaster,2001-01-01,,{planted},",
    ]
    landing.practice_list("P81001", people=60, extra=[*slips, BROKEN])
    landing.practice_list("P81002", people=60, start=1000)
    taken = night.take()
    assert (taken.rows_read, taken.rows_accepted, taken.rows_quarantined) == (123, 122, 1)
    assert taken.cells_blanked == {"ethnic_category.allowed": 1, "lsoa_code.pattern": 1, "usual_gp_code.pattern": 1}
    assert taken.counts == {"date_of_birth.type": 1}
    row = night.row(taken, "P81001")
    assert (row["rows_in_use"], row["cells_blanked"], night.row(taken, "P81002")["cells_blanked"]) == (62, 3, 0)
    assert _people(night, "2026-08-01") == {"P81001": 62, "P81002": 60}
    assert not any(
        planted.encode() in file.read_bytes() or b"Lancaster" in file.read_bytes() for file in night.store.folder.rglob("*") if file.is_file()
    )
    (kept,) = [pq.read_table(path, partitioning=None) for path in night.quarantine.rglob("*.parquet")]
    assert [(row["_row"], row["_blanked"], row["broken_rules"]) for row in kept.to_pylist()] == [
        (62, True, ["ethnic_category.allowed"]),
        (63, True, ["lsoa_code.pattern", "usual_gp_code.pattern"]),
        (64, False, ["date_of_birth.type"]),
    ]
    assert kept["ethnic_category"].to_pylist()[0] == "WHITE BRITISH", "as it was read"
    told = {each["rule"]: each["rows"] for each in quarantine_summary(night.quarantine)}
    assert told["ethnic_category.allowed (cell left empty)"] == 1
    sheet = {(row["row"], row["rule"]): row["what_it_asks"] for row in correction_rows(night.quarantine, "P81001").to_pylist()}
    assert sheet[62, "ethnic_category.allowed"].endswith("The row is in use without this cell.")
    assert not sheet[64, "date_of_birth.type"].endswith("without this cell.")
    again = night.take("2026-08-02")
    assert again.cells_blanked == taken.cells_blanked, "of an extract that is not read again the account is kept"


def test_slips_in_one_row_of_twenty_are_no_slips_and_the_last_good_list_stands(landing: Any, night: Any, test_number: Any) -> None:
    landing.practice_list("P81001", people=60)
    night.take()
    slips = [f"2026-08-02,P81001,{test_number(5000 + at)},1950-05-12,female,British,E01000001,2001-01-01,,," for at in range(10)]
    landing.practice_list("P81001", day="2026-08-02", people=60, extra=slips)
    row = night.row(night.take("2026-08-02"), "P81001")
    assert (row["state"], row["rows_in_use"], row["rows_quarantined"], row["cells_blanked"]) == ("stale", 60, 0, 10)
    assert "10 of 70 rows break the contract inbound/practice_list, more than 5 %" in row["reason"]
    assert "ethnic_category.allowed: 10 rows" in row["reason"]
