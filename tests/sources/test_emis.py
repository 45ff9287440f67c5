"""EMIS extracts written by hand: headers of all versions, guids in any dress, and what an extract says is no record."""

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
from fuller_popheath.sources import emis
from fuller_popheath.sources.emis_people import clinical_code
from fuller_popheath.sources.listed_codes import codes_not_to_translate
from fuller_popheath.sources.opening import heads
from fuller_popheath.specs import FileHead
from fuller_popheath.synthetic.suppliers import emis_headers

Files = Mapping[str, Sequence[Mapping[str, str]]]
Extract = Callable[..., dict[str, tuple[FileHead, ...]]]
LIST, EVENT, ISSUE, APPOINTMENT = emis.SUPPLIER.contracts
LISTS = codelist()

ORGANISATION = [{"OrganisationGuid": "{AAAA-01}", "ODSCode": "Y90001"}, {"OrganisationGuid": "{AAAA-02}", "ODSCode": "QZZ"}]
PERSON = {
    "PatientGuid": "{BBBB-01}",
    "OrganisationGuid": "aaaa-01",
    "Sex": "F",
    "DateOfBirth": "12/05/1950",
    "DateOfRegistration": "2001-01-01",
    "NhsNumber": "999 000 0018",
    "PatientTypeDescription": " Regular",
    "DummyType": "false",
    "Deleted": "false",
    "UsualGpUserInRoleGuid": "{CCCC-01}",
    "Postcode": "zz1a 1aa",
}
CODES = [
    {"CodeId": "1", "ReadTermId": "G20..", "SnomedCTConceptId": "38341003"},
    {"CodeId": "2", "ReadTermId": "9Nu0.-1", "SnomedCTConceptId": "38341003"},
    {"CodeId": "3", "ReadTermId": "EMISNQ12"},
    {"CodeId": "4", "Term": "only a term"},
    {"CodeId": "5", "ReadTermId": "z.ethnicity_h.1"},
    {"CodeId": "6", "ReadTermId": "z.ethnicity_a.1"},
]


def observation(record: str, code: str, **more: str) -> dict[str, str]:
    base = {"ObservationGuid": record, "PatientGuid": "{BBBB-01}", "OrganisationGuid": "{AAAA-01}", "EffectiveDate": "2026-01-05", "Deleted": "false"}
    return {**base, "EnteredDate": "06/01/2026", "CodeId": code, **more}


def slot(record: str, **more: str) -> dict[str, str]:
    base = {"SlotGuid": record, "AppointmentDate": "2026-09-01", "AppointmentStartTime": "09:10:00", "PatientGuid": "{BBBB-01}", "Deleted": "false"}
    return {**base, "OrganisationGuid": "{AAAA-01}", "SessionGuid": "{S1}", "DidNotAttend": "false", **more}


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    """Write files of an extract under a dated folder, with the complete headers of a version, and open them."""

    def write(files: Files, version: Any = "newest", folder: str = "20261001") -> dict[str, tuple[FileHead, ...]]:
        found: dict[str, tuple[FileHead, ...]] = {}
        for name, rows in {"Admin_Organisation": ORGANISATION, "Admin_Patient": [PERSON], **files}.items():
            columns = emis_headers.header(name, version)
            lines = [columns.values(), *([row.get(column, "") for column in columns] for row in rows)]
            path = tmp_path / folder / f"291_{name}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text("\r\n".join(",".join(f'"{cell}"' for cell in line) for line in lines) + "\r\n")
            (head,) = heads(path)
            told = emis.recognise(head)
            assert told == name
            found[name] = (head,)
        return found

    return write


def rows_of(contract: str, files: Mapping[str, tuple[FileHead, ...]]) -> list[dict[str, Any]]:
    return emis.read(contract, files, LISTS).to_pylist()


def test_every_file_of_every_version_is_told_by_its_headers(extract: Extract) -> None:
    for version in ("newest", "5.0"):
        assert set(extract({name: [{}] for name in emis_headers.FILES}, version)) == set(emis_headers.FILES)


def test_a_neighbour_of_the_observations_is_none_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "problem.csv"
    path.write_text("ObservationGuid,PatientGuid,OrganisationGuid,ParentProblemObservationGuid,Comment\n1,2,3,4,5\n")
    assert [emis.recognise(head) for head in heads(path)] == [None]


def test_the_registry_knows_the_supplier_and_its_contracts_are_there() -> None:
    assert registry.suppliers()["emis"] is emis.SUPPLIER
    assert "complete, not a delta of changes only" in emis.SUPPLIER.expects
    assert all(load_contract(contract) for contract in emis.SUPPLIER.contracts)
    with pytest.raises(SettingsWrong, match="does not fill inbound/objection"):
        emis.read("inbound/objection", {}, LISTS)


