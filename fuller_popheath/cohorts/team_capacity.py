"""Tonight's neighbourhood teams: the rows of their own file that are in force, and a team of its own for every other neighbourhood.

A neighbourhood without a row in force has one team, named and coded like the neighbourhood (where that can be a code; else by one made of it), with
the settings of [lists] in site.toml. A row that cannot be used is put aside and told (`teams_not_used`): one team's slip costs nobody a list.
What does not belong here: who is chosen (`capacity.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.periods import is_open_on
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site_lists import Lists

CONTRACT = "core/team_capacity"
SENT = "inbound/team_capacity"
PRACTICES = "core/neighbourhood_practice"
FROM_FILE, FROM_SITE = "file", "site"
CAN_NAME_A_TEAM = re.compile(r"[A-Z0-9][A-Z0-9-]{1,15}")
LONGEST_CODE = 16
EXCLUSIONS = ("care_home", "under_18", "adult", "housebound")
"""Whom a team can leave out; `list_candidate.py` knows what each means."""
WORD_OF = {"skills": "the unknown skill", "exclude": "the unknown exclusion"}
SHOWN = 5
"""So many names stand in a message."""

Row = dict[str, Any]
Aside = dict[str, list[str]]
"""Why rows are not used, by team."""


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per team that has a list on the day, in the order of team_id.

    Of two rows of a team that hold on the day the later begun counts. A row that cannot be used (see `teams_not_used`) stops nothing: it is put
    aside, and its neighbourhood has the team of another row, or one of its own.
    """
    import pyarrow as pa

    contract, lists = load_contract(CONTRACT), night.site.lists
    names = neighbourhoods(inputs[PRACTICES], night)
    sent, _ = _used_and_aside(inputs[SENT], names, night)
    teams = [_with_defaults(row, lists) for row in sent]
    teams += [_own_team(code, own, names[code], lists) for code, own in _own_codes(names, _served(sent)).items()]
    rows = [
        {**dict.fromkeys(contract.column_names), **team, "as_of": night.as_of, "neighbourhood_name": names[team["neighbourhood_code"]]}
        for team in teams
    ]
    made = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["team_id"])), schema=contract.schema)
    return conform(made, contract)


def teams_not_used(sent: pa.Table, practices: pa.Table, night: Night) -> tuple[str, ...]:
    """Why rows that are in force on the day are put aside, one sentence a team and reason, in the order of team_id; none: all are used.

    `sent`: inbound/team_capacity; `practices`: core/neighbourhood_practice. Put aside is a row of a neighbourhood that is not there; a team in force
    in two that are (all its rows: which one it serves is not known); a row with a skill or an exclusion that is not known (no older row comes
    back in its place); and one whose team has the code of another neighbourhood's own team. Codes and words of settings only.
    """
    return _used_and_aside(sent, neighbourhoods(practices, night), night)[1]


def defaults(lists: Lists) -> Row:
    """What stands in where a team's file says nothing: the settings of the site, by column."""
    return {
        "slots_count": lists.slots,
        "reserve_count": lists.reserve,
        "priority": lists.priority,
        "newly_surfaced_percent": lists.newly_surfaced_percent,
        "core20_floor": lists.core20_floor,
        "plus_floor": lists.plus_floor,
        "under_18_floor": lists.under_18_floor,
        "low_contact_floor": lists.low_contact_floor,
    }


def _with_defaults(row: Row, lists: Lists) -> Row:
    made = {**defaults(lists), **{name: value for name, value in row.items() if value is not None}, "source": FROM_FILE}
    # The site's reserve is meant for a list of the site's length.
    return made if row["reserve_count"] is not None else {**made, "reserve_count": min(lists.reserve, row["slots_count"])}


def neighbourhoods(practices: pa.Table, night: Night) -> Mapping[str, str | None]:
    """Every neighbourhood that can have a team, with its name where one is known: those of practices, and those that site.toml maps practices to."""
    codes, told = (practices[name].to_pylist() for name in ("neighbourhood_code", "neighbourhood_name"))
    found: dict[str, str | None] = dict(zip(codes, told, strict=True))
    geography = night.site.geography
    for code in geography.neighbourhood_of_practice.values():
        found.setdefault(code, geography.neighbourhood_names.get(code))
    return {code: name for code, name in found.items() if code != NO_PCN}


