"""Who a night is about and how old what it is made of is, counted from the store's account of extracts.

Grain in: core/practice_extract (a row a table and practice), core/neighbourhood_practice, core/registered_count, core/person of one day.
Grain out: one `Coverage`, or its lines. What does not belong here: showing it (`publish/status_page.py`).
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from fuller_popheath.night_records import Coverage
from fuller_popheath.stored_tables import StoredTables

LIST = "inbound/practice_list"
EXTRACT, MEMBER, COUNT, PERSON = "core/practice_extract", "core/neighbourhood_practice", "core/registered_count", "core/person"
GOOD = ("new", "unchanged")


def coverage_of(store_folder: Path, as_of: date) -> Coverage | None:
    """The coverage of one day; None where the store has no account of it.

    A practice should send where it belongs to a neighbourhood and the published counts know people of it (or there are no published counts); it
    is covered where its list in use is not stale.
    """
    store = StoredTables(store_folder)
    if as_of not in store.days(EXTRACT):
        return None
    rows = store.read(EXTRACT, as_of, ["contract_id", "practice_code", "state", "age_days"]).to_pylist()
    members = store.read(MEMBER, as_of, ["practice_code", "pcn_code"]) if as_of in store.days(MEMBER) else None
    with_people = set(store.read(COUNT, as_of, ["practice_code"])["practice_code"].to_pylist()) if as_of in store.days(COUNT) else set()
    codes = set(members["practice_code"].to_pylist()) if members is not None else set()
    expected = codes & with_people if codes and with_people else codes or with_people
    listed = {row["practice_code"]: row["state"] for row in rows if row["contract_id"] == LIST}
    expected = expected or set(listed)
    states: dict[str, Counter[str]] = {}
    oldest: dict[str, int] = {}
    for row in rows:
        states.setdefault(row["contract_id"], Counter())[row["state"]] += 1
        if row["age_days"] is not None:
            oldest[row["contract_id"]] = max(oldest.get(row["contract_id"], 0), row["age_days"])
    return Coverage(
        people=_rows(store, as_of),
        pcns=len({code for code in members["pcn_code"].to_pylist() if code}) if members is not None else 0,
        practices=len(expected),
        practices_covered=sum(listed.get(code) in GOOD for code in expected),
        states={name: dict(sorted(counted.items())) for name, counted in sorted(states.items())},
        oldest_days=dict(sorted(oldest.items())),
    )


def in_lines(coverage: Coverage, as_of: date) -> tuple[str, ...]:
    """The stamp that goes with whatever leaves: the day, the practices whose lists are in use, and of each table how many senders are not fresh."""
    lines = [f"Figures as at {as_of:%d %B %Y}."]
    if coverage.practices:
        lines.append(f"Lists in use and not stale: {coverage.practices_covered:,} of {coverage.practices:,} practices that should send one.")
    for name, states in coverage.states.items():
        fresh, senders = sum(states.get(state, 0) for state in GOOD), sum(states.values())
        oldest = f"; the oldest in use was {coverage.oldest_days[name]} days old" if name in coverage.oldest_days else ""
        lines.append(f"{name.partition('/')[2].replace('_', ' ').capitalize()}: {fresh:,} of {senders:,} senders fresh{oldest}.")
    return tuple(lines)


def _rows(store: StoredTables, as_of: date) -> int:
    return store.read(PERSON, as_of, ["as_of"]).num_rows if as_of in store.days(PERSON) else 0
