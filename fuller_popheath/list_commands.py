"""`fuller what-if`: a team's list with other places, floors or priority, beside what it is now.

What belongs here: options, finding tonight's tables in the store, and the answer on a screen, in counts and never with a person's id. What does not:
choosing anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import load_site
from fuller_popheath.stored_tables import StoredTables

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.table import Table

    from fuller_popheath.cohorts.capacity import TeamChoice
    from fuller_popheath.cohorts.what_if import WhatIf

Say = Callable[[str], None]
CANDIDATE, TEAM, LIST, OBJECTION = "core/list_candidate", "core/team_capacity", "products/cohort_list", "core/person_objection"
SHOWN = 12
PRIORITY_UNITS = {"risk": "expected admissions", "gap": "gap", "risk_and_gap": "places by risk and gap", "need": "points of need"}
"""What a sum of scores is a sum of."""


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command("what-if")
    def what_if_command(
        team: Annotated[str, typer.Option(help="Code of the team: its team_id")],
        slots: Annotated[int | None, typer.Option(help="Places of the list")] = None,
        reserve: Annotated[int | None, typer.Option(help="Of them kept free, for people whom the team names")] = None,
        priority: Annotated[str | None, typer.Option(help="risk, gap, risk_and_gap or need")] = None,
        core20_floor: Annotated[
            float | None, typer.Option(help="Core20's share of the list, in shares of those who could be listed; 0: no floor")
        ] = None,
        plus_floor: Annotated[float | None, typer.Option(help="The same of PLUS groups")] = None,
        under_18_floor: Annotated[float | None, typer.Option(help="The same of people under 18")] = None,
        low_contact_floor: Annotated[float | None, typer.Option(help="The same of people without a contact in a year")] = None,
        newly_surfaced: Annotated[float | None, typer.Option(help="Percent of the list for newly surfaced people")] = None,
        as_of: Annotated[str, typer.Option(help="The night whose people to choose from, YYYY-MM-DD; default: the newest")] = "",
    ) -> None:
        """What a team's list would be with other places, floors or priority: expected yield, groups, and what each floor costs. Nothing is kept."""
        asked = {
            "slots_count": slots,
            "reserve_count": reserve,
            "priority": priority,
            "core20_floor": core20_floor,
            "plus_floor": plus_floor,
            "under_18_floor": under_18_floor,
            "low_contact_floor": low_contact_floor,
            "newly_surfaced_percent": newly_surfaced,
        }
        what_if(team.strip().upper(), {name: value for name, value in asked.items() if value is not None}, as_of, say)


def what_if(team_id: str, changes: Mapping[str, Any], as_of: str, say: Say) -> None:
    """Answer for one team from the tables of a night. InputMissing where the store has none, SettingsWrong for a wrong team or choice."""
    from rich.console import Console

    from fuller_popheath.cohorts.what_if import what_if as answer

    site = load_site()
    store = StoredTables(site.folder("store"))
    day = asked_day(store, CANDIDATE, as_of)
    team = _team(store, team_id, day)
    on_last, elsewhere = _standing(store, team_id, day)
    is_ordered_anew = changes.get("priority", team["priority"]) != team["priority"]
    objections = store.read(OBJECTION, day, ["person_id", "excluded_from_score_list"]) if is_ordered_anew else None
    found = answer(_candidates(store, team_id, day, elsewhere), team, changes, on_last, f"list-{day.isoformat()}", site.lists, objections)
    say(f"{team['team_name']} ({team_id}), people as at {day.isoformat()}: {found.now.eligible.num_rows:,} could be listed")
    console = Console(highlight=False)
    for table in (_summary(found), _groups(found), _floors(found)):
        console.print(table)
    for sentence in _sentences(found):
        say(sentence)


def asked_day(store: StoredTables, contract_id: str, as_of: str = "") -> date:
    """The newest day that a table is kept for, or the day asked for. Raises InputMissing where there is none, SettingsWrong for what is no day."""
    try:
        return date.fromisoformat(as_of) if as_of else store.newest(contract_id)
    except ValueError:
        raise SettingsWrong("--as-of must be a day written as YYYY-MM-DD, for example 2026-10-01") from None


def _team(store: StoredTables, team_id: str, day: date) -> dict[str, Any]:
    teams = {str(row["team_id"]): row for row in store.read(TEAM, day).to_pylist()}
    if team_id not in teams:
        more = f" and {len(teams) - SHOWN} more" if len(teams) > SHOWN else ""
        raise SettingsWrong(f"--team: there is no such team; there are {', '.join(list(teams)[:SHOWN])}{more}")
    return dict(teams[team_id])


