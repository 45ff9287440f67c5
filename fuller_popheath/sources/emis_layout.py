"""The files of an EMIS Web bulk extract as they are used here: which there are, and under which headers their columns have been published.

Source of the headers: github endeavourhealth/Transforms, commit 6b6a8e17, src/main/java/org/endeavourhealth/transform/emis/csv/schema (versions 5.0
to 5.4). They differ between versions, and some are misspelled (`ClinicanUserInRoleGuid`): each column lists all of them.
What does not belong here: what the files mean (`emis`).
"""

from __future__ import annotations

from fuller_popheath.sources.canonical import as_nhs_number, as_sex
from fuller_popheath.sources.layouts import LayoutColumn
from fuller_popheath.sources.supplier_files import SupplierFile


def _needed(name: str, *headers: str) -> LayoutColumn:
    return LayoutColumn(name, headers)


def _optional(name: str, *headers: str) -> LayoutColumn:
    return LayoutColumn(name, headers, needed=False)


_PATIENT, _ORGANISATION = _needed("patient", "PatientGuid"), _needed("organisation", "OrganisationGuid")
_DELETED = _needed("deleted", "Deleted")
_CLINICIAN = _needed("clinician", "ClinicianUserInRoleGuid", "ClinicanUserInRoleGuid")
_EFFECTIVE, _ENTERED = _needed("effective_date", "EffectiveDate"), _needed("entered_date", "EnteredDate")
_CONFIDENTIAL = _optional("confidential", "IsConfidential")

PATIENT = SupplierFile(
    "Admin_Patient",
    ("PatientGuid", "DateOfBirth", "NhsNumber", "DateOfRegistration"),
    (
        _PATIENT,
        _ORGANISATION,
        _needed("usual_gp", "UsualGpUserInRoleGuid"),
        LayoutColumn("sex", ("Sex",), as_sex),
        _needed("birth_date", "DateOfBirth"),
        _needed("death_date", "DateOfDeath"),
        _needed("start_date", "DateOfRegistration"),
        _needed("end_date", "DateOfDeactivation"),
        LayoutColumn("nhs_number", ("NhsNumber",), as_nhs_number),
        _needed("type", "PatientTypeDescription"),
        _needed("dummy", "DummyType"),
        _needed("postcode", "Postcode"),
        _DELETED,
        _optional("spine_sensitive", "SpineSensitive"),
        _CONFIDENTIAL,
    ),
)
ORGANISATION = SupplierFile("Admin_Organisation", ("OrganisationGuid", "ODSCode"), (_ORGANISATION, _needed("ods_code", "ODSCode")))
USER = SupplierFile(
    "Admin_UserInRole",
    ("UserInRoleGuid", "JobCategoryName"),
    (_needed("user", "UserInRoleGuid"), _optional("role_code", "JobCategoryCode"), _needed("role_name", "JobCategoryName")),
)
OBSERVATION = SupplierFile(
    "CareRecord_Observation",
    ("ObservationGuid", "PatientGuid", "CodeId", "Value"),
    (
        _needed("record", "ObservationGuid"),
        _PATIENT,
        _ORGANISATION,
        _EFFECTIVE,
        _ENTERED,
        _needed("code_id", "CodeId"),
        _needed("value", "Value"),
        _needed("unit", "NumericUnit"),
        _DELETED,
        _CONFIDENTIAL,
    ),
)
ETHNICITY = SupplierFile(
    OBSERVATION.name,
    OBSERVATION.told_by,
    (_PATIENT, _EFFECTIVE, _ENTERED, _needed("code_id", "CodeId"), _DELETED),
)
"""The few columns of the observations that a person's ethnic category is taken from."""

CONSULTATION = SupplierFile(
    "CareRecord_Consultation",
    ("ConsultationGuid", "AppointmentSlotGuid"),
    (_CLINICIAN, _needed("slot", "AppointmentSlotGuid"), _optional("source_term", "ConsultationSourceTerm"), _DELETED),
)
SLOT = SupplierFile(
    "Appointment_Slot",
    ("SlotGuid", "AppointmentDate", "SessionGuid"),
    (
        _needed("record", "SlotGuid"),
        _needed("date", "AppointmentDate"),
        _needed("start_time", "AppointmentStartTime"),
        _PATIENT,
        _needed("sent_in", "SendInTime"),
        _needed("left", "LeftTime"),
        _needed("did_not_attend", "DidNotAttend"),
        _ORGANISATION,
        _needed("session", "SessionGuid"),
        _DELETED,
    ),
)
SESSION = SupplierFile(
    "Appointment_Session",
    ("AppointmentSessionGuid", "SessionTypeDescription"),
    (
        _needed("session", "AppointmentSessionGuid"),
        _optional("description", "Description"),
        _needed("type", "SessionTypeDescription"),
        _needed("category", "SessionCategoryDisplayName"),
    ),
)
SESSION_USER = SupplierFile(
    "Appointment_SessionUser",
    ("SessionGuid", "UserInRoleGuid"),
    (_needed("session", "SessionGuid"), _needed("user", "UserInRoleGuid"), _DELETED),
)
ISSUE = SupplierFile(
    "Prescribing_IssueRecord",
    ("IssueRecordGuid", "DrugRecordGuid", "CodeId"),
    (
        _needed("record", "IssueRecordGuid"),
        _PATIENT,
        _ORGANISATION,
        _needed("drug_record", "DrugRecordGuid"),
        _EFFECTIVE,
        _ENTERED,
        _needed("code_id", "CodeId"),
        _DELETED,
        _CONFIDENTIAL,
    ),
)
DRUG_RECORD = SupplierFile(
    "Prescribing_DrugRecord",
    ("DrugRecordGuid", "PrescriptionType"),
    (_needed("drug_record", "DrugRecordGuid"), _needed("type", "PrescriptionType")),
)
CLINICAL_CODE = SupplierFile(
    "Coding_ClinicalCode",
    ("CodeId", "ReadTermId", "SnomedCTConceptId"),
    (
        _needed("code_id", "CodeId"),
        _needed("read_code", "ReadTermId"),
        _needed("snomed_code", "SnomedCTConceptId"),
        _optional("national_code", "NationalCode"),
    ),
)
DRUG_CODE = SupplierFile("Coding_DrugCode", ("CodeId", "DmdProductCodeId"), (_needed("code_id", "CodeId"), _needed("dmd_code", "DmdProductCodeId")))

FILES = (
    PATIENT,
    ORGANISATION,
    USER,
    OBSERVATION,
    CONSULTATION,
    SLOT,
    SESSION,
    SESSION_USER,
    ISSUE,
    DRUG_RECORD,
    CLINICAL_CODE,
    DRUG_CODE,
)