def test_a_patient_becomes_a_registration(extract: Extract) -> None:
    (row,) = rows_of(LIST, extract({}))
    assert (row["_row"], row["_file"], row["_removed"]) == (2, "Admin_Patient", None)
    expected = {
        "extract_date": "2026-10-01",
        "practice_code": "Y90001",
        "patient_id": "bbbb-01",
        "nhs_number": "9990000018",
        "date_of_birth": "1950-05-12",
        "sex": "female",
        "registration_start_date": "2001-01-01",
        "registration_end_date": None,
        "registration_type": "regular",
        "usual_gp_code": "cccc-01",
        "postcode": "ZZ1A 1AA",
        "is_sensitive": False,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("said", "read"),
    [("Regular", "regular"), ("Temporary", "temporary"), ("Immediately Necessary", "temporary"), ("Walk-In Patient", "other"), ("", None)],
)
def test_types_of_registration(extract: Extract, said: str, read: str | None) -> None:
    (row,) = rows_of(LIST, extract({"Admin_Patient": [{**PERSON, "PatientTypeDescription": said}]}))
    assert row["registration_type"] == read


@pytest.mark.parametrize(
    ("mark", "reason"),
    [({"Deleted": "true"}, "deleted"), ({"DummyType": "true"}, "test_patient"), ({"PatientTypeDescription": "Dummy"}, "test_patient")],
)
def test_all_rows_of_a_patient_who_is_none_are_marked(extract: Extract, mark: dict[str, str], reason: str) -> None:
    files = extract(
        {
            "Admin_Patient": [{**PERSON, **mark}],
            "CareRecord_Observation": [observation("o1", "1")],
            "Coding_ClinicalCode": CODES,
            "Appointment_Slot": [slot("s1")],
            "Prescribing_IssueRecord": [{"IssueRecordGuid": "i1", "PatientGuid": "BBBB-01", "Deleted": "false"}],
        }
    )
    assert [row["_removed"] for contract in emis.SUPPLIER.contracts for row in rows_of(contract, files)] == [reason] * 4


def test_a_deleted_row_is_marked_and_a_confidential_one_is_kept(extract: Extract) -> None:
    observations = [observation("o1", "1", Deleted="true"), observation("o2", "1", IsConfidential="true"), observation("o3", "1")]
    read = rows_of(EVENT, extract({"CareRecord_Observation": observations, "Coding_ClinicalCode": CODES}))
    assert [(row["_removed"], row["is_confidential"]) for row in read] == [("deleted", False), (None, True), (None, False)]


def test_codes_are_snomed_first_and_what_has_none_is_listed_not_dropped(extract: Extract) -> None:
    observations = [observation(f"o{code}", code, Value="1.50", NumericUnit="mmol/L") for code in ("1", "3", "4", "77")]
    files = extract({"CareRecord_Observation": observations, "Coding_ClinicalCode": CODES})
    read = emis.read(EVENT, files, LISTS)
    found = [(row["code_system"], row["code"], row["code_id"]) for row in read.to_pylist()]
    assert found == [("snomed", "38341003", "1"), ("local", "EMISNQ12", "3"), (None, None, "4"), (None, None, "77")]
    first = read.to_pylist()[0]
    assert (first["event_date"], first["recorded_date"], first["value"], first["unit"]) == ("2026-01-05", "2026-01-06", "1.50", "mmol/L")
    checked = check(read, load_contract(EVENT))
    assert (checked.accepted.num_rows, checked.quarantined["code_id"].to_pylist()) == (2, ["4", "77"])


@pytest.mark.parametrize(
    ("snomed", "read", "national", "expected"),
    [
        ("38341003", "G20..", None, ("snomed", "38341003")),
        (None, "G20", None, ("read2", "G20..")),
        (None, "9Nu0.-1", None, ("read2", "9Nu0.")),
        # An objection is not lost by translation into a code that our lists do not hold.
        ("827241000000103", "9Nu0.-1", None, ("read2", "9Nu0.")),
        (None, "EMISNQ12", None, ("local", "EMISNQ12")),
        (None, "ABC-KC60", None, ("local", "ABC-KC60")),
        (None, "z.hypertension.1", None, ("synthetic", "z.hypertension.1")),
        ("0", None, "X1", ("local", "X1")),
        (None, None, None, (None, None)),
    ],
)
def test_one_line_of_the_code_list(snomed: str | None, read: str | None, national: str | None, expected: tuple[str | None, str | None]) -> None:
    assert clinical_code(snomed, read, national, codes_not_to_translate(LISTS)) == expected


