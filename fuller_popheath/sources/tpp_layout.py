"""The files of a TPP SystmOne extract as they are used here: which there are, and the headers of their columns.

Source of the headers: github endeavourhealth/Transforms, commit 6b6a8e17, src/main/java/org/endeavourhealth/transform/tpp/csv/schema (versions 87 to
93). What does not belong here: what the files mean (`tpp`).
"""

from __future__ import annotations

from fuller_popheath.sources.canonical import as_nhs_number, as_sex
from fuller_popheath.sources.layouts import LayoutColumn
from fuller_popheath.sources.supplier_files import SupplierFile


def _needed(name: str, *headers: str) -> LayoutColumn:
    return LayoutColumn(name, headers)


def _optional(name: str, *headers: str) -> LayoutColumn:
    return LayoutColumn(name, headers, needed=False)


_ROW_ID, _PATIENT_ID = _needed("record", "RowIdentifier"), _needed("patient", "IDPatient")
_VISIBLE_TO, _RECORDED = _needed("visible_to", "IDOrganisationVisibleTo"), _needed("recorded_date", "DateEventRecorded")
# Versions before 89 have no such column: then nothing is marked as removed.
_REMOVED = _optional("removed", "RemovedData")

PATIENT = SupplierFile(
    "SRPatient",
    ("RowIdentifier", "NHSNumber", "DateBirth", "TestPatient"),
    (
        _ROW_ID,
        LayoutColumn("nhs_number", ("NHSNumber",), as_nhs_number),
        _needed("birth_date", "DateBirth"),
        _needed("death_date", "DateDeath"),
        LayoutColumn("sex", ("Gender",), as_sex),
        _needed("test_patient", "TestPatient"),
        _REMOVED,
    ),
)
REGISTRATION = SupplierFile(
    "SRPatientRegistration",
    ("RowIdentifier", "DateRegistration", "DateDeRegistration"),
    (
        _ROW_ID,
        _VISIBLE_TO,
        _needed("start_date", "DateRegistration"),
        _needed("end_date", "DateDeRegistration"),
        _needed("status", "RegistrationStatus"),
        _PATIENT_ID,
        _optional("organisation", "IDOrganisation"),
        _optional("registered_at", "IDOrganisationRegisteredAt"),
        _REMOVED,
    ),
)
ADDRESS = SupplierFile(
    "SRPatientAddressHistory",
    ("RowIdentifier", "FullPostCode", "AddressType", "IDPatient"),
    (
        _needed("event_date", "DateEvent"),
        _needed("postcode", "FullPostCode"),
        _needed("end_date", "DateTo"),
        _optional("type", "AddressType"),
        _PATIENT_ID,
        _REMOVED,
    ),
)
CODE = SupplierFile(
    "SRCode",
    ("RowIdentifier", "CTV3Code", "NumericValue"),
    (
        _ROW_ID,
        _VISIBLE_TO,
        _RECORDED,
        _needed("event_date", "DateEvent"),
        _needed("ctv3_code", "CTV3Code"),
        _optional("snomed_code", "SNOMEDCode"),
        _optional("is_numeric", "IsNumeric"),
        _needed("value", "NumericValue"),
        _needed("unit", "NumericUnit"),
        _PATIENT_ID,
        _REMOVED,
    ),
)
ETHNICITY = SupplierFile(
    CODE.name,
    CODE.told_by,
    (
        _RECORDED,
        _needed("event_date", "DateEvent"),
        _needed("ctv3_code", "CTV3Code"),
        _optional("snomed_code", "SNOMEDCode"),
        _PATIENT_ID,
        _REMOVED,
    ),
)
"""The few columns of the codes that a person's ethnic category is taken from."""

LINK = SupplierFile(
    CODE.name,
    CODE.told_by,
    (_needed("event", "IDEvent"), _optional("appointment", "IDAppointment"), _REMOVED),
)
"""The columns of the codes that say in which event, and at which appointment, they were recorded."""

APPOINTMENT = SupplierFile(
    "SRAppointment",
    ("RowIdentifier", "DateStart", "AppointmentStatus"),
    (
        _ROW_ID,
        _VISIBLE_TO,
        _needed("start", "DateStart"),
        _needed("status", "AppointmentStatus"),
        _needed("booked", "DateAppointmentBooked"),
        _needed("seen", "DatePatientSeen"),
        _needed("telephone", "TelephoneAppointment"),
        _needed("clinician", "IDClinician"),
        _needed("profile", "IDProfileClinician"),
        _optional("rota_type", "RotaType"),
        _optional("rota_location", "RotaLocation"),
        _needed("cancelled", "DateAppointmentCancelled"),
        _PATIENT_ID,
        _REMOVED,
    ),
)
EVENT = SupplierFile(
    "SREvent",
    ("RowIdentifier", "DateEvent", "ContactMethod", "ClinicalEvent"),
    (_ROW_ID, _needed("clinician", "IDDoneBy"), _optional("method", "ContactMethod"), _REMOVED),
)
MEDICATION = SupplierFile(
    "SRPrimaryCareMedication",
    ("RowIdentifier", "IDMultiLexDMD", "IsRepeatMedication"),
    (
        _ROW_ID,
        _VISIBLE_TO,
        _RECORDED,
        _needed("event_date", "DateEvent"),
        _needed("multilex_code", "IDMultiLexProduct"),
        _needed("dmd_code", "IDMultiLexDMD"),
        _needed("start_date", "DateMedicationStart"),
        _needed("is_repeat", "IsRepeatMedication"),
        _optional("is_other", "IsOtherMedication"),
        _optional("is_dental", "IsDentalMedication"),
        _optional("is_hospital", "IsHospitalMedication"),
        _PATIENT_ID,
        _REMOVED,
    ),
)
PROFILE = SupplierFile(
    "SRStaffMemberProfile",
    ("RowIdentifier", "StaffRole", "IDStaffMember"),
    (_needed("profile", "RowIdentifier"), _needed("role", "StaffRole"), _needed("staff", "IDStaffMember"), _optional("gmp_code", "GmpID")),
)
ORGANISATION = SupplierFile(
    "SROrganisation", ("RowIdentifier", "Name", "ID", "MadeObsolete"), (_needed("record", "RowIdentifier"), _needed("ods_code", "ID"))
)
MAPPING = SupplierFile("SRMapping", ("RowIdentifier", "IdMappingGroup", "Mapping"), (_needed("record", "RowIdentifier"), _needed("words", "Mapping")))
"""What the numbers in AppointmentStatus, StaffRole and AddressType mean, in the extracts that hold numbers there."""

LIST_OPTION = SupplierFile(
    "SRConfiguredListOption",
    ("RowIdentifier", "ConfiguredList", "ConfiguredListOption"),
    (_needed("record", "RowIdentifier"), _needed("words", "ConfiguredListOption")),
)
"""What the numbers in ContactMethod and RotaLocation mean, in the extracts that hold numbers there."""

FILES = (PATIENT, REGISTRATION, ADDRESS, CODE, APPOINTMENT, EVENT, MEDICATION, PROFILE, ORGANISATION, MAPPING, LIST_OPTION)
