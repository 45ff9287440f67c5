"""The status page: does last night stand, who is covered, how old is what it is made of, what failed and what to do, and what each step took.

Grain in: records of runs, newest first. One self-contained page without scripts, and the same as lines for a terminal. Counts, names of steps and the
words of checks; nothing of what a table holds. What does not belong here: reading records, and any clock: `now` is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fuller_popheath.night_records import RunRecord, Step, Trouble
from fuller_popheath.publish import wording
from fuller_popheath.publish.templating import asset, content_hash, environment
from fuller_popheath.site_nights import Nights

HERE = ZoneInfo("Europe/London")
NIGHTS_SHOWN, STEPS_SHOWN, LATE_STEPS = 5, 12, 3
STYLES = ("core20.css", "status.css")
TABLES = {"inbound/": "", "_": " "}
TO_DO = {
    "SettingsWrong": "Correct site.toml or the run's settings as it says, then run the night again (fuller refresh).",
    "FileRefused": "Have the sender correct the file and send it again; until then the last good one stands in where there is one.",
    "ContractBroken": "Nothing of it was stored or released. Look at what it names: the data changed, or the rule or limit no longer fits.",
    "InputMissing": "Have the file sent, or run what should have made it, then run the night again.",
    "OSError": "A disk, a folder or its permissions: look at the space left and at who may read and write, then run again.",
    "PermissionError": "Give the user that runs the night leave to read and write the folders of site.toml, then run again.",
    "MemoryError": "The machine has too little memory for this step: set [engine] memory_limit, or use a larger machine.",
}
OTHERWISE = "Open the run in the Dagster page and look at this step; run the code by hand on the same input to see the error's text."
TO_LOOK_AT = "Nothing is stopped by it; look at it in the Dagster page."


@dataclass(frozen=True)
class Verdict:
    """The first thing to read: a word for its colour, and a sentence."""

    state: str
    sentence: str


@dataclass(frozen=True)
class Group:
    """A group of steps: what it took, its budget, and its steps."""

    name: str
    seconds: float
    budget: float | None

    @property
    def is_late(self) -> bool:
        """Whether it took longer than it may."""
        return self.budget is not None and self.seconds > self.budget


def status_page(records: Sequence[RunRecord], nights: Nights, now: datetime) -> str:
    """The page as HTML text. `records`: newest first, of any job; `now`: when the page is made."""
    from markupsafe import Markup

    night = newest_night(records)
    style = "".join(asset(name) for name in STYLES)
    groups = groups_of(night, nights) if night else []
    context = {
        "verdict": verdict(records, nights, now),
        "night": night,
        "made_at": _moment(now),
        "ended_at": _moment(night.ended) if night else "",
        "took": took(night.seconds) if night else "",
        "errors": [_told(each) for each in night.troubles if each.is_error] if night else [],
        "warnings": [_told(each) for each in night.troubles if not each.is_error] if night else [],
        "sources": _sources(night),
        "groups": groups,
        "steps": [_step(each) for each in slowest(night)] if night else [],
        "runs": [_run(each) for each in records if each.is_night][:NIGHTS_SHOWN],
        "others": [_run(each) for each in records if not each.is_night][:NIGHTS_SHOWN],
    }
    page = environment().get_template("status.html.jinja")
    return page.render(**context, took_of=took, style=Markup(style), style_hash=content_hash(style))


def status_lines(records: Sequence[RunRecord], nights: Nights, now: datetime) -> list[str]:
    """The same for a terminal."""
    said = verdict(records, nights, now)
    lines = [f"{said.state.upper()}: {said.sentence}"]
    night = newest_night(records)
    if night is None:
        return lines
    if night.coverage:
        told = night.coverage
        lines.append(f"Covered: {told.practices_covered:,} of {told.practices:,} practices, {told.people:,} people, {told.pcns:,} PCNs.")
        old = {_plain(name): days for name, days in told.oldest_days.items() if days}
        lines.append("Oldest extracts in use: " + (", ".join(f"{name} {days} days" for name, days in old.items()) or "all of the day") + ".")
    for each in (_told(trouble) for trouble in night.troubles if trouble.is_error):
        lines += [f"error {each['where']}: {each['words']}", f"  what to do: {each['to_do']}"]
    lines += [f"warning {each.where}: {each.words}" for each in night.troubles if not each.is_error]
    if night.not_made:
        lines.append(f"Not made, because something before it failed: {', '.join(night.not_made)}.")
    late = [group for group in groups_of(night, nights) if group.is_late]
    lines += [f"slow {group.name}: {took(group.seconds)}, budget {took(group.budget or 0)}" for group in late]
    lines.append("Slowest steps: " + ", ".join(f"{step.name} {took(step.seconds)}" for step in slowest(night)[:LATE_STEPS]) + ".")
    lines.append("Last nights: " + "; ".join(f"{row['ended']} {row['outcome']} ({row['took']})" for row in map(_run, records) if row["is_night"]))
    return lines


def newest_night(records: Sequence[RunRecord]) -> RunRecord | None:
    """The night that ended last."""
    return next((record for record in records if record.is_night), None)


def verdict(records: Sequence[RunRecord], nights: Nights, now: datetime) -> Verdict:
    """Whether people can rely on what they find this morning, in one sentence."""
    night = newest_night(records)
    if night is None:
        return Verdict("none", "There has been no night yet. Start one: fuller refresh.")
    release = f"People find the release of {wording.day(night.release_as_of)}" if night.release else "Nothing has been released yet"
    hours = int((now - night.ended).total_seconds() // 3600)
    if hours >= nights.overdue_hours:
        return Verdict("failed", f"No night for {hours} hours. {release}. Look whether the Dagster daemon runs, then: fuller refresh.")
    if night.status != "success" or night.not_made:
        return Verdict("failed", f"The last night did not come to its end. {release}; nothing of it was changed.")
    if night.release_as_of is not None and night.as_of is not None and night.release_as_of != night.as_of:
        day = wording.day(night.as_of)
        return Verdict("doubtful", f"The night of {day} ran, but {release[0].lower()}{release[1:]}: see below why.")
    if night.errors:
        things = wording.plural(night.errors, "thing is", "things are")
        return Verdict("doubtful", f"The night of {wording.day(night.as_of)} was released, but {things} wrong. {release}.")
    return Verdict("stands", f"The night of {wording.day(night.as_of)} stands. {release}.")


def groups_of(night: RunRecord, nights: Nights) -> list[Group]:
    """Seconds of each group of steps against its budget, in the order in which groups began."""
    seconds: dict[str, float] = {}
    for step in night.steps:
        seconds[step.group] = seconds.get(step.group, 0.0) + step.seconds
    return [Group(name, taken, nights.budget_seconds.get(name)) for name, taken in seconds.items()]


def slowest(night: RunRecord) -> list[Step]:
    """The steps that took longest, and those that failed."""
    ordered = sorted(night.steps, key=lambda step: (step.is_made, -step.seconds))
    return ordered[:STEPS_SHOWN]


def took(seconds: float) -> str:
    """`2 min 5 s`, `41 s`, `0.3 s`."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _told(trouble: Trouble) -> dict[str, str]:
    to_do = TO_DO.get(trouble.kind, OTHERWISE) if trouble.is_error else TO_LOOK_AT
    return {"where": trouble.where, "words": trouble.words or "no words were given", "to_do": to_do}


