"""How often each person was seen, by whom and how, in the last 90, 365 and 730 days; and appointments that were missed.

A contact is an appointment that was attended, of any category. What does not belong here: with whom again and again; see `continuity.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

CONTACT = "core/contact"
WINDOWS = (90, 365, 730)
GP_TYPES = ("gp", "gp_locum")
NURSE_TYPES = ("nurse",)
FACE_TO_FACE_MODES = ("face_to_face", "home_visit")
URGENT_CATEGORY = "general_consultation_acute"
"""Of the national appointment categories only General Consultation Acute means urgent (Appointments in General Practice, NHS England)."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person with an appointment in the last two years; counts only, and days since the last contact in them."""
    import ibis

    as_of = ibis.literal(night.as_of, type="date")
    contact = tables[CONTACT].filter(tables[CONTACT]["contact_date"] >= _day_before(night, max(WINDOWS)))
    rows = _judged(contact, night)
    counts = rows.group_by("person_row").agg(**_counts(rows), last_date=rows["seen_date"].max(), last_gp_date=rows["gp_date"].max())
    clinicians = _clinicians(contact, night)
    joined = counts.left_join(clinicians, counts["person_row"] == clinicians["seen_row"])
    return joined.mutate(
        clinician_count_365=joined["clinicians"].fill_null(0),
        days_since_last_contact=as_of.delta(joined["last_date"], unit="day").cast("int64"),
        days_since_last_gp_contact=as_of.delta(joined["last_gp_date"], unit="day").cast("int64"),
    ).drop("seen_row", "last_date", "last_gp_date", "clinicians")


def _judged(contact: ir.Table, night: Night) -> ir.Table:
    """Every question asked of a row once, and not once a column: texts are the slow part. What is unknown counts as other."""
    import ibis

    seen = contact["status"] == "attended"
    rows = contact.select(
        "person_row",
        "contact_date",
        seen=seen,
        missed=contact["status"] == "did_not_attend",
        gp=seen & contact["clinician_type"].isin(GP_TYPES).fill_null(False),
        nurse=seen & contact["clinician_type"].isin(NURSE_TYPES).fill_null(False),
        face_to_face=seen & contact["mode"].isin(FACE_TO_FACE_MODES).fill_null(False),
        telephone=seen & (contact["mode"] == "telephone").fill_null(False),
        home_visit=seen & (contact["mode"] == "home_visit").fill_null(False),
        urgent=seen & (contact["category"] == URGENT_CATEGORY).fill_null(False),
        **{_within(days): contact["contact_date"] >= _day_before(night, days) for days in WINDOWS},
    )
    return rows.mutate(
        other_clinician=rows["seen"] & ~(rows["gp"] | rows["nurse"]),
        other_mode=rows["seen"] & ~(rows["face_to_face"] | rows["telephone"]),
        seen_date=rows["seen"].ifelse(rows["contact_date"], ibis.null("date")),
        gp_date=rows["gp"].ifelse(rows["contact_date"], ibis.null("date")),
    )


def _within(days: int) -> str:
    return f"within_{days}"


def _day_before(night: Night, days: int) -> ir.DateScalar:
    import ibis

    return ibis.literal(night.as_of - timedelta(days=days), type="date")


COUNTED = {
    "seen": ("contact_count", WINDOWS),
    "gp": ("gp_contact_count", WINDOWS),
    "nurse": ("nurse_contact_count", WINDOWS),
    "other_clinician": ("other_clinician_contact_count", WINDOWS),
    "face_to_face": ("face_to_face_contact_count", WINDOWS),
    "telephone": ("telephone_contact_count", WINDOWS),
    "other_mode": ("other_mode_contact_count", WINDOWS),
    "home_visit": ("home_visit_count", (365,)),
    "urgent": ("urgent_contact_count", (365,)),
    "missed": ("did_not_attend_count", (365, 730)),
}
"""What is counted of the judged rows: the column's name without its window, and the windows."""


def _counts(rows: ir.Table) -> dict[str, ir.IntegerScalar]:
    import ibis

    nothing = ibis.null("int8")
    return {
        # Counting what is not null is cheaper than adding up ones.
        f"{name}_{days}": (rows[asked] & rows[_within(days)]).ifelse(ibis.literal(1, type="int8"), nothing).count().cast("int64")
        for asked, (name, windows) in COUNTED.items()
        for days in windows
    }


def _clinicians(contact: ir.Table, night: Night) -> ir.Table:
    """How many known clinicians each person was seen by in a year."""
    recent = contact.filter(contact["contact_date"] >= _day_before(night, 365), contact["status"] == "attended", contact["clinician_id"].notnull())
    pairs = recent.select("person_row", "clinician_id").distinct()
    return pairs.group_by(seen_row=pairs["person_row"]).agg(clinicians=pairs.count().cast("int64"))


FEATURE = FeatureSpec(contract="features/contacts", inputs=(CONTACT,), build=build)
