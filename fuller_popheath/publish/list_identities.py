"""Whose people a list's rows are: that everybody on a team's list is one of its own, and who is who, for the practice that holds them.

What does not belong here: how a number is found (`people/vault.py`), and files (`lists.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import ContractBroken
from fuller_popheath.publish.list_columns import HIDES, LISTED, NUMBER, RECORD

if TYPE_CHECKING:
    import pyarrow as pa

LIST, ACCOUNT = "products/cohort_list", "products/cohort_list_account"


def refuse_other_people(listed: pa.Table, accounts: Sequence[Mapping[str, Any]], neighbourhood_of: Mapping[str, str]) -> None:
    """Raises ContractBroken, with counts, where a list has other people than its team's own, or not as many as its account.

    A row is of a team and issue that has an account, of the neighbourhood that this team serves, and, while it is listed, of a practice there
    (`neighbourhood_of`: practice code to neighbourhood code); nobody is listed by two teams of one issue; row references are unique in a list.
    """
    rows = listed.select(["issue_id", "team_id", "person_id", "row_reference", "neighbourhood_code", "practice_code", "state"]).to_pylist()
    serves = {(account["issue_id"], account["team_id"]): account["neighbourhood_code"] for account in accounts}
    if alone := sum((row["issue_id"], row["team_id"]) not in serves for row in rows):
        raise ContractBroken(f"{LIST}: {alone} of {len(rows)} rows are of an issue and team without an account; make both again from one night")
    if other := sum(row["neighbourhood_code"] != serves[row["issue_id"], row["team_id"]] for row in rows):
        raise ContractBroken(f"{LIST}: {other} of {len(rows)} rows are people of another team's neighbourhood; no list is written: make them again")
    there = [row for row in rows if row["state"] == LISTED]
    if other := sum(neighbourhood_of.get(row["practice_code"]) != row["neighbourhood_code"] for row in there):
        raise ContractBroken(
            f"{LIST}: {other} of {len(there)} listed people are of a practice that is not in the team's neighbourhood (core/neighbourhood_practice): "
            "no list is written: make them again"
        )
    if double := len(there) - len({(row["issue_id"], row["person_id"]) for row in there}):
        raise ContractBroken(f"{LIST}: {double} people are on two lists of one issue; no list is written: make them again")
    if double := len(rows) - len({(row["issue_id"], row["team_id"], row["row_reference"]) for row in rows}):
        raise ContractBroken(f"{LIST}: {double} row references stand for two people of one list; make the lists again")
    listed_count, removed_count = (sum(account[name] for account in accounts) for name in ("listed_count", "removed_count"))
    if (listed_count, removed_count) != (len(there), len(rows) - len(there)):
        raise ContractBroken(f"{LIST} has {len(rows)} rows, and its account another number: make both again from one night")


def may_be_named(listed: pa.Table) -> pa.Table:
    """The rows of people who may be named to their practice: not those who object, or whose record may not be shared, since the list was issued."""
    import pyarrow as pa
    import pyarrow.compute as pc

    hides = pc.is_in(listed["mark"], value_set=pa.array(sorted(HIDES), pa.string()))
    return listed.filter(pc.or_(pc.equal(listed["state"], LISTED), pc.invert(hides)))


def identified(rows: pa.Table, identities: pa.Table) -> pa.Table:
    """The rows by rank, with nhs_number and patient_id: those of the practice at which the person is listed, which alone may be told them.

    Somebody who has moved is known to several practices; of several records at one, the lowest number stands. Who was taken off and is not known
    any more, or may not be named, has neither. Raises ContractBroken with counts where a listed person is not known at their practice.
    """
    import pyarrow as pa

    known: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for identity in identities.sort_by("patient_id").to_pylist():
        known.setdefault((identity["person_id"], identity["practice_code"]), (identity["nhs_number"], identity["patient_id"]))
    ranked = rows.sort_by("rank")
    people = ranked.select(["person_id", "practice_code", "state", "mark"]).to_pylist()
    who = [known.get((person["person_id"], person["practice_code"])) for person in people]
    there = [found for found, person in zip(who, people, strict=True) if person["state"] == LISTED]
    missing = sum(found is None for found in there)
    if missing:
        raise ContractBroken(
            f"{missing} of {len(there)} listed people are not in the vault as people of their practice; take tonight's practice lists again"
        )
    hidden = [person["state"] != LISTED and person["mark"] in HIDES for person in people]
    shown = [(None, None) if found is None or is_hidden else found for found, is_hidden in zip(who, hidden, strict=True)]
    for number, name in enumerate((NUMBER, RECORD)):
        ranked = ranked.append_column(name, pa.array([found[number] for found in shown], pa.string()))
    return ranked


def named_in(rows: pa.Table) -> tuple[str, ...]:
    """The person ids of those rows of `identified` that say who the person is."""
    people = rows.select(["person_id", NUMBER, RECORD]).to_pylist()
    return tuple(person["person_id"] for person in people if person[NUMBER] or person[RECORD])
