"""What became of each person after an index date: did the outcome happen, and if not, what ended the time in which it could.

Follow-up is `[index date, index date + horizon)`, by what is known on `as_of`. It ends with the outcome, with death (of which nobody can be told too
late: whoever died without the outcome did not have it), with leaving every list of ours (then nobody knows, and the person is left out and
counted), or at the horizon. What does not belong here: what an outcome is (`catalogue/outcomes`), and features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.feature_store import PERSON, ROW, Sources, tables_known
from fuller_popheath.people.eligibility import REGULAR
from fuller_popheath.specs import Night, OutcomeSpec, Parts

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from fuller_popheath.engine import Engine

REGISTRATION = "core/registration"
FOLLOW_UP = "follow_up"
"""Not a contract: what every outcome's `events` gets besides what it asks for. Columns person_row, death_date, left_date; one row a person."""

EVENT, HORIZON, DEATH, LEFT = "event", "horizon", "death", "left"
ENDS = (EVENT, HORIZON, DEATH, LEFT)

NEAR_DEATH_DAYS = 90
"""A registration that ends so many days or less before a death ended because of it (a move to a hospice or a relative's, a list put in order): the
death counts, and not the leaving. A local choice."""

QUIET_DAYS, ENOUGH_EVENTS = 31, 200
"""Where so many people had an outcome that any day is as good as another for, and none had it in the first or last so many days of follow-up, the
records do not cover it: by chance that happens less than once in a million times for a horizon of a year."""

NEVER = date(2199, 12, 31)


def label(spec: OutcomeSpec, engine: Engine, sources: Sources, index: Night, as_of: date) -> pa.Table:
    """One row per person of `core/person`, in its order: person_id, is_at_risk, has_outcome, days_to_event, followed_days, ended_by.

    `sources`: core/person as at the index date (`index.as_of`), core/registration of `as_of`, and what the outcome asks for. Days count from the
    index date; `days_to_event` is null without the outcome; `ended_by` is event, horizon, death or left. Of people who are not at risk the same
    is told, and means nothing for the outcome. Raises SettingsWrong where follow-up is not over on `as_of`, InputMissing where a table is not there,
    where the lists leave out those who died or left, or where records do not cover follow-up; ContractBroken for core/person of another day.
    """
    return labels((spec,), engine, sources, index, as_of)[spec.name]


def labels(specs: Iterable[OutcomeSpec], engine: Engine, sources: Sources, index: Night, as_of: date) -> dict[str, pa.Table]:
    """`label` for several outcomes, by name; the lists are read once for each horizon."""
    person = _person_of(sources, index.as_of)
    refuse_survivors(engine, sources, person, index.as_of, as_of)
    followed: dict[int, pa.Table] = {}
    made = {}
    for spec in specs:
        until = follow_up_ends(spec, index.as_of, as_of)
        if spec.horizon_days not in followed:
            followed[spec.horizon_days] = follow_up(engine, sources[REGISTRATION], person, until, as_of)
        made[spec.name] = _labelled(spec, engine, sources, index, as_of, followed[spec.horizon_days], person)
        _refuse_gaps(spec, made[spec.name], index.as_of)
    return made


def follow_up_ends(spec: OutcomeSpec, index_date: date, as_of: date) -> date:
    """The first day after follow-up. Raises SettingsWrong where that is later than `as_of`: nobody knows yet what becomes of people."""
    until = index_date + timedelta(days=spec.horizon_days)
    if until > as_of:
        raise SettingsWrong(
            f"{spec.name}: follow-up from {index_date} ends on {until}, and records go to {as_of}; take an index date {spec.horizon_days} days "
            "before that, or earlier"
        )
    return until


