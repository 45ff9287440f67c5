"""The records on disk: whole, the same bytes from the same seed, taken by the door without a loss, and about people who are on the lists."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic import EXTRACT_FAULTS, SyntheticSummary, next_night, plant_fault, write_landing
from fuller_popheath.synthetic.extract_files import PRACTICE_TABLES, TRUST_TABLES

from .conftest import AS_OF, SEED, through_the_door
from .test_landing import hashes

Written = tuple[Path, SyntheticSummary]
INBOUND = ("practice_list", *PRACTICE_TABLES, *TRUST_TABLES)


def read(folder: Path, table: str, only: str = "*") -> pd.DataFrame:
    """Every sender's rows of a table, as text."""
    paths = sorted((folder / "practice_lists").glob("*.csv") if table == "practice_list" else (folder / "extracts" / table).glob(f"{only}_*.csv"))
    return pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths], ignore_index=True)


@pytest.fixture
def copied(ics: Written, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ics[0], tmp_path / "landing"))


def test_one_file_a_sender_and_table_and_the_summary_counts_their_rows(ics: Written) -> None:
    folder, summary = ics
    practices = sorted(path.stem for path in (folder / "practice_lists").glob("*.csv"))
    assert len(practices) == summary.practices == 8
    for table in PRACTICE_TABLES:
        senders = {path.name.split("_")[0] for path in (folder / "extracts" / table).iterdir()}
        assert senders - {"national"} == set(practices)
    for table in TRUST_TABLES:
        assert {path.name for path in (folder / "extracts" / table).iterdir()} == {f"ZZ{trust}_20260801.csv" for trust in (1, 2, 3)}
    assert {table: len(read(folder, table)) for table in (*PRACTICE_TABLES, *TRUST_TABLES)} == summary.records
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(summary.files), "and no half-written file is left"


@pytest.mark.parametrize("table", INBOUND)
def test_the_door_takes_every_row(ics: Written, tmp_path: Path, table: str) -> None:
    folder, summary = ics
    taken = through_the_door(folder, f"inbound/{table}", tmp_path)
    assert taken.counts == {} and taken.rows_quarantined == 0
    assert taken.rows_read == taken.rows_accepted == (summary.registrations if table == "practice_list" else summary.records[table])


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    for workers in (1, 2):
        base = tmp_path / str(workers)
        write_landing(base / "landing", seed=SEED, as_of=AS_OF, people=1_000, records=True, workers=workers)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2"), "the truth file too"


def test_every_format_holds_the_same_rows(tmp_path: Path) -> None:
    for file_format in ("csv", "csv.gz", "parquet"):
        base = tmp_path / file_format
        write_landing(base / "landing", seed=SEED, as_of=AS_OF, people=1_000, records=True, file_format=file_format)
    for table in (*PRACTICE_TABLES, *TRUST_TABLES):
        for path in (tmp_path / "csv" / "landing" / "extracts" / table).iterdir():
            plain = path.read_bytes()
            other = tmp_path / "csv.gz" / "landing" / "extracts" / table / f"{path.name}.gz"
            with pa.input_stream(str(other), compression="gzip") as file:
                assert file.read() == plain
            written = pq.read_table(tmp_path / "parquet" / "landing" / "extracts" / table / path.with_suffix(".parquet").name)
            again = pa.BufferOutputStream()
            arrow_csv.write_csv(written, again, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))
            assert again.getvalue().to_pybytes() == plain.split(b"\n", 1)[1]


