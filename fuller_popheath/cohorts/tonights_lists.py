"""The lists of a night, from its tables and the lists that stood before: pruned, and issued anew where it is the day, or a hand asks for it.

Each team has exactly one standing list, which keeps the id of its issue until the next. What does not belong here: reading and keeping tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.issuing import CHECKS, Changes, is_issue_day, issue, issue_id_for
from fuller_popheath.cohorts.list_account import NO_TEAM, no_team_row
from fuller_popheath.cohorts.list_rows import COLUMNS as OF_ROWS
from fuller_popheath.cohorts.list_rows import PERSON, PRACTICE, REVIEW
from fuller_popheath.cohorts.pruning import (
    ACCOUNT,
    CANDIDATE,
    GROUP,
    LIST,
    LIST_CHANGE,
    LISTS,
    LOG,
    REGISTRATION,
    TEAM,
    prune,
    standing_of,
)
from fuller_popheath.cohorts.selection_log import log_to_keep
from fuller_popheath.contracts import conform, contract_ids, load_contract
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.specs import ContractId, Inputs, Night

if TYPE_CHECKING:
    import pyarrow as pa

INPUTS: tuple[ContractId, ...] = (TEAM, CANDIDATE, *OF_ROWS, REVIEW, PRACTICE, CHECKS, REGISTRATION)
"""What lists are made of."""

COLUMNS: Mapping[ContractId, tuple[str, ...]] = MappingProxyType({**OF_ROWS, REGISTRATION: ("person_id", "death_date")})
"""The columns that are wanted of those inputs that have more."""

OUTPUTS: tuple[ContractId, ...] = LISTS
NO_CHANGES: Changes = MappingProxyType({})


def lists_of_tonight(
    tables: Inputs,
    previous: Mapping[ContractId, pa.Table] | None,
    night: Night,
    teams: tuple[str, ...] = (),
    changes: Changes = NO_CHANGES,
) -> dict[ContractId, pa.Table]:
    """The five tables of OUTPUTS as at `night.as_of`.

    `tables`: INPUTS of the night (COLUMNS of the wide ones are enough). `previous`: OUTPUTS of the newest night up to and including this one, None
    where there is none; what stands in them is taken up, so that a list that was issued earlier on the same day is kept. `teams`: make the lists of
    these teams anew, and no others, whatever the day; `changes`: with other settings, by team_id (`team_changes.CAN_CHANGE`); a team named there
    alone counts as one of `teams`. The same arguments give the same lists. Raises SettingsWrong for a team that is not there and for a change that
    cannot be made; ContractBroken, with counts, where an input holds a column that identifies people, where people who could be listed are of
    another neighbourhood, and where the standing lists are of a later day.
    """
    _refuse_identifiers(tables)
    as_of = night.as_of
    standing = prune(as_of, standing_of(previous), tables)
    asked = sorted({*teams, *changes})
    known = tables[TEAM]["team_id"].to_pylist()
    if unknown := [team for team in asked if team not in known]:
        raise SettingsWrong(f"there is no team {', '.join(unknown[:5])} on {as_of}; there are {len(known)}, see {TEAM}")
    due = asked or _due(known, standing[ACCOUNT], night)
    if not due:
        return _in_order(_together(standing, None, set(), as_of))
    issues = {*standing[ACCOUNT]["issue_id"].to_pylist(), *standing[LOG]["issue_id"].unique().to_pylist()}
    issue_id = issue_id_for(as_of, issues, by_hand=bool(asked))
    issued = issue(as_of, tables, standing, night, due, changes, issue_id)
    if asked:
        return _in_order(_together(standing, issued, set(due), as_of))
    ended = set(standing[ACCOUNT]["team_id"].to_pylist()) - set(known)
    return _in_order(_together(standing, _with_no_team(issued, tables, as_of, issue_id), {*due, *ended}, as_of))


def _due(teams: list[str], account: pa.Table, night: Night) -> list[str]:
    last = dict(zip(account["team_id"].to_pylist(), account["issued_on"].to_pylist(), strict=True))
    return [team for team in teams if is_issue_day(night.as_of, last.get(team), night.site.lists.issue_weekday)]


def _together(
    standing: Mapping[ContractId, pa.Table], issued: Mapping[ContractId, pa.Table] | None, replaced: set[str], as_of: date
) -> dict[ContractId, pa.Table]:
    """The standing lists, with the new ones in place of those of the teams `replaced`.

    The log loses nothing that was made on the day, nor the list that a new one is compared with. What became so on the day stays told of a team
    whose last list ends with it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = pa.array(sorted(replaced), pa.string())
    made = {}
    for name in (LIST, ACCOUNT, GROUP):
        stays = standing[name].filter(pc.invert(pc.is_in(standing[name]["team_id"], value_set=gone)))
        made[name] = pa.concat_tables([stays, issued[name]]) if issued else stays
    changes, new = standing[LIST_CHANGE], issued[ACCOUNT]["team_id"].to_pylist() if issued else []
    older = changes.filter(pc.invert(pc.is_in(changes["team_id"], value_set=pa.array(new, pa.string()))))
    stands = pc.is_in(older["team_id"], value_set=made[ACCOUNT]["team_id"].combine_chunks())
    older = older.filter(pc.or_(stands, pc.equal(older["changed_on"], as_of)))
    made[LIST_CHANGE] = pa.concat_tables([older, issued[LIST_CHANGE]]) if issued else older
    stand = set(zip(made[ACCOUNT]["issue_id"].to_pylist(), made[ACCOUNT]["team_id"].to_pylist(), strict=True))
    of_today = made[LIST_CHANGE].filter(pc.equal(made[LIST_CHANGE]["changed_on"], as_of)).group_by(["previous_issue_id", "team_id"]).aggregate([])
    stand |= {(row["previous_issue_id"], row["team_id"]) for row in of_today.to_pylist() if row["previous_issue_id"]}
    kept = log_to_keep(standing[LOG], stand, as_of)
    made[LOG] = pa.concat_tables([kept, issued[LOG]]) if issued else kept
    return made


