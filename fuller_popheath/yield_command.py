"""`fuller yield`: what past lists found, predicted against observed, beside the regression to the mean that doing nothing would have shown.

What belongs here: options, which issues can be judged, and the answer on a screen, in counts and never with a person's id; it is for an analyst of
the teams' own lists, since small counts are shown. What does not belong here: any figure (`cohorts/list_yield.py`), and reading (`past_lists.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.site import Site, load_site

if TYPE_CHECKING:
    from rich.table import Table

    from fuller_popheath.cohorts.list_yield import AtCutOff, ByLot, Came, ListYield
    from fuller_popheath.methods.discontinuity import Discontinuity
    from fuller_popheath.methods.estimates import Difference, Estimate
    from fuller_popheath.past_lists import PastList, PastLists

Say = Callable[[str], None]
Issue = tuple["PastList", ...]
LEAST_DAYS, YEAR = 28, 365
PER = 100
"""Admissions are told for so many person-years."""

WHAT_IT_SHOWS = (
    "What this can show: whether about as many were admitted as predicted, and how those listed fared beside people like them who were not listed.",
    "What it cannot: that a list prevented anything. Nothing here promises fewer admissions; lists of people at risk have raised them in a trial "
    "(PRISMATIC, BMJ Qual Saf 2019).",
    "As many observed as predicted is what a good prediction looks like where a list changed nothing. A fall from the year before is what any group "
    "shows that was chosen after a bad year.",
    "People alike by risk and admissions can differ in what nobody recorded. The cut-off tells of people near it alone, and only the lot, where a "
    "site has one, compares people who differ by chance alone.",
    "Intervals are for one look at one issue: where lists change nothing, about one in twenty differs by chance all the same. Issues share people, "
    "so that their figures must not be added up.",
)


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command("yield")
    def yield_command(
        issue: Annotated[str, typer.Option(help="The issue, as it stands on the list: list-2026-10-05. Default: every one that can be judged")] = "",
        team: Annotated[str, typer.Option(help="Code of the team: its team_id; default: all teams of an issue together")] = "",
        days: Annotated[int, typer.Option(help="Follow people so many days from the issue; predictions are held against a year alone")] = YEAR,
    ) -> None:
        """What past lists found: predicted against observed, beside what doing nothing would have shown. Counts alone, and no promise."""
        list_yields(issue.strip(), team.strip().upper(), days, say)


def list_yields(issue: str, team: str, days: int, say: Say, site: Site | None = None) -> None:
    """Judge the issues of the store that are old enough: a line for each, and the whole of the newest or of the one asked for.

    Raises SettingsWrong for fewer than 28 days, and an issue or team that is not there; InputMissing where the store has no lists, or not what
    judging the one asked for needs. Of an issue among several that cannot be judged the reason is told, and the others are.
    """
    from rich.console import Console

    from fuller_popheath.past_lists import PastLists

    if days < LEAST_DAYS:
        raise SettingsWrong(f"--days must be {LEAST_DAYS} or more: of a shorter time nothing can be seen")
    site = site or load_site()
    past = PastLists(site.folder("store"))
    issues = _asked(past, issue, team)
    ready = [each for each in issues if _ready_on(each, days, site) <= past.until]
    if not ready:
        say(_none_yet(issues, days, site, past.until))
        return
    judged = []
    for each in ready:
        try:
            judged.append((each, _judged(past, each, team, days, site)))
        except InputMissing as missing:
            if len(ready) == 1:
                raise
            say(f"{each[0].issue_id} cannot be judged: {missing}")
    if not judged:
        raise InputMissing(f"none of the {len(ready)} issues that are old enough can be judged; see above why")
    console = Console(highlight=False)
    if len(judged) > 1:
        console.print(_each_issue(judged))
        say("Rates: admissions per 100 person-years; alike: people not listed of the same risk and as many admissions before. The newest in full:")
    newest, found = judged[-1]
    for line in _head(newest, found, team, days, past):
        say(line)
    console.print(_predicted(found, days))
    console.print(_rates(found))
    for line in (*_beside_others(found, days), *_cut_off(found), *_lot(found), *WHAT_IT_SHOWS):
        say(line)


def _asked(past: PastLists, issue: str, team: str) -> list[Issue]:
    """The lists of each issue, oldest first: those of the team alone where one is asked for."""
    lists = [each for each in past.all if issue in ("", each.issue_id)]
    if not lists:
        there = f"there are {len({each.issue_id for each in past.all})} issues, the newest {past.all[-1].issue_id}" if past.all else "there is none"
        raise (
            SettingsWrong(f"--issue: no list of that issue stood at the end of its day; {there}")
            if issue
            else InputMissing(f"no list has been issued up to {past.until}: run a night on an issue day first (fuller refresh)")
        )
    if team and team not in {each.team_id for each in lists}:
        known = sorted({each.team_id for each in lists})
        raise SettingsWrong(f"--team: no list of that team; there are {', '.join(known[:12])}{' and more' if len(known) > 12 else ''}")
    made = [tuple(of_it) for _, of_it in groupby(lists, key=lambda each: (each.issued_on, each.number))]
    return [each for each in made if not team or any(one.team_id == team for one in each)]


def _ready_on(issue: Issue, days: int, site: Site) -> date:
    """The day from which on an issue can be judged: follow-up is over, and what happened in it has been told."""
    return issue[0].issued_on + timedelta(days=days + site.training.outcome_lag_days)


def _none_yet(issues: Sequence[Issue], days: int, site: Site, until: date) -> str:
    lag = site.training.outcome_lag_days
    return (
        f"No list is old enough to be judged. {issues[0][0].issue_id}, issued on {_day(issues[0][0].issued_on)}, can first be judged on "
        f"{_day(_ready_on(issues[0], days, site))}: after {days} days of follow-up, and {lag} in which what happened may not have been told yet "
        f"([training] outcome_lag_days). The newest night is {_day(until)}."
        + (f" A look at fewer days (--days, from {LEAST_DAYS} on) may come sooner." if days > LEAST_DAYS else "")
    )


def _judged(past: PastLists, issue: Issue, team: str, days: int, site: Site) -> ListYield:
    import pyarrow.compute as pc

    from fuller_popheath.cohorts.list_follow_up import inputs, outcome, what_became
    from fuller_popheath.cohorts.list_yield import list_yield
    from fuller_popheath.engine import Engine

    log = past.log(issue)
    with Engine.from_site(site) as engine:
        # Everybody of the issue also where one team is asked for: whether lists tell of deaths and leaving is seen among many.
        people = pc.unique(log["person_id"]).sort()
        became = what_became(engine, {name: past.source(name) for name in inputs()}, people, issue[0].issued_on, days, past.until, site)
    kept = tuple(each for each in issue if team in ("", each.team_id))
    if team:
        log = log.filter(pc.equal(log["team_id"], team))
    return list_yield(past.candidates(kept, log, became, days), days == outcome().horizon_days)


def _head(issue: Issue, found: ListYield, team: str, days: int, past: PastLists) -> Iterator[str]:
    teams = f"team {team}" if team else f"{len(issue)} team{'s' if len(issue) > 1 else ''}"
    yield f"{issue[0].issue_id}, issued on {_day(issue[0].issued_on)}, {teams}; followed for {days} days, by records up to {_day(past.until)}"
    for words, side in (("Listed", found.listed), ("Not listed, though they could have been", found.others)):
        out = f"{side.left:,} left every practice's list and {side.objecting:,} object by now, and stand in no figure"
        yield f"{words}: {side.people:,} people. Of them {out}; {side.died:,} died in the time, and were followed until then."
    if any(each.is_demonstration for each in issue):
        yield "Risks on this list are a demonstration: the model was made from make-believe data."
    if found.others.elsewhere:
        yield (
            f"Of those not listed {found.others.elsewhere:,} stood on another list before or in the time. They are kept, since leaving out who was "
            "listed later would choose by what came after; so differences are drawn towards none."
        )
    if found.listed.elsewhere:
        yield f"Of those listed {found.listed.elsewhere:,} stood on another list too: the year before was, for some, already one on a list."


def _predicted(found: ListYield, days: int) -> Table:
    is_full = found.came.predicted is not None or found.came_others.predicted is not None
    people = "people with a risk" if is_full else "people"
    table = _table(f"emergency admission within {days} days", people, "predicted (95 %)", "observed", "observed %")
    for words, came in (("listed", found.came), ("not listed", found.came_others)):
        share = f"{100 * came.observed / came.people:.1f} %" if came.people else "-"
        table.add_row(words, f"{came.people:,}", _told_prediction(came), f"{came.observed:,}", share)
    return table


def _told_prediction(came: Came) -> str:
    return "-" if came.predicted is None else f"{came.predicted:,.1f} ({came.lower:,} to {came.upper:,})"


def _rates(found: ListYield) -> Table:
    fall = found.fall
    table = _table(f"admissions per {PER} person-years", "people", "year before", "after", "change")
    everybody = found.listed.people - found.listed.left - found.listed.objecting
    table.add_row("all listed", f"{everybody:,}", *_before_after(found.rate_before, found.rate_after))
    table.add_row("listed, with people alike", f"{fall.matched:,}", *_before_after(fall.before, fall.after))
    table.add_row("alike and not listed", f"{fall.compared:,}", *_before_after(fall.before_alike, fall.after_alike))
    return table


def _before_after(before: float, after: float) -> tuple[str, str, str]:
    change = f"{100 * (after / before - 1):+.0f} %" if before > 0 and not math.isnan(after) else "-"
    return _number(PER * before), _number(PER * after), change


def _beside_others(found: ListYield, days: int) -> Iterator[str]:
    if found.came.predicted is None:
        why = f"they are for {YEAR} days" if days != YEAR else "nobody listed has one"
        yield f"No prediction is held against what was observed: {why}. Probabilities are never scaled to another length of time."
    fall, alike = found.fall, found.alike
    if not fall.matched:
        yield "Nobody who was not listed is like those listed in risk and admissions before: what doing nothing would have shown cannot be told."
    else:
        unlike = f" Of those listed {fall.unmatched:,} have nobody alike, and are not in it." if fall.unmatched else ""
        yield (
            "Regression to the mean: the last line of the table is what became of people of the same predicted risk and as many admissions in the "
            f"year before, weighted to those listed, whom this list did not reach.{unlike} After the issue those listed had "
            f"{_rate_apart(fall.difference)}."
        )
    if alike.matched:
        share, other = 100 * alike.share, 100 * alike.share_alike
        yield (
            f"Of the same predicted risk alone ({alike.matched:,} listed, {alike.compared:,} not): {share:.1f} % of those listed were admitted, "
            f"{other:.1f} % of those not; {_points(alike.difference, alike.lower, alike.upper)}.{_still_apart(found.risk_apart)}"
        )


def _still_apart(risk: float) -> str:
    return "" if math.isnan(risk) else f" By their predictions alone they would be {100 * risk:+.1f} points apart: bands of risk have some width."


def _rate_apart(found: Difference) -> str:
    value, lower, upper = (PER * each for each in (found.value, found.lower, found.upper))
    return f"{value:+.1f} admissions per {PER} person-years against them (95 % interval {lower:+.1f} to {upper:+.1f}{_verdict(lower, upper)})"


def _points(value: float, lower: float, upper: float) -> str:
    return f"difference {100 * value:+.1f} points (95 % interval {100 * lower:+.1f} to {100 * upper:+.1f}{_verdict(lower, upper)})"


def _verdict(lower: float, upper: float) -> str:
    """In words what an interval says of a difference; nothing where there is none."""
    if math.isnan(lower) or math.isnan(upper):
        return ""
    return ", so that it can be chance" if lower <= 0 <= upper else ", more than chance often gives"


def _cut_off(found: ListYield) -> Iterator[str]:
    if found.has_band:
        yield "At the cut-off, of teams with a margin band: no estimate, since the lot decided there and answers better."
    if not found.at_cut_off and not found.has_band:
        yield "At the cut-off: no estimate, since nobody's place was decided by score alone, or the snapshot of the day of issue is gone."
    for each in found.at_cut_off:
        yield _at_one(each)


def _at_one(each: AtCutOff) -> str:
    who = f"At the cut-off of lists by {each.priority.replace('_', ' ') or 'score'}, among {each.people:,} people whom score alone decided about"
    if each.jump is None or each.check is None:
        return f"{who}: too few to tell ({each.above:,} listed and {each.below:,} not are near enough, or too few of them were admitted or were not)."
    jump: Discontinuity = each.jump
    left_out = f" {each.unclear:,} people of groups whom score does not part are left out." if each.unclear else ""
    return (
        f"{who}: {_points(jump.value, jump.lower, jump.upper)}, from {jump.above:,} listed and {jump.below:,} not within {jump.bandwidth:.3g} of it "
        f"by score (bandwidth of Imbens and Kalyanaraman; local lines alone give {100 * jump.plain:+.1f} points, and the figure is what is left "
        f"without their bias, after Calonico, Cattaneo and Titiunik). A check, of an admission the year before, to which the list can have done "
        f"nothing: {_points(each.check.value, each.check.lower, each.check.upper)}.{left_out}"
    )


def _lot(found: ListYield) -> Iterator[str]:
    lot: ByLot | None = found.by_lot
    if lot is None:
        yield "By lot: no list of the issue had a margin band ([lists] margin_band), so that no comparison is free of who was chosen."
        return
    lost = f" {lot.lost:,} pairs are not in it: one of the two left or objects." if lot.lost else ""
    counts = f"{lot.in_count:,} of {lot.pairs:,} drawn in were admitted, {lot.out_count:,} of {lot.pairs:,} drawn out"
    if lot.difference is None or lot.check is None:
        yield f"By lot, at the margin: {counts}; too few pairs to tell anything.{lost}"
        return
    told, check = (_of_estimate(each) for each in (lot.difference, lot.check))
    yield (
        f"By lot, at the margin: {counts}; {told}. The interval is exact: it rests on the lot alone. "
        f"A check, of an admission the year before: {check}.{lost}"
    )


def _of_estimate(found: Estimate) -> str:
    return _points(found.value, found.lower, found.upper)


def _each_issue(judged: Sequence[tuple[Issue, ListYield]]) -> Table:
    table = _table("issue", "listed", "followed", "predicted (95 %)", "observed", "rate before", "after", "alike before", "alike after")
    for issue, found in judged:
        side, fall = found.listed, found.fall
        followed = side.people - side.left - side.objecting
        rates = (_number(PER * each) for each in (found.rate_before, found.rate_after, fall.before_alike, fall.after_alike))
        row = (f"{side.people:,}", f"{followed:,}", _told_prediction(found.came), f"{found.came.observed:,}", *rates)
        table.add_row(issue[0].issue_id, *row)
    return table


def _table(*headings: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
