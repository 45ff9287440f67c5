"""Contacts in a SystmOne extract: appointments, with the clinician whose list they stood in.

The clinician is the member of staff (IDClinician), or of the profile (IDProfileClinician) where only that is given; where the appointment names
neither, the one who did the event that codes of the appointment were recorded in, if it is one only. A GP is called by the GMP code of the profile
where it has one, so that a GP of two practices is one. Statuses: github endeavourhealth/Transforms, commit 6b6a8e17
(SRAppointmentTransformer). What does not belong here: words for modes and roles (`care_words`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.sources import tpp_layout as layout
from fuller_popheath.sources.care_words import category_of, clinician_type_of, mode_of, plain_words
from fuller_popheath.sources.supplier_files import (
    REMOVED,
    Heads,
    Keys,
    by_distinct,
    days,
    fetched,
    first_reason,
    flags,
    only_value,
    read_file,
    times,
)
from fuller_popheath.sources.tpp_people import TppExtract, known, words

if TYPE_CHECKING:
    import pyarrow as pa

CAME, DID_NOT_COME = ("finished", "arrived", "in progress", "waiting"), ("did not attend", "no access visit")
CANCELLED = ("cancelled", "patient walked out", "rejected")


def status_of(text: str) -> str:
    """The status of an appointment by its words; those of no known status stay as they are, so that the contract quarantines them."""
    said = plain_words(text)
    if said.startswith(DID_NOT_COME) or "no access visit" in said:
        return "did_not_attend"
    if said.startswith(CANCELLED):
        return "cancelled"
    if said in CAME:
        return "attended"
    return "booked" if said.startswith("booked") else text


def appointments(extract: TppExtract) -> pa.Table:
    """One row per appointment; one without patient is `no_patient`. A patient who was seen has attended, whatever the status says."""
    import pyarrow as pa
    import pyarrow.compute as pc

    heads = extract.heads
    rows = read_file(layout.APPOINTMENT, heads)
    about = extract.about(rows)
    staff, method = _staff(heads, rows)
    clinician, kind = _clinicians(heads, staff, known(rows["profile"]))
    said = by_distinct(words(rows["status"], heads, layout.MAPPING), status_of)
    status = pc.if_else(pc.is_valid(rows["cancelled"]), "cancelled", pc.if_else(pc.is_valid(rows["seen"]), "attended", said))
    mode = pc.coalesce(
        pc.if_else(flags(rows["telephone"]), pa.scalar("telephone"), pa.scalar(None, pa.string())),
        by_distinct(words(rows["rota_location"], heads, layout.LIST_OPTION), mode_of),
        by_distinct(rows["rota_type"], mode_of),
        by_distinct(words(method, heads, layout.LIST_OPTION), mode_of),
    )
    return pa.table(
        {
            **about,
            REMOVED: pc.coalesce(about[REMOVED], first_reason(rows.num_rows, ("no_patient", pc.is_null(about["patient_id"])))),
            "record_id": rows["record"],
            "appointment_date": days(rows["start"]),
            "start_time": times(rows["start"]),
            "booked_date": days(rows["booked"]),
            "status": status,
            "clinician_id": clinician,
            "clinician_type": pc.fill_null(kind, "unknown"),
            "mode": pc.fill_null(mode, "unknown"),
            "category": by_distinct(rows["rota_type"], category_of),
        }
    )


def _staff(heads: Heads, rows: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The member of staff of each appointment, and how the contact was made by the event that its codes were recorded in."""
    import pyarrow.compute as pc

    events, links = read_file(layout.EVENT, heads), read_file(layout.LINK, heads)
    events, links = (table.filter(pc.invert(flags(table["removed"]))) for table in (events, links))
    linked, event = only_value(known(links["appointment"]), known(links["event"]))
    of_appointment = fetched(event, Keys(linked).find(rows["record"]))
    at = Keys(events["record"]).find(of_appointment)
    profiles = read_file(layout.PROFILE, heads)
    of_profile = fetched(known(profiles["staff"]), Keys(profiles["profile"]).find(known(rows["profile"])))
    return pc.coalesce(known(rows["clinician"]), of_profile, fetched(known(events["clinician"]), at)), fetched(events["method"], at)


def _clinicians(heads: Heads, staff: pa.ChunkedArray, profile: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """What each member of staff is called here, and their type: by the profile of the appointment, else by the only role they have."""
    import pyarrow.compute as pc

    profiles = read_file(layout.PROFILE, heads)
    whose, gmp = only_value(known(profiles["staff"]), known(profiles["gmp_code"]))
    clinician = pc.coalesce(pc.utf8_upper(fetched(gmp, Keys(whose).find(staff))), staff)
    kinds = by_distinct(words(profiles["role"], heads, layout.MAPPING), lambda role: clinician_type_of(None, role))
    people, only_kind = only_value(known(profiles["staff"]), kinds)
    by_profile = fetched(kinds, Keys(profiles["profile"]).find(profile))
    return clinician, pc.coalesce(by_profile, fetched(only_kind, Keys(people).find(staff)))
