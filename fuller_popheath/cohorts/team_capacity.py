"""Tonight's neighbourhood teams: the rows of their own file that are in force, and a team of its own for every other neighbourhood.

A neighbourhood without a row in force has one team, named and coded like the neighbourhood, with the settings of [lists] in site.toml. What does not
belong here: who is chosen (`capacity.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import SettingsWrong
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
SHOWN = 5
"""So many names stand in a message."""

Row = dict[str, Any]


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per team that has a list on the day, in the order of team_id.

    Of two rows of a team that hold on the day the later begun counts. Raises SettingsWrong, naming them, where a row in force has a skill that
    site.toml does not know or a neighbourhood that is not there, where a team is in force in two neighbourhoods, and where two would have one code.
    """
    import pyarrow as pa

    contract, lists = load_contract(CONTRACT), night.site.lists
    names = neighbourhoods(inputs, night)
    sent = _in_force(inputs[SENT].to_pylist(), night)
    _refuse_unknown(sent, names, lists)
    served = {row["neighbourhood_code"] for row in sent}
    teams = [_with_defaults(row, lists) for row in sent]
    teams += [_own_team(code, names[code], lists) for code in sorted(set(names) - served)]
    _refuse_double([team["team_id"] for team in teams])
    rows = [
        {**dict.fromkeys(contract.column_names), **team, "as_of": night.as_of, "neighbourhood_name": names[team["neighbourhood_code"]]}
        for team in teams
    ]
    made = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["team_id"])), schema=contract.schema)
    return conform(made, contract)


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
    }


def _with_defaults(row: Row, lists: Lists) -> Row:
    made = {**defaults(lists), **{name: value for name, value in row.items() if value is not None}, "source": FROM_FILE}
    # The site's reserve is meant for a list of the site's length.
    return made if row["reserve_count"] is not None else {**made, "reserve_count": min(lists.reserve, row["slots_count"])}


def neighbourhoods(inputs: Inputs, night: Night) -> Mapping[str, str | None]:
    """Every neighbourhood that can have a team, with its name where one is known: those of practices, and those that site.toml maps practices to."""
    rows = inputs[PRACTICES].select(["neighbourhood_code", "neighbourhood_name"])
    found: dict[str, str | None] = dict(zip(rows["neighbourhood_code"].to_pylist(), rows["neighbourhood_name"].to_pylist(), strict=True))
    geography = night.site.geography
    for code in geography.neighbourhood_of_practice.values():
        found.setdefault(code, geography.neighbourhood_names.get(code))
    return {code: name for code, name in found.items() if code != NO_PCN}


def _in_force(rows: Iterable[Row], night: Night) -> list[Row]:
    """The row of each team that holds on the day, the later begun of two; in the order of team_id."""
    held: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: row["valid_from_date"]):
        if is_open_on(night.as_of, row["valid_from_date"], row["valid_to_date"]):
            held[row["team_id"], row["neighbourhood_code"]] = row
    several = sorted(team for team, times in Counter(team for team, _ in held).items() if times > 1)
    if several:
        raise SettingsWrong(
            f"{SENT}: {_named(several)} {'is' if len(several) == 1 else 'are'} in force in more than one neighbourhood on {night.as_of}: "
            "give each neighbourhood a team with a code of its own, or end one row (valid_to_date)"
        )
    return [held[key] for key in sorted(held)]


def _refuse_unknown(rows: Iterable[Row], names: Mapping[str, str | None], lists: Lists) -> None:
    skills = sorted({skill for row in rows for skill in (row["skills"] or "").split(";") if skill and skill not in lists.skills})
    if skills:
        raise SettingsWrong(f"{SENT}: there is no skill {_named(skills)}; there are {', '.join(lists.skills)} ([lists] skills in site.toml)")
    nowhere = sorted({row["neighbourhood_code"] for row in rows} - set(names))
    if nowhere:
        raise SettingsWrong(
            f"{SENT}: there is no neighbourhood {_named(nowhere)} among the {len(names)} that there are: "
            "correct the code, or end the row (valid_to_date)"
        )


def _refuse_double(teams: Iterable[str]) -> None:
    if twice := sorted(team for team, times in Counter(teams).items() if times > 1):
        raise SettingsWrong(f"{SENT}: {_named(twice)} is the code of another neighbourhood, which has no team of its own: give the team another code")


def _own_team(code: str, name: str | None, lists: Lists) -> Row:
    if not CAN_NAME_A_TEAM.fullmatch(code):
        raise SettingsWrong(
            f"the neighbourhood {code} cannot name a team: give it a code of 2 to 16 capital letters, digits and hyphens "
            "([geography] neighbourhood_of_practice in site.toml), or a team of its own in a team_capacity file"
        )
    return {**defaults(lists), "team_id": code, "team_name": name or code, "neighbourhood_code": code, "source": FROM_SITE}


def _named(words: list[str]) -> str:
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


TABLE = TableSpec(contract=CONTRACT, inputs=(SENT, PRACTICES), build=build)
