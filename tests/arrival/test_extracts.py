"""What becomes of extracts: core rows, persons that are the same in every feed, places from postcodes, and what is withheld."""

from __future__ import annotations

import gzip
import hashlib
from datetime import date
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from fuller_popheath import registry
from fuller_popheath.arrival.extracts import extracts_among
from fuller_popheath.arrival.files import survey
from fuller_popheath.contracts import contract_ids, load_contract, refuse_if_broken
from fuller_popheath.sources import own_layout

DAY = date(2026, 8, 1)
HEADERS = {
    "medication_issue": "extract_date,practice_code,patient_id,nhs_number,record_id,issue_date,recorded_date,code_system,code,is_repeat",
    "appointment": "extract_date,practice_code,patient_id,nhs_number,record_id,appointment_date,start_time,booked_date,status,clinician_id,"
    "clinician_type,mode,category",
    "hospital_spell": "extract_date,provider_code,nhs_number,record_id,admission_date,discharge_date,admission_method,primary_diagnosis_code,"
    "diagnosis_codes,recorded_date",
    "ed_attendance": "extract_date,provider_code,nhs_number,record_id,arrival_date,department_type,is_admitted,recorded_date",
    "objection": "extract_date,practice_code,patient_id,nhs_number,record_id,objection,state,recorded_date",
}


def _rows(night: Any, core: str) -> list[dict[str, Any]]:
    return night.store.read(core, DAY).to_pylist()


def test_every_inbound_table_about_persons_has_one_that_makes_it_core_and_one_layout_of_ours() -> None:
    about_persons = set(contract_ids("inbound")) - set(registry.sources())
    assert set(registry.extracts()) == about_persons
    assert set(own_layout.LAYOUTS) == about_persons
    for contract_id, layout in own_layout.LAYOUTS.items():
        contract = load_contract(contract_id)
        assert {column.name for column in layout.columns} == set(contract.column_names)
        required = {column.name for column in contract.columns if column.required}
        assert required <= {column.name for column in layout.columns if column.needed}


def test_entries_with_a_number_are_measurements_and_the_others_events(landing: Any, night: Any) -> None:
    landing.events("P81001", rows=60)
    night.take(table="clinical_event")
    events, measurements = _rows(night, "core/event"), _rows(night, "core/measurement")
    assert (len(events), len(measurements)) == (40, 20)
    assert {row["value"] for row in measurements} == {12.5} and {row["unit"] for row in measurements} == {"mmol/mol"}
    assert all(row["recorded_date"] == row["event_date"] for row in events)
    for core in ("core/event", "core/measurement"):
        assert night.store.read(core, DAY).schema == load_contract(core).schema


