"""Time in hospital: emergency and planned admissions, nights, readmissions, and attendances at emergency departments.

Only what was known on the day counts: a stay that was first recorded at its end is unknown until then, and one whose end lies ahead is still open.
A stay that was recorded while it was open and again when it had ended (a feed of yearly files does so) is one stay.
What does not belong here: why somebody was in hospital.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

SPELL = "core/spell"
ED_ATTENDANCE = "core/ed_attendance"
EMERGENCY_WINDOWS = (90, 365, 730, 1095)
ELECTIVE_WINDOWS = (365, 730)
ED_WINDOWS = (90, 365, 730)
YEAR = 365
ELECTIVE_METHODS = ("11", "12", "13")
"""Waiting list, booked, planned (NHS Data Dictionary, ADMISSION METHOD)."""

READMISSION_DAYS = 30
"""An emergency admission 0 to 29 days after the last discharge is a readmission (NHS England, indicator I02040, without its exclusions of cancer
and obstetrics)."""

MAJOR_DEPARTMENT = "1"
"""Consultant-led, around the clock, with full resuscitation (NHS Data Dictionary, EMERGENCY CARE DEPARTMENT TYPE)."""

OPEN_STAY_DAYS = 90
"""How long a stay without a day of discharge counts as going on: up to this many days after it was last known to be open (the day of admission, or
that of the newest record). A local choice: few stays are longer, and a discharge that was never sent would else be a stay for ever."""

LONGER_THAN_ANY_STAY = 1_000_000
"""Packs two numbers of days into one: the higher decides, the lower rides along."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person with a stay in hospital or an attendance, ever. Counts are 0 where the other kind is missing; days since are null."""
    spells, attendances = _spells(tables[SPELL], night), _attendances(tables[ED_ATTENDANCE], night).rename(ed_row="person_row")
    joined = spells.outer_join(attendances, spells["person_row"] == attendances["ed_row"])
    counts = [name for name in joined.columns if "_count_" in name]
    return joined.mutate(
        person_row=joined["person_row"].coalesce(joined["ed_row"]),
        is_in_hospital=joined["is_in_hospital"].fill_null(False),
        **{name: joined[name].fill_null(0) for name in counts},
    ).drop("ed_row")


def _day(night: Night, days_before: int = 0) -> ir.DateScalar:
    import ibis

    return ibis.literal(night.as_of - timedelta(days=days_before), type="date")


