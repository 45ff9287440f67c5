"""What the store still has of earlier nights of lists: the lists that stand, every row ever issued, and every review ever kept.

What does not belong here: what becomes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import LIST_TABLES, REVIEW

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.stores import Store

LIST, ACCOUNT, GROUP, LOG, CHANGE = LIST_TABLES
IDENTITY = ["issue_id", "team_id", "row_reference"]
OF_LISTED = [*IDENTITY, "person_id", "rank", "reason_codes"]


def standing(store: Store, as_of: date) -> dict[str, pa.Table]:
    """The tables of lists of the newest night up to and including a day that has all of them: a step that was killed half-way left some only."""
    days = set.intersection(*(set(store.days(name)) for name in LIST_TABLES))
    day = max((day for day in days if day <= as_of), default=None)
    return {name: store.read(name, day) for name in LIST_TABLES} if day else {}


def listed_ever(store: Store) -> pa.Table:
    """Every row of every list that was ever issued, once: what a row reference that comes back stands for."""
    import pyarrow as pa

    schema = pa.schema([field for field in load_contract(LIST).schema if field.name in OF_LISTED])
    return pa.concat_tables([schema.empty_table(), *_issued(store)], promote_options="default").select(OF_LISTED)


def _issued(store: Store) -> Iterator[pa.Table]:
    """The rows of each list, from the first night that has it; the small account says whether a night has a new one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    seen: set[tuple[str, str]] = set()
    for day in store.days(LOG):
        if store.has(ACCOUNT, day) and set(_keys(store.read(ACCOUNT, day, ["issue_id", "team_id"]))) <= seen:
            continue
        log = store.read(LOG, day, [*IDENTITY, "person_id", "rank", "is_listed"])
        # A list that was replaced on the day of its issue stands in that day's log alone.
        from_log = log.filter(pc.and_(log["is_listed"], pc.is_valid(log["row_reference"]))).drop_columns(["is_listed"])
        for rows in ([store.read(LIST, day, OF_LISTED)] if store.has(LIST, day) else []) + [from_log]:
            own = _keys(rows)
            yield rows.filter(pa.array([key not in seen for key in own], pa.bool_()))
            seen |= set(own)


def _keys(rows: pa.Table) -> list[tuple[str, str]]:
    return list(zip(rows["issue_id"].to_pylist(), rows["team_id"].to_pylist(), strict=True))


def reviews_ever(store: Store) -> pa.Table | None:
    """Every review that any night kept, of whatever day it was: a day that is run again, or an older one, loses nothing. None before the first."""
    from fuller_popheath.cohorts.reviews import all_reviews

    days = store.days(REVIEW)
    return all_reviews(store.read(REVIEW, day) for day in days) if days else None
