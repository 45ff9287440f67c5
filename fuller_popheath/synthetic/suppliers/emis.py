"""Writes a practice's records as EMIS Web would send them: one folder with the twelve files that are read here, every column of each.

What an EMIS extract cannot carry stands in `LOST`. Identifiers become guids that follow from ours (`emis_guid`), names and addresses stay blank,
postcodes are never issued ones, and an ethnic category becomes a coded entry of the record. What does not belong here: drawing any record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.sources.care_words import NATIONAL_CATEGORIES, NATIONAL_MODES
from fuller_popheath.specs import ContractId
from fuller_popheath.synthetic.suppliers.emis_headers import Version, header
from fuller_popheath.synthetic.suppliers.made_up import guid, postcode_of, renamed, row_number, write_csv
from fuller_popheath.synthetic.suppliers.own_tables import APPOINTMENT, EVENT, ISSUE, LETTER_OF_SEX, LIST, ROLE_OF_TYPE, OwnTables

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

LOST: Mapping[ContractId, Mapping[str, str]] = {
    LIST: {
        "lsoa_code": "no column for it: a postcode stands for it",
        "registration_start_date": "a patient has one row, so of several registrations with a practice only the newest is kept",
    },
    EVENT: {"code_system": "only snomed, read2, local and synthetic can be told apart; codes of others become local ones"},
    ISSUE: {"code_system": "drugs have dm+d codes (and our synthetic ones) only; codes of other systems are lost"},
    APPOINTMENT: {
        "booked_date": "no column for it",
        "status": "a cancelled appointment leaves a slot without patient; a booked one that lies in the past is taken for attended",
        "clinician_type": "stands with the clinician, so it is unknown where there is none",
        "mode": "one that is unknown is read from the category where that is a home visit",
    },
}
"""Why the values of these columns, or some of them, do not come back."""

FREE_SLOTS = 0.1
"""Slots that nobody took, to those that somebody did (made up)."""

_TYPE_WORDS = {"regular": "Regular", "temporary": "Temporary", "other": "Other"}
_CODE_COLUMN = {"snomed": "SnomedCTConceptId", "read2": "ReadTermId", "synthetic": "ReadTermId"}


def emis_guid(kind: str, practice_code: str, identifier: str) -> str:
    """The guid in an extract of the practice for our identifier of a `patient`, `staff`, `event`, `issue` or `appointment`."""
    return guid(kind, practice_code, identifier)


def write_drop(
    folder: Path,
    practice_code: str,
    tables: Mapping[ContractId, pa.Table],
    extract_date: date,
    rng: np.random.Generator,
    version: Version = "newest",
) -> tuple[Path, ...]:
    """Write one practice's extract into a folder of its own under `folder`; returns the files.

    `tables` has the columns of inbound/practice_list, clinical_event, medication_issue and appointment; all but the first may be absent.
    Version 5.0 has the older, misspelled headers and days as dd/mm/yyyy. Rows stand in an order drawn from `rng`.
    """
    return _Writer(folder, practice_code, OwnTables(tables).shuffled(rng), extract_date, rng, version).write()


class _Writer:
    def __init__(self, folder: Path, practice_code: str, own: OwnTables, extract_date: date, rng: np.random.Generator, version: Version) -> None:
        self.folder = folder / f"{practice_code}_{extract_date:%Y%m%d}"
        self.practice_code, self.own, self.extract_date, self.rng, self.version = practice_code, own, extract_date, rng, version
        self.day_style = "%Y-%m-%d" if version == "newest" else "%d/%m/%Y"
        self.organisation = "{" + guid("organisation", practice_code, practice_code).upper() + "}"

    def write(self) -> tuple[Path, ...]:
        entries = self.own.ethnicity_entries()
        self.own = self.own.with_table(LIST, self.own.newest_registrations())
        return (
            self._organisation(),
            self._patients(),
            self._users(),
            *self._observations(entries),
            *self._issues(),
            *self._appointments(),
        )

    def _file(self, name: str, columns: Mapping[str, pa.ChunkedArray | str], rows: int) -> Path:
        there = header(name, self.version)
        path = self.folder / f"291_{name}_{self.extract_date:%Y%m%d}.csv"
        return write_csv(path, there, {key: value for key, value in columns.items() if key in there or key not in header(name)}, rows)

    def _guids(self, kind: str, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        import pyarrow.compute as pc

        return pc.binary_join_element_wise("{", pc.ascii_upper(renamed(ids, guid, kind, self.practice_code)), "}", "")

    def _organisation(self) -> Path:
        name = f"Make-believe practice {self.practice_code}"
        return self._file("Admin_Organisation", {"OrganisationGuid": self.organisation, "OrganisationName": name, "ODSCode": self.practice_code}, 1)

    def _patients(self) -> Path:
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        made_up = pa.array([postcode_of(code) for code in own.text(LIST, "lsoa_code").to_pylist()], pa.string())
        columns = {
            "PatientGuid": self._guids("patient", own.text(LIST, "patient_id")),
            "OrganisationGuid": self.organisation,
            "UsualGpUserInRoleGuid": self._guids("staff", own.text(LIST, "usual_gp_code")),
            "Sex": own.words(LIST, "sex", LETTER_OF_SEX),
            "DateOfBirth": own.day(LIST, "date_of_birth", self.day_style),
            "DateOfDeath": own.day(LIST, "death_date", self.day_style),
            "DateOfRegistration": own.day(LIST, "registration_start_date", self.day_style),
            "DateOfDeactivation": own.day(LIST, "registration_end_date", self.day_style),
            "NhsNumber": own.text(LIST, "nhs_number"),
            "PatientTypeDescription": own.words(LIST, "registration_type", _TYPE_WORDS),
            "DummyType": "false",
            "Postcode": pc.coalesce(own.text(LIST, "postcode"), made_up),
            "Deleted": "false",
            "SpineSensitive": "false",
            "IsConfidential": pc.fill_null(own.text(LIST, "is_sensitive"), "false"),
        }
        return self._file("Admin_Patient", columns, own.rows(LIST))

    def _users(self) -> Path:
        import pyarrow as pa

        staff = self.own.staff()
        roles = [ROLE_OF_TYPE[kind] for kind in staff.values()]
        columns = {
            "UserInRoleGuid": self._guids("staff", pa.chunked_array([pa.array(list(staff), pa.string())])),
            "OrganisationGuid": self.organisation,
            "JobCategoryCode": pa.chunked_array([pa.array([code for code, _ in roles], pa.string())]),
            "JobCategoryName": pa.chunked_array([pa.array([name for _, name in roles], pa.string())]),
        }
        return self._file("Admin_UserInRole", columns, len(staff))

    def _code_ids(self, system: pa.ChunkedArray, code: pa.ChunkedArray) -> pa.ChunkedArray:
        import pyarrow.compute as pc

        return renamed(pc.binary_join_element_wise(system, code, "|"), row_number, "code", "")

    def _observations(self, entries: pa.Table) -> tuple[Path, Path]:
        """The coded entries of the record, those of ethnicity behind the others, and the codes they use."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        more = entries.num_rows
        entered = pc.strftime(entries["day"], format=self.day_style)

        def with_entries(column: pa.ChunkedArray, of_entries: pa.ChunkedArray | str | None) -> pa.ChunkedArray:
            behind = of_entries if isinstance(of_entries, pa.ChunkedArray) else pa.repeat(pa.scalar(of_entries, pa.string()), more)
            return pa.chunked_array([column.combine_chunks(), behind.combine_chunks() if isinstance(behind, pa.ChunkedArray) else behind])

        system, code = with_entries(own.text(EVENT, "code_system"), "synthetic"), with_entries(own.text(EVENT, "code"), entries["code"])
        columns = {
            "ObservationGuid": with_entries(self._guids("event", own.text(EVENT, "record_id")), self._guids("ethnicity", entries["patient_id"])),
            "PatientGuid": self._guids("patient", with_entries(own.text(EVENT, "patient_id"), entries["patient_id"])),
            "OrganisationGuid": self.organisation,
            "EffectiveDate": with_entries(own.day(EVENT, "event_date", self.day_style), entered),
            "EffectiveDatePrecision": "YMD",
            "EnteredDate": with_entries(own.day(EVENT, "recorded_date", self.day_style), entered),
            "CodeId": self._code_ids(system, code),
            "Value": with_entries(own.text(EVENT, "value"), None),
            "NumericUnit": with_entries(own.text(EVENT, "unit"), None),
            "Deleted": "false",
            "IsConfidential": with_entries(pc.fill_null(own.text(EVENT, "is_confidential"), "false"), "false"),
        }
        return self._file("CareRecord_Observation", columns, own.rows(EVENT) + more), self._clinical_codes(system, code)

    def _clinical_codes(self, system: pa.ChunkedArray, code: pa.ChunkedArray) -> Path:
        import pyarrow as pa
        import pyarrow.compute as pc

        used = (
            pa.table({"system": system, "code": code})
            .group_by(["system", "code"])
            .aggregate([])
            .sort_by([("system", "ascending"), ("code", "ascending")])
        )
        places = pa.chunked_array([pa.array([_CODE_COLUMN.get(each or "", "NationalCode") for each in used["system"].to_pylist()], pa.string())])
        nothing = pa.scalar(None, pa.string())
        columns = {name: pc.if_else(pc.equal(places, name), used["code"], nothing) for name in ("SnomedCTConceptId", "ReadTermId", "NationalCode")}
        return self._file("Coding_ClinicalCode", {"CodeId": self._code_ids(used["system"], used["code"]), **columns}, used.num_rows)

    def _issues(self) -> tuple[Path, Path, Path]:
        """The issues, the drug records they were made from (one a patient, drug and kind), and the codes of the drugs."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        system, code, patient = (own.text(ISSUE, name) for name in ("code_system", "code", "patient_id"))
        kind = own.words(ISSUE, "is_repeat", {"true": "Repeat", "false": "Acute"})
        issued = pa.table({"patient": patient, "id": self._code_ids(system, code), "kind": kind})
        record = pc.binary_join_element_wise(issued["patient"], issued["id"], pc.fill_null(kind, ""), "|")
        shared = {"OrganisationGuid": self.organisation, "IsConfidential": "false", "Deleted": "false"}
        issue_columns = {
            **shared,
            "IssueRecordGuid": self._guids("issue", own.text(ISSUE, "record_id")),
            "PatientGuid": self._guids("patient", patient),
            "DrugRecordGuid": self._guids("drug record", record),
            "EffectiveDate": own.day(ISSUE, "issue_date", self.day_style),
            "EffectiveDatePrecision": "YMD",
            "EnteredDate": own.day(ISSUE, "recorded_date", self.day_style),
            "CodeId": issued["id"],
        }
        drugs = issued.append_column("record", record).group_by(["record", "patient", "id", "kind"]).aggregate([])
        drug_columns = {
            **shared,
            "DrugRecordGuid": self._guids("drug record", drugs["record"]),
            "PatientGuid": self._guids("patient", drugs["patient"]),
            "CodeId": drugs["id"],
            "PrescriptionType": drugs["kind"],
        }
        used = pa.table({"system": system, "code": code}).group_by(["system", "code"]).aggregate([])
        carried = pc.is_in(used["system"], value_set=pa.array(["dmd", "synthetic"]))
        code_columns = {
            "CodeId": self._code_ids(used["system"], used["code"]),
            "DmdProductCodeId": pc.if_else(carried, used["code"], pa.scalar(None, pa.string())),
        }
        return (
            self._file("Prescribing_IssueRecord", issue_columns, own.rows(ISSUE)),
            self._file("Prescribing_DrugRecord", drug_columns, drugs.num_rows),
            self._file("Coding_DrugCode", code_columns, used.num_rows),
        )

    def _appointments(self) -> tuple[Path, Path, Path, Path]:
        """Slots, the sessions they stand in (one a day, clinician, mode and category), who held these, and the consultations that came of them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        table = pa.table(
            {
                "slot": self._guids("appointment", own.text(APPOINTMENT, "record_id")),
                "patient": self._guids("patient", own.text(APPOINTMENT, "patient_id")),
                "day": own.day(APPOINTMENT, "appointment_date", self.day_style),
                "time": own.text(APPOINTMENT, "start_time"),
                "status": own.text(APPOINTMENT, "status"),
                "clinician": self._guids("staff", own.text(APPOINTMENT, "clinician_id")),
                "type": own.words(APPOINTMENT, "mode", NATIONAL_MODES),
                "category": own.words(APPOINTMENT, "category", NATIONAL_CATEGORIES),
            }
        )
        key = pc.binary_join_element_wise(*(pc.fill_null(table[name], "") for name in ("day", "clinician", "type", "category")), "|")
        table = table.append_column("session", self._guids("session", key))
        sessions = table.group_by(["session", "day", "clinician", "type", "category"]).aggregate([])
        session_columns = {
            "AppointmentSessionGuid": sessions["session"],
            "SessionTypeDescription": sessions["type"],
            "SessionCategoryDisplayName": sessions["category"],
            "StartDate": sessions["day"],
            "EndDate": sessions["day"],
            "Private": "false",
            "OrganisationGuid": self.organisation,
            "Deleted": "false",
        }
        held = sessions.filter(pc.is_valid(sessions["clinician"]))
        user_columns = {"SessionGuid": held["session"], "UserInRoleGuid": held["clinician"], "Deleted": "false"}
        return (
            self._slots(table),
            self._file("Appointment_Session", session_columns, sessions.num_rows),
            self._file("Appointment_SessionUser", user_columns, held.num_rows),
            self._consultations(table),
        )

    def _slots(self, table: pa.Table) -> Path:
        import pyarrow as pa
        import pyarrow.compute as pc

        nothing = pa.scalar(None, pa.string())
        came = pc.equal(table["status"], "attended")
        start = pc.binary_join_element_wise(table["time"], "00", ":")
        columns = {
            "SlotGuid": table["slot"],
            "AppointmentDate": table["day"],
            "AppointmentStartTime": start,
            "PatientGuid": pc.if_else(pc.equal(table["status"], "cancelled"), nothing, table["patient"]),
            "SendInTime": pc.if_else(came, pc.fill_null(start, "09:00:00"), nothing),
            "DidNotAttend": pc.if_else(pc.equal(table["status"], "did_not_attend"), "true", "false"),
            "SessionGuid": table["session"],
        }
        taken = pa.table(columns)
        free = taken.take(self.rng.integers(0, max(taken.num_rows, 1), int(FREE_SLOTS * taken.num_rows)))
        numbers = pa.chunked_array([pa.array([str(at) for at in range(free.num_rows)], pa.string())])
        free = pa.table(
            {
                **{name: free[name] for name in ("AppointmentDate", "AppointmentStartTime", "SessionGuid")},
                "SlotGuid": self._guids("free slot", numbers),
                "DidNotAttend": pa.repeat(pa.scalar("false"), free.num_rows),
            }
        )
        both = pa.concat_tables([taken, free], promote_options="default")
        more = {"OrganisationGuid": self.organisation, "PlannedDurationInMinutes": "10", "Deleted": "false"}
        return self._file("Appointment_Slot", {**{name: both[name] for name in both.column_names}, **more}, both.num_rows)

    def _consultations(self, table: pa.Table) -> Path:
        import pyarrow.compute as pc

        seen = table.filter(pc.and_(pc.equal(table["status"], "attended"), pc.is_valid(table["clinician"])))
        columns = {
            "ConsultationGuid": self._guids("consultation", seen["slot"]),
            "PatientGuid": seen["patient"],
            "OrganisationGuid": self.organisation,
            "EffectiveDate": seen["day"],
            "EffectiveDatePrecision": "YMD",
            "EnteredDate": seen["day"],
            "ClinicianUserInRoleGuid": seen["clinician"],
            "AppointmentSlotGuid": seen["slot"],
            "ConsultationSourceTerm": seen["type"],
            "Complete": "true",
            "Deleted": "false",
            "IsConfidential": "false",
        }
        return self._file("CareRecord_Consultation", columns, seen.num_rows)
