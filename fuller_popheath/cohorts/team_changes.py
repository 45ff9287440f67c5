"""A team's settings with some of them changed for one list, as a run or a what-if asks: other places, priority, quota or floors.

What does not belong here: settings that say whom the team sees; those stand in its own file, because they decide who could be listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.list_candidate import RISK, RISK_AND_GAP, score_by
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import Inputs

if TYPE_CHECKING:
    import pyarrow as pa

TEAM, OBJECTION = "core/team_capacity", "core/person_objection"
FLOORS = ("core20_floor", "plus_floor", "under_18_floor", "low_contact_floor")
CAN_CHANGE = ("slots_count", "reserve_count", "priority", "newly_surfaced_percent", *FLOORS)


def changed_team(team: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A row of core/team_capacity with some of its settings replaced.

    Raises SettingsWrong where there is no such setting, or a value is outside what the contract allows.
    """
    contract = load_contract(TEAM)
    for name, value in changes.items():
        if name not in CAN_CHANGE:
            raise SettingsWrong(f"team {team['team_id']}: {name} cannot be changed for one list; there are {', '.join(CAN_CHANGE)}")
        column = contract.column(name)
        kinds: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,)}
        if not isinstance(value, kinds.get(column.logical_type, (int, float))) or isinstance(value, bool):
            raise SettingsWrong(f"team {team['team_id']}: {name} must be a {column.logical_type}")
        if column.allowed and value not in column.allowed:
            raise SettingsWrong(f"team {team['team_id']}: {name} must be one of {', '.join(map(str, column.allowed))}")
        least: Any = column.minimum
        most: Any = column.maximum
        if (least is not None and value < least) or (most is not None and value > most):
            raise SettingsWrong(f"team {team['team_id']}: {name} must be {_limits(least, most)}")
    made = {**team, **changes}
    if made["reserve_count"] > made["slots_count"]:
        raise SettingsWrong(f"team {team['team_id']}: reserve_count must not be more than slots_count")
    return made


def _limits(least: Any, most: Any) -> str:
    return f"{least:g} or more" if most is None else f"from {least:g} to {most:g}"


def rescored(eligible: pa.Table, priority: str, tables: Inputs) -> pa.Table:
    """The people of one team who could be listed, with the score of another priority; by risk, without those who object to lists made from scores.

    Whoever the team's own priority left out for an objection stays out.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if priority in (RISK, RISK_AND_GAP):
        objection = tables[OBJECTION]
        objects = objection.filter(pc.fill_null(objection["excluded_from_score_list"], True))["person_id"].combine_chunks()
        eligible = eligible.filter(pc.invert(pc.is_in(eligible["person_id"], value_set=objects)))
    points, risk, gap = (eligible[name].cast(pa.float64()).to_numpy() for name in ("need_points", "risk", "gap"))
    score = score_by(priority, points, np.asarray(risk, np.float64), np.asarray(gap, np.float64))
    return eligible.set_column(eligible.column_names.index("score"), "score", pa.array(score, pa.float64()))
