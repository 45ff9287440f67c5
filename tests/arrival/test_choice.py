"""Which file counts for a day: the newest up to it, of one day the richest; every other one says why not."""

from __future__ import annotations

import shutil
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath.arrival.landing import Arrival, plan, survey
from fuller_popheath.errors import InputMissing

REGISTRATIONS = "reference/practice_lsoa_count"


def _plan(landing: Any, as_of: date | None = None) -> Arrival:
    return plan(survey(landing.folder), as_of)


def _used(arrival: Arrival, contract: str) -> list[str]:
    return [file.file_name for file in arrival.used.get(contract, ())]


def _rows(arrival: Arrival) -> dict[str, tuple[str, str | None]]:
    return {row["file_name"]: (row["use"], row["reason"]) for row in arrival.table.to_pylist()}


def test_the_day_is_the_newest_extract_date_of_any_registrations(landing: Any) -> None:
    landing.registrations("july.csv", "01Jul2022")
    landing.registrations("april.csv", "01Apr2022")
    landing.practice_map("map.csv", "01Aug2026")
    assert _plan(landing).as_of == date(2022, 7, 1)
    landing.practice_list("A81001", "2022-09-30")
    assert _plan(landing).as_of == date(2022, 9, 30)


def test_the_newest_file_up_to_the_day_counts_and_the_others_say_why_not(landing: Any) -> None:
    landing.registrations("july.csv", "01Jul2022")
    landing.registrations("april.csv", "01Apr2022")
    landing.registrations("october.csv", "01Oct2022")
    arrival = _plan(landing, date(2022, 9, 1))
    assert _used(arrival, REGISTRATIONS) == ["july.csv"]
    assert _rows(arrival) == {
        "april.csv": ("not used", "is of 2022-04-01, older than july.csv of 2022-07-01"),
        "july.csv": ("used", None),
        "october.csv": ("not used", "is of 2022-10-01, after 2022-09-01; july.csv is used"),
    }


def test_where_everything_is_later_the_earliest_counts_and_says_so(landing: Any) -> None:
    landing.practice_map("a.csv", "01Aug2026")
    landing.practice_map("b.csv", "01Aug2025")
    arrival = _plan(landing, date(2022, 7, 1))
    assert _used(arrival, "reference/practice_map") == ["b.csv"]
    assert _rows(arrival)["b.csv"] == ("used", "nothing up to 2022-07-01 is here; of what is later this is the earliest")


def test_the_membership_snapshot_is_chosen_by_the_day_it_was_saved(landing: Any) -> None:
    """History as at a day differs between workbooks."""
    rows = [("A81001", "U12345", "20191001", "")]
    landing.epcn("ePCN_2022-04-27.xlsx", rows)
    landing.epcn("ePCN_2023-01-26.xlsx", rows)
    assert _used(_plan(landing, date(2022, 7, 1)), "reference/pcn_membership") == ["ePCN_2022-04-27.xlsx"]
    assert _used(_plan(landing, date(2023, 7, 1)), "reference/pcn_membership") == ["ePCN_2023-01-26.xlsx"]


def test_of_files_without_a_day_the_richest_counts_per_edition_and_vintage(landing: Any) -> None:
    landing.registrations()
    landing.imd("file_1.csv")
    landing.imd("file_7.csv", scores=True)
    landing.imd("file_1_2025.csv", "2021", "2024")
    landing.boundaries("small.geojson", "21", shapes=2)
    landing.boundaries("large.geojson", "21", shapes=5)
    landing.boundaries("old.geojson", "11", shapes=1)
    arrival = _plan(landing)
    assert _used(arrival, "reference/imd_2019") == ["file_7.csv"]
    assert _used(arrival, "reference/imd_2025") == ["file_1_2025.csv"]
    assert _used(arrival, "reference/lsoa_boundary") == ["large.geojson", "old.geojson"]
    assert _rows(arrival)["small.geojson"] == ("not used", "large.geojson holds as much or more")


def _taken_in(arrival: Any) -> list[str]:
    """The extracts that the door is to try first."""
    return sorted(name for name, (use, _) in _rows(arrival).items() if use == "used")


def test_each_practice_has_its_own_newest_list(landing: Any) -> None:
    landing.practice_list("P81001", "2026-08-01")
    landing.practice_list("P81001", "2026-07-31", name="practice_lists/P81001_old.csv")
    landing.practice_list("P81002", "2026-07-30", start=1000)
    arrival = _plan(landing)
    assert arrival.as_of == date(2026, 8, 1)
    assert _taken_in(arrival) == ["practice_lists/P81001.csv", "practice_lists/P81002.csv"]
    assert "inbound/practice_list" not in arrival.used  # the door reads extracts


def test_lists_whose_practice_cannot_be_told_do_not_push_each_other_out(landing: Any) -> None:
    landing.practice_list("P81001", "2026-08-01")
    for start, name in ((100, "a.csv"), (200, "b.csv")):
        landing.practice_list("nonsense", "2026-08-01", people=3, start=start, name=f"practice_lists/{name}")
    assert len(_taken_in(_plan(landing))) == 3


def test_a_copy_is_not_counted_twice(landing: Any) -> None:
    first = landing.practice_list("P81001")
    shutil.copy(first, first.with_name("P81001 (copy).csv"))
    arrival = _plan(landing)
    assert len(_taken_in(arrival)) == 1
    assert sorted(use for use, _ in _rows(arrival).values()) == ["not used", "used"]
    assert "has the same content as practice_lists/P81001 (copy).csv" in str(_rows(arrival))


