"""Everybody who could have been on a list, with what decided about them: kept from the first list on, so that it can be seen later what lists do.

For evaluation and for the trace of one person. Never a label and never a feature of a model. What does not belong here: deciding anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.cohorts.capacity import TeamChoice

LOG = "core/selection_log"


def log_rows(issue_id: str, team_id: str, as_of: date, eligible: pa.Table, choice: TeamChoice, references: Sequence[str | None]) -> pa.Table:
    """One row for each row of `eligible` (those of core/list_candidate that `choice` was made of, in its order), as core/selection_log has them.

    `references`: the row reference of each person who is listed, None for the others.
    """
    import numpy as np
    import pyarrow as pa

    people = eligible.num_rows
    threshold = None if math.isnan(choice.threshold) else choice.threshold
    made = {
        "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), people),
        "issue_id": pa.repeat(issue_id, people),
        "team_id": pa.repeat(team_id, people),
        "person_id": eligible["person_id"],
        "issued_on": pa.repeat(pa.scalar(as_of, pa.date32()), people),
        "score": eligible["score"],
        "probability": eligible["risk"],
        "rank_by_score": pa.array(choice.rank_by_score),
        "draw": pa.array(choice.draw),
        "threshold": pa.repeat(pa.scalar(threshold, pa.float64()), people),
        "is_listed": pa.array(choice.chosen),
        "decided_by": pa.array([word or None for word in choice.decided_by], pa.string()),
        "is_by_score_alone": pa.array(choice.by_score_alone),
        "is_in_margin_band": pa.array(choice.is_in_margin_band),
        "margin_lot": pa.array(choice.lot, pa.float64(), mask=~np.asarray(choice.is_in_margin_band, dtype=bool)),
        "rank": pa.array(choice.rank, pa.int64(), mask=choice.rank == 0),
        "row_reference": pa.array(references, pa.string()),
    }
    return conform(pa.table(made), load_contract(LOG))


def log_to_keep(log: pa.Table, standing: set[tuple[str, str]], as_of: date) -> pa.Table:
    """Of a log as kept so far what tonight's snapshot holds of it: the issues that stand (issue_id, team_id), and those that were made on the day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = log.group_by(["issue_id", "team_id", "issued_on"]).aggregate([])
    kept = [row for row in lists.to_pylist() if (row["issue_id"], row["team_id"]) in standing or row["issued_on"] == as_of]
    wanted = pa.array([f"{row['issue_id']}|{row['team_id']}" for row in kept], pa.string())
    return log.filter(pc.is_in(pc.binary_join_element_wise(log["issue_id"], log["team_id"], "|"), value_set=wanted))