def _candidates(store: StoredTables, team_id: str, day: date, elsewhere: set[str]) -> pa.Table:
    """The team's rows but for people on another team's list. They lie together, so that only the part of the file that holds the team is read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.cohorts.what_if import USED

    rows = store.read(CANDIDATE, day, USED, {"team_id": team_id})
    return rows.filter(pc.invert(pc.is_in(rows["person_id"], value_set=pa.array(sorted(elsewhere), pa.string())))) if elsewhere else rows


def _standing(store: StoredTables, team_id: str, day: date) -> tuple[set[str], set[str]]:
    """Who is on the team's standing list, and who on another team's; nobody where no list was issued up to the day."""
    days = [each for each in store.days(LIST) if each <= day]
    if not days:
        return set(), set()
    rows = store.read(LIST, days[-1], ["team_id", "person_id"], {"state": "listed"}).to_pylist()
    own = {str(row["person_id"]) for row in rows if row["team_id"] == team_id}
    return own, {str(row["person_id"]) for row in rows if row["team_id"] != team_id} - own


def _table(*headings: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _summary(found: WhatIf) -> Table:
    table = _table("the list", "now", "as asked")
    both = (found.now, found.asked)
    table.add_row("places", *(f"{each.choice.places:,}" for each in both))
    table.add_row("kept free besides", *(f"{each.team['reserve_count']:,}" for each in both))
    table.add_row("people listed", *(f"{int(each.choice.chosen.sum()):,}" for each in both))
    table.add_row("places nobody was left for", *(f"{each.choice.shortfall_count:,}" for each in both))
    table.add_row("ordered by", *(each.priority_used for each in both))
    table.add_row("people expected to be admitted in a year", *(_expected(each.choice) for each in both))
    for word, title in (("score", "by score"), ("draw", "by lot"), ("stay_on", "stay on"), ("floor", "by a floor"), ("quota", "newly surfaced")):
        table.add_row(f"  {title}", *(f"{each.decided.get(word, 0):,}" for each in both))
    return table


def _expected(choice: TeamChoice) -> str:
    told = choice.expected
    if told is None:
        return "not known"
    listed = int(choice.chosen.sum())
    among = f", of the {told.scored_count:,} with a known risk" if told.scored_count < listed else ""
    return f"{told.admissions:.1f} ({told.lower} to {told.upper}){among}"


def _groups(found: WhatIf) -> Table:
    table = _table("group", "of who could be", "now", "as asked")
    asked = {row["group"]: row for row in found.asked.choice.groups}
    for row in found.now.choice.groups:
        table.add_row(
            row["group"].replace("_", " "),
            f"{_percent(row['eligible_percent'])} ({row['eligible_count']:,})",
            *(f"{_percent(each['listed_percent'])} ({each['listed_count']:,})" for each in (row, asked[row["group"]])),
        )
    return table


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _floors(found: WhatIf) -> Table:
    table = _table("floor or quota", "asks for", "costs now", "admissions", "asks for", "costs as asked", "admissions", "costs in units of")
    units = dict.fromkeys(PRIORITY_UNITS[each.priority_used] for each in (found.now, found.asked))
    names = dict.fromkeys((*found.now.choice.minimum, *found.asked.choice.minimum))
    for name in names:
        cells = []
        for each in (found.now.choice, found.asked.choice):
            expected = f"{each.admissions_given_up[name]:.2f}" if name in each.admissions_given_up else "-"
            cells += [f"{each.minimum[name]:,}", f"{each.prices[name]:.2f}", expected] if name in each.minimum else ["-"] * 3
        table.add_row(name.replace("_", " "), *cells, " and ".join(units))
    return table


def _sentences(found: WhatIf) -> list[str]:
    """What changes, who is at the margin by their places, which floors cannot be met, and what the figures rest on."""
    told = [f"Of the list now {found.stay_count:,} stay, {found.leave_count:,} leave, {found.join_count:,} join."]
    for when, each in (("now", found.now), ("as asked", found.asked)):
        choice = each.choice
        last, first = ([f"{choice.rank_by_score[at]:,}" for at in places] for places in (choice.last_in, choice.first_out))
        if last:
            out = f"; first out: {', '.join(first)}" if first else "; nobody is left out"
            told.append(f"At the margin {when}, by place among all who could be listed: last in {', '.join(last)}{out}.")
        missed = [f"{name.replace('_', ' ')} by {count:,} of {choice.minimum[name]:,}" for name, count in choice.unmet.items()]
        if missed:
            told.append(f"Floors that cannot all be met {when}; the nearest list misses {', '.join(missed)}.")
    told.append(
        "Costs: the list without the floor less the list with all, staying on and all; below nought, the floor takes places of people who would stay "
        "on. Admissions: the same in expected admissions of people whose risk is known. Expected admissions: 95 % interval, if risks are right and "
        "independent."
    )
    return told