def test_the_ethnic_category_is_that_of_the_newest_entry_that_stands(extract: Extract) -> None:
    observations = [
        observation("o1", "5", EffectiveDate="2024-01-01"),
        observation("o2", "6", EffectiveDate="2020-01-01"),
        observation("o3", "6", EffectiveDate="2025-01-01", Deleted="true"),
        observation("o4", "1", EffectiveDate="2026-01-01"),
    ]
    (row,) = rows_of(LIST, extract({"CareRecord_Observation": observations, "Coding_ClinicalCode": CODES}))
    assert row["ethnic_category"] == "H"


def test_medication_and_the_misspelled_headers_of_version_5_0(extract: Extract) -> None:
    issue = {
        "PatientGuid": "{BBBB-01}",
        "OrganisationGuid": "{AAAA-01}",
        "EffectiveDate": "05/01/2026",
        "EnteredDate": "05/01/2026",
        "Deleted": "false",
    }
    files = extract(
        {
            "Prescribing_IssueRecord": [
                {**issue, "IssueRecordGuid": "i1", "CodeId": "8", "DrugRecordGuid": "{D1}"},
                {**issue, "IssueRecordGuid": "i2", "CodeId": "9", "DrugRecordGuid": "{D2}"},
                {**issue, "IssueRecordGuid": "i3", "CodeId": "10", "DrugRecordGuid": "{D3}"},
            ],
            "Prescribing_DrugRecord": [
                {"DrugRecordGuid": "d1", "PrescriptionType": "Repeat Dispensing", "ClinicianUserInRoleGuid": "x"},
                {"DrugRecordGuid": "d2", "PrescriptionType": "Acute"},
            ],
            "Coding_DrugCode": [{"CodeId": "8", "DmdProductCodeId": "320000004"}, {"CodeId": "9", "Term": "a drug without a code"}],
        },
        "5.0",
    )
    found = [(row["code_system"], row["code"], row["is_repeat"], row["issue_date"]) for row in rows_of(ISSUE, files)]
    assert found == [("dmd", "320000004", True, "2026-01-05"), (None, None, False, "2026-01-05"), (None, None, None, "2026-01-05")]


def appointment_files(slots: list[dict[str, str]], **more: list[dict[str, str]]) -> Files:
    return {
        "Appointment_Slot": slots,
        "Appointment_Session": [
            {"AppointmentSessionGuid": "{S1}", "SessionTypeDescription": "Timed", "SessionCategoryDisplayName": "Planned Clinics"},
            {"AppointmentSessionGuid": "{S2}", "SessionTypeDescription": "Telephone/Audio", "SessionCategoryDisplayName": "General"},
        ],
        "Appointment_SessionUser": more.get("users", []),
        "CareRecord_Consultation": more.get("consultations", []),
        "Admin_UserInRole": [
            {"UserInRoleGuid": "{C1}", "JobCategoryCode": "R0262", "JobCategoryName": "Locum GP"},
            {"UserInRoleGuid": "{C2}", "JobCategoryCode": "", "JobCategoryName": "Advanced Nurse Practitioner"},
        ],
    }


def session_user(session: str, user: str, deleted: str = "false") -> dict[str, str]:
    return {"SessionGuid": session, "UserInRoleGuid": user, "Deleted": deleted}


def consultation(of: str, by: str, deleted: str = "false", term: str = "") -> dict[str, str]:
    return {"AppointmentSlotGuid": of, "ClinicianUserInRoleGuid": by, "Deleted": deleted, "ConsultationSourceTerm": term}


@pytest.mark.parametrize(
    ("users", "consultations", "expected"),
    [
        # nobody: not known
        ([], [], (None, "unknown")),
        # the session's only user
        ([session_user("{S1}", "{C1}")], [], ("c1", "gp_locum")),
        # several users of the session, and none whose mark says deleted counts
        ([session_user("{S1}", "{C1}"), session_user("{S1}", "{C2}")], [], (None, "unknown")),
        ([session_user("{S1}", "{C1}"), session_user("{S1}", "{C2}", "true")], [], ("c1", "gp_locum")),
        # whoever wrote the consultation goes first, also before several users
        ([session_user("{S1}", "{C1}")], [consultation("{s1}", "C2")], ("c2", "nurse")),
        ([session_user("{S1}", "{C1}"), session_user("{S1}", "{C2}")], [consultation("{s1}", "C2")], ("c2", "nurse")),
        ([session_user("{S1}", "{C1}")], [consultation("{s1}", "C2", "true")], ("c1", "gp_locum")),
        # a user whom the extract does not describe
        ([], [consultation("{s1}", "C9")], ("c9", "unknown")),
    ],
)
def test_the_clinician_of_a_contact(
    extract: Extract, users: list[dict[str, str]], consultations: list[dict[str, str]], expected: tuple[str | None, str]
) -> None:
    (row,) = rows_of(APPOINTMENT, extract(appointment_files([slot("s1")], users=users, consultations=consultations)))
    assert (row["clinician_id"], row["clinician_type"]) == expected


