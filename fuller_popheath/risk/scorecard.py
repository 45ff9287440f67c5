"""Whether scores given a horizon ago came true: expected against observed in each group of people, as products/risk_scorecard.

Every figure is made from what is shown, after small numbers were hidden and counts rounded. What does not belong here: what the outcome is
(`outcome_labels`), and whether inputs changed (`drift`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.small_numbers import hidden_overlapping, hidden_siblings, rounded
from fuller_popheath.errors import ContractBroken, InputMissing
from fuller_popheath.risk.evaluation import table_of
from fuller_popheath.risk.subgroups import ALL, IMD_QUINTILE, KINDS, PLUS_GROUP, Groups
from fuller_popheath.risk.verdicts import of_interval, worst

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Monitoring

SCORECARD = "products/risk_scorecard"
LEFT = "left"
"""How follow-up ended for whoever left every list of ours: nobody knows what became of them."""


@dataclass(frozen=True, eq=False)
class Followed:
    """People whom one model scored and who were followed up: one element a person. `lost`: how many of those it scored were not."""

    outcome: str
    age_group: str
    model_id: str
    probability: np.ndarray
    has_outcome: np.ndarray
    groups: Groups
    lost: int


def followed_up(scores: pa.Table, labels: Mapping[str, pa.Table], groups: Groups, objecting: pa.Array | None = None) -> list[Followed]:
    """The people of `scores` (person_id, outcome, age_group, model_id, probability) with what became of them: a part per outcome, age group, model.

    `labels`: per outcome person_id, is_at_risk, has_outcome, ended_by, as at the day of scoring; `groups` are of the rows of `scores`, in their
    order, by the features of that day. `objecting`: ids of those who object by now, maybe since they were scored. Who objects, has no label,
    was not at risk or left is lost and counted. Raises InputMissing where an outcome that was scored has no labels, ContractBroken where a person
    stands in its labels twice, or `groups` are of other rows.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if groups.people != scores.num_rows:
        raise ContractBroken(f"{SCORECARD}: {scores.num_rows} scores and groups of {groups.people} people; make the groups of the rows of the scores")
    keys = ["outcome", "age_group", "model_id"]
    parts = sorted({tuple(row.values()) for row in scores.select(keys).group_by(keys).aggregate([]).to_pylist()})
    unlabelled = sorted({outcome for outcome, *_ in parts} - set(labels))
    if unlabelled:
        raise InputMissing(
            f"{SCORECARD}: no labels of {', '.join(unlabelled)} as at the day of scoring; label the outcome before its scores are judged"
        )
    columns = [scores[key].to_numpy() for key in keys]
    known = pa.array([], pa.string()) if objecting is None else objecting
    may = ~pc.is_in(scores["person_id"], value_set=known).to_numpy()
    return [_followed(scores, labels[part[0]], groups, part, _where(columns, part), may) for part in parts]


def scorecard(followed: list[Followed], as_of: date, scored_as_of: date, is_scored_then: bool, monitoring: Monitoring) -> pa.Table:
    """products/risk_scorecard: expected and observed of each part for everybody and in each group, with verdicts by the site's limits.

    `is_scored_then`: the scores were stored on `scored_as_of`; else a model was asked later for what it would have said (`back_scores`).
    """
    scored = {"as_of": as_of, "scored_as_of": scored_as_of, "is_scored_then": is_scored_then}
    return table_of((row for part in followed for kind in KINDS for row in _rows(part, kind, scored, monitoring)), SCORECARD)


def _where(columns: list[np.ndarray], part: tuple[str, ...]) -> np.ndarray:
    return np.flatnonzero(np.logical_and.reduce([column == wanted for column, wanted in zip(columns, part, strict=True)]))


def _followed(scores: pa.Table, labels: pa.Table, groups: Groups, part: tuple[str, ...], at: np.ndarray, may: np.ndarray) -> Followed:
    import pyarrow.compute as pc

    known = labels["person_id"].combine_chunks()
    twice = labels.num_rows - len(known.unique())
    if twice:
        raise ContractBroken(f"{SCORECARD}: {twice} people stand twice in the labels of {part[0]}; one row a person")
    place = pc.index_in(scores["person_id"].take(at), value_set=known).fill_null(-1).to_numpy()
    counts = np.asarray(labels["is_at_risk"].to_numpy(), bool) & (labels["ended_by"].to_numpy() != LEFT)
    is_followed = (place >= 0) & np.append(counts, False)[place] & may[at]
    kept = at[is_followed]
    outcome, age_group, model_id = part
    return Followed(
        outcome=outcome,
        age_group=age_group,
        model_id=model_id,
        probability=scores["probability"].to_numpy()[kept],
        has_outcome=np.asarray(labels["has_outcome"].to_numpy(), bool)[place[is_followed]],
        groups=groups.take(kept),
        lost=int(at.size - kept.size),
    )


def _rows(part: Followed, kind: str, scored: Mapping[str, object], monitoring: Monitoring) -> Iterator[dict[str, object]]:
    members = list(part.groups.members(kind))
    people = np.array([at.size for _, at in members], np.int64)
    observed = np.array([np.count_nonzero(part.has_outcome[at]) for _, at in members], np.int64)
    if kind == PLUS_GROUP:
        hidden = hidden_overlapping(people, observed, part.groups.people, int(part.has_outcome.sum()))
    else:
        hidden = hidden_siblings(people, observed)
    for number, (label, at) in enumerate(members):
        yield {
            **scored,
            "outcome": part.outcome,
            "age_group": part.age_group,
            "model_id": part.model_id,
            "subgroup_kind": kind,
            "subgroup": label,
            "imd_edition": part.groups.imd_edition if kind == IMD_QUINTILE else None,
            **_figures(part, at, bool(hidden[number]), kind == ALL, monitoring),
        }


def _figures(part: Followed, at: np.ndarray, is_hidden: bool, is_everybody: bool, monitoring: Monitoring) -> dict[str, object]:
    from fuller_popheath.methods.calibration import calibration_slope, observed_over_expected_of_counts
    from fuller_popheath.methods.estimates import UNDEFINED

    people, observed = int(rounded(at.size)), int(rounded(np.count_nonzero(part.has_outcome[at])))
    expected = float(np.rint(part.probability[at].sum()))
    ratio = UNDEFINED if is_hidden else observed_over_expected_of_counts(observed, expected)
    slope = calibration_slope(part.has_outcome[at], part.probability[at]) if is_everybody and not is_hidden else UNDEFINED
    found = {
        "observed_over_expected": ratio.value,
        "lower": ratio.lower,
        "upper": ratio.upper,
        "calibration_slope": slope.value,
        "calibration_slope_lower": slope.lower,
        "calibration_slope_upper": slope.upper,
    }
    shown = {name: number if math.isfinite(number) else None for name, number in found.items()}
    verdicts = [
        of_interval(shown["lower"], shown["upper"], monitoring.observed_over_expected),
        of_interval(shown["calibration_slope_lower"], shown["calibration_slope_upper"], monitoring.calibration_slope),
    ]
    counts = {"people_count": people, "expected_count": expected, "observed_count": observed}
    return {**(dict.fromkeys(counts) if is_hidden else counts), **shown, "is_hidden": is_hidden, "verdict": worst(verdicts)}
