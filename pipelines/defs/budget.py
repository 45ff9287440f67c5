"""Whether the night's steps kept within the seconds that the site gives each group of them."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections import defaultdict

import dagster as dg

from fuller_popheath.site import load_site
from pipelines.defs.releases import KEY
from pipelines.guard import guarded

NAME = "steps_within_budget"


def over_budget(seconds: dict[str, float], budgets: dict[str, float]) -> list[str]:
    """The groups that took longer than they may, the worst first, in words."""
    over = {name: taken / budgets[name] for name, taken in seconds.items() if name in budgets and taken > budgets[name]}
    ordered = sorted(over, key=lambda name: -over[name])
    return [f"{name} took {seconds[name]:,.0f} s of {budgets[name]:,.0f} s" for name in ordered]


@dg.asset_check(
    name=NAME,
    asset=dg.AssetKey(KEY),
    description="No group of the night's steps took longer than site.toml gives it ([nights] budget_seconds); only what this run has done so far.",
)
@guarded
def within_budget(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Add up the steps of this run that have ended."""
    from pipelines.after_night import StepsOfRun, groups_in

    heard = StepsOfRun(groups_in(context.repository_def))
    for entry in context.instance.all_logs(context.run.run_id):
        if entry.dagster_event is not None:
            heard.hear(entry.dagster_event, entry.timestamp)
    seconds: dict[str, float] = defaultdict(float)
    for step in heard.all():
        seconds[step.group] += step.seconds
    found = over_budget(seconds, load_site().nights.budget_seconds)
    told = "; ".join(found) or "every group of steps kept within its budget"
    numbers = {f"{name} seconds": round(taken, 1) for name, taken in seconds.items() if name}
    return dg.AssetCheckResult(passed=not found, severity=dg.AssetCheckSeverity.WARN, description=told, metadata=numbers)


@dg.definitions
def budget() -> dg.Definitions:
    """The check at the end of the night."""
    return dg.Definitions(asset_checks=[within_budget])
