"""EMIS Web bulk extracts: practice lists, clinical events, medication issues and appointments from its CSV files with header rows.

Which files and headers: `emis_layout`. Who is in an extract and what its codes are: `emis_people`. Appointments: `emis_contacts`.
Extracts are taken as complete (bulk) ones: of a delta, which holds changes only, what did not change would be missing, and rows that it marks as
deleted are only left out of it, not taken back from the extract before. An extract has one row a patient, so an earlier registration of a patient who
came back is not in it; it has no LSOA (the door looks it up by postcode), no day on which an appointment was booked, and no cancelled appointments.
The usual GP and the clinicians of contacts are both given by the guid of the user in their role, so that they can be compared within a practice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources import emis_layout as layout
from fuller_popheath.sources.care_words import plain_words
from fuller_popheath.sources.emis_contacts import appointments
from fuller_popheath.sources.emis_people import EmisExtract, clinical_codes, drug_codes, open_extract, practice_list
from fuller_popheath.sources.layouts import first_value
from fuller_popheath.sources.supplier_files import Heads, Keys, days, extract_day, fetched, flags, guids, read_file, reader_of, told_among
from fuller_popheath.specs import ContractId, FileHead, SupplierSpec

if TYPE_CHECKING:
    import pyarrow as pa

REPEAT_TYPES = frozenset({"repeat", "repeat dispensing", "automatic"})
"""Prescription types of which the patient need not be seen for each issue; the other one is Acute."""


def recognise(head: FileHead) -> str | None:
    """Which EMIS file it is, by its headers."""
    return told_among(layout.FILES, head)


def practice_code(heads: Heads) -> str | None:
    """The ODS code of the organisation that the first patient belongs to; None where the files do not tell."""
    import pyarrow as pa

    organisation = next((first_value(layout.PATIENT.layout, head, "organisation") for head in heads.get(layout.PATIENT.name, ())), "")
    if not organisation:
        return None
    try:
        organisations = read_file(layout.ORGANISATION, heads)
    except FileRefused:
        return None
    at = Keys(guids(organisations["organisation"])).find(guids(pa.chunked_array([[organisation]])))
    return fetched(organisations["ods_code"], at)[0].as_py()


def read(contract: ContractId, heads: Heads, codelists: pa.Table) -> pa.Table:
    """The rows of one inbound contract of one extract. Raises FileRefused for files that cannot be read, SettingsWrong for another contract."""
    readers = {
        "inbound/practice_list": practice_list,
        "inbound/clinical_event": clinical_events,
        "inbound/medication_issue": medication_issues,
        "inbound/appointment": appointments,
    }
    reader = reader_of(readers, contract, "an EMIS extract")
    return reader(open_extract(heads, codelists))


def clinical_events(extract: EmisExtract) -> pa.Table:
    """One row per observation. A code that the extract's code list does not hold has no system: the contract quarantines it, with its `code_id`."""
    import pyarrow as pa

    rows = read_file(layout.OBSERVATION, extract.heads)
    codes = clinical_codes(extract, rows["code_id"])
    at = Keys(codes["code_id"]).find(rows["code_id"])
    return pa.table(
        {
            **extract.about(rows),
            "record_id": guids(rows["record"]),
            "event_date": days(rows["effective_date"]),
            "recorded_date": days(rows["entered_date"]),
            "code_system": fetched(codes["code_system"], at),
            "code": fetched(codes["code"], at),
            "value": rows["value"],
            "unit": rows["unit"],
            "is_confidential": flags(rows["confidential"]),
            "code_id": rows["code_id"],
        }
    )


def medication_issues(extract: EmisExtract) -> pa.Table:
    """One row per issue; whether it is a repeat stands with the drug record it was issued from."""
    import pyarrow as pa

    rows = read_file(layout.ISSUE, extract.heads)
    codes, drugs = drug_codes(extract.heads), read_file(layout.DRUG_RECORD, extract.heads)
    at = Keys(codes["code_id"]).find(rows["code_id"])
    repeats = pa.array([None if kind is None else plain_words(kind) in REPEAT_TYPES for kind in drugs["type"].to_pylist()], pa.bool_())
    drug = Keys(guids(drugs["drug_record"])).find(guids(rows["drug_record"]))
    return pa.table(
        {
            **extract.about(rows),
            "record_id": guids(rows["record"]),
            "issue_date": days(rows["effective_date"]),
            "recorded_date": days(rows["entered_date"]),
            "code_system": fetched(codes["code_system"], at),
            "code": fetched(codes["code"], at),
            "is_repeat": fetched(pa.chunked_array([repeats]), drug),
            "is_confidential": flags(rows["confidential"]),
            "code_id": rows["code_id"],
        }
    )


_PEOPLE = (layout.PATIENT.name, layout.ORGANISATION.name)

SUPPLIER = SupplierSpec(
    name="emis",
    expects="an EMIS Web bulk extract (complete, not a delta of changes only; a folder with its CSV files, with header rows: "
    + ", ".join(file.name for file in layout.FILES)
    + ")",
    contracts=("inbound/practice_list", "inbound/clinical_event", "inbound/medication_issue", "inbound/appointment"),
    recognise=recognise,
    needs={
        "inbound/practice_list": _PEOPLE,
        "inbound/clinical_event": (*_PEOPLE, layout.OBSERVATION.name, layout.CLINICAL_CODE.name),
        "inbound/medication_issue": (*_PEOPLE, layout.ISSUE.name, layout.DRUG_RECORD.name, layout.DRUG_CODE.name),
        "inbound/appointment": (
            *_PEOPLE,
            layout.SLOT.name,
            layout.SESSION.name,
            layout.SESSION_USER.name,
            layout.CONSULTATION.name,
            layout.USER.name,
        ),
    },
    read=read,
    extract_date=extract_day,
    practice_code=practice_code,
)