def test_each_table_becomes_what_its_core_contract_says(landing: Any, night: Any, test_number: Any) -> None:
    who = test_number(7)
    lines = {
        "medication_issue": [f"2026-08-01,P81001,p7,{who},m1,2025-03-01,,synthetic,z.statin.1,yes"],
        "appointment": [
            f"2026-08-01,P81001,p7,{who},a1,2025-03-01,09:30,2025-02-01,attended,C1,gp,face_to_face,general_consultation_routine",
            f"2026-08-01,P81001,p7,{who},a2,2026-09-01,,2026-07-01,booked,,nurse,telephone,",
        ],
        "hospital_spell": [
            f"2026-08-01,RXN,{who},s1,2025-03-01,2025-03-04,2A,I50.1,I50.1;E11,",
            f"2026-08-01,RXN,{who},s2,2025-04-01,,11,I50,,2025-04-20",
        ],
        "ed_attendance": [f"2026-08-01,RXN,{who},e1,2025-03-01,1,true,"],
        "objection": ["2026-08-01,P81001,p7,,o1,type_1,dissent,2024-01-01", f"2026-08-01,,,{who},o2,national_data_opt_out,withdrawn,2024-02-01"],
    }
    for table, rows in lines.items():
        landing.lines(f"{table}.csv", [HEADERS[table], *rows])
        taken = night.take(table=table)
        assert taken.rows_accepted == len(rows), taken.counts
        for core in taken.core:
            key_may_recur = refuse_if_broken(night.store.read(core, DAY), load_contract(core))
            assert key_may_recur.num_rows == len(rows)
    contacts = {row["contact_date"]: row for row in _rows(night, "core/contact")}
    assert (contacts[date(2025, 3, 1)]["start_minute"], contacts[date(2025, 3, 1)]["recorded_date"]) == (570, date(2025, 3, 1))
    assert [contacts[day]["booked_date"] for day in (date(2025, 3, 1), date(2026, 9, 1))] == [date(2025, 2, 1), date(2026, 7, 1)]
    assert (contacts[date(2026, 9, 1)]["start_minute"], contacts[date(2026, 9, 1)]["recorded_date"]) == (None, date(2026, 7, 1))
    spells = sorted(_rows(night, "core/spell"), key=lambda row: row["admission_date"])
    assert [(row["is_emergency"], row["recorded_date"]) for row in spells] == [(True, date(2025, 3, 4)), (False, date(2025, 4, 20))]
    assert _rows(night, "core/medication_issue")[0]["is_repeat"] is True
    of_one_person = {
        row["person_id"] for core in ("core/contact", "core/spell", "core/ed_attendance", "core/medication_issue") for row in _rows(night, core)
    }
    assert len(of_one_person) == 1
    assert {part["practice_code"] for part in night.store.manifest("core/objection", DAY)["parts"]} == {"P81001", "national"}


def test_csv_gzip_and_parquet_give_the_same_rows(landing: Any, night: Any, tmp_path: Any) -> None:
    import pyarrow.csv as arrow_csv

    plain = landing.events("P81001", rows=60, extra=["2026-08-01,P81001,p1,,x1,2025-13-01,,synthetic,z.asthma.1,,,"])
    night.take(table="clinical_event")
    expected = {core: night.store.read(core, DAY) for core in ("core/event", "core/measurement")}
    typed = arrow_csv.read_csv(plain, convert_options=arrow_csv.ConvertOptions(column_types={"nhs_number": pa.string()}, strings_can_be_null=True))
    packed = gzip.compress(plain.read_bytes())
    plain.unlink()
    for name, write in (
        ("clinical_event_P81001.csv.gz", lambda path: path.write_bytes(packed)),
        ("clinical_event_P81001.parquet", lambda path: pq.write_table(typed, path)),
    ):
        write(landing.folder / name)
        night.store = type(night.store)(tmp_path / name, "")
        taken = night.take(table="clinical_event")
        assert (taken.rows_accepted, taken.rows_quarantined) == (60, 1)
        for core, table in expected.items():
            assert night.store.read(core, DAY).equals(table)
        (landing.folder / name).unlink()


def test_people_without_a_number_are_themselves_within_their_practice_and_nobody_elsewhere(landing: Any, night: Any) -> None:
    for practice in ("P81001", "P81002"):
        rows = [f"2026-08-01,{practice},p{at},,r{at}x{day},2025-03-0{day},,synthetic,z.asthma.1,,," for at in range(3) for day in (1, 2)]
        header = landing.events(practice, rows=0).read_text().strip()
        landing.lines(f"clinical_event/{practice}.csv", [header, *rows])
    night.take(table="clinical_event")
    first = [(row["practice_code"], row["person_id"]) for row in _rows(night, "core/event")]
    assert len(first) == 12 and len(set(first)) == 6 and len({person for _, person in first}) == 6
    night.store = type(night.store)(night.folder / "again", "")
    night.take(table="clinical_event")
    assert [(row["practice_code"], row["person_id"]) for row in _rows(night, "core/event")] == first