def test_files_of_one_sex_count_together_or_not_at_all(landing: Any) -> None:
    """Taken for everyone, a file of men alone would halve every list."""
    landing.registrations("men.csv", "01Jul2022", sex="MALE")
    with pytest.raises(InputMissing, match=r"men\.csv is a part only \(MALE\), and the file of the same day for FEMALE is not here"):
        _plan(landing)
    landing.registrations("women.csv", "01Jul2022", sex="FEMALE")
    assert _used(_plan(landing), REGISTRATIONS) == ["men.csv", "women.csv"]
    landing.registrations("all.csv", "01Jul2022")
    arrival = _plan(landing)
    assert _used(arrival, REGISTRATIONS) == ["all.csv"]
    assert _rows(arrival)["men.csv"] == ("not used", "is a part only, and the whole of the same day is here")


def test_men_of_a_later_day_do_not_displace_everyone_of_an_earlier(landing: Any) -> None:
    landing.registrations("all.csv", "01Jul2022")
    landing.registrations("men.csv", "01Oct2022", sex="MALE")
    arrival = _plan(landing)
    assert (arrival.as_of, _used(arrival, REGISTRATIONS)) == (date(2022, 7, 1), ["all.csv"])


def test_every_file_is_in_the_account(landing: Any, tmp_path: Path) -> None:
    landing.registrations()
    landing.lines("notes.csv", ["TITLE_ID,NOTE_CODE", "1,2"])
    (landing.folder / "readme.pdf").write_bytes(b"%PDF")
    (landing.folder / "empty.csv").write_bytes(b"")
    (landing.folder / ".gitkeep").write_bytes(b"")
    (landing.folder / "~$open.xlsx").write_bytes(b"lock")
    with zipfile.ZipFile(landing.folder / "release.zip", "w") as archive:
        archive.write(landing.practice_map("map.csv", "01Jan2022"), "inside/map.csv")
        archive.writestr("inside/other.csv", "TITLE_ID,NOTE_CODE\n1,2\n")
    (landing.folder / "map.csv").unlink()
    arrival = _plan(landing)
    accounted = {(row["file_name"], row["member"]): row["use"] for row in arrival.table.to_pylist()}
    assert accounted == {
        ("reg.csv", ""): "used",
        ("notes.csv", ""): "not recognised",
        ("readme.pdf", ""): "not recognised",
        ("empty.csv", ""): "refused",
        ("release.zip", "inside/map.csv"): "used",
    }
    assert "is none of the layouts that are read here" in str(_rows(arrival)["notes.csv"][1])
    assert "found a CSV with 2 columns: TITLE_ID, NOTE_CODE" in str(_rows(arrival)["notes.csv"][1])


def test_the_hash_of_a_file_is_that_of_its_bytes(landing: Any) -> None:
    import hashlib

    path = landing.registrations()
    (file,) = survey(landing.folder)
    assert file.content_hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.size_bytes == path.stat().st_size


def test_without_registrations_the_day_must_be_given_and_what_was_refused_is_named(landing: Any) -> None:
    landing.practice_map("map.csv", "01Jan2022")
    (landing.folder / "reg.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(
        InputMissing, match=r"among the 2 files .*give --as-of\. What is wrong with others: reg\.zip: the zip or workbook is cut short"
    ):
        _plan(landing)
    assert _used(_plan(landing, date(2022, 7, 1)), "reference/practice_map") == ["map.csv"]


def test_a_slip_in_the_first_row_s_date_does_not_move_the_night(landing: Any) -> None:
    landing.registrations("july.csv", "01Jul2022")
    landing.registrations("slip.csv", "01Jul9022")
    arrival = _plan(landing)
    assert (arrival.as_of, _used(arrival, REGISTRATIONS)) == (date(2022, 7, 1), ["july.csv"])
    assert _rows(arrival)["slip.csv"] == ("not used", "does not say of which day it is; july.csv does")


def test_a_missing_or_empty_folder_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="the landing folder nowhere is not there"):
        survey(tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputMissing, match="among the 0 files"):
        plan(survey(tmp_path / "bare"))
    assert plan((), date(2022, 7, 1)).table.num_rows == 0


@pytest.mark.open_data
def test_the_choice_among_the_published_files(open_data: Path) -> None:
    arrival = plan(survey(open_data))
    assert arrival.as_of == date(2022, 7, 1)
    names = {contract: [file.file_name for file in files] for contract, files in arrival.used.items()}
    (lookup,) = open_data.glob("LSOA_(2011)_to_LSOA_(2021)*")
    assert names == {
        REGISTRATIONS: ["gp-reg-pat-prac-lsoa-all_2022-07.zip"],
        "reference/practice_map": ["gp-reg-pat-prac-map_2022-01.csv"],
        "reference/pcn_membership": ["ePCN_2022-04-27.xlsx"],
        "reference/organisation": ["epraccur_2023-02.csv.gz"],
        "reference/pcn_workforce": ["Primary_Care_Networks_June_2022_Individual_Level.csv.gz"],
        "reference/gp_workforce": ["practice_gp_fte_by_year.csv.gz"],
        "reference/practice_payment": ["nhspaymentsgp-22-23-prac.csv.gz"],
        "reference/imd_2019": ["File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_RECONSTRUCTED.zip"],
        "reference/imd_2025": ["File_7_IoD2025_All_Ranks_Scores_Deciles_RECONSTRUCTED.zip"],
        "reference/lsoa_2011_2021": [lookup.name],
        "reference/lsoa_boundary": ["lsoa11_QE1.geojson", "lsoa21.gpkg.gz"],
    }
    assert {row["file_name"] for row in arrival.table.to_pylist()} == {path.name for path in open_data.iterdir()}
