"""What stands behind each team's list: its places, what became of everybody in the neighbourhood, the floors, and how fresh the practices' lists are.

What does not belong here: who is on the list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.capacity import ROUNDING
from fuller_popheath.cohorts.list_candidate import VERDICTS
from fuller_popheath.cohorts.list_words import PRIORITIES, group_told
from fuller_popheath.place.neighbourhood_practice import NO_PCN, NO_PCN_NAME

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.cohorts.capacity import TeamChoice
    from fuller_popheath.site_lists import Lists

NO_TEAM = "NO-TEAM"
"""Stands in the account for the people whom no team serves."""
NO_LISTS_SENT = "No practice of this neighbourhood is known to have sent a list."
LOCAL_CHOICE = "How this list is made is a local choice (site.toml, [lists]). It is not validated."


def verdict_counts(candidates: pa.Table) -> dict[str, dict[str, int]]:
    """For each team how many people have each verdict: team_id -> `<verdict>_count` -> people."""
    found = candidates.group_by(["team_id", "verdict"]).aggregate([([], "count_all")])
    counts: dict[str, dict[str, int]] = {}
    for row in found.to_pylist():
        counts.setdefault(row["team_id"], {f"{verdict}_count": 0 for verdict in VERDICTS})[f"{row['verdict']}_count"] = row["count_all"]
    return counts


def account_row(team: Mapping[str, Any], choice: TeamChoice, counts: Mapping[str, int], fresh: Mapping[str, Any], lists: Lists) -> dict[str, Any]:
    """The row of one team in products/cohort_list_account, but for its key, elsewhere_count, what changed since the last list, and is_demonstration.

    `team`: its row of core/team_capacity with `priority_used`; `counts`: its own of `verdict_counts`; `fresh`: its neighbourhood's of `coverage`.
    """
    listed = int(choice.chosen.sum())
    expected = choice.expected
    whole = {f"{verdict}_count": int(counts.get(f"{verdict}_count", 0)) for verdict in VERDICTS}
    return {
        **{name: team[name] for name in ("team_id", "team_name", "neighbourhood_code", "neighbourhood_name", "slots_count", "reserve_count")},
        "priority_used": team["priority_used"],
        "registered_count": sum(whole.values()),
        **whole,
        "no_team_count": 0,
        "issued_count": listed,
        "listed_count": listed,
        "removed_count": 0,
        "shortfall_count": choice.shortfall_count,
        "expected_admissions": expected.admissions if expected else None,
        "expected_lower": expected.lower if expected else None,
        "expected_upper": expected.upper if expected else None,
        "scored_count": expected.scored_count if expected else 0,
        "threshold_score": None if math.isnan(choice.threshold) else choice.threshold,
        "value": choice.value if listed else None,
        "floors": floors_told(choice.groups),
        "floors_unmet": unmet_told(choice.unmet),
        **fresh,
        "rule": rule_told(team, choice, lists),
    }


def no_team_row(people: int) -> dict[str, Any]:
    """The row for people whom no team serves, as `account_row` makes them."""
    counts = dict.fromkeys((f"{verdict}_count" for verdict in VERDICTS), 0)
    none = ("slots_count", "reserve_count", "issued_count", "listed_count", "removed_count", "shortfall_count")
    return {
        "team_id": NO_TEAM,
        "team_name": "No team",
        "neighbourhood_code": NO_PCN,
        "neighbourhood_name": NO_PCN_NAME,
        "priority_used": None,
        **counts,
        "registered_count": people,
        "no_team_count": people,
        **dict.fromkeys((*none, "scored_count", "elsewhere_count", "joined_count", "left_count", "stayed_count"), 0),
        **dict.fromkeys(("expected_admissions", "expected_lower", "expected_upper", "threshold_score", "value", "floors", "floors_unmet")),
        **no_coverage(),
        "coverage": "These people are registered with practices of no neighbourhood that has a team.",
        "is_demonstration": False,
        "rule": "Nobody has a list for them.",
    }


def floors_told(groups: Sequence[Mapping[str, Any]]) -> str | None:
    """Each floor and quota, and what came of it, in words; None where there is none. `groups`: rows of core/selection_group."""
    told = []
    for row in groups:
        if row["minimum_count"] is None:
            continue
        asked = f"at least {row['floor']:g} times their share" if row["floor"] is not None else "a quota"
        cost = f", and cost {row['value_given_up']:.3g} of the sum of scores" if row["value_given_up"] > ROUNDING else ""
        group = group_told(row["group"])
        told.append(f"{group[:1].upper()}{group[1:]}: {asked}, which is {row['minimum_count']}; {row['listed_count']} are listed{cost}")
    return ". ".join(told) + "." if told else None


def unmet_told(unmet: Mapping[str, int]) -> str | None:
    """Which floors are missed by how many people, in words; None where none is."""
    return "; ".join(f"{group_told(group)}: {missed} too few" for group, missed in unmet.items() if missed) or None


def rule_told(team: Mapping[str, Any], choice: TeamChoice, lists: Lists) -> str:
    """How the list was made, in plain English."""
    points = lists.minimum_points
    told = [f"Of the people with {points} or more points of need, the {choice.places:,} who come first by {PRIORITIES[team['priority_used']]}."]
    if team["priority_used"] != team["priority"]:
        told.append("No model is in use, so points of need stand in for the risk.")
    if team["newly_surfaced_percent"]:
        told.append(f"{team['newly_surfaced_percent']:g} % of the places are for newly surfaced people.")
    first = math.floor(choice.places / lists.stay_on_factor + ROUNDING)
    told.append(
        f"The first {first:,} by score go before all others; then who was on the last list stays while their place by score is within "
        f"{lists.stay_on_factor:g} times the places. Floors and quota go before both."
    )
    told.append("Equal scores are decided by lot, and the lot is recorded.")
    if lists.margin_band:
        told.append(f"About {2 * lists.margin_band} people at the margin are drawn by lot.")
    return " ".join([*told, LOCAL_CHOICE])


def coverage(checks: pd.DataFrame, names: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """For each neighbourhood how many of its practices have sent a list, how old the oldest is, and all of it in a sentence.

    `checks`: core/list_size_check; `names`: one row a practice of core/neighbourhood_practice.
    """
    practices = checks.merge(names[["practice_code", "practice_name"]], on="practice_code", how="left")
    practices = practices.assign(is_stale=practices["list_state"].eq("stale"), is_missing=practices["list_state"].eq("never"))
    areas = {}
    for code, area in practices.sort_values("practice_code").groupby("neighbourhood_code"):
        ages = area["extract_age_days"].dropna()
        areas[str(code)] = {
            "practice_count": len(area),
            "stale_practice_count": int(area["is_stale"].sum()),
            "missing_practice_count": int(area["is_missing"].sum()),
            "oldest_extract_age_days": int(ages.max()) if len(ages) else None,
            "coverage": _in_words(area),
        }
    return areas


def no_coverage() -> dict[str, Any]:
    """The same for a neighbourhood of which no practice is known."""
    counts = dict.fromkeys(("practice_count", "stale_practice_count", "missing_practice_count"), 0)
    return {**counts, "oldest_extract_age_days": None, "coverage": NO_LISTS_SENT}


def _in_words(area: pd.DataFrame) -> str:
    """All lists are there and fresh, or which practices' are not: people of a practice without a list are on no list."""
    told = [f"{len(area) - int(area['is_missing'].sum())} of {len(area)} practices have sent a list."]
    names = (
        area["practice_name"]
        .where(area["practice_name"].isna(), area["practice_name"] + " (" + area["practice_code"] + ")")
        .fillna(area["practice_code"])
    )
    missing, stale = names[area["is_missing"]], names[area["is_stale"]]
    if len(missing):
        told.append(f"None from {'; '.join(missing)}: their people cannot be listed.")
    if len(stale):
        days = area.loc[area["is_stale"], "extract_age_days"].astype("int64")
        told.append(f"Old: {'; '.join(f'{name}, {age} days' for name, age in zip(stale, days, strict=True))}.")
    if not len(missing) and not len(stale):
        told.append("All are up to date.")
    return " ".join(told)
