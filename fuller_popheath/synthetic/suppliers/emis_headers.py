"""The complete header rows of the EMIS files that are written here, of the newest version and of version 5.0.

Source: github endeavourhealth/Transforms, commit 6b6a8e17, src/main/java/org/endeavourhealth/transform/emis/csv/schema.
What does not belong here: which columns are filled (`emis`).
"""

from __future__ import annotations

from typing import Literal

Version = Literal["newest", "5.0"]

_NEWEST = {
    "Admin_Patient": """
        PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName MiddleNames Surname DateOfRegistration
        NhsNumber PatientNumber PatientTypeDescription DummyType HouseNameFlatNumber NumberAndStreet Village Town County Postcode
        ResidentialInstituteCode NHSNumberStatus CarerName CarerRelation PersonGuid DateOfDeactivation Deleted SpineSensitive IsConfidential
        EmailAddress HomePhone MobilePhone ExternalUsualGPGuid ExternalUsualGP ExternalUsualGPOrganisation ProcessingId
    """,
    "Admin_Organisation": """
        OrganisationGuid CDB OrganisationName ODSCode ParentOrganisationGuid CCGOrganisationGuid OrganisationType OpenDate CloseDate
        MainLocationGuid ProcessingId
    """,
    "Admin_UserInRole": """
        UserInRoleGuid OrganisationGuid Title GivenName Surname JobCategoryCode JobCategoryName ContractStartDate ContractEndDate ProcessingId
    """,
    "CareRecord_Observation": """
        ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime ClinicianUserInRoleGuid
        EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid AssociatedText ConsultationGuid Value NumericUnit ObservationType
        NumericRangeLow NumericRangeHigh DocumentGuid Deleted IsConfidential ProcessingId
    """,
    "CareRecord_Consultation": """
        ConsultationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime ClinicianUserInRoleGuid
        EnteredByUserInRoleGuid AppointmentSlotGuid ConsultationSourceTerm ConsultationSourceCodeId Complete Deleted IsConfidential ProcessingId
    """,
    "Appointment_Slot": """
        SlotGuid AppointmentDate AppointmentStartTime PlannedDurationInMinutes PatientGuid SendInTime LeftTime DidNotAttend PatientWaitInMin
        AppointmentDelayInMin ActualDurationInMinutes OrganisationGuid SessionGuid DnaReasonCodeId Deleted ProcessingId
    """,
    "Appointment_Session": """
        AppointmentSessionGuid Description LocationGuid SessionTypeDescription SessionCategoryDisplayName StartDate StartTime EndDate EndTime
        Private OrganisationGuid Deleted ProcessingId
    """,
    "Appointment_SessionUser": """
        SessionGuid UserInRoleGuid Deleted ProcessingId
    """,
    "Prescribing_DrugRecord": """
        DrugRecordGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime ClinicianUserInRoleGuid
        EnteredByUserInRoleGuid CodeId Dosage Quantity QuantityUnit ProblemObservationGuid PrescriptionType IsActive CancellationDate
        NumberOfIssues NumberOfIssuesAuthorised IsConfidential Deleted ProcessingId
    """,
    "Prescribing_IssueRecord": """
        IssueRecordGuid PatientGuid OrganisationGuid DrugRecordGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime
        ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId Dosage Quantity QuantityUnit ProblemObservationGuid CourseDurationInDays
        EstimatedNhsCost IsConfidential Deleted ProcessingId
    """,
    "Coding_ClinicalCode": """
        CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode NationalCodeCategory NationalDescription
        EmisCodeCategoryDescription ProcessingId
    """,
    "Coding_DrugCode": """
        CodeId Term DmdProductCodeId ProcessingId
    """,
}

# What version 5.0 called otherwise, misspellings and all; and what it did not have.
_CALLED_OTHERWISE = {
    "Admin_Patient": {"ExternalUsualGP": "ExternalUsusalGP", "ExternalUsualGPOrganisation": "ExternalUsusalGPOrganisation"},
    "Prescribing_DrugRecord": {"ClinicianUserInRoleGuid": "ClinicanUserInRoleGuid"},
    "Prescribing_IssueRecord": {"ClinicianUserInRoleGuid": "ClinicanUserInRoleGuid"},
}
_NOT_THERE = {name: {"EnteredTime"} for name in ("CareRecord_Consultation", "Prescribing_DrugRecord", "Prescribing_IssueRecord")}

FILES = tuple(_NEWEST)


def header(file: str, version: Version = "newest") -> dict[str, str]:
    """The columns of a file in their order: the newest name of each, and what it is called in this version."""
    newest = _NEWEST[file].split()
    if version == "newest":
        return {name: name for name in newest}
    otherwise, absent = _CALLED_OTHERWISE.get(file, {}), _NOT_THERE.get(file, set())
    return {name: otherwise.get(name, name) for name in newest if name not in absent}
