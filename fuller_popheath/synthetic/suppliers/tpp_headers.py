"""The complete header rows of the SystmOne files that are written here (version 93, or the newest before it).

Source: github endeavourhealth/Transforms, commit 6b6a8e17, src/main/java/org/endeavourhealth/transform/tpp/csv/schema.
What does not belong here: which columns are filled (`tpp`).
"""

from __future__ import annotations

_HEADERS = {
    "SRPatient": """
        RowIdentifier IDOrganisationVisibleTo Title FirstName MiddleNames Surname PreviousSurname NHSNumber DateBirth DateDeath BirthPlace Gender
        SpeaksEnglish EmailAddress TestPatient SSRef SpineMatched RemovedData
    """,
    "SRPatientRegistration": """
        RowIdentifier IDOrganisationVisibleTo DateEventRecorded IDProfileEnteredBy DateRegistration DateDeRegistration RegistrationStatus
        PreferredPharmacy IDPatient IDOrganisation IDOrganisationRegisteredAt RemovedData
    """,
    "SRPatientAddressHistory": """
        RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy TextualEventDoneBy IDOrganisationDoneAt
        NameOfBuilding NumberOfBuilding NameOfRoad NameOfLocality NameOfTown NameOfCounty FullPostCode DateTo AddressType IDEvent IDPatient
        IDOrganisation CcgOfResidence IDOrganisationRegisteredAt RemovedData
    """,
    "SRCode": """
        RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy TextualEventDoneBy IDOrganisationDoneAt
        CTV3Code CTV3Text SNOMEDCode SNOMEDText NumericComparator IsNumeric NumericValue NumericUnit EpisodeType IDTemplate IDQuestionnaire
        IDEvent IDPatient IDReferralIn IDAppointment IDVisit IDOrganisation IDOrganisationRegisteredAt RemovedData
    """,
    "SRAppointment": """
        RowIdentifier IDOrganisationVisibleTo DateStart DateEnd AppointmentStatus DateAppointmentBooked DatePatientArrival DatePatientSeen
        FollowUpAppointment TelephoneAppointment IDClinician IDProfileClinician RotaName RotaType RotaLocation RotaCode IDRotaOwner
        IDProfileRotaOwner AllowsOverbooking BookingContactNumber DateAppointmentCancelled IDRota IDReferralIn IDPatient IDOrganisation
        IDOrganisationRegisteredAt RemovedData
    """,
    "SREvent": """
        RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy IDStaffMemberProfileRole TextualEventDoneBy
        IDOrganisationDoneAt IDAuthorisedBy IDProfileAuthorisedBy ContactEventLocation ContactMethod EventIncomplete ClinicalEvent IDReferralIn
        IDPatient IDOrganisation IDTeam IDBranch IDOrganisationRegisteredAt RemovedData
    """,
    "SRPrimaryCareMedication": """
        RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy TextualEventDoneBy IDOrganisationDoneAt
        IDMultiLexProduct IDMultiLexPack IDMultiLexDMD NameOfMedication DateMedicationStart DateMedicationEnd MedicationDosage MedicationQuantity
        IsSupervised SupervisedDose UnsupervisedDose IsRepeatMedication IsOtherMedication IsDentalMedication IsHospitalMedication IDRepeatTemplate
        IDReferralIn IDEvent IDPatient IDOrganisation IDOrganisationRegisteredAt RemovedData
    """,
    "SRStaffMember": """
        RowIdentifier StaffName StaffUserName NationalIdType IDNational IDSmartCard Obsolete RemovedData
    """,
    "SRStaffMemberProfile": """
        RowIdentifier DateProfileCreated IdProfileCreatedBy IDStaffMemberProfileRole StaffRole DateEmploymentStart DateEmploymentEnd PPAID
        GPLocalCode IDStaffMember IDOrganisation GmpID RemovedData
    """,
    "SROrganisation": """
        RowIdentifier Name ID HouseName HouseNumber NameOfRoad NameOfLocality NameOfTown NameOfCounty FullPostCode Telephone SecondaryTelephone
        Fax MadeObsolete IDTrust IDCcg RemovedData
    """,
}

FILES = tuple(_HEADERS)


def header(file: str) -> dict[str, str]:
    """The columns of a file in their order, each under its own name."""
    return {name: name for name in _HEADERS[file].split()}
