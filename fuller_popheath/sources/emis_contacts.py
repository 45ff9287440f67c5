"""Contacts in an EMIS extract: slots of appointment sessions that were given to a patient.

A slot names no clinician. The consultation that was written for it does, and goes first; else the session's user counts where the session has one.
Where consultations name several, the session's user holds, and where the session has several users too, clinician and type stay unknown.
A cancelled appointment leaves a slot without patient, so cancellations do not show (`_removed` is `no_patient`). Facts about the layout: github
endeavourhealth/Transforms, commit 6b6a8e17 (SlotTransformer, SessionUserTransformer). What does not belong here: words for modes and roles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fuller_popheath.sources import emis_layout as layout
from fuller_popheath.sources.care_words import category_of, clinician_type_of, mode_of
from fuller_popheath.sources.emis_people import EmisExtract
from fuller_popheath.sources.supplier_files import (
    REMOVED,
    Heads,
    Keys,
    by_distinct,
    days,
    fetched,
    first_reason,
    flags,
    guids,
    only_value,
    read_file,
    times,
)

if TYPE_CHECKING:
    import pyarrow as pa


def appointments(extract: EmisExtract) -> pa.Table:
    """One row per slot. Attended: sent in, left, or lying before the day of the extract without a mark that the patient did not attend."""
    import pyarrow as pa
    import pyarrow.compute as pc

    heads = extract.heads
    rows = read_file(layout.SLOT, heads)
    about = extract.about(rows)
    slot, session = guids(rows["record"]), guids(rows["session"])
    clinician, source_term = _clinicians(heads, slot, session)
    day = days(rows["date"])
    category, mode = _kinds(heads, session)
    came = pc.or_(pc.or_(pc.is_valid(rows["sent_in"]), pc.is_valid(rows["left"])), pc.fill_null(pc.less(day, pa.scalar(extract.day)), False))
    status = pc.if_else(flags(rows["did_not_attend"]), "did_not_attend", pc.if_else(came, "attended", "booked"))
    return pa.table(
        {
            **about,
            REMOVED: pc.coalesce(about[REMOVED], first_reason(rows.num_rows, ("no_patient", pc.is_null(about["patient_id"])))),
            "record_id": slot,
            "appointment_date": day,
            "start_time": times(rows["start_time"]),
            "status": status,
            "clinician_id": clinician,
            "clinician_type": pc.fill_null(_types(heads, clinician), "unknown"),
            "mode": pc.fill_null(pc.coalesce(mode, by_distinct(source_term, mode_of)), "unknown"),
            "category": category,
        }
    )


def _clinicians(heads: Heads, slot: pa.ChunkedArray, session: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The clinician (guid) of each slot, and what kind of place or contact its consultation says it was."""
    import pyarrow.compute as pc

    written = read_file(layout.CONSULTATION, heads)
    written = written.filter(pc.invert(flags(written["deleted"])))
    written_for = guids(written["slot"])
    consulted, by = only_value(written_for, guids(written["clinician"]))
    users = read_file(layout.SESSION_USER, heads)
    users = users.filter(pc.invert(flags(users["deleted"])))
    held, holder = only_value(guids(users["session"]), guids(users["user"]))
    clinician = pc.coalesce(fetched(by, Keys(consulted).find(slot)), fetched(holder, Keys(held).find(session)))
    return clinician, fetched(written["source_term"], Keys(written_for).find(slot))


def _types(heads: Heads, clinician: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    users = read_file(layout.USER, heads)
    pairs = zip(users["role_code"].to_pylist(), users["role_name"].to_pylist(), strict=True)
    kinds = pa.chunked_array([pa.array([clinician_type_of(code, name) for code, name in pairs], pa.string())])
    return fetched(kinds, Keys(guids(users["user"])).find(clinician))


def _kinds(heads: Heads, session: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The category and the mode that the words of each slot's session say."""
    import pyarrow as pa

    sessions = read_file(layout.SESSION, heads)
    at = Keys(guids(sessions["session"])).find(session)

    def said(meaning: Callable[[str], str | None], *columns: str) -> pa.ChunkedArray:
        rows = zip(*(sessions[name].to_pylist() for name in columns), strict=True)
        words = [next((found for text in row if text and (found := meaning(text))), None) for row in rows]
        return fetched(pa.chunked_array([pa.array(words, pa.string())]), at)

    return said(category_of, "category", "type", "description"), said(mode_of, "type", "category", "description")