def test_records_are_of_people_on_the_list_and_of_the_time_they_were(ics: Written) -> None:
    folder, _ = ics
    people = read(folder, "practice_list").set_index(["practice_code", "patient_id"])
    assert people.index.is_unique
    days = {"clinical_event": "event_date", "medication_issue": "issue_date", "appointment": "appointment_date"}
    for table, day in days.items():
        rows = read(folder, table)
        keys = pd.MultiIndex.from_frame(rows[["practice_code", "patient_id"]])
        person = people.loc[keys]
        assert (person["nhs_number"].to_numpy() == rows["nhs_number"].to_numpy()).all()
        assert (rows[day].to_numpy() >= person["date_of_birth"].to_numpy()).all(), table
        assert not rows.duplicated(["practice_code", "record_id"]).any()
        if table == "appointment":
            past, ahead = rows["status"].isin(["attended", "did_not_attend"]), rows["status"] == "booked"
            assert (rows["booked_date"] <= rows[day]).all()
            assert (rows.loc[past, day] < AS_OF.isoformat()).all() and (rows.loc[ahead, day] >= AS_OF.isoformat()).all()
        else:
            assert (rows[day] < AS_OF.isoformat()).all()
        if table != "clinical_event":
            # A practice sees people while they are registered; the diagnoses of a lifetime come with them.
            assert (rows[day].to_numpy() >= person["registration_start_date"].to_numpy()).all()
            ended = person["registration_end_date"].to_numpy()
            assert ((ended == "") | (rows[day].to_numpy() < ended)).all()
            died = person["death_date"].to_numpy()
            assert ((died == "") | (rows[day].to_numpy() <= died)).all()


def test_somebody_who_changed_practice_has_the_same_history_in_both(ics: Written) -> None:
    folder, _ = ics
    people = read(folder, "practice_list")
    moved = (
        people[(people["registration_type"] == "regular") & (people["nhs_number"] != "")].groupby("nhs_number").filter(lambda rows: len(rows) == 2)
    )
    assert len(moved) > 1_000
    events = read(folder, "clinical_event")
    first = events[events["code"].str.match(r"z\.(hypertension|asthma|depression)\.")].sort_values("event_date")
    first = first.groupby(["nhs_number", "practice_code"])["event_date"].first().unstack()
    first = first[first.notna().sum(axis=1) == 2]
    assert len(first) > 100
    assert (first.min(axis=1) == first.max(axis=1)).mean() > 0.95


def test_temporary_and_double_registrations_are_not_in_the_published_counts(ics: Written) -> None:
    folder, summary = ics
    people = read(folder, "practice_list")
    still = people[(people["registration_end_date"] == "") & ((people["death_date"] == "") | (people["death_date"] > AS_OF.isoformat()))]
    temporary = still["registration_type"] == "temporary"
    twice = still[~temporary & (still["nhs_number"] != "")]["nhs_number"].duplicated().sum()
    assert temporary.sum() > 5 and twice > 0
    assert len(still) - temporary.sum() - twice == summary.people


def test_the_truth_lies_outside_the_landing_folder_and_has_one_row_a_person(ics: Written) -> None:
    folder, summary = ics
    assert summary.truth_file is not None and not summary.truth_file.is_relative_to(folder)
    truth = pq.read_table(summary.truth_file)
    assert pc.unique(truth["index_date"]).to_pylist() == [date(2025, 8, 1), AS_OF]
    assert truth.filter(pc.equal(truth["index_date"], pa.scalar(AS_OF))).num_rows == summary.people
    keyed = truth.group_by(["index_date", "practice_code", "patient_id"]).aggregate([([], "count_all")])
    assert pc.max(keyed["count_all"]).as_py() == 1


def test_practices_differ_in_continuity_around_a_mean_upc_of_06(ics: Written) -> None:
    """UPC = max n_j / n over two years with GPs, at least three contacts (mean about 0.6: BJGP lists, 0.556 and 0.593)."""
    rows = read(ics[0], "appointment")
    rows = rows[(rows["status"] == "attended") & (rows["clinician_type"] == "gp") & (rows["appointment_date"] >= "2024-08-01")]
    seen = rows.groupby(["practice_code", "patient_id", "clinician_id"]).size()
    per_person = seen.groupby(level=[0, 1]).agg(["max", "sum"]).query("sum >= 3")
    upc = per_person["max"] / per_person["sum"]
    assert upc.mean() == pytest.approx(0.6, abs=0.05)
    assert upc.groupby(level=0).mean().std() > 0.03


