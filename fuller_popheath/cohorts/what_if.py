"""What a team's list would be with other places, floors or priority, beside what it is now: the same people, rules and draw, and nothing is kept.

What does not belong here: reading the store, and showing the answer (`list_commands.py`, notebooks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.capacity import TeamChoice, choose_team
from fuller_popheath.cohorts.list_candidate import ELIGIBLE, OBJECTION, priority_in_use
from fuller_popheath.cohorts.team_changes import changed_team, rescored
from fuller_popheath.errors import InputMissing

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site_lists import Lists

USED = (
    *("person_id", "verdict", "need_points", "risk", "gap", "score", "priority_used"),
    *("is_core20", "is_plus", "plus_groups", "age_band", "is_under_18", "is_low_contact", "is_newly_surfaced"),
)
"""What is read of core/list_candidate."""


@dataclass(frozen=True)
class Scenario:
    """A list that could be: the team's row of core/team_capacity with what was asked, who could be listed, who is and why, and what the score is."""

    team: Mapping[str, Any]
    eligible: pa.Table
    choice: TeamChoice
    priority_used: str

    @property
    def decided(self) -> Mapping[str, int]:
        """How many were listed by score, draw, stay_on, floor and quota."""
        return Counter(word for word in self.choice.decided_by if word)

    @property
    def listed(self) -> frozenset[str]:
        """The people on the list."""
        people = self.eligible["person_id"].to_pylist()
        return frozenset(people[at] for at in self.choice.chosen.nonzero()[0])


@dataclass(frozen=True)
class WhatIf:
    """A team's list as it would be made now, and as asked."""

    now: Scenario
    asked: Scenario

    @property
    def stay_count(self) -> int:
        """How many are on both lists."""
        return len(self.now.listed & self.asked.listed)

    @property
    def join_count(self) -> int:
        """How many are on the list as asked alone."""
        return len(self.asked.listed - self.now.listed)

    @property
    def leave_count(self) -> int:
        """How many are on the list now alone."""
        return len(self.now.listed - self.asked.listed)


def what_if(
    candidates: pa.Table,
    team: Mapping[str, Any],
    changes: Mapping[str, Any],
    on_last_list: Collection[str],
    issue_id: str,
    lists: Lists,
    objections: pa.Table | None = None,
) -> WhatIf:
    """The list of a team now and with `changes` (columns of core/team_capacity), by the same draw.

    `candidates`: the team's rows of core/list_candidate, without people on other lists; `objections`: core/person_objection, which another priority
    needs: lists made from scores leave out who objects to them. Whoever the team's own priority left out for an objection stays out. Raises
    SettingsWrong for what no team can have, InputMissing for objections that are not given.
    """
    import pyarrow.compute as pc

    eligible = candidates.filter(pc.equal(candidates["verdict"], ELIGIBLE))

    def scenario(row: Mapping[str, Any]) -> Scenario:
        people, priority = eligible, priority_in_use(str(row["priority"]), candidates)
        if row["priority"] != team["priority"]:
            if objections is None:
                raise InputMissing(f"another priority needs {OBJECTION}, which was not given")
            people = rescored(people, priority, {OBJECTION: objections})
        return Scenario(row, people, choose_team(people, row, on_last_list, issue_id, lists), priority)

    return WhatIf(scenario(team), scenario(changed_team(team, changes)))
