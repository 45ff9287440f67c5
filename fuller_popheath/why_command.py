"""`fuller why`: why somebody is on a team's list, or is not, rule by rule, from what the nights left in the store.

What belongs here: options, finding rows, and the answer on a screen. The person is a pseudonym or a row of a list; no name and no NHS number is read
or shown. What does not belong here: rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fuller_popheath.cohorts.person_columns import SHOWN_RISK
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.site import Site, load_site
from fuller_popheath.stored_tables import StoredTables

if TYPE_CHECKING:
    from fuller_popheath.cohorts.why import Kept, Trace

Say = Callable[[str], None]
LIST, ACCOUNT, LOG, REVIEW = "products/cohort_list", "products/cohort_list_account", "core/selection_log", "core/review"
PSEUDONYM = re.compile("[a-z2-7]{12}")


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command()
    def why(
        issue: Annotated[str, typer.Option(help="The issue, as it stands on the list: list-2026-10-05. Default: the list that stands")] = "",
        row: Annotated[str, typer.Option(help="The row's reference, as it stands on the list")] = "",
        person: Annotated[str, typer.Option(help="In place of --row: the pseudonym of anybody, listed or not")] = "",
        team: Annotated[str, typer.Option(help="The team; default: every team that the person could be on the list of")] = "",
    ) -> None:
        """Why somebody is on a team's list, or is not: every rule in order, and which of them decided. No names."""
        if bool(row) == bool(person):
            raise SettingsWrong("give either --row, with its --issue, or --person")
        if person and not PSEUDONYM.fullmatch(person.strip().lower()):
            raise SettingsWrong("--person is a pseudonym: twelve letters and digits, as in core/person; never an NHS number")
        if row and not issue:
            raise SettingsWrong("--row needs the --issue that it is a row of")
        site = load_site()
        for each in traces(StoredTables(site.folder("store")), site, issue, row.strip().upper(), person.strip().lower(), team.strip().upper()):
            show(each, say)


def traces(store: StoredTables, site: Site, issue: str = "", row: str = "", person: str = "", team: str = "") -> list[Trace]:
    """The trace of a listed row, or of anybody by pseudonym, for one team or for each that could list the person.

    Raises SettingsWrong where the issue, row or team is not there, or a row could be of several teams; InputMissing where there are no lists.
    """
    from fuller_popheath.cohorts.list_account import NO_TEAM
    from fuller_popheath.cohorts.why import teams_of, trace

    if row:
        person, team = _person_of(store, issue, row, team)
    issues = {issue: _day_of(issue)} if issue else _standing(store)
    made = []
    for name, day in sorted(issues.items()):
        kept = _kept(store, person, name, day, team)
        could = teams_of(kept)
        made += [trace(kept, person, each, name, site) for each in could if (each in _teams(kept, name) and team in ("", each))]
        if issue and not made:
            # Nobody's list: the trace for the team that was asked for, or for any, says at which rule it ended.
            made.append(trace(kept, person, team or next(iter(could), NO_TEAM), name, site))
    if made:
        return made
    name, day = max(issues.items(), key=lambda item: item[1])
    kept = _kept(store, person, name, day, team)
    return [trace(kept, person, team or next(iter(teams_of(kept)), NO_TEAM), name, site)]


def show(trace: Trace, say: Say) -> None:
    """A trace on the screen."""
    say(f"Person {trace.person_id}, team {trace.team_id}, {trace.issue_id}")
    say(trace.answer)
    width = max(len(step.rule) for step in trace.steps)
    marks: Mapping[bool | None, str] = {True: "NO", False: "ok", None: ""}
    for number, step in enumerate(trace.steps, 1):
        say(f"  {number:>2}. {step.rule:<{width}}  {marks[step.is_against]:<2}  {step.words}")
    say("")


def _day_of(issue: str) -> date:
    from fuller_popheath.cohorts.issuing import ISSUE

    found = ISSUE.fullmatch(issue)
    try:
        return date.fromisoformat(found.group(1) if found else "")
    except ValueError:
        raise SettingsWrong("--issue must be written as on the list, for example list-2026-10-05 or list-2026-10-05-2") from None


def _person_of(store: StoredTables, issue: str, row: str, team: str) -> tuple[str, str]:
    """Whom a row stands for, and on which team's list. The log knows lists too that were replaced on the day they were made."""
    day = _day_of(issue)
    equal = {"issue_id": issue, "row_reference": row, **({"team_id": team} if team else {})}
    found = store.read(LOG, day, ["person_id", "team_id"], equal).to_pylist()
    if not found:
        raise SettingsWrong(f"{issue} has no row of that reference{f' on the list of team {team}' if team else ''}: look at the list again")
    if len(found) > 1:
        raise SettingsWrong(f"{issue} has {len(found)} rows of that reference: give the --team too")
    return found[0]["person_id"], found[0]["team_id"]


def _standing(store: StoredTables) -> dict[str, date]:
    """The issues that stand, with their days. Raises InputMissing where there are none."""
    day = store.newest(ACCOUNT)
    rows = store.read(ACCOUNT, day, ["issue_id", "issued_on"]).to_pylist()
    if not rows:
        raise InputMissing(f"no list has been issued up to {day}: run a night first (fuller refresh)")
    return {row["issue_id"]: row["issued_on"] for row in rows}


def _teams(kept: Kept, issue: str) -> set[str]:
    return {row["team_id"] for row in kept.at[ACCOUNT] if row["issue_id"] == issue}


def _kept(store: StoredTables, person: str, issue: str, day: date, team: str) -> Kept:
    from fuller_popheath.cohorts.why import AS_AT_THE_ISSUE, COLUMNS, SINCE, Kept

    values = {"person_id": person, "issue_id": issue, "outcome": SHOWN_RISK}

    def rows(contract_id: str, on: date, by: tuple[str, ...]) -> list[dict[str, Any]]:
        return store.read(contract_id, on, COLUMNS.get(contract_id), {name: values[name] for name in by}).to_pylist()

    last = _last_day(store, issue, day, team)
    newest = store.newest(REVIEW)
    return Kept(
        as_of=day,
        until=last,
        at={name: rows(name, day, by) for name, by in AS_AT_THE_ISSUE.items()},
        since={name: rows(name, last, by) for name, by in SINCE.items()},
        reviews=store.read(REVIEW, newest, None, {"person_id": person}).to_pylist(),
    )


def _last_day(store: StoredTables, issue: str, day: date, team: str) -> date:
    """The last day on which an issue stood, of one team where one is named: another team's may stand longer."""
    wanted = {"issue_id": issue, **({"team_id": team} if team else {})}
    for each in sorted((each for each in store.days(ACCOUNT) if each >= day), reverse=True):
        if store.read(ACCOUNT, each, ["issue_id"], wanted).num_rows:
            return each
    return day
