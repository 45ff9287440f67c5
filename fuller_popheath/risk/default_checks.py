"""What the default model alone is held to: PCNs that it has not seen, ever more people to fit on, and other seeds.

Each is many fits, so they are made and judged on training.check_people. What does not belong here: how a model is fitted, and how good it is on the
whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.errors import InputMissing
from fuller_popheath.methods.discrimination import auroc
from fuller_popheath.risk import comparison, evaluation_curves, fitting
from fuller_popheath.risk.evaluation import Predictions, about, evaluate
from fuller_popheath.risk.fitted import recalibrated
from fuller_popheath.risk.fitting import SomeRows, dealt, pick
from fuller_popheath.risk.geographic_folds import GeographicFold, geographic_folds
from fuller_popheath.risk.training_sets import Rows, TrainingSet
from fuller_popheath.specs import ModelSpec, Night, Parameters

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.verdicts import Limits

Say = Callable[[str], None]


def check_default(
    spec: ModelSpec, parameters: Parameters, predictions: Predictions, sets: TrainingSet, share: float, limits: Limits, night: Night, say: Say
) -> tuple[list[pa.Table], pa.Table]:
    """Rows of risk/evaluation from other places and other seeds, and the learning curve as rows of risk/evaluation_curve.

    `predictions`: of the default model, about `sets.validate`; `parameters`: those it was fitted with; `share` as in `predicting.judged`.
    """
    training = night.site.training
    checking = training.model_copy(update={"fit_people": min(training.fit_people, training.check_people)})
    names = {"outcome": sets.outcome, "age_group": sets.age_group}
    say(f"{sets.outcome}, {sets.age_group}: {spec.name} in PCNs that it has not seen")
    elsewhere = _geographic(spec, parameters, predictions, sets, night, say)
    evaluations = [] if elsewhere is None else [evaluate(elsewhere, night.as_of, night.site, limits, share)]
    say(f"{sets.outcome}, {sets.age_group}: {spec.name} on fewer people, and with other seeds")
    at = np.sort(dealt(sets.validate, training.seed)[: training.check_people])
    judges = pick(sets.validate, at)
    if 0 < judges.has_outcome.sum() < len(at):
        whole = (sets.fit.features.num_rows, auroc(judges.has_outcome, predictions.score[at]).value)
        fewer = fitting.learning_curve(spec, sets.fit, judges, parameters, training.seed, training, outcome=sets.outcome, age_group=sets.age_group)
        curve = evaluation_curves.learning(about(predictions, night.as_of), [*fewer, whole])
    else:
        curve = evaluation_curves.learning(about(predictions, night.as_of), [])
    scores = fitting.seed_scores(spec, sets.fit, judges, parameters, checking, **names)
    evaluations.append(comparison.between_seeds(predictions.take(at), list(scores), night.as_of))
    return evaluations, curve


def _geographic(spec: ModelSpec, parameters: Mapping[str, Any], one: Predictions, sets: TrainingSet, night: Night, say: Say) -> Predictions | None:
    """What models say that were fitted and recalibrated without the PCNs they are judged in; None where there is one PCN only."""
    from scipy.special import logit

    training = night.site.training
    orders = [dealt(rows, training.seed) for rows in (sets.fit, sets.validate)]
    at, probability = [], []
    try:
        for fold in geographic_folds(sets, training.seed):
            fit, calibrate = _parts(fold, sets, orders, training.check_people)
            if not all(0 < part.has_outcome.sum() < len(part.has_outcome) for part in (fit, calibrate)):
                return None
            fitted = fitting.fit(spec, fit, parameters, training.seed, training, outcome=sets.outcome, age_group=sets.age_group)
            judges = sets.validate.features.take(fold.validate)
            probability.append(recalibrated(fitted, calibrate).probability(judges))
            at.append(fold.validate)
    except InputMissing as one_place:
        say(str(one_place))
        return None
    everybody, risks = np.concatenate(at), np.concatenate(probability)
    groups = one.groups.take(everybody)
    return Predictions(
        one.outcome, one.age_group, one.model, one.model_id, "geographic", one.has_outcome[everybody], risks, np.asarray(logit(risks)), groups
    )


def _parts(fold: GeographicFold, sets: TrainingSet, orders: list[np.ndarray], most: int) -> tuple[SomeRows, SomeRows]:
    """Those to fit on and those to recalibrate with, at most so many of each: the first in the order of fitting."""
    parts: list[tuple[Rows, np.ndarray]] = [(sets.fit, fold.fit), (sets.validate, fold.calibrate)]
    made = []
    for (rows, places), order in zip(parts, orders, strict=True):
        is_of = np.zeros(len(order), dtype=bool)
        is_of[places] = True
        made.append(pick(rows, order[is_of[order]][:most]))
    return made[0], made[1]