def _with_no_team(issued: Mapping[ContractId, pa.Table], tables: Inputs, as_of: date, issue_id: str) -> dict[ContractId, pa.Table]:
    """With the row of the account for the people whom no team serves, where there are any."""
    import pyarrow as pa
    import pyarrow.compute as pc

    people = pc.sum(pc.invert(pc.is_in(tables[PERSON]["neighbourhood_code"], value_set=tables[TEAM]["neighbourhood_code"].combine_chunks()))).as_py()
    if not people:
        return dict(issued)
    contract = load_contract(ACCOUNT)
    row = {**no_team_row(people), "as_of": as_of, "issue_id": issue_id, "issued_on": as_of}
    told = conform(pa.Table.from_pylist([row], schema=contract.schema), contract)
    return {**issued, ACCOUNT: pa.concat_tables([issued[ACCOUNT], told])}


def _in_order(tables: Mapping[ContractId, pa.Table]) -> dict[ContractId, pa.Table]:
    orders: dict[str, list[tuple[str, Any]]] = {LIST: [("team_id", "ascending"), ("rank", "ascending")], ACCOUNT: [("team_id", "ascending")]}
    return {name: tables[name].sort_by(orders[name]) if name in orders else tables[name] for name in OUTPUTS}


def _refuse_identifiers(tables: Inputs) -> None:
    """Raises ContractBroken where an input has a column by which people are identified: lists are made of pseudonyms alone."""
    for name, table in tables.items():
        if found := sorted(_identifiers() & set(table.column_names)):
            raise ContractBroken(
                f"{name}: {', '.join(found)} identifies people ({table.num_rows} rows); lists are made of pseudonyms alone, so drop it first"
            )


@cache
def _identifiers() -> frozenset[str]:
    """Every column that identifies people in anything that arrives."""
    inbound = (load_contract(name) for name in contract_ids() if name.startswith("inbound/"))
    return frozenset(column.name for contract in inbound for column in contract.columns if column.classification == "identifier")


__all__ = ["COLUMNS", "INPUTS", "NO_TEAM", "OUTPUTS", "lists_of_tonight"]
