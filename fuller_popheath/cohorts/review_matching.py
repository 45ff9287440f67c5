"""Whose row came back: returned reviews held against the lists that were issued. A row of no such list, or of an impossible day, is used for nothing.

What does not belong here: what a review does (`reviews.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.sources.names import file_told, holds_nhs_number

if TYPE_CHECKING:
    import pyarrow as pa

MOST_DAYS_AHEAD = 92
"""A review may be so many days younger than the data of the night, which may be late; a day beyond that is a slip."""
MOST_DAYS_LATER = 1096
"""Nobody is put off for more than three years: beyond that the year is a slip."""
ROWS_SHOWN = 20
LATER, WISH = "later", "no_lists_please"
SAID = ("issue_id", "team_id", "row_reference", "review_outcome", "later_until")
"""What a row says but for its day."""

RULES: Mapping[str, str] = MappingProxyType(
    {
        "issue_id.was_issued": "no list of that issue was ever made here",
        "team_id.has_a_list": "that issue has no list of that team",
        "row_reference.is_of_this_team": "that row is on another team's list of the issue",
        "row_reference.is_on_the_list": "that row is not on the list",
        "reviewed_on.after_the_issue": "the day of the review lies before the list was made",
        "reviewed_on.not_ahead": f"the day of the review lies more than {MOST_DAYS_AHEAD} days after the data",
        "later_until.after_the_review": "the day to come back to does not lie after the review",
        "later_until.not_too_far": f"the day to come back to lies more than {MOST_DAYS_LATER} days after the review",
    }
)
"""Why a reviewed row is not used, by rule id."""

_DAY = re.compile(r"list-(\d{4}-\d{2}-\d{2})")


def matched(returns: pa.Table, issued: pa.Table, as_of: date, said: Collection[tuple[Any, ...]] = frozenset()) -> tuple[pa.Table, pa.Table]:
    """Reviewed rows with the person they stand for, and those that stand for nobody.

    `returns`: rows of inbound/review_outcome that have a review. `issued`: one row a listed row (issue_id, team_id, row_reference, person_id, rank,
    reason_codes), of every list so far. `said`: (issue_id, team_id, row_reference, review_outcome, later_until) of every review that is kept; a row
    without a day that says one of these says nothing new, and is not judged by tonight's day. Returns (reviews, unmatched): reviews with person_id,
    issue_id, team_id, row_reference, review_outcome, reviewed_on (empty where the row had none), later_until, rank and reason_codes; unmatched as
    they came, with `broken_rules`.
    """
    import pyarrow as pa

    names = ("issue_id", "team_id", "row_reference", "person_id", "rank", "reason_codes")
    listed = {(issue, team, row): told for issue, team, row, *told in zip(*(issued[name].to_pylist() for name in names), strict=True)}
    known = _Known(listed)
    found, faulty, rules = [], [], []
    for at, row in enumerate(returns.to_pylist()):
        is_known = row["reviewed_on"] is None and tuple(row[name] for name in SAID) in said
        broken = _broken(row, known, None if is_known else as_of)
        if broken:
            faulty.append(at)
            rules.append(broken)
            continue
        person_id, rank, reason_codes = listed[row["issue_id"], row["team_id"], row["row_reference"]]
        found.append({**row, "person_id": person_id, "rank": rank, "reason_codes": reason_codes})
    texts = ("person_id", "issue_id", "team_id", "row_reference", "review_outcome")
    schema = pa.schema(
        [(name, pa.string()) for name in texts]
        + [("reviewed_on", pa.date32()), ("later_until", pa.date32()), ("rank", pa.int64()), ("reason_codes", pa.string())]
    )
    unmatched = returns.take(pa.array(faulty, pa.int64())).append_column("broken_rules", pa.array(rules, pa.list_(pa.string())))
    return pa.Table.from_pylist(found, schema=schema), unmatched


class _Known:
    """The listed rows, by what a returned row may get wrong."""

    def __init__(self, listed: Mapping[tuple[str, str, str], object]) -> None:
        self.rows = listed
        self.issues = {issue for issue, _, _ in listed}
        self.lists = {(issue, team) for issue, team, _ in listed}
        self.elsewhere = {(issue, row) for issue, _, row in listed}


def _broken(row: Mapping[str, Any], known: _Known, as_of: date | None) -> list[str]:
    """The rules that a row breaks. `as_of`: None where the row is known already, so that no day of it is judged again."""
    issue, team, reference = row["issue_id"], row["team_id"], row["row_reference"]
    if issue not in known.issues:
        return ["issue_id.was_issued"]
    if (issue, team) not in known.lists:
        return ["team_id.has_a_list"]
    if (issue, team, reference) not in known.rows:
        return ["row_reference.is_of_this_team" if (issue, reference) in known.elsewhere else "row_reference.is_on_the_list"]
    if as_of is None or row["review_outcome"] == WISH:
        # A person's own wish is never lost to a mistyped day.
        return []
    day, later = row["reviewed_on"], row["later_until"]
    issued_on = _DAY.match(issue)
    broken = []
    if day is not None and issued_on is not None and day < date.fromisoformat(issued_on.group(1)):
        broken.append("reviewed_on.after_the_issue")
    if day is not None and day > as_of + timedelta(days=MOST_DAYS_AHEAD):
        broken.append("reviewed_on.not_ahead")
    if later is not None and row["review_outcome"] == LATER and later <= (day or as_of):
        broken.append("later_until.after_the_review")
    if later is not None and later > (day or as_of) + timedelta(days=MOST_DAYS_LATER):
        broken.append("later_until.not_too_far")
    return broken


def unmatched_in_words(unmatched: pa.Table, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Which rows of which returned files were not used and why, for a message; no value of a row. Empty where there is none.

    `names`: the files' names by return_id; one that is not among them is told by its return_id, with which the content_hash of its file in
    core/landing_file begins. A name that holds an NHS number is withheld.
    """
    wanted = unmatched.select(["return_id", "row_number", "broken_rules"]).to_pylist()
    named = [(_file(row["return_id"], names), row["row_number"], row["broken_rules"]) for row in wanted]
    rows = sorted(named, key=lambda each: each[:2])
    told = [f"{file}, row {number}: {' and '.join(RULES.get(rule, rule) for rule in rules)}" for file, number, rules in rows[:ROWS_SHOWN]]
    more = [f"and {len(rows) - ROWS_SHOWN} more rows"] if len(rows) > ROWS_SHOWN else []
    return "; ".join([*told, *more])


def _file(return_id: str, names: Mapping[str, str]) -> str:
    told = f"return {return_id}"
    name = names.get(return_id)
    return told if name is None else f"{file_told(name)} ({told})" if holds_nhs_number(name) else name
