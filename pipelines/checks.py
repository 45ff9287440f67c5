"""Statistical checks on whole tables. Nearly all of them only warn: what must not be stored is refused by its contract.

One entry of `CHECKS` is one check: the table it stands at, what else it reads, and the function of `fuller_popheath.arrival.plausible` that
judges. What does not belong here: the judging.
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from fuller_popheath.arrival import plausible, plausible_people
from fuller_popheath.cohorts.never_vanish import POPULATION, POPULATION_COLUMNS, PRODUCTS, SCORE, vanished
from fuller_popheath.cohorts.team_capacity import teams_not_used
from fuller_popheath.registry import facts, tables
from pipelines import describe
from pipelines.guard import guarded
from pipelines.steps import group_of

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.tonight import Tonight

DROPPED = "groups of ten people and more dropped outright"
Judge = Callable[["Tonight", "dict[str, pa.Table]"], plausible.Finding]


@dataclass(frozen=True)
class Check:
    """A statistical check at one table; `judge` gets tonight and the tables by contract id."""

    name: str
    at: str
    sentence: str
    judge: Judge
    also: tuple[str, ...] = ()
    reads_table: bool = True
    """False: it judges what the table is made with, and the table is too big to be read for that."""
    errors: str = ""
    """The number of the finding that makes it an error, which nothing is made or released after; none: it only warns."""


def _list_size(tonight: "Tonight", read: "dict[str, pa.Table]") -> plausible.Finding:
    last = tonight.store.before("core/registered_count", tonight.as_of)
    last_time = tonight.store.read("core/registered_count", last) if last else None
    return plausible.list_size_change(read["core/registered_count"], last_time, tonight.night.site.arrival)


def _teams_used(tonight: "Tonight", read: "dict[str, pa.Table]") -> plausible.Finding:
    """A stale row costs its own team alone: the neighbourhood then has a team of its own."""
    told = teams_not_used(read["inbound/team_capacity"], read["core/neighbourhood_practice"], tonight.night)
    return plausible.Finding(not told, "; ".join(told) or "every row is used", {"rows put aside": len(told)})


def _nobody_vanished(tonight: "Tonight", read: "dict[str, pa.Table]") -> plausible.Finding:
    """Judged at the segments; the lists and the scorecard are looked at where the store has them for the day."""
    population = {name: tonight.store.read(name, tonight.as_of, list(POPULATION_COLUMNS[name])) for name in POPULATION}
    if tonight.store.has(SCORE, tonight.as_of):
        population[SCORE] = tonight.store.read(SCORE, tonight.as_of, ["age_group"])
    products = {name: tonight.store.read(name, tonight.as_of) for name in PRODUCTS if tonight.store.has(name, tonight.as_of)}
    gone = vanished(population, products)
    told = "; ".join(each.words for each in gone)
    numbers = {"groups dropped": len(gone), DROPPED: sum(each.is_error for each in gone)}
    to_do = ": nothing is released; look at how that product counts this group" if numbers[DROPPED] else ""
    return plausible.Finding(not gone, f"{told}{to_do}" if gone else "every product tells of every group that is in the population", numbers)


CHECKS = (
    Check(
        "practice_coverage",
        "core/neighbourhood_practice",
        "The practices of the neighbourhoods have registered people.",
        lambda tonight, read: plausible.practice_coverage(
            read["core/neighbourhood_practice"], read["core/registered_count"], tonight.night.site.arrival
        ),
        ("core/registered_count",),
    ),
    Check(
        "one_membership",
        "core/neighbourhood_practice",
        "No practice is in two PCNs on the day.",
        lambda tonight, read: plausible.one_membership(read["reference/pcn_membership"], tonight.as_of),
        ("reference/pcn_membership",),
    ),
    Check("list_size", "core/registered_count", "No practice grew or shrank much since last time, and none has gone.", _list_size),
    Check(
        "unmatched_share",
        "core/practice_quintile",
        "Nearly everyone's LSOA has deprivation, in each edition.",
        lambda tonight, read: plausible.unmatched_share(read["core/practice_quintile"], tonight.night.site.arrival),
    ),
    Check(
        "lists_sent",
        "core/listed_count",
        "The practices with published counts sent a list, where any did.",
        lambda tonight, read: plausible.lists_sent(read["core/listed_count"], read["core/registered_count"], tonight.night.site.arrival),
        ("core/registered_count",),
    ),
    Check(
        "lists_agree_with_published",
        "core/listed_count",
        "Practice lists, counted, are nearly the published counts.",
        lambda tonight, read: plausible.lists_agree(read["core/listed_count"], read["core/registered_count"], tonight.night.site.arrival),
        ("core/registered_count",),
    ),
    Check(
        "list_sizes_agree",
        "core/list_size_check",
        "People counted, practice by practice, are the published list sizes.",
        lambda tonight, read: plausible_people.list_sizes_agree(read["core/list_size_check"], tonight.night.site.arrival),
    ),
    Check(
        "nothing_lost",
        "core/registration_outcome",
        "Every registration ended in one outcome, and those that count are the persons.",
        lambda tonight, read: plausible_people.nothing_lost(
            read["core/registration_outcome"], read["core/registration"].num_rows, read["core/person"].num_rows
        ),
        ("core/registration", "core/person"),
    ),
    Check(
        "person_attributes_of_the_day",
        "core/person",
        "Nobody stands with a practice list that was made after the day.",
        lambda tonight, read: plausible_people.person_attributes_of_the_day(read["core/person"]),
    ),
    Check(
        "objections_readable",
        "core/person_objection",
        "Type 1 objections can be read in every practice, and a national opt-out file has come.",
        lambda tonight, read: plausible_people.objections_readable(read["core/person_objection"]),
    ),
    Check(
        "code_lists_used",
        "core/person_cluster",
        "Every file of the site's own code lists stands for a cluster.",
        lambda tonight, read: plausible.code_lists_used(tonight.night.site.codelists_folder()),
        reads_table=False,
    ),
    Check(
        "teams_used",
        "core/team_capacity",
        "Every row of the teams' own file could be used.",
        _teams_used,
        ("inbound/team_capacity", "core/neighbourhood_practice"),
        reads_table=False,
    ),
    Check(
        "nobody_vanished",
        "products/segment_count",
        "Under-18s, every PLUS group and people without a contact stand in every product that tells of groups.",
        _nobody_vanished,
        ("core/selection_group",),
        errors=DROPPED,
    ),
)


def checks_of(group: str) -> list[dg.AssetChecksDefinition]:
    """The checks that stand at a table of this group."""
    return [asset_check(check) for check in CHECKS if _group(check.at) == group]


def _group(contract_id: str) -> str:
    return group_of(tables()[contract_id]) if contract_id in tables() else "facts" if contract_id in facts() else ""


def asset_check(check: Check) -> dg.AssetChecksDefinition:
    """One check as Dagster knows it; it reads its tables from the store of the same day."""

    @dg.asset_check(
        name=check.name,
        asset=describe.key_of(check.at),
        description=check.sentence,
        additional_deps=[describe.key_of(name) for name in check.also],
        required_resource_keys={"night"},
        blocking=bool(check.errors),
    )
    @guarded
    def judge(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        tonight: Tonight = context.resources.night.tonight()
        wanted = (check.at, *check.also) if check.reads_table else check.also
        found = check.judge(tonight, {name: tonight.store.read(name, tonight.as_of) for name in wanted})
        severity = dg.AssetCheckSeverity.ERROR if check.errors and found.numbers[check.errors] else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(passed=found.is_as_expected, severity=severity, description=found.sentence, metadata=dict(found.numbers))

    return judge
