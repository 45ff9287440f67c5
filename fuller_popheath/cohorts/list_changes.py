"""What is different between a team's new list and its last one: who joined, stayed and left, each with one explanation in plain English.

Every difference has exactly one row, and so has everybody who stayed. What does not belong here: what happens between two issues (`pruning.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.list_words import VERDICTS, day_told

if TYPE_CHECKING:
    import pandas as pd

JOINED, STAYED, LEFT = "joined", "stayed", "left"
FIRST_LIST = "the team's first list"
WAS_OFF = ("was taken off the last list (", ") and can be listed again")
BY_PLACE, BY_OTHERS = "place ", "is on the list of team "
STOOD_UNTIL_NOW = (VERDICTS["below_points"], VERDICTS["team_excludes"], VERDICTS["eligible"])
"""How it is told of somebody who stood on the last list to the end that they left."""


@dataclass(frozen=True)
class Before:
    """A team's list until now.

    `rows`: its rows of products/cohort_list by person_id, those taken off among them; `places`: the place by score of whom it could have listed;
    `taken_off`: why each was who has been taken off.
    """

    issue_id: str
    issued_on: date
    rows: pd.DataFrame
    places: Mapping[str, int]
    taken_off: Mapping[str, str]

    @property
    def listed(self) -> frozenset[str]:
        """Who stood on it to the end."""
        return frozenset(self.rows.index[self.rows["state"] == "listed"])


@dataclass(frozen=True)
class After:
    """A team's new list.

    `rows`: by person_id, with rank, row_reference, decided_by, practice_code, risk_change and registration_start_date; `places`: place by score of
    whom it could have listed; `slots`: how many places it has; `verdicts`: why somebody could not be listed; `elsewhere`: on which other team's
    list somebody is; `ended`: the review of somebody that kept them off and has ended since, in words.
    """

    issue_id: str
    team_id: str
    as_of: date
    rows: pd.DataFrame
    places: Mapping[str, int]
    slots: int
    verdicts: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    ended: Mapping[str, str] = field(default_factory=dict)


def differences(before: Before | None, after: After) -> Iterator[dict[str, Any]]:
    """Rows of core/list_change: one for everybody on the new list, by rank, then one for whoever was on the last one alone, by their rank there."""
    old = {} if before is None else {row["person_id"]: row for row in _records(before.rows)}
    issue_before = before.issue_id if before else None
    about = {"as_of": after.as_of, "changed_on": after.as_of, "issue_id": after.issue_id, "team_id": after.team_id, "previous_issue_id": issue_before}
    for row in sorted(_records(after.rows), key=lambda row: int(row["rank"])):
        was = old.pop(row["person_id"], None)
        stays = was is not None and was["state"] == "listed"
        words = _stayed(row, after, before) if stays and before else _joined(row, after, before, was is not None)
        yield {
            **about,
            **{name: row[name] for name in ("person_id", "practice_code", "row_reference", "rank")},
            "change": STAYED if stays else JOINED,
            "words": words,
            "previous_rank": was["rank"] if was else None,
        }
    for row in sorted(old.values(), key=lambda row: int(row["rank"])):
        yield {
            **about,
            **{name: row[name] for name in ("person_id", "practice_code")},
            "change": LEFT,
            "row_reference": None,
            "rank": None,
            "previous_rank": row["rank"],
            "words": _left(row["person_id"], after, before),
        }


def before_again(changes: Sequence[Mapping[str, Any]], issued_on: date, places: Mapping[str, int]) -> Before | None:
    """The list before the one that `changes` were told of; None where that was the first.

    `changes`: the rows of core/list_change of a team's list that is to be made anew on its day of issue, those among them who were taken off since;
    `issued_on` and `places`: of the list before.
    """
    import pandas as pd

    rows, taken_off, issue_id = [], {}, ""
    for row in changes:
        if row["change"] not in (JOINED, STAYED, LEFT):
            continue
        issue_id = row["previous_issue_id"] or issue_id
        if row["previous_rank"] is None:
            continue
        words = str(row["words"])
        if row["change"] == JOINED:
            taken_off[row["person_id"]] = words.partition(WAS_OFF[0])[2].rpartition(WAS_OFF[1])[0]
        elif row["change"] == LEFT and not words.startswith((BY_PLACE, BY_OTHERS)) and words not in STOOD_UNTIL_NOW:
            taken_off[row["person_id"]] = words
        rows.append({"person_id": row["person_id"], "rank": row["previous_rank"], "practice_code": row["practice_code"]})
    if not issue_id:
        return None
    made = pd.DataFrame(rows, columns=["person_id", "rank", "practice_code"]).set_index("person_id")
    since = {row["person_id"]: row["words"] for row in changes if row["change"] == "removed" and row["person_id"] in made.index}
    off = {**taken_off, **since}
    made["state"] = ["removed" if person in off else "listed" for person in made.index]
    return Before(issue_id=issue_id, issued_on=issued_on, rows=made, places=places, taken_off=off)


def _records(rows: pd.DataFrame) -> list[Any]:
    return rows.reset_index().to_dict("records")


def _joined(row: Mapping[str, Any], after: After, before: Before | None, was_on: bool) -> str:
    person, told = row["person_id"], [_decided(row, after)]
    if before is None:
        told.insert(0, FIRST_LIST)
    elif was_on:
        told.insert(0, before.taken_off.get(person, "no reason is kept").join(WAS_OFF))
    elif person not in before.places:
        told.insert(0, _why_now(row, after, before))
    elif before.places[person] != after.places[person]:
        told.append(f"{before.places[person]} last time")
    else:
        told.append("as last time, and a place became free")
    risk = row["risk_change"]
    if isinstance(risk, str) and risk.startswith("rose"):
        told.append(f"the risk {risk}")
    return "; ".join(told)


def _why_now(row: Mapping[str, Any], after: After, before: Before) -> str:
    """Why somebody could not be listed last time and can now, as far as it is known."""
    if row["person_id"] in after.ended:
        return f"{after.ended[row['person_id']]}: that time is over"
    started = row["registration_start_date"]
    if isinstance(started, date) and started >= before.issued_on:
        return f"newly registered, on {day_told(started)}"
    return "could not be listed last time, and can be now"


def _decided(row: Mapping[str, Any], after: After) -> str:
    """What gave somebody their place."""
    place = f"place {after.places[row['person_id']]:,} of {len(after.places):,} by score"
    why = {
        "stay_on": "near enough to stay on the list",
        "floor": "on the list so that a group has its share",
        "quota": "newly surfaced: no emergency admission in two years, and on no caseload",
        "draw": "drawn by lot at the margin",
    }
    return f"{place}, {why[row['decided_by']]}" if row["decided_by"] in why else place


def _stayed(row: Mapping[str, Any], after: After, before: Before) -> str:
    was = before.places.get(row["person_id"])
    return _decided(row, after) + (f"; {was:,} last time" if was is not None else "")


def _left(person: str, after: After, before: Before | None) -> str:
    if before and person in before.taken_off:
        return before.taken_off[person]
    if person in after.elsewhere:
        return f"{BY_OTHERS}{after.elsewhere[person]} now"
    if person not in after.places:
        return VERDICTS.get(after.verdicts.get(person, ""), "is not in the team's neighbourhood any more")
    place, was = after.places[person], before.places.get(person) if before else None
    then = f"; {was:,} last time" if was is not None else ""
    if place <= after.slots:
        return f"{BY_PLACE}{place:,} by score for {after.slots:,} places, but groups have their share, or the lot decided at the margin{then}"
    return f"{BY_PLACE}{place:,} by score, and there are {after.slots:,} places{then}"