def follow_up(engine: Engine, registrations: Parts | pa.Table, person: pa.Table, until: date, known_by: date) -> pa.Table:
    """One row per person of `person`, in its order: person_row, death_date (any day before `known_by`), left_date (before `until`); null where not.

    A person left on the last end of a registration, if none was open when follow-up ended: a gap between two lists of ours is no leaving. An
    open registration that an older list still shows ended when the next one of its sort began (`people/eligibility.py`). An end at most
    `NEAR_DEATH_DAYS` before a death is no leaving either.
    """
    import ibis

    rows = _registrations(engine, registrations, person, known_by)
    people = rows.group_by(ROW).agg(death_date=rows.death_date.min())
    # With its own name for the key, which the join would else have twice.
    rows = rows.drop("death_date").inner_join(people, ROW)
    last_day = ibis.date(until.isoformat())
    rows = rows.mutate(stop=ibis.least(rows.death_date.fill_null(last_day), last_day))
    rows = rows.filter(rows.start < rows.stop)
    ends = rows.group_by(ROW).agg(death_date=rows.death_date.min(), stop=rows.stop.min(), last_end=rows.end.max())
    before_death = ends.death_date.delta(ends.last_end, unit="day").cast("int64")
    has_left = (ends.last_end < ends.stop) & ~(before_death <= NEAR_DEATH_DAYS).fill_null(False)
    told = ends.select(ROW, "death_date", left_date=ibis.ifelse(has_left, ends.last_end, None))
    return _each_person(engine.collect(told, "following people up"), person.num_rows)


def refuse_survivors(engine: Engine, sources: Sources, person: pa.Table, index_date: date, as_of: date) -> None:
    """Raises InputMissing where nobody who was registered on the index date has died since, or nobody has left.

    Such lists hold only those who are still there, and a model of them learns that nobody dies: records of everybody else are missing too.
    """
    if REGISTRATION not in sources:
        raise InputMissing(f"outcomes need {REGISTRATION}, which was not given: without it nobody can tell who died or left")
    told = follow_up(engine, sources[REGISTRATION], person, as_of, as_of)
    for column, happened in (("death_date", "has died"), ("left_date", "has left")):
        if told[column].null_count == told.num_rows:
            raise InputMissing(
                f"of {told.num_rows:,} people registered on {index_date} nobody {happened} by {as_of}: the lists hold only people who are still "
                "registered. Ask practices to send registrations that ended in the last five years too (inbound/practice_list), with dates of death"
            )


def outcome_label(index_date: date, as_of: date, made: Mapping[str, pa.Table]) -> pa.Table:
    """Labels as `risk/outcome_label` has them: one row per person and outcome."""
    import pyarrow as pa

    contract = load_contract("risk/outcome_label")
    parts = []
    for name, table in made.items():
        same = {"as_of": pa.scalar(as_of, pa.date32()), "index_date": pa.scalar(index_date, pa.date32()), "outcome": pa.scalar(name)}
        for column, value in same.items():
            table = table.append_column(column, pa.repeat(value, table.num_rows))
        parts.append(conform(table, contract))
    return pa.concat_tables(parts) if parts else contract.schema.empty_table()


def _person_of(sources: Sources, index_date: date) -> pa.Table:
    import pyarrow.compute as pc

    person = sources.get(PERSON)
    if person is None or isinstance(person, Parts):
        raise InputMissing(f"outcomes are about the people of {PERSON} on the index date, which must be given as an Arrow table")
    others = pc.sum(pc.not_equal(person["as_of"], index_date)).as_py() or 0
    if others:
        raise ContractBroken(f"{PERSON}: {others} of {person.num_rows} rows are not as at the index date, {index_date}")
    return person


def _registrations(engine: Engine, given: Parts | pa.Table, person: pa.Table, known_by: date) -> ir.Table:
    """The registrations of these people: person_row, start, end (`NEVER`: still open), death_date; what lies ahead of `known_by` has not happened."""
    import ibis
    import pyarrow as pa

    numbered = pa.table({"person_id": person["person_id"], ROW: pa.array(np.arange(person.num_rows, dtype=np.int32))})
    places = engine.table("followed", numbered)
    contract = load_contract(REGISTRATION)
    rows = engine.table("followed_registration", given, contract.schema if isinstance(given, Parts) else None).inner_join(places, "person_id")
    day = ibis.date(known_by.isoformat())
    rows = rows.filter(rows.registration_start_date < day).select(
        ROW,
        sort=rows.registration_type.fill_null(REGULAR),
        start=rows.registration_start_date,
        told_on=rows.extract_date,
        told_end=ibis.ifelse(rows.registration_end_date < day, rows.registration_end_date, None),
        death_date=ibis.ifelse(rows.death_date < day, rows.death_date, None),
    )
    rows = rows.mutate(latest=rows.start.max().over(group_by=[ROW, "sort"]))
    moved = (rows.latest > rows.start) & (rows.told_on <= rows.latest)
    end = ibis.coalesce(rows.told_end, ibis.ifelse(moved, rows.latest, None), ibis.date(NEVER.isoformat()))
    return rows.select(ROW, "start", "death_date", end=end)