def _used_and_aside(sent: pa.Table, names: Mapping[str, str | None], night: Night) -> tuple[list[Row], tuple[str, ...]]:
    """The rows in force on the day that can be used, in the order of team_id, and why others cannot."""
    aside: dict[str, list[str]] = {}
    here = _of_a_place(_in_force(sent.to_pylist(), night), names, aside)
    used = _of_own_code(_of_known_words(here, night.site.lists, aside), names, aside)
    return used, tuple(f"{SENT}: the team {team} {reason}" for team in sorted(aside) for reason in aside[team])


def _in_force(rows: Iterable[Row], night: Night) -> list[Row]:
    """The row of each team and neighbourhood that holds on the day, the later begun of two; in the order of team_id."""
    held: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: row["valid_from_date"]):
        if is_open_on(night.as_of, row["valid_from_date"], row["valid_to_date"]):
            held[row["team_id"], row["neighbourhood_code"]] = row
    return [held[key] for key in sorted(held)]


def _of_a_place(rows: Iterable[Row], names: Mapping[str, str | None], aside: Aside) -> list[Row]:
    """Without rows of a neighbourhood that is not there, as after a merger, and then without teams that are in more than one."""
    here: dict[str, list[Row]] = {}
    for row in rows:
        if row["neighbourhood_code"] in names:
            here.setdefault(row["team_id"], []).append(row)
            continue
        aside.setdefault(row["team_id"], []).append(
            f"names the neighbourhood {row['neighbourhood_code']}, which is not among the {len(names)} that there are: correct the code, or end the "
            "row (valid_to_date)"
        )
    for team, several in here.items():
        if len(several) > 1:
            aside.setdefault(team, []).append(
                f"is in force in {len(several)} neighbourhoods ({_named([row['neighbourhood_code'] for row in several])}): give each a team "
                "with a code of its own, or end one row (valid_to_date)"
            )
    return [row for several in here.values() if len(several) == 1 for row in several]


def _of_known_words(rows: Iterable[Row], lists: Lists, aside: Aside) -> list[Row]:
    known: Mapping[str, Collection[str]] = {"skills": lists.skills, "exclude": EXCLUSIONS}
    used = []
    for row in rows:
        wrong = {name: [word for word in (row[name] or "").split(";") if word and word not in words] for name, words in known.items()}
        told = [f"{WORD_OF[name]} {_named(words)}; there are {', '.join(known[name])}" for name, words in wrong.items() if words]
        if told:
            aside.setdefault(row["team_id"], []).append(f"has {' and '.join(told)}: correct the row")
        else:
            used.append(row)
    return used


def _of_own_code(rows: list[Row], names: Mapping[str, str | None], aside: Aside) -> list[Row]:
    """Without teams whose code another neighbourhood's own team has; putting one aside gives its neighbourhood such a team, so it is looked again."""
    while True:
        own = {team: code for code, team in _own_codes(names, _served(rows)).items()}
        taken = [row for row in rows if row["team_id"] in own]
        for row in taken:
            aside.setdefault(row["team_id"], []).append(
                f"has the code of the neighbourhood {own[row['team_id']]}'s own team: give it another, or {own[row['team_id']]} a row"
            )
        if not taken:
            return rows
        rows = [row for row in rows if row["team_id"] not in own]


def _served(rows: Iterable[Row]) -> set[str]:
    return {row["neighbourhood_code"] for row in rows}


def _own_codes(names: Iterable[str], served: Collection[str]) -> dict[str, str]:
    """What the own team of each neighbourhood without a row is called, by neighbourhood: its code, or where that cannot name a team, made of it."""
    made = {code: re.sub("[^A-Z0-9]+", "-", code.upper()).strip("-")[:LONGEST_CODE] for code in names}
    times = Counter(made.values())
    return {
        code: team
        if CAN_NAME_A_TEAM.fullmatch(team) and (team == code or (times[team] == 1))
        else f"TEAM-{sha256(code.encode()).hexdigest()[:8].upper()}"
        for code, team in sorted(made.items())
        if code not in served
    }


def _own_team(code: str, team_id: str, name: str | None, lists: Lists) -> Row:
    return {**defaults(lists), "team_id": team_id, "team_name": name or code, "neighbourhood_code": code, "source": FROM_SITE}


def _named(words: list[str]) -> str:
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


TABLE = TableSpec(contract=CONTRACT, inputs=(SENT, PRACTICES), build=build)
