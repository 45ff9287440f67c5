"""Writes a practice's records as TPP SystmOne would send them: one folder with the files that are read here, every column of each.

What a SystmOne extract cannot carry stands in `LOST`. Identifiers become row numbers that follow from ours (`tpp_row_number`), save the GMP codes of
GPs, which it has; names and addresses stay blank, postcodes are never issued ones, an ethnic category becomes a coded entry of the record, and the
kind of an appointment the type of its rota. What does not belong here: drawing any record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.sources.care_words import NATIONAL_CATEGORIES, NATIONAL_MODES
from fuller_popheath.specs import ContractId
from fuller_popheath.synthetic.suppliers.made_up import postcode_of, renamed, row_number, write_csv
from fuller_popheath.synthetic.suppliers.own_tables import APPOINTMENT, EVENT, ISSUE, LETTER_OF_SEX, LIST, ROLE_OF_TYPE, OwnTables
from fuller_popheath.synthetic.suppliers.tpp_headers import header

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

LOST: Mapping[ContractId, Mapping[str, str]] = {
    LIST: {
        "lsoa_code": "no column for it: a postcode stands for it",
        "usual_gp_code": "none of the files names a usual GP",
        "is_sensitive": "no column for it",
    },
    EVENT: {
        "is_confidential": "no column for it",
        "code_system": "only snomed, ctv3, local (beginning with Y) and synthetic can be told apart; codes of others become ctv3",
    },
    ISSUE: {"code_system": "drugs have dm+d and MultiLex codes (and our synthetic ones) only; codes of other systems are lost"},
    APPOINTMENT: {"clinician_type": "stands with the clinician, so it is unknown where there is none"},
}
"""Why the values of these columns, or some of them, do not come back."""

GMP_CODE = re.compile(r"G\d{7}")
DAY_STYLE = "%d %b %Y"

_STATUS_WORDS = {"attended": "Finished", "did_not_attend": "Did Not Attend", "cancelled": "Cancelled by Patient", "booked": "Booked"}
_TYPE_WORDS = {"regular": "GMS", "temporary": "Temporary Resident < 16 days", "other": "Private"}


def tpp_row_number(kind: str, practice_code: str, identifier: str) -> str:
    """The row number in an extract of the practice for our identifier of a `patient`, `staff`, `event`, `issue` or `appointment`."""
    return row_number(kind, practice_code, identifier)


def write_drop(
    folder: Path, practice_code: str, tables: Mapping[ContractId, pa.Table], extract_date: date, rng: np.random.Generator
) -> tuple[Path, ...]:
    """Write one practice's extract into a folder of its own under `folder`, named with the day; returns the files.

    `tables` has the columns of inbound/practice_list, clinical_event, medication_issue and appointment; all but the first may be absent.
    Rows stand in an order drawn from `rng`.
    """
    return _Writer(folder / f"{practice_code}_{extract_date:%Y%m%d}", practice_code, OwnTables(tables).shuffled(rng)).write()


class _Writer:
    def __init__(self, folder: Path, practice_code: str, own: OwnTables) -> None:
        self.folder, self.practice_code, self.own = folder, practice_code, own
        self.shared = {"IDOrganisationVisibleTo": practice_code, "RemovedData": "false"}
        self.recorded_here = {**self.shared, "IDOrganisation": practice_code, "IDOrganisationRegisteredAt": practice_code}

    def write(self) -> tuple[Path, ...]:
        entries, patients = self.own.ethnicity_entries(), self.own.newest_registrations()
        return (
            *self._organisation_and_staff(),
            self._patients(patients),
            self._registrations(),
            self._addresses(patients),
            self._codes(entries),
            self._medication(),
            *self._appointments(),
        )

    def _file(self, name: str, columns: Mapping[str, pa.ChunkedArray | str], rows: int) -> Path:
        return write_csv(self.folder / f"{name}.csv", header(name), columns, rows)

    def _numbers(self, kind: str, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        return renamed(ids, row_number, kind, self.practice_code)

    def _moments(self, contract: ContractId, name: str) -> pa.ChunkedArray:
        import pyarrow.compute as pc

        return pc.binary_join_element_wise(self.own.day(contract, name, DAY_STYLE), "00:00:00", " ")

    def _organisation_and_staff(self) -> tuple[Path, Path, Path]:
        import pyarrow as pa

        organisation = {"ID": self.practice_code, "Name": f"Make-believe practice {self.practice_code}", "RemovedData": "false"}
        number = self._numbers("organisation", pa.chunked_array([[self.practice_code]]))
        staff = self.own.staff()
        people = self._numbers("staff", pa.chunked_array([pa.array(list(staff), pa.string())]))
        profiles = self._numbers("profile", pa.chunked_array([pa.array(list(staff), pa.string())]))
        text = pa.string()
        profile_columns = {
            "RowIdentifier": profiles,
            "StaffRole": pa.chunked_array([pa.array([ROLE_OF_TYPE[kind][1] for kind in staff.values()], text)]),
            "IDStaffMember": people,
            "IDOrganisation": self.practice_code,
            "GmpID": pa.chunked_array([pa.array([each if GMP_CODE.fullmatch(each) else None for each in staff], text)]),
            "RemovedData": "false",
        }
        return (
            self._file("SROrganisation", {**organisation, "RowIdentifier": number, "MadeObsolete": "false"}, 1),
            self._file("SRStaffMember", {"RowIdentifier": people, "Obsolete": "false", "RemovedData": "false"}, len(staff)),
            self._file("SRStaffMemberProfile", profile_columns, len(staff)),
        )

    def _patients(self, patients: pa.Table) -> Path:
        own = self.own.with_table(LIST, patients)
        columns = {
            **self.shared,
            "RowIdentifier": self._numbers("patient", own.text(LIST, "patient_id")),
            "NHSNumber": own.text(LIST, "nhs_number"),
            "DateBirth": own.day(LIST, "date_of_birth", DAY_STYLE),
            "DateDeath": own.day(LIST, "death_date", DAY_STYLE),
            "Gender": own.words(LIST, "sex", LETTER_OF_SEX),
            "TestPatient": "false",
        }
        return self._file("SRPatient", columns, patients.num_rows)

    def _registrations(self) -> Path:
        import pyarrow.compute as pc

        own = self.own
        patient = own.identified_list()["patient_id"]
        start = own.day(LIST, "registration_start_date", DAY_STYLE)
        columns = {
            **self.recorded_here,
            "RowIdentifier": self._numbers("registration", pc.binary_join_element_wise(patient, start, "|")),
            "DateEventRecorded": self._moments(LIST, "registration_start_date"),
            "DateRegistration": self._moments(LIST, "registration_start_date"),
            "DateDeRegistration": self._moments(LIST, "registration_end_date"),
            "RegistrationStatus": own.words(LIST, "registration_type", _TYPE_WORDS),
            "IDPatient": self._numbers("patient", patient),
        }
        return self._file("SRPatientRegistration", columns, own.rows(LIST))

    def _addresses(self, patients: pa.Table) -> Path:
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own.with_table(LIST, patients)
        made_up = pa.array([postcode_of(code) for code in own.text(LIST, "lsoa_code").to_pylist()], pa.string())
        start = own.day(LIST, "registration_start_date", DAY_STYLE)
        columns = {
            **self.recorded_here,
            "RowIdentifier": self._numbers("address", own.text(LIST, "patient_id")),
            "DateEventRecorded": start,
            "DateEvent": start,
            "FullPostCode": pc.coalesce(own.text(LIST, "postcode"), made_up),
            "AddressType": "Home",
            "IDPatient": self._numbers("patient", own.text(LIST, "patient_id")),
        }
        return self._file("SRPatientAddressHistory", columns, patients.num_rows)

    def _codes(self, entries: pa.Table) -> Path:
        """The coded entries of the record, those of ethnicity behind the others."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        value = own.text(EVENT, "value")
        is_snomed = pc.fill_null(pc.equal(own.text(EVENT, "code_system"), "snomed"), False)
        code, nothing = own.text(EVENT, "code"), pa.scalar(None, pa.string())
        of_record = {
            "RowIdentifier": self._numbers("event", own.text(EVENT, "record_id")),
            "IDPatient": self._numbers("patient", own.text(EVENT, "patient_id")),
            "DateEventRecorded": self._moments(EVENT, "recorded_date"),
            "DateEvent": self._moments(EVENT, "event_date"),
            "CTV3Code": pc.if_else(is_snomed, nothing, code),
            "SNOMEDCode": pc.if_else(is_snomed, code, pa.scalar("-1")),
            "IsNumeric": pc.if_else(pc.is_valid(value), "true", "false"),
            "NumericValue": value,
            "NumericUnit": own.text(EVENT, "unit"),
        }
        entered = pc.strftime(entries["day"], format=DAY_STYLE)
        of_entries = {
            "RowIdentifier": self._numbers("ethnicity", entries["patient_id"]),
            "IDPatient": self._numbers("patient", entries["patient_id"]),
            "DateEventRecorded": entered,
            "DateEvent": entered,
            "CTV3Code": entries["code"],
            "SNOMEDCode": pa.repeat(pa.scalar("-1"), entries.num_rows),
            "IsNumeric": pa.repeat(pa.scalar("false"), entries.num_rows),
        }
        both = pa.concat_tables([pa.table(of_record), pa.table(of_entries)], promote_options="default")
        return self._file("SRCode", {**self.recorded_here, **{name: both[name] for name in both.column_names}}, both.num_rows)

    def _medication(self) -> Path:
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        system, code, nothing = own.text(ISSUE, "code_system"), own.text(ISSUE, "code"), pa.scalar(None, pa.string())
        started = self._moments(ISSUE, "issue_date")
        columns = {
            **self.recorded_here,
            "RowIdentifier": self._numbers("issue", own.text(ISSUE, "record_id")),
            "DateEventRecorded": self._moments(ISSUE, "recorded_date"),
            "DateEvent": started,
            "IDMultiLexProduct": pc.if_else(pc.equal(system, "multilex"), code, nothing),
            "IDMultiLexDMD": pc.if_else(pc.is_in(system, value_set=pa.array(["dmd", "synthetic"])), code, nothing),
            "DateMedicationStart": started,
            "IsRepeatMedication": own.text(ISSUE, "is_repeat"),
            "IsOtherMedication": "false",
            "IsDentalMedication": "false",
            "IsHospitalMedication": "false",
            "IDPatient": self._numbers("patient", own.text(ISSUE, "patient_id")),
        }
        return self._file("SRPrimaryCareMedication", columns, own.rows(ISSUE))

    def _appointments(self) -> tuple[Path, Path]:
        """The appointments, and the events that came of those attended."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own, nothing = self.own, pa.scalar(None, pa.string())
        day, time = own.day(APPOINTMENT, "appointment_date", DAY_STYLE), own.text(APPOINTMENT, "start_time")
        start = pc.coalesce(pc.binary_join_element_wise(day, pc.binary_join_element_wise(time, "00", ":"), " "), day)
        status, clinician = own.text(APPOINTMENT, "status"), own.text(APPOINTMENT, "clinician_id")
        patient = self._numbers("patient", own.text(APPOINTMENT, "patient_id"))
        staff = pc.fill_null(self._numbers("staff", clinician), "-1")
        mode = own.words(APPOINTMENT, "mode", NATIONAL_MODES)
        columns = {
            **self.recorded_here,
            "RowIdentifier": self._numbers("appointment", own.text(APPOINTMENT, "record_id")),
            "DateStart": start,
            "AppointmentStatus": own.words(APPOINTMENT, "status", _STATUS_WORDS),
            "DateAppointmentBooked": own.day(APPOINTMENT, "booked_date", DAY_STYLE),
            "DatePatientSeen": pc.if_else(pc.equal(status, "attended"), start, nothing),
            "TelephoneAppointment": pc.if_else(pc.equal(own.text(APPOINTMENT, "mode"), "telephone"), "true", "false"),
            "IDClinician": staff,
            "IDProfileClinician": pc.fill_null(self._numbers("profile", clinician), "-1"),
            "RotaType": own.words(APPOINTMENT, "category", NATIONAL_CATEGORIES),
            "RotaLocation": mode,
            "DateAppointmentCancelled": pc.if_else(pc.equal(status, "cancelled"), day, nothing),
            "IDPatient": patient,
        }
        ids = own.text(APPOINTMENT, "record_id")
        seen = pa.table({"id": ids, "start": start, "staff": staff, "mode": mode, "patient": patient}).filter(pc.equal(status, "attended"))
        events = {
            **self.recorded_here,
            "RowIdentifier": self._numbers("contact", seen["id"]),
            "DateEventRecorded": seen["start"],
            "DateEvent": seen["start"],
            "IDDoneBy": seen["staff"],
            "ContactMethod": seen["mode"],
            "EventIncomplete": "false",
            "ClinicalEvent": "true",
            "IDPatient": seen["patient"],
        }
        return self._file("SRAppointment", columns, own.rows(APPOINTMENT)), self._file("SREvent", events, seen.num_rows)