def _days(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    return later.delta(earlier, unit="day").cast("int64")


def _how_many(condition: ir.BooleanColumn) -> ir.IntegerScalar:
    return condition.count(where=condition).cast("int64")


def _spells(spell: ir.Table, night: Night) -> ir.Table:
    """A row per person with a stay. An open stay has lasted until the day (see `OPEN_STAY_DAYS`); one that ends on the day it began has no nights."""
    import ibis

    stays = _with_last_discharge(_each_once(spell))
    as_of, admitted = _day(night), stays["admission_date"]
    began_ago, unknown_for = _days(as_of, admitted), _days(as_of, ibis.greatest(admitted, stays["recorded_date"]))
    ended_ago = _days(as_of, stays["discharge_date"]).coalesce(ibis.greatest(unknown_for - OPEN_STAY_DAYS, 0))
    nights = ibis.least(began_ago, YEAR) - ibis.greatest(ended_ago, 0)
    emergency = stays["is_emergency"]
    elective = stays["admission_method"].isin(ELECTIVE_METHODS)
    gap = _days(admitted, stays["last_discharge_date"])
    stays = stays.mutate(
        elective=elective,
        nights=ibis.greatest(nights, 0),
        readmitted=emergency & (gap >= 0) & (gap < READMISSION_DAYS),
        # The smallest is the latest admission, and of those of one day the longest.
        latest=began_ago * LONGER_THAN_ANY_STAY - (began_ago - ended_ago),
        is_open=stays["discharge_date"].isnull() & (unknown_for <= OPEN_STAY_DAYS),
    )
    ago = {days: stays["admission_date"] >= _day(night, days) for days in EMERGENCY_WINDOWS}
    people = stays.group_by("person_row").agg(
        **{f"emergency_admission_count_{days}": _how_many(stays["is_emergency"] & ago[days]) for days in EMERGENCY_WINDOWS},
        **{f"elective_admission_count_{days}": _how_many(stays["elective"] & ago[days]) for days in ELECTIVE_WINDOWS},
        admission_count_365=_how_many(ago[YEAR]),
        emergency_readmission_count_365=_how_many(stays["readmitted"] & ago[YEAR]),
        bed_day_count_365=_at_most_a_year(stays["nights"]),
        emergency_bed_day_count_365=_at_most_a_year(stays["is_emergency"].ifelse(stays["nights"], 0)),
        last_discharge_date=stays["discharge_date"].max(),
        last_emergency_date=stays["is_emergency"].ifelse(stays["admission_date"], ibis.null("date")).max(),
        last_admission_date=stays["admission_date"].max(),
        latest=stays["latest"].min(),
        is_in_hospital=stays["is_open"].ifelse(1, 0).max() == 1,
    )
    return people.mutate(
        days_since_last_admission=_days(as_of, people["last_admission_date"]),
        days_since_last_emergency_admission=_days(as_of, people["last_emergency_date"]),
        days_since_last_discharge=_days(as_of, people["last_discharge_date"]),
        last_admission_length_days=_days(as_of, people["last_admission_date"]) * LONGER_THAN_ANY_STAY - people["latest"],
    ).drop("last_discharge_date", "last_emergency_date", "last_admission_date", "latest")


def _at_most_a_year(nights: ir.IntegerColumn) -> ir.IntegerValue:
    """Stays that overlap (a transfer, a double) count a night twice; nobody spends more nights in hospital than there are."""
    import ibis

    return ibis.least(nights.sum().cast("int64"), YEAR)


def _each_once(spell: ir.Table) -> ir.Table:
    """Every stay once: an open one is left out where a later record of the same person, provider and day of admission is open too, or has ended.

    It has ended if the later record has a discharge after the day of admission: whoever is discharged and admitted again on one day has two stays.
    """
    import ibis

    ends_later = spell["discharge_date"].notnull() & (spell["discharge_date"] > spell["admission_date"])
    rows = spell.select(
        *("person_row", "provider_code", "admission_date", "discharge_date", "admission_method", "is_emergency", "recorded_date"),
        ended_recorded=ends_later.ifelse(spell["recorded_date"], ibis.null("date")),
        is_open=spell["discharge_date"].isnull(),
    )
    stay = [rows["person_row"], rows["provider_code"], rows["admission_date"]]
    newest = ibis.window(group_by=[*stay, rows["is_open"]], order_by=[rows["recorded_date"].desc(), rows["admission_method"]])
    rows = rows.mutate(
        ended_recorded=rows["ended_recorded"].max().over(ibis.window(group_by=stay)),
        place=ibis.row_number().over(newest),
    )
    is_over = (rows["ended_recorded"] > rows["recorded_date"]).fill_null(False)
    return rows.filter(~rows["is_open"] | ((rows["place"] == 0) & ~is_over)).drop("ended_recorded", "is_open", "place")


def _with_last_discharge(spell: ir.Table) -> ir.Table:
    """Every stay with the latest discharge among the person's stays before it: by day of admission, then by day of discharge, open ones last."""
    import ibis

    stays = spell.drop("provider_code")
    before = ibis.window(
        group_by=stays["person_row"],
        order_by=[
            stays["admission_date"],
            stays["discharge_date"].asc(nulls_first=False),
            stays["admission_method"],
        ],
        preceding=(None, 1),
    )
    return stays.mutate(last_discharge_date=stays["discharge_date"].max().over(before))


def _attendances(attendance: ir.Table, night: Night) -> ir.Table:
    """A row per person with an attendance."""
    import ibis

    rows = attendance.select(
        "person_row",
        "arrival_date",
        is_major=(attendance["department_type"] == MAJOR_DEPARTMENT).fill_null(False),
        **{f"within_{days}": attendance["arrival_date"] >= _day(night, days) for days in ED_WINDOWS},
    )
    people = rows.group_by("person_row").agg(
        **{f"ed_attendance_count_{days}": _how_many(rows[f"within_{days}"]) for days in ED_WINDOWS},
        ed_major_attendance_count_365=_how_many(rows["is_major"] & rows["within_365"]),
        last_date=rows["arrival_date"].max(),
    )
    since = _days(ibis.literal(night.as_of, type="date"), people["last_date"])
    return people.mutate(days_since_last_ed_attendance=since).drop("last_date")


FEATURE = FeatureSpec(contract="features/hospital", inputs=(SPELL, ED_ATTENDANCE), build=build)
