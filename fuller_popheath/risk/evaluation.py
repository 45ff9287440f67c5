"""How well one model predicts, for everybody and in each group of people, as the rows of risk/evaluation.

Here stands what is hidden because it rests on too few people, and what is judged. What does not belong here: which statistics there are
(`model_figures`), differences between models (`comparison`), curves (`evaluation_curves`), and how a verdict is reached (`verdicts`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.disclosure.small_numbers import hidden_overlapping, hidden_siblings, is_small, rounded
from fuller_popheath.errors import ContractBroken
from fuller_popheath.risk.model_figures import (
    TEAM_CAPACITY,
    TOP_SHARE_OF_GROUPS,
    Cut,
    Figure,
    Top,
    capacity_cut,
    cut_name,
    few_of_parts,
    of_everybody,
    of_some,
    share_cuts,
    top_of,
)
from fuller_popheath.risk.subgroups import ALL, IMD_QUINTILE, KINDS, NOT_RECORDED, PCN, PLUS_GROUP, Groups
from fuller_popheath.risk.verdicts import Limits, of_metric

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site

EVALUATION = "risk/evaluation"
VALIDATIONS = ("temporal", "unseen", "geographic")

Members = list[tuple[str, np.ndarray]]
"""The groups of one kind that have anybody: label, and the positions of their people."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one model predicted about people, and what became of them: one element a person, in one order.

    `score` orders people (log-odds before recalibration, or a baseline's own score), `probability` (0 to 1) is what is told. In a geographic
    validation several fitted models share the people, so that `score` must be comparable between them: give the log-odds of `probability`.
    `model_id` is None for a model that is not stored. `validation`: one of VALIDATIONS. Raises ContractBroken where the arrays do not fit.
    """

    outcome: str
    age_group: str
    model: str
    model_id: str | None
    validation: str
    has_outcome: np.ndarray
    probability: np.ndarray
    score: np.ndarray
    groups: Groups

    def __post_init__(self) -> None:
        """Refuses arrays of different lengths and predictions that are no number between 0 and 1."""
        lengths = (len(self.has_outcome), len(self.probability), len(self.score), self.groups.people)
        what = f"predictions of {self.outcome}, {self.age_group}, by {self.model}"
        if len(set(lengths)) > 1:
            raise ContractBroken(f"{what}: {lengths[0]} outcomes, {lengths[1]} probabilities, {lengths[2]} scores and groups of {lengths[3]} people")
        if self.has_outcome.dtype != bool:
            raise ContractBroken(f"{what}: the {lengths[0]} outcomes must be true or false, not {self.has_outcome.dtype}")
        if self.validation not in VALIDATIONS:
            raise ContractBroken(f"{what}: the validation must be one of {', '.join(VALIDATIONS)}")
        wrong = int((~((self.probability >= 0) & (self.probability <= 1)) | np.isnan(self.score)).sum())
        if wrong:
            raise ContractBroken(f"{what}: {wrong} of {lengths[0]} people have no probability between 0 and 1, or a score that is not a number")

    def take(self, keep: np.ndarray, validation: str | None = None) -> Predictions:
        """The same of the people that a mask or an array of positions keeps, as another way of validation if named."""
        return Predictions(
            self.outcome,
            self.age_group,
            self.model,
            self.model_id,
            validation or self.validation,
            self.has_outcome[keep],
            self.probability[keep],
            self.score[keep],
            self.groups.take(keep),
        )


def evaluate(
    predictions: Predictions,
    as_of: date,
    site: Site,
    limits: Limits | None = None,
    share_of_people: float = 1.0,
    kinds: tuple[str, ...] = KINDS,
) -> pa.Table:
    """The rows of risk/evaluation about one model and one way of validation: every metric for everybody, a shorter set for each group.

    `limits`: what is judged; None: no verdicts (baselines). `share_of_people`: which share of the people that teams serve is in `predictions`, so
    that a team's capacity is cut down likewise (a validation on a sample). At team capacity each PCN's team
    has its own list of `site.lists.slots` places; people without a PCN are on none. `kinds`: by what
    people are grouped; everybody is always there. Groups that are too small are hidden, with as many others as it takes
    (`disclosure.small_numbers`); figures of everybody are exact, those of the groups tell no more than rounded counts (`model_figures.of_some`).
    """
    cuts = share_cuts(predictions.score)
    if teams := [at for label, at in predictions.groups.members(PCN) if label != NOT_RECORDED]:
        cuts.append(capacity_cut(predictions.score, teams, max(1, round(site.lists.slots * share_of_people))))
    thresholds = sorted({t for t in site.risk.bands.values() if 0 < t < 1})
    tops = [top_of(cut, predictions.has_outcome, predictions.probability) for cut in cuts]
    rows = list(_rows_of_everybody(predictions, as_of, tops, thresholds, limits))
    compared = [(cut, top) for cut, top in zip(cuts, tops, strict=True) if cut.name in (cut_name(TOP_SHARE_OF_GROUPS), TEAM_CAPACITY)]
    rows += [row for kind in kinds if kind != ALL for row in _rows_of_kind(predictions, kind, as_of, compared, limits)]
    return table_of(rows)


def _rows_of_everybody(p: Predictions, as_of: date, tops: list[Top], thresholds: list[float], limits: Limits | None) -> Iterator[dict[str, object]]:
    figures = of_everybody(p.has_outcome, p.probability, p.score, thresholds)
    for top in tops:
        flagged, found = np.array([top.flagged]), np.array([top.found])
        figures += top.hiding(bool(few_of_parts(flagged, found, p.groups.people, int(p.has_outcome.sum()))[0]))
    yield from _rows(p, as_of, (ALL, ALL, np.arange(p.groups.people)), figures, limits)


def _rows_of_kind(p: Predictions, kind: str, as_of: date, cuts: list[tuple[Cut, Top]], limits: Limits | None) -> Iterator[dict[str, object]]:
    members: Members = list(p.groups.members(kind))
    people, outcomes = _sizes(members, p)
    hidden = _hidden(kind, people, outcomes, p.groups.people, float(p.has_outcome.sum()))
    tops = [[top_of(cut, p.has_outcome, p.probability, at) for _, at in members] for cut, _ in cuts]
    few = [_few_at_top(kind, found, everybody, members, p) for found, (_, everybody) in zip(tops, cuts, strict=True)]
    for number, (label, at) in enumerate(members):
        figures = of_some(p.has_outcome[at], p.probability[at], p.score[at])
        for found, is_few in zip(tops, few, strict=True):
            figures += found[number].hiding(bool(is_few[number]))
        yield from _rows(p, as_of, (kind, label, at), figures, limits, bool(hidden[number]))


def _sizes(members: Members, p: Predictions) -> tuple[np.ndarray, np.ndarray]:
    return np.array([at.size for _, at in members], np.int64), np.array([np.count_nonzero(p.has_outcome[at]) for _, at in members], np.int64)


def _few_at_top(kind: str, tops: list[Top], everybody: Top, members: Members, p: Predictions) -> np.ndarray:
    """Of which groups the people at the top, or those who are not, are too few to be shown, or would give away those of another group."""
    people, outcomes = _sizes(members, p)
    flagged, found = np.array([top.flagged for top in tops]), np.array([top.found for top in tops])
    left, missed = p.groups.people - everybody.flagged, float(p.has_outcome.sum()) - everybody.found
    at_top = _hidden(kind, flagged, found, everybody.flagged, everybody.found)
    return np.asarray(at_top | _hidden(kind, people - flagged, outcomes - found, left, missed), bool)


def _hidden(kind: str, people: np.ndarray, outcomes: np.ndarray, all_people: float, all_outcomes: float) -> np.ndarray:
    if kind == PLUS_GROUP:
        return hidden_overlapping(people, outcomes, all_people, all_outcomes)
    return hidden_siblings(people, outcomes)


def row_of_everybody(predictions: Predictions, as_of: date, figure: Figure, limits: Limits | None = None) -> dict[str, object]:
    """One figure about everybody in the predictions, as a row of risk/evaluation: hidden where they are too few."""
    return next(_rows(predictions, as_of, (ALL, ALL, np.arange(predictions.groups.people)), [figure], limits))


def _rows(
    p: Predictions,
    as_of: date,
    group: tuple[str, str, np.ndarray],
    figures: Iterable[Figure],
    limits: Limits | None,
    is_hidden: bool = False,
) -> Iterator[dict[str, object]]:
    kind, label, at = group
    people, outcomes = at.size, np.count_nonzero(p.has_outcome[at])
    hidden = is_hidden or bool(is_small(people, outcomes))
    told = {
        **about(p, as_of),
        "subgroup_kind": kind,
        "subgroup": label,
        "imd_edition": p.groups.imd_edition if kind == IMD_QUINTILE else None,
        "people_count": None if hidden else int(rounded(people)),
        "outcome_count": None if hidden else int(rounded(outcomes)),
    }
    for each in figures:
        value, lower, upper = (_shown(number, hidden or each.is_few) for number in (each.value, each.lower, each.upper))
        # A leak shows in everybody; a single small group passes the limit by chance.
        judged = limits if kind == ALL or each.metric != "auroc" else None
        verdict = of_metric(each.metric, value, lower, upper, judged) if judged else None
        figure = {"metric": each.metric, "value": value, "lower": lower, "upper": upper}
        yield {**told, **figure, "is_hidden": hidden or each.is_few, "verdict": verdict}


def _shown(number: float, is_hidden: bool) -> float | None:
    return number if math.isfinite(number) and not is_hidden else None


def about(predictions: Predictions, as_of: date) -> dict[str, object]:
    """The columns that say which predictions a row is about."""
    return {
        "as_of": as_of,
        "outcome": predictions.outcome,
        "age_group": predictions.age_group,
        "model": predictions.model,
        "model_id": predictions.model_id,
        "validation": predictions.validation,
    }


def table_of(rows: Iterable[Mapping[str, object]], contract_id: str = EVALUATION) -> pa.Table:
    """Rows as their contract (risk/evaluation unless said) has them. Raises ContractBroken where one does not fit."""
    import pyarrow as pa

    contract, told = load_contract(contract_id), list(rows)
    columns = {column.name: pa.array([row[column.name] for row in told], column.arrow_type) for column in contract.columns}
    return conform(pa.table(columns), contract)