@pytest.mark.parametrize(
    ("marks", "status", "removed"),
    [
        ({}, "attended", None),
        ({"DidNotAttend": "true"}, "did_not_attend", None),
        ({"AppointmentDate": "2026-10-01"}, "booked", None),
        ({"AppointmentDate": "2026-10-01", "SendInTime": "09:12:00"}, "attended", None),
        ({"AppointmentDate": "2026-10-01", "LeftTime": "09:20:00"}, "attended", None),
        ({"AppointmentDate": "05/10/2026"}, "booked", None),
        ({"PatientGuid": ""}, "attended", "no_patient"),
        ({"PatientGuid": "", "Deleted": "true"}, "attended", "deleted"),
    ],
)
def test_what_became_of_a_slot(extract: Extract, marks: dict[str, str], status: str, removed: str | None) -> None:
    (row,) = rows_of(APPOINTMENT, extract(appointment_files([slot("s1", **marks)])))
    assert (row["status"], row["_removed"], row["start_time"]) == (status, removed, "09:10")


def test_mode_and_category_by_their_words_and_unknown_words_stay_unknown(extract: Extract) -> None:
    slots = [slot("s1"), slot("s2", SessionGuid="{S2}"), slot("s3", SessionGuid="{S3}")]
    files = appointment_files(slots, consultations=[consultation("s1", "", term="Home visit note"), consultation("s2", "", term="Video")])
    read = [(row["mode"], row["category"]) for row in rows_of(APPOINTMENT, extract(files))]
    assert read == [("home_visit", "planned_clinics"), ("telephone", None), ("unknown", None)]


def test_a_patient_whom_the_extract_does_not_hold_keeps_their_rows(extract: Extract) -> None:
    files = extract({"CareRecord_Observation": [observation("o1", "1", PatientGuid="{ELSE}")], "Coding_ClinicalCode": CODES})
    (row,) = rows_of(EVENT, files)
    assert (row["patient_id"], row["nhs_number"], row["_removed"]) == ("else", None, None)


def test_day_and_practice_are_told_from_names_and_files(extract: Extract, tmp_path: Path) -> None:
    files = extract({})
    assert emis.SUPPLIER.extract_date(files) == date(2026, 10, 1)
    assert emis.SUPPLIER.practice_code(files) == "Y90001"
    assert emis.SUPPLIER.practice_code({}) is None
    named = tmp_path / "plain" / "291_Admin_Patient_20190507083312_AB12.csv"
    named.parent.mkdir()
    named.write_bytes(files["Admin_Patient"][0].path.read_bytes())
    assert emis.SUPPLIER.extract_date({"Admin_Patient": tuple(heads(named))}) == date(2019, 5, 7)


def test_an_extract_without_a_day_or_of_several_days_is_refused(extract: Extract) -> None:
    with pytest.raises(FileRefused, match="carry no day"):
        emis.read(LIST, extract({}, folder="emis"), LISTS)
    mixed = {**extract({}, folder="2026-10-01"), "Admin_Organisation": extract({}, folder="2026-10-03")["Admin_Organisation"]}
    with pytest.raises(FileRefused, match="made on 2 different days"):
        emis.read(LIST, mixed, LISTS)
    over_midnight = {**mixed, "Admin_Patient": extract({}, folder="2026-10-02")["Admin_Patient"]}
    assert emis.read(LIST, over_midnight, LISTS)["extract_date"].to_pylist() == ["2026-10-03"]


def test_a_column_that_is_missing_is_named(extract: Extract) -> None:
    files = extract({})
    path = files["Admin_Patient"][0].path
    path.write_text(path.read_text().replace("DateOfDeactivation", "Ended"))
    with pytest.raises(FileRefused, match=r"291_Admin_Patient\.csv: Admin_Patient lacks the column DateOfDeactivation"):
        emis.read(LIST, {**files, "Admin_Patient": tuple(heads(path))}, LISTS)


def test_a_line_of_the_wrong_shape_is_a_row_of_its_own(extract: Extract) -> None:
    files = extract({})
    path = files["Admin_Patient"][0].path
    path.write_text(path.read_text() + "cut,short\r\n")
    read = emis.read(LIST, files, LISTS)
    assert read["_row"].to_pylist() == [2, 3]
    assert read["_shape"].to_pylist() == [None, "cut,short"]
