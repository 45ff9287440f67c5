"""Who is registered where on a day, as Ibis expressions: the rules that settle every registration of every practice's list, each with its outcome.

Grain: one row a registration, as practices sent it (`core/registration`); every one ends in exactly one of `OUTCOMES`. The readable specification
is tests/rules/test_eligibility.py. What does not belong here: objections (`objections.py`), places, and where registrations come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir

PERSON = "person"
OUTCOMES = (
    PERSON,
    "died",
    "died_told_by_another_practice",
    "not_yet_born",
    "not_yet_started",
    "left",
    "moved_since_the_extract",
    "temporary_elsewhere",
    "double_registration",
)
"""How a registration can end on a day; `person`: it is the one by which the person counts. In this order, the first that is true holds."""

SETTLED_BY = ("only_registration", "regular_before_temporary", "later_start", "newer_extract", "practice_code", "order_in_extract")
"""Why this registration and not another open one of the same person: the first thing in which it differs from the next best."""

REGULAR, TEMPORARY = "regular", "temporary"
ROW = "_registration_row"
"""The position of a registration in the table it came in: the last resort that makes every choice the same on every run."""


def settle(registrations: ir.Table, as_of: date) -> ir.Table:
    """Every registration with `outcome`, and `settled_by` where the outcome is `person`; each person_id has at most one of those.

    In: the columns of `core/registration`, with `_registration_row`, the row's number. An empty registration_type is a regular one. A death, and a
    later registration elsewhere, count for the person whichever practice's extract tells them, so that a practice whose extract is old does not
    keep somebody who has died or moved since. Two rows are the same person only by person_id: an unlinked person is nobody else.
    """
    import ibis

    day = ibis.literal(as_of, type="date")
    rows = registrations.mutate(registration_type=registrations.registration_type.fill_null(REGULAR))
    persons = rows.group_by("person_id").agg(_rows=rows.count(), _died=rows.death_date.min())
    rows = rows.inner_join(persons, "person_id")
    rows = rows.mutate(_closed=_closed(rows, day))
    alone, several = rows.filter(rows._rows == 1), rows.filter(rows._rows > 1)
    outcome = alone._closed.fill_null(PERSON)
    of_one = alone.mutate(outcome=outcome, settled_by=ibis.ifelse(outcome == PERSON, SETTLED_BY[0], None))
    columns = [*registrations.columns, "outcome", "settled_by"]
    return of_one.select(columns).union(_one_of_several(several, day).select(columns))


def completed_years(born: ir.DateColumn, as_of: date) -> ir.IntegerColumn:
    """Age in completed years on the day; somebody born on 29 February has their birthday on 1 March in other years."""
    not_yet = (born.month() * 100 + born.day()) > as_of.month * 100 + as_of.day
    return (as_of.year - born.year() - not_yet.cast("int32")).cast("int64")


def _closed(rows: Any, day: Any) -> Any:
    """What keeps a registration from being open on the day, whatever else the person has; null where it is open: start <= day < end, day < death.

    `_died` is the first date of death that any row of the person tells.
    """
    import ibis

    return ibis.cases(
        (rows.death_date <= day, "died"),
        (rows._died <= day, "died_told_by_another_practice"),
        (rows.date_of_birth > day, "not_yet_born"),
        (rows.registration_start_date > day, "not_yet_started"),
        (rows.registration_end_date <= day, "left"),
    )


def _one_of_several(rows: Any, day: Any) -> Any:
    """Registrations of people who have more than one, in whatever state: at most one of those that are open is the person's.

    A regular registration goes before a temporary one, and both before any other sort; then the later start, the newer extract, the practice's code
    and the place in the table decide. An open one is out of the question where another of its sort began on or after the day of its extract, even
    if that has ended by now: the practice could not know.
    """
    import ibis

    sort = ibis.cases((rows.registration_type == REGULAR, 0), (rows.registration_type == TEMPORARY, 1), else_=2)
    begun = ibis.ifelse(rows.registration_start_date <= day, rows.registration_start_date, None)
    rows = rows.mutate(_sort=sort, _begun=begun, _is_open=rows._closed.isnull())
    latest = rows._begun.max().over(group_by=["person_id", "_sort"])
    rows = rows.mutate(_latest=latest)
    moved = (rows._latest > rows.registration_start_date) & (rows.extract_date <= rows._latest)
    rows = rows.mutate(_moved=(rows._is_open & moved).fill_null(False))
    best_first = [
        rows._is_open.desc(),
        rows._moved.asc(),
        rows._sort.asc(),
        rows.registration_start_date.desc(),
        rows.extract_date.desc(),
        rows.practice_code.asc(),
        rows[ROW].asc(),
    ]
    in_turn = ibis.window(group_by="person_id", order_by=best_first)
    compared = ("_is_open", "_sort", "registration_start_date", "extract_date", "practice_code")
    rows = rows.mutate(
        _place=ibis.row_number().over(in_turn),
        _best_sort=rows._sort.first().over(in_turn),
        **{f"_next_{name.strip('_')}": rows[name].lead().over(in_turn) for name in compared},
    )
    outcome = ibis.cases(
        (~rows._is_open, rows._closed),
        (rows._moved, "moved_since_the_extract"),
        (rows._place == 0, PERSON),
        (rows._sort > rows._best_sort, "temporary_elsewhere"),
        else_="double_registration",
    )
    return rows.mutate(outcome=outcome, settled_by=ibis.ifelse(outcome == PERSON, _difference(rows), None))


def _difference(rows: Any) -> Any:
    """The first thing in which the person's registration differs from the next best open one."""
    import ibis

    return ibis.cases(
        (~rows._next_is_open.fill_null(False), "only_registration"),
        (rows._sort < rows._next_sort, "regular_before_temporary"),
        # The next best may be a regular one that an old extract still shows: then the newer extract has settled it.
        (rows._sort > rows._next_sort, "newer_extract"),
        (rows.registration_start_date > rows._next_registration_start_date, "later_start"),
        (rows.extract_date > rows._next_extract_date, "newer_extract"),
        (rows.practice_code != rows._next_practice_code, "practice_code"),
        else_="order_in_extract",
    )