def test_a_postcode_places_who_has_no_lsoa_and_is_not_kept(landing: Any, night: Any) -> None:
    header = landing.practice_list("P81001", people=0).read_text().strip()
    rows = [
        "2026-08-01,P81001,,1950-05-12,female,,,2001-01-01,,,,p1,TS18 1HU",
        "2026-08-01,P81001,,1950-05-12,female,,E01000002,2001-01-01,,,,p2,TS18 1HU",
        "2026-08-01,P81001,,1950-05-12,female,,,2001-01-01,,,,p3,ZZ1 1ZZ",
    ]
    landing.lines("practice_lists/P81001.csv", [f"{header},patient_id,postcode", *rows])
    places = pa.table({"postcode": ["TS181HU"], "lsoa_code": ["E01000001"]})
    night.take(references={"reference/postcode_lsoa": places})
    assert sorted(str(row["lsoa_code"]) for row in _rows(night, "core/registration")) == ["E01000001", "E01000002", "None"]
    assert not any("TS18" in str(row) for row in _rows(night, "core/registration"))


def test_what_the_system_calls_confidential_is_withheld_and_counted_unless_switched_off(landing: Any, night: Any) -> None:
    landing.events("P81001", rows=60, extra=["2026-08-01,P81001,p1,,x1,2025-03-01,,synthetic,z.asthma.1,,,true"])
    taken = night.take(table="clinical_event")
    row = night.row(taken, "P81001")
    assert (row["rows_accepted"], row["rows_in_use"]) == (61, 60)
    row = night.row(night.take(table="clinical_event", site={"arrival": {"drop_sensitive_codes": False}}), "P81001")
    assert (row["rows_accepted"], row["rows_in_use"]) == (61, 61)


def test_two_copies_of_a_file_are_one_extract(landing: Any, night: Any) -> None:
    path = landing.events("P81001")
    (landing.folder / "copy.csv").write_bytes(path.read_bytes())
    found, reasons = extracts_among(survey(landing.folder), "inbound/clinical_event")
    assert len(found) == 1
    assert list(reasons.values()) == ["has the same content as clinical_event/P81001.csv"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_told(landing: Any, separator: str) -> None:
    path = landing.events("P81001")
    path.write_text(path.read_text().replace(",", separator))
    assert "expected commas" in str(survey(landing.folder)[0].problem)


GOOD = "2026-08-01,P81001,p1,,{},2025-03-01,,synthetic,z.asthma.1,,,"
BAD = (
    "2026-08-01,P81001,p1,,{},2025-02-30,,synthetic,z.asthma.1,,,",
    "2026-08-01,P81001,,,{},2025-03-01,,synthetic,z.asthma.1,,,",
    "2026-08-01,P81001,p1,1234567890,{},2025-03-01,,synthetic,z.asthma.1,,,",
    "2026-08-01,P81001,p1,,{}",
    '2026-08-01,P81001,p1,,{},2025-03-01,,synthetic,"z.asthma.1,,,',
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from([GOOD, GOOD, GOOD, *BAD]), st.integers(0, 30)), min_size=1, max_size=40))
def test_nothing_is_lost_whatever_comes(landing: Any, night: Any, drawn: list[tuple[str, int]]) -> None:
    header = landing.events("P81001", rows=0).read_text().strip()
    lines = [line.format(f"r{number}x") for line, number in drawn]
    landing.lines("clinical_event/P81001.csv", [header, *lines])
    night.store = type(night.store)(night.folder / "stores" / hashlib.sha256("".join(lines).encode()).hexdigest())
    row = night.row(night.take(table="clinical_event", site={"arrival": {"max_quarantined_percent": 100}}), "P81001")
    assert row["rows_read"] == len(lines) == row["rows_accepted"] + row["rows_quarantined"]
    assert row["rows_in_use"] == row["rows_accepted"]
    alone = {number for line, number in drawn if line == GOOD and all(other == GOOD for other, n in drawn if n == number)}
    assert row["rows_accepted"] >= len(alone)
