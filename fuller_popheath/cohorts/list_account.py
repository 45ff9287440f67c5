"""What became of everybody in each neighbourhood, and how complete and fresh the practices' lists are: the first thing to read beside a list.

What does not belong here: the rules (`first_list.py`) and who is on the list (`continuity_need.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.first_list import BEYOND_CAPACITY, LISTED, VERDICTS

if TYPE_CHECKING:
    import pandas as pd

AREA = ["issue_id", "neighbourhood_code"]


def account(need: pd.DataFrame, checks: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """One row per issue and neighbourhood: registered_count, a `<verdict>_count` for each verdict, the cut-off, and the coverage of its practices.

    `need`: rows of core/continuity_need (issue_id, neighbourhood_code, verdict, points); `checks`: core/list_size_check; `names`: one row a practice
    of core/neighbourhood_practice. A neighbourhood of which no practice sent anything has a row too, all of it zero.
    """
    import pandas as pd

    counts = pd.crosstab([need[name] for name in AREA], need["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
    counts = counts.add_suffix("_count").reset_index()
    counts.columns.name = None
    coverage = _coverage(checks, names)
    made = counts.merge(coverage, on="neighbourhood_code", how="outer", validate="one_to_one")
    whole = [f"{verdict}_count" for verdict in VERDICTS]
    numbers = [*whole, "practice_count", "stale_practice_count", "missing_practice_count"]
    made[numbers] = made[numbers].fillna(0).astype("int64")
    made["registered_count"] = made[whole].sum(axis=1)
    made["coverage"] = made["coverage"].fillna("No practice of this neighbourhood is known to have sent a list.")
    return made.merge(_cut_off(need), on="neighbourhood_code", how="left", validate="one_to_one").fillna({"equal_points_not_listed_count": 0})


def _cut_off(need: pd.DataFrame) -> pd.DataFrame:
    """For each neighbourhood with a list: the points of its last person, and how many others had as many."""
    listed, beyond = (need[need["verdict"] == verdict] for verdict in (LISTED, BEYOND_CAPACITY))
    last = listed.groupby("neighbourhood_code")["points"].min().rename("last_listed_points").reset_index()
    beside = beyond.merge(last, on="neighbourhood_code")
    beside = beside[beside["points"] == beside["last_listed_points"]]
    equal = beside.groupby("neighbourhood_code").size().rename("equal_points_not_listed_count").reset_index()
    return last.merge(equal, on="neighbourhood_code", how="left").astype({"last_listed_points": "Int64"})


def _coverage(checks: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    practices = checks.merge(names[["practice_code", "practice_name"]], on="practice_code", how="left")
    practices = practices.assign(is_stale=practices["list_state"].eq("stale"), is_missing=practices["list_state"].eq("never"))
    areas = practices.groupby("neighbourhood_code").agg(
        practice_count=("practice_code", "size"),
        stale_practice_count=("is_stale", "sum"),
        missing_practice_count=("is_missing", "sum"),
        oldest_extract_age_days=("extract_age_days", "max"),
    )
    sentences = {code: _in_words(area) for code, area in practices.sort_values("practice_code").groupby("neighbourhood_code")}
    return areas.assign(coverage=[sentences[code] for code in areas.index]).reset_index().astype({"oldest_extract_age_days": "Int64"})


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