def _sources(night: RunRecord | None) -> list[dict[str, Any]]:
    """By inbound table how many senders are in which state, and how old the oldest extract in use is."""
    if night is None or night.coverage is None:
        return []
    shown = []
    for name, states in night.coverage.states.items():
        known: Mapping[str, int] = dict(states)
        good = known.get("new", 0) + known.get("unchanged", 0)
        others = {state: count for state, count in known.items() if state not in ("new", "unchanged", "stale", "never")}
        shown.append(
            {
                "name": _plain(name),
                "good": good,
                "stale": known.get("stale", 0),
                "never": known.get("never", 0),
                "other": sum(others.values()),
                "oldest": night.coverage.oldest_days.get(name),
            }
        )
    return shown


def _plain(name: str) -> str:
    for part, instead in TABLES.items():
        name = name.replace(part, instead)
    return name


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "group": step.group,
        "took": took(step.seconds),
        "is_made": step.is_made,
        "cpu": wording.NOT_GIVEN if step.cpu_seconds is None else took(step.cpu_seconds),
        "peak": wording.NOT_GIVEN if step.peak_megabytes is None else f"{step.peak_megabytes:,.0f} MB",
        "rows": wording.count(step.rows if step.rows is None else int(step.rows)),
    }


def _run(record: RunRecord) -> dict[str, Any]:
    outcome = "stands" if record.is_green else "ended, with errors" if record.status == "success" else record.status
    return {
        "job": record.job,
        "ended": _moment(record.ended),
        "as_of": wording.day(record.as_of),
        "outcome": outcome,
        "is_green": record.is_green,
        "is_night": record.is_night,
        "took": took(record.seconds),
        "errors": record.errors,
        "warnings": record.warnings,
        "release": record.release or wording.NOT_GIVEN,
        "run": record.run_id[:8],
    }


def _moment(moment: datetime) -> str:
    """A moment as a clock on a wall here shows it: `22 November 2026, 02:04`."""
    here = moment.astimezone(HERE)
    return f"{wording.day(here.date())}, {here:%H:%M}"
