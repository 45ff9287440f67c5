"""Continuity received: how much of what each person was seen for was with the same clinician, and with the GP they are registered with.

The same figures as `methods/continuity.py`, as table expressions. Which contacts count is a local choice ([continuity] in site.toml): attended,
with a known clinician of a chosen kind, by default without triage, group, written and external ones. What does not belong here: lists; see
`people/list_continuity.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

PERSON = "core/person"
CONTACT = "core/contact"
MORE_THAN_ANY_COUNT = 2**31
"""Packs two counts of one person into one whole number: the higher decides, the lower rides along."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person with a contact that counts. Indices are null under [continuity] minimum_contacts, never 0.

    Sources: PMC10229170 (UPC, Bice-Boxerman COC), BMC s12913-022-07953-z (SECON, MMCI).
    """
    visits = _visits(tables[CONTACT], tables[PERSON], night)
    return _indices(_per_person(_per_clinician(visits)), night)


def eligible(contact: ir.Table, night: Night) -> ir.Table:
    """The contacts that count for continuity: of the last window_days, and as [continuity] of site.toml says. None comes that lies ahead."""
    import ibis

    choice = night.site.continuity
    first_day = ibis.literal(night.as_of - timedelta(days=choice.window_days), type="date")
    counts = (contact["contact_date"] >= first_day) & (contact["status"] == "attended") & contact["clinician_id"].notnull()
    if choice.clinician_types:
        counts &= contact["clinician_type"].isin(choice.clinician_types)
    for column, left_out in (("mode", choice.excluded_modes), ("category", choice.excluded_categories)):
        if left_out:
            counts &= contact[column].isnull() | ~contact[column].isin(left_out)
    return contact.filter(counts)


def _visits(contact: ir.Table, person: ir.Table, night: Night) -> ir.Table:
    """A row per contact that counts: with whom, whether the one before was with the same clinician, and whether it was with the usual GP.

    "Before" is by day, then by minute (those without one last), then by clinician id, so that every run orders alike.
    """
    import ibis

    kept = eligible(contact, night).select("person_row", "practice_code", "contact_date", "start_minute", "clinician_id")
    home = person.select(known_row="person_row", home_practice="practice_code", usual_gp_code="usual_gp_code")
    joined = kept.inner_join(home, kept["person_row"] == home["known_row"])
    at_home = joined["practice_code"] == joined["home_practice"]
    # Asked before the visits are put in order, so that flags are sorted along and not texts.
    judged = joined.select(
        *("person_row", "contact_date", "start_minute", "clinician_id"),
        is_at_home=at_home,
        is_with_usual=at_home & (joined["clinician_id"] == joined["usual_gp_code"]),
        has_usual_gp=joined["usual_gp_code"].notnull().ifelse(1, 0).cast("int8"),
    )
    in_time = ibis.window(
        group_by=judged["person_row"],
        order_by=[judged["contact_date"], judged["start_minute"].asc(nulls_first=False), judged["clinician_id"]],
    )
    return judged.mutate(is_again=judged["clinician_id"] == judged["clinician_id"].lag().over(in_time)).drop("start_minute")


def _per_clinician(visits: ir.Table) -> ir.Table:
    """A row per person and clinician."""
    import ibis

    return visits.group_by(["person_row", "clinician_id"]).agg(
        visits=visits.count().cast("int64"),
        again=_how_many(visits["is_again"]),
        at_home=_how_many(visits["is_at_home"]),
        with_usual=_how_many(visits["is_with_usual"]),
        last_with_usual=visits["is_with_usual"].ifelse(visits["contact_date"], ibis.null("date")).max(),
        has_usual_gp=visits["has_usual_gp"].max(),
    )


def _how_many(condition: ir.BooleanColumn) -> ir.IntegerScalar:
    return condition.count(where=condition).cast("int64")


def _per_person(clinicians: ir.Table) -> ir.Table:
    """A row per person. By number of visits first, which tells how many clinicians share the highest number."""
    alike = clinicians.group_by(["person_row", "visits"]).agg(
        clinicians=clinicians.count().cast("int64"),
        again=clinicians["again"].sum().cast("int64"),
        at_home=clinicians["at_home"].sum().cast("int64"),
        with_usual=clinicians["with_usual"].sum().cast("int64"),
        last_with_usual=clinicians["last_with_usual"].max(),
        has_usual_gp=clinicians["has_usual_gp"].max(),
    )
    n, m = alike["visits"], alike["clinicians"]
    return alike.group_by("person_row").agg(
        contacts=(n * m).sum().cast("int64"),
        squares=(n * n * m).sum().cast("int64"),
        clinicians=m.sum().cast("int64"),
        most=n.max(),
        most_and_how_many=(n * MORE_THAN_ANY_COUNT + m).max(),
        again=alike["again"].sum().cast("int64"),
        at_home=alike["at_home"].sum().cast("int64"),
        with_usual=alike["with_usual"].sum().cast("int64"),
        last_with_usual=alike["last_with_usual"].max(),
        has_usual_gp=alike["has_usual_gp"].max(),
    )


def _indices(people: ir.Table, night: Night) -> ir.Table:
    """Quotients of whole numbers, divided once, so that every engine gives the same last digit; null where the contacts are too few."""
    import ibis

    contacts, clinicians = people["contacts"], people["clinicians"]
    enough = contacts >= night.site.continuity.minimum_contacts
    n = enough.ifelse(contacts, ibis.null("int64"))

    def share(numerator: ir.IntegerColumn, denominator: ir.IntegerColumn) -> ir.FloatingColumn:
        return numerator.cast("float64") / denominator.cast("float64")

    alone_on_top = people["most_and_how_many"] == people["most"] * MORE_THAN_ANY_COUNT + 1
    return people.select(
        "person_row",
        continuity_contact_count=contacts,
        continuity_clinician_count=clinicians,
        continuity_upc=share(people["most"], n),
        continuity_coc=share(people["squares"] - n, n * (n - 1)),
        continuity_hhi=share(people["squares"], n * n),
        continuity_secon=share(people["again"], n - 1),
        # (1 - m / (n + 0.1)) / (1 - 1 / (n + 0.1)), multiplied out into whole numbers.
        continuity_mmci=share(n * 10 + 1 - clinicians * 10, n * 10 - 9),
        has_usual_clinician=enough.ifelse(alone_on_top, ibis.null("boolean")),
        continuity_practice_contact_count=people["at_home"],
        usual_gp_contact_count=people["with_usual"],
        usual_gp_share=(people["has_usual_gp"] == 1).ifelse(share(people["with_usual"], n), ibis.null("float64")),
        days_since_last_usual_gp_contact=ibis.literal(night.as_of, type="date").delta(people["last_with_usual"], unit="day").cast("int64"),
    )


FEATURE = FeatureSpec(contract="features/continuity", inputs=(PERSON, CONTACT), build=build)