def test_supplier_layouts_carry_the_same_people(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    summary = write_landing(landing, seed=SEED, as_of=AS_OF, people=1_000, records=True, layout="as_supplier")
    assert {path.name for path in (landing / "extracts").iterdir()} >= {"emis", "tpp", "hospital_spell"}
    taken = through_the_door(landing, "inbound/practice_list", tmp_path)
    assert taken.rows_quarantined == 0 and taken.rows_accepted == summary.registrations


def test_the_next_night_brings_a_share_of_the_practices(copied: Path, ics: Written, tmp_path: Path) -> None:
    before = hashes(copied)
    files = next_night(copied, seed=SEED, as_of=AS_OF, share=0.25)
    after = hashes(copied)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {str(path.relative_to(copied)) for path in files} and set(before) <= set(after)
    assert {path.name.split("_")[1].split(".")[0] for path in files if path.parent.name == "appointment"} == {"20260802"}
    assert len([path for path in files if path.parent.name == "practice_lists"]) == 2
    tomorrow = AS_OF + timedelta(days=1)
    taken = through_the_door(copied, "inbound/clinical_event", tmp_path, as_of=tomorrow)
    assert taken.rows_quarantined == 0 and taken.rows_accepted > ics[1].records["clinical_event"]
    again = Path(shutil.copytree(ics[0], tmp_path / "again"))
    next_night(again, seed=SEED, as_of=AS_OF, share=0.25)
    assert hashes(again) == after


@pytest.mark.parametrize("name", sorted(EXTRACT_FAULTS))
def test_a_fault_of_an_extract_touches_only_what_it_says(copied: Path, name: str) -> None:
    before = hashes(copied)
    touched = {str(path.relative_to(copied)) for path in plant_fault(copied, name)}
    after = hashes(copied)
    assert touched and {file for file in after if after[file] != before.get(file)} == touched
    assert len(set(before) - set(after)) == (1 if name == "truncated_gzip" else 0)
    assert (EXTRACT_FAULTS[name].__doc__ or "").endswith(".")


@pytest.mark.parametrize(
    ("name", "table", "rule"),
    [
        ("repeated_digits", "clinical_event", "nhs_number.check_digit"),
        ("number_in_code", "clinical_event", "code"),
        ("future_birth_dates", "practice_list", "date_of_birth"),
        ("unknown_birth_dates", "practice_list", "date_of_birth"),
        ("twice_the_same_rows", "medication_issue", ""),
    ],
)
def test_the_door_sets_faulty_rows_aside(copied: Path, tmp_path: Path, name: str, table: str, rule: str) -> None:
    plant_fault(copied, name)
    taken = through_the_door(copied, f"inbound/{table}", tmp_path)
    assert taken.rows_quarantined >= 10 and taken.rows_read == taken.rows_accepted + taken.rows_quarantined
    assert any(found.startswith(rule) for found in taken.counts)


def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path: Path, written: Written) -> None:
    for wrong in ({"file_format": "xlsx"}, {"layout": "vision"}, {"years": 1}, {"workers": 0}):
        with pytest.raises(SettingsWrong):
            write_landing(tmp_path / "landing", seed=SEED, as_of=AS_OF, people=1_000, records=True, **wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "landing").exists()
    for wrong_share in (0.0, 1.5):
        with pytest.raises(SettingsWrong, match="share"):
            next_night(tmp_path, seed=SEED, as_of=AS_OF, share=wrong_share)
    with pytest.raises(SettingsWrong, match="no practice's extracts"):
        next_night(written[0], seed=SEED, as_of=AS_OF)
    with pytest.raises(SettingsWrong, match="no practice's clinical_event"):
        plant_fault(written[0], "repeated_digits")


def test_another_day_in_the_same_folder_is_refused(copied: Path) -> None:
    with pytest.raises(SettingsWrong, match="other files"):
        write_landing(copied, seed=SEED, as_of=AS_OF + timedelta(days=1), people=8_000, records=True)