def _each_person(told: pa.Table, people: int) -> pa.Table:
    """The rows in the order of people, one for each."""
    import pyarrow as pa

    at = np.full(people, -1, dtype=np.int64)
    at[told[ROW].to_numpy()] = np.arange(told.num_rows)
    placed = told.drop_columns([ROW]).take(pa.array(at, mask=at < 0))
    return placed.append_column(ROW, pa.array(np.arange(people, dtype=np.int32)))


def _labelled(spec: OutcomeSpec, engine: Engine, sources: Sources, index: Night, as_of: date, followed: pa.Table, person: pa.Table) -> pa.Table:
    import pyarrow as pa

    event = _event_days(spec, engine, sources, index, as_of, followed)
    died, left = (_days_after(followed[name], index.as_of) for name in ("death_date", "left_date"))
    never = spec.horizon_days
    # Who leaves is out whatever happened before: to keep those of them who had it first, and not the others, would raise every risk.
    has_left = (left < never) & (left <= died)
    # Who died on the day had it on the day.
    counts = (event < never) & (event <= died) & ~has_left
    end = np.where(counts, event, np.minimum(np.minimum(died, left), never))
    ended_by = np.select([has_left, counts, died < never], [3, 0, 2], default=1).astype(np.int8)
    return pa.table(
        {
            "person_id": person["person_id"],
            "is_at_risk": at_risk_of(spec, engine, sources, index, person.num_rows),
            "has_outcome": counts,
            "days_to_event": pa.array(event, mask=~counts),
            "followed_days": end,
            "ended_by": pa.DictionaryArray.from_arrays(pa.array(ended_by), pa.array(ENDS)).cast(pa.string()),
        }
    )


def _event_days(spec: OutcomeSpec, engine: Engine, sources: Sources, index: Night, as_of: date, followed: pa.Table) -> np.ndarray:
    """Days from the index date to each person's first event in follow-up; far away without one. Rows that were not known by `as_of` are none."""
    import ibis

    known = tables_known(spec.inputs, engine, sources, replace(index, as_of=as_of))
    known[FOLLOW_UP] = engine.table(FOLLOW_UP, followed)
    events = spec.events(known, index)
    first, last = (ibis.date(day.isoformat()) for day in (index.as_of, index.as_of + timedelta(days=spec.horizon_days)))
    within = events.filter((events.event_date >= first) & (events.event_date < last))
    found = engine.collect(within.group_by(ROW).agg(event_date=within.event_date.min()), f"looking for {spec.name}")
    days = np.full(followed.num_rows, _FAR, dtype=np.int64)
    days[found[ROW].to_numpy()] = _days_after(found["event_date"], index.as_of)
    return days


_FAR = 10**6


def _days_after(dates: pa.ChunkedArray, index_date: date) -> np.ndarray:
    import pyarrow as pa

    from_epoch = dates.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    return np.asarray(from_epoch.fill_null(_FAR * 2).to_numpy() - (index_date - date(1970, 1, 1)).days)


def at_risk_of(spec: OutcomeSpec, engine: Engine, sources: Sources, index: Night, people: int) -> np.ndarray:
    """Who of the people of core/person can have an outcome on a day (bool, in its order)."""
    if spec.at_risk is None:
        return np.ones(people, dtype=bool)
    rows = spec.at_risk(tables_known(spec.inputs, engine, sources, index), index)
    can = np.zeros(people, dtype=bool)
    can[engine.collect(rows.select(ROW).distinct(), f"settling who can have {spec.name}")[ROW].to_numpy()] = True
    return can


def _refuse_gaps(spec: OutcomeSpec, table: pa.Table, index_date: date) -> None:
    days = table["days_to_event"].drop_null().to_numpy()
    if len(days) < ENOUGH_EVENTS or spec.horizon_days < 6 * QUIET_DAYS:
        return
    before, after = int(days.min()), spec.horizon_days - 1 - int(days.max())
    if max(before, after) >= QUIET_DAYS:
        what = f"the first {before} days" if before > after else f"the last {after} days"
        raise InputMissing(
            f"{spec.name}: of {len(days):,} outcomes in the {spec.horizon_days} days from {index_date} none fell into {what}: the records of "
            f"{', '.join(spec.inputs) or REGISTRATION} do not cover them. Ask for the missing months, or take an as_of up to which they are complete"
        )
