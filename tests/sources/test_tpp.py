"""SystmOne extracts written by hand: removed rows, test patients, registrations elsewhere, words and numbers for words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath import registry
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import check, load_contract
from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.sources import tpp
from fuller_popheath.sources.opening import heads
from fuller_popheath.sources.tpp_contacts import status_of
from fuller_popheath.specs import FileHead
from fuller_popheath.synthetic.suppliers import tpp_headers

Files = Mapping[str, Sequence[Mapping[str, str]]]
Extract = Callable[..., dict[str, tuple[FileHead, ...]]]
LIST, EVENT, ISSUE, APPOINTMENT = tpp.SUPPLIER.contracts
LISTS = codelist()

PERSON = {
    "RowIdentifier": "11",
    "IDOrganisationVisibleTo": "Y90001",
    "NHSNumber": "9990000018",
    "DateBirth": "12 May 1950 00:00:00",
    "Gender": "M",
    "TestPatient": "false",
    "RemovedData": "0",
}
REGISTRATION = {
    "RowIdentifier": "21",
    "IDOrganisationVisibleTo": "Y90001",
    "DateRegistration": "01 Jan 2001",
    "RegistrationStatus": "GMS,Contraception",
    "IDPatient": "11",
    "IDOrganisation": "Y90001",
    "IDOrganisationRegisteredAt": "Y90001",
}
WORDS = {"SRMapping": "RowIdentifier,IdMappingGroup,Mapping", "SRConfiguredListOption": "RowIdentifier,ConfiguredList,ConfiguredListOption,CDSCode"}


def code(row: str, **more: str) -> dict[str, str]:
    base = {"RowIdentifier": row, "IDOrganisationVisibleTo": "Y90001", "IDPatient": "11", "DateEvent": "05 Jan 2026 10:15:00", "SNOMEDCode": "-1"}
    return {**base, "DateEventRecorded": "06 Jan 2026 23:59:59", **more}


def appointment(row: str, **more: str) -> dict[str, str]:
    base = {"RowIdentifier": row, "IDOrganisationVisibleTo": "Y90001", "IDPatient": "11", "DateStart": "01 Sep 2026 09:10:00"}
    return {**base, "AppointmentStatus": "Finished", "TelephoneAppointment": "false", "IDClinician": "-1", "IDProfileClinician": "-1", **more}


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    """Write files of an extract under a dated folder with their complete headers, and open them."""

    def write(files: Files, folder: str = "20261001") -> dict[str, tuple[FileHead, ...]]:
        found: dict[str, tuple[FileHead, ...]] = {}
        for name, rows in {"SRPatient": [PERSON], "SRPatientRegistration": [REGISTRATION], **files}.items():
            columns = WORDS[name].split(",") if name in WORDS else list(tpp_headers.header(name))
            path = tmp_path / folder / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
            path.write_text("\n".join(",".join(f'"{cell}"' for cell in line) for line in lines) + "\n")
            (head,) = heads(path)
            told = tpp.recognise(head)
            assert told == name
            found[name] = (head,)
        return found

    return write


def rows_of(contract: str, files: Mapping[str, tuple[FileHead, ...]]) -> list[dict[str, Any]]:
    return tpp.read(contract, files, LISTS).to_pylist()


def test_every_file_is_told_by_its_headers(extract: Extract, tmp_path: Path) -> None:
    read_here = [name for name in tpp_headers.FILES if name != "SRStaffMember"]
    assert set(extract({name: [{}] for name in (*read_here, *WORDS)})) == {*read_here, *WORDS}
    path = tmp_path / "SRVisit.csv"
    path.write_text("RowIdentifier,IDOrganisationVisibleTo,DateEventRecorded,IDProfileEnteredBy,DateBooked\n1,2,3,4,5\n")
    assert [tpp.recognise(head) for head in heads(path)] == [None]


def test_the_registry_knows_the_supplier_and_says_that_headers_are_needed() -> None:
    assert registry.suppliers()["tpp"] is tpp.SUPPLIER
    assert "files without header row cannot be read" in tpp.SUPPLIER.expects
    assert "complete, not of changes only" in tpp.SUPPLIER.expects
    with pytest.raises(SettingsWrong, match="does not fill inbound/objection"):
        tpp.read("inbound/objection", {}, LISTS)


def test_a_registration_with_its_patient_and_the_newest_open_home_address(extract: Extract) -> None:
    address = {"IDPatient": "11", "AddressType": "Home"}
    addresses = [
        {**address, "FullPostCode": "ZZ1A 1AA", "DateEvent": "01 Jan 2021", "DateTo": "01 Jan 2022"},
        {**address, "FullPostCode": "zz2b 2bb", "DateEvent": "01 Jan 2020"},
        {**address, "FullPostCode": "ZZ3A 3AA", "DateEvent": "01 Jan 2024", "AddressType": "Correspondence only"},
        {**address, "FullPostCode": "ZZ4A 4AA", "DateEvent": "01 Jan 2025", "RemovedData": "1"},
    ]
    (row,) = rows_of(LIST, extract({"SRPatientAddressHistory": addresses}))
    expected = {
        "extract_date": "2026-10-01",
        "practice_code": "Y90001",
        "patient_id": "11",
        "nhs_number": "9990000018",
        "date_of_birth": "1950-05-12",
        "sex": "male",
        "registration_start_date": "2001-01-01",
        "registration_end_date": None,
        "registration_type": "regular",
        "postcode": "ZZ2B 2BB",
        "_file": "SRPatientRegistration",
        "_row": 2,
        "_removed": None,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(("mark", "reason"), [({"RemovedData": "1"}, "deleted"), ({"TestPatient": "TRUE"}, "test_patient")])
def test_all_rows_of_a_patient_who_is_none_are_marked(extract: Extract, mark: dict[str, str], reason: str) -> None:
    files = extract(
        {
            "SRPatient": [{**PERSON, **mark}],
            "SRCode": [code("1", CTV3Code="XE0Uc")],
            "SRAppointment": [appointment("1")],
            "SRPrimaryCareMedication": [{"RowIdentifier": "1", "IDPatient": "11"}],
        }
    )
    assert [row["_removed"] for contract in tpp.SUPPLIER.contracts for row in rows_of(contract, files)] == [reason] * 4


def test_removed_rows_registrations_elsewhere_and_free_slots_are_marked(extract: Extract) -> None:
    elsewhere = {**REGISTRATION, "RowIdentifier": "22", "IDOrganisationRegisteredAt": "Y90002"}
    files = extract(
        {
            "SRPatientRegistration": [REGISTRATION, elsewhere, {**REGISTRATION, "RowIdentifier": "23", "RemovedData": "true"}],
            "SRCode": [code("1", CTV3Code="XE0Uc", RemovedData="1"), code("2", CTV3Code="XE0Uc", RemovedData="0")],
            "SRAppointment": [appointment("1", IDPatient="-1"), appointment("2", IDPatient="")],
        }
    )
    assert [row["_removed"] for row in rows_of(LIST, files)] == [None, "registered_elsewhere", "deleted"]
    assert [row["_removed"] for row in rows_of(EVENT, files)] == ["deleted", None]
    assert [row["_removed"] for row in rows_of(APPOINTMENT, files)] == ["no_patient"] * 2


def test_organisations_may_be_written_by_their_row_number(extract: Extract) -> None:
    registration = {**REGISTRATION, "IDOrganisationVisibleTo": "501", "IDOrganisationRegisteredAt": "501", "IDOrganisation": "501"}
    files = extract({"SRPatientRegistration": [registration], "SROrganisation": [{"RowIdentifier": "501", "ID": "Y90001", "Name": "A practice"}]})
    assert [(row["practice_code"], row["_removed"]) for row in rows_of(LIST, files)] == [("Y90001", None)]
    assert tpp.SUPPLIER.practice_code(files) == "Y90001"
    assert tpp.SUPPLIER.practice_code({**files, "SROrganisation": ()}) is None
    assert tpp.SUPPLIER.practice_code({}) is None


def test_codes_are_snomed_first_and_what_has_none_is_listed_not_dropped(extract: Extract) -> None:
    codes = [
        code("1", CTV3Code="XE0Uc", SNOMEDCode="38341003", IsNumeric="true", NumericValue="5.4", NumericUnit="mmol/L"),
        code("2", CTV3Code="XE0Uc", IsNumeric="false", NumericValue="0.0"),
        code("3", CTV3Code="Y1234"),
        code("4", CTV3Code="z.hypertension.1"),
        # An objection is not lost by translation into a code that our lists do not hold.
        code("5", CTV3Code="XaZ89", SNOMEDCode="827241000000103"),
        code("6"),
    ]
    read = tpp.read(EVENT, extract({"SRCode": codes}), LISTS)
    assert [(row["code_system"], row["code"], row["value"]) for row in read.to_pylist()] == [
        ("snomed", "38341003", "5.4"),
        ("ctv3", "XE0Uc", None),
        ("local", "Y1234", None),
        ("synthetic", "z.hypertension.1", None),
        ("ctv3", "XaZ89", None),
        (None, None, None),
    ]
    assert {(row["event_date"], row["recorded_date"]) for row in read.to_pylist()} == {("2026-01-05", "2026-01-06")}
    checked = check(read, load_contract(EVENT))
    assert (checked.accepted.num_rows, checked.quarantined["record_id"].to_pylist()) == (5, ["6"])


def test_the_ethnic_category_is_that_of_the_newest_entry_that_stands(extract: Extract) -> None:
    codes = [
        code("1", CTV3Code="z.ethnicity_h.1", DateEvent="01 Jan 2024"),
        code("2", CTV3Code="z.ethnicity_a.1", DateEvent="31 Dec 2023"),
        code("3", CTV3Code="z.ethnicity_a.1", DateEvent="01 Jan 2025", RemovedData="1"),
        code("4", CTV3Code="XE0Uc", DateEvent="01 Jan 2026"),
    ]
    (row,) = rows_of(LIST, extract({"SRCode": codes}))
    assert row["ethnic_category"] == "H"


def test_medication_starts_count_and_what_others_gave_is_no_issue(extract: Extract) -> None:
    base = {"IDOrganisationVisibleTo": "Y90001", "IDPatient": "11", "DateEvent": "01 Jan 2026 10:00:00", "DateEventRecorded": "01 Jan 2026 10:00:00"}
    rows = [
        {**base, "RowIdentifier": "1", "IDMultiLexDMD": "320000004", "DateMedicationStart": "05 Jan 2026", "IsRepeatMedication": "true"},
        {**base, "RowIdentifier": "2", "IDMultiLexDMD": "-1", "IDMultiLexProduct": "5512", "IsRepeatMedication": "false"},
        {**base, "RowIdentifier": "3", "IDMultiLexDMD": "320000004", "IsRepeatMedication": "false", "IsHospitalMedication": "true"},
        {**base, "RowIdentifier": "4", "NameOfMedication": "free text"},
    ]
    found = [
        (row["code_system"], row["code"], row["issue_date"], row["is_repeat"], row["_removed"])
        for row in rows_of(ISSUE, extract({"SRPrimaryCareMedication": rows}))
    ]
    assert found == [
        ("dmd", "320000004", "2026-01-05", True, None),
        ("multilex", "5512", "2026-01-01", False, None),
        ("dmd", "320000004", "2026-01-01", False, "not_issued_here"),
        (None, None, "2026-01-01", None, None),
    ]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Finished", "attended"),
        ("In Progress", "attended"),
        ("Did Not Attend", "did_not_attend"),
        ("Did not attend (no reason)", "did_not_attend"),
        ("No Access Visit", "did_not_attend"),
        ("Cancelled by Patient", "cancelled"),
        ("Patient Walked Out", "cancelled"),
        ("Rejected", "cancelled"),
        ("Booked", "booked"),
        ("Something new", "Something new"),
    ],
)
def test_statuses(said: str, read: str) -> None:
    assert status_of(said) == read


def test_the_status_may_be_a_number_that_a_file_puts_into_words(extract: Extract) -> None:
    rows = [appointment("1", AppointmentStatus="77"), appointment("2", AppointmentStatus="78"), appointment("3", AppointmentStatus="Booked")]
    rows += [appointment("4", AppointmentStatus="Booked", DatePatientSeen="01 Sep 2026 09:12:00")]
    rows += [appointment("5", AppointmentStatus="Booked", DateAppointmentCancelled="01 Aug 2026")]
    files = extract({"SRAppointment": rows, "SRMapping": [{"RowIdentifier": "77", "IdMappingGroup": "1", "Mapping": "Did Not Attend"}]})
    read = tpp.read(APPOINTMENT, files, LISTS)
    assert read["status"].to_pylist() == ["did_not_attend", "78", "booked", "attended", "cancelled"]
    checked = check(read, load_contract(APPOINTMENT))
    assert checked.quarantined["record_id"].to_pylist() == ["2"]


def test_the_clinician_of_a_contact(extract: Extract) -> None:
    profiles = [
        {"RowIdentifier": "31", "StaffRole": "General Medical Practitioner", "IDStaffMember": "41", "GmpID": "G1234567"},
        {"RowIdentifier": "32", "StaffRole": "Practice Nurse", "IDStaffMember": "42"},
        {"RowIdentifier": "33", "StaffRole": "Locum GP", "IDStaffMember": "43"},
        {"RowIdentifier": "34", "StaffRole": "Healthcare Assistant", "IDStaffMember": "43"},
    ]
    rows = [
        appointment("1", IDClinician="41", IDProfileClinician="31"),
        appointment("2", IDProfileClinician="32"),
        appointment("3", IDClinician="43", IDProfileClinician="34"),
        # two roles, and the appointment does not say in which
        appointment("4", IDClinician="43"),
        # nobody: the one event its codes were recorded in says who
        appointment("5"),
        # two events: not known
        appointment("6"),
        appointment("7"),
    ]
    links = [("5", "61"), ("5", "61"), ("6", "61"), ("6", "62")]
    files = extract(
        {
            "SRAppointment": rows,
            "SRStaffMemberProfile": profiles,
            "SREvent": [{"RowIdentifier": "61", "IDDoneBy": "42", "ContactMethod": "Home"}, {"RowIdentifier": "62", "IDDoneBy": "41"}],
            "SRCode": [code(str(at), CTV3Code="XE0Uc", IDAppointment=which, IDEvent=event) for at, (which, event) in enumerate(links)],
        }
    )
    read = rows_of(APPOINTMENT, files)
    assert [(row["clinician_id"], row["clinician_type"]) for row in read] == [
        ("G1234567", "gp"),
        ("42", "nurse"),
        ("43", "healthcare_assistant"),
        ("43", "unknown"),
        ("42", "nurse"),
        (None, "unknown"),
        (None, "unknown"),
    ]
    assert [row["mode"] for row in read] == ["unknown"] * 4 + ["home_visit"] + ["unknown"] * 2


def test_mode_category_days_and_times(extract: Extract) -> None:
    rows = [
        appointment("1", TelephoneAppointment="true", RotaType="Clinical triage", DateAppointmentBooked="30 Aug 2026 11:00:00"),
        appointment("2", RotaLocation="801", RotaType="Dr A's Tuesday list", DateStart="2026-09-01 14:05:00"),
        appointment("3", DateStart="01 Sep 2026"),
    ]
    option = {"RowIdentifier": "801", "ConfiguredList": "1", "ConfiguredListOption": "GP Surgery"}
    read = rows_of(APPOINTMENT, extract({"SRAppointment": rows, "SRConfiguredListOption": [option]}))
    assert [(row["mode"], row["category"], row["start_time"]) for row in read] == [
        ("telephone", "clinical_triage", "09:10"),
        ("face_to_face", None, "14:05"),
        ("unknown", None, None),
    ]
    assert [row["appointment_date"] for row in read] == ["2026-09-01"] * 3
    assert [row["booked_date"] for row in read] == ["2026-08-30", None, None]


@pytest.mark.parametrize(
    ("said", "read"),
    [("GMS", "regular"), ("Temporary Resident < 16 days", "temporary"), ("Private", "other"), ("Contraception,Maternity", "other"), ("", None)],
)
def test_types_of_registration(extract: Extract, said: str, read: str | None) -> None:
    (row,) = rows_of(LIST, extract({"SRPatientRegistration": [{**REGISTRATION, "RegistrationStatus": said}]}))
    assert row["registration_type"] == read


def test_a_registration_without_its_patient_is_quarantined(extract: Extract) -> None:
    read = tpp.read(LIST, extract({"SRPatientRegistration": [{**REGISTRATION, "IDPatient": "99"}]}), LISTS)
    checked = check(read, load_contract(LIST))
    assert (checked.rows_read, checked.accepted.num_rows) == (1, 0)
    assert "date_of_birth.required" in checked.counts


def test_the_day_is_that_of_the_folder_and_there_must_be_one(extract: Extract) -> None:
    assert tpp.SUPPLIER.extract_date(extract({}, folder="Y90001_2026-10-01")) == date(2026, 10, 1)
    without = extract({}, folder="systmone")
    assert tpp.SUPPLIER.extract_date(without) is None
    with pytest.raises(FileRefused, match="carry no day"):
        tpp.read(LIST, without, LISTS)
