"""TPP SystmOne extracts: practice lists, clinical events, medication issues and appointments from its CSV files.

Which files and headers: `tpp_layout`. Who is in an extract: `tpp_people`. Appointments: `tpp_contacts`. Files without header row are not read.
Extracts are taken as complete ones: of an extract of changes only, what did not change would be missing, and rows that it marks as removed are only
left out of it, not taken back from the extract before.
None of these files names a usual GP, says that an entry or a patient is confidential, or carries the national category of an appointment; the type of
the rota stands in for the category where it is written in the national words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources import tpp_layout as layout
from fuller_popheath.sources.layouts import first_value
from fuller_popheath.sources.listed_codes import SYNTHETIC_CODE
from fuller_popheath.sources.supplier_files import REMOVED, Heads, days, extract_day, first_reason, flags, read_file, reader_of, told_among
from fuller_popheath.sources.tpp_contacts import appointments
from fuller_popheath.sources.tpp_people import TppExtract, clinical_codes, known, ods_codes, open_extract, practice_list
from fuller_popheath.specs import ContractId, FileHead, SupplierSpec

if TYPE_CHECKING:
    import pyarrow as pa

PRACTICE_CODE = re.compile(r"[A-HJ-NPV-Y]\d{5}")


def recognise(head: FileHead) -> str | None:
    """Which SystmOne file it is, by its headers."""
    return told_among(layout.FILES, head)


def practice_code(heads: Heads) -> str | None:
    """The ODS code of the organisation that the first registration is visible to; None where the files do not tell."""
    import pyarrow as pa

    organisation = next((first_value(layout.REGISTRATION.layout, head, "visible_to") for head in heads.get(layout.REGISTRATION.name, ())), "")
    if not organisation or PRACTICE_CODE.fullmatch(organisation.upper()):
        return organisation.upper() or None
    try:
        code = ods_codes(pa.chunked_array([[organisation]]), read_file(layout.ORGANISATION, heads))[0].as_py()
    except FileRefused:
        return None
    return code if code != organisation else None


def read(contract: ContractId, heads: Heads, codelists: pa.Table) -> pa.Table:
    """The rows of one inbound contract of one extract. Raises FileRefused for files that cannot be read, SettingsWrong for another contract."""
    readers = {
        "inbound/practice_list": practice_list,
        "inbound/clinical_event": clinical_events,
        "inbound/medication_issue": medication_issues,
        "inbound/appointment": appointments,
    }
    reader = reader_of(readers, contract, "a SystmOne extract")
    return reader(open_extract(heads, codelists))


def clinical_events(extract: TppExtract) -> pa.Table:
    """One row per coded entry. A number counts where IsNumeric says so, or where the extract has no such column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.CODE, extract.heads)
    system, code = clinical_codes(rows, extract.codelists)
    is_number = pc.or_(pc.is_null(rows["is_numeric"]), flags(rows["is_numeric"]))
    nothing = pa.scalar(None, pa.string())
    return pa.table(
        {
            **extract.about(rows),
            "record_id": rows["record"],
            "event_date": days(rows["event_date"]),
            "recorded_date": days(rows["recorded_date"]),
            "code_system": system,
            "code": code,
            "value": pc.if_else(is_number, rows["value"], nothing),
            "unit": pc.if_else(is_number, rows["unit"], nothing),
        }
    )


def medication_issues(extract: TppExtract) -> pa.Table:
    """One row per issue, on the day the medication starts. What a hospital, a dentist or another gave is no issue (`not_issued_here`)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.MEDICATION, extract.heads)
    about = extract.about(rows)
    dmd, multilex = known(rows["dmd_code"]), known(rows["multilex_code"])
    is_synthetic = pc.fill_null(pc.match_substring_regex(dmd, f"^{SYNTHETIC_CODE.pattern}$"), False)
    by_multilex = pc.if_else(pc.is_valid(multilex), pa.scalar("multilex"), pa.scalar(None, pa.string()))
    by_dmd = pc.if_else(is_synthetic, "synthetic", "dmd")
    is_repeat = flags(rows["is_repeat"])
    of_others = pc.and_(pc.or_(pc.or_(flags(rows["is_other"]), flags(rows["is_dental"])), flags(rows["is_hospital"])), pc.invert(is_repeat))
    return pa.table(
        {
            **about,
            REMOVED: pc.coalesce(about[REMOVED], first_reason(rows.num_rows, ("not_issued_here", of_others))),
            "record_id": rows["record"],
            "issue_date": days(pc.coalesce(rows["start_date"], rows["event_date"])),
            "recorded_date": days(rows["recorded_date"]),
            "code_system": pc.if_else(pc.is_valid(dmd), by_dmd, by_multilex),
            "code": pc.coalesce(dmd, multilex),
            "is_repeat": pc.if_else(pc.is_valid(rows["is_repeat"]), is_repeat, pa.scalar(None, pa.bool_())),
        }
    )


_PEOPLE = (layout.PATIENT.name, layout.REGISTRATION.name)

SUPPLIER = SupplierSpec(
    name="tpp",
    expects="a TPP SystmOne extract (complete, not of changes only; a folder with its CSV files, separated by commas; "
    "files without header row cannot be read: " + ", ".join(file.name for file in layout.FILES) + ")",
    contracts=("inbound/practice_list", "inbound/clinical_event", "inbound/medication_issue", "inbound/appointment"),
    recognise=recognise,
    needs={
        "inbound/practice_list": (*_PEOPLE, layout.ADDRESS.name),
        "inbound/clinical_event": (*_PEOPLE, layout.CODE.name),
        "inbound/medication_issue": (*_PEOPLE, layout.MEDICATION.name),
        "inbound/appointment": (*_PEOPLE, layout.APPOINTMENT.name, layout.PROFILE.name),
    },
    read=read,
    extract_date=extract_day,
    practice_code=practice_code,
)
