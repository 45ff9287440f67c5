"""Fits models: one fit, the search for parameters, how much more people would help, and how much depends on which people they were.

The rows of every fit are put in the order of a keyed hash of the person first: the same people give the same model, whatever order they came in, and
the first so many are a sample. What does not belong here: which people a model may see (`training_sets.py`), and files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, cast

import numpy as np

from fuller_popheath.errors import InputMissing
from fuller_popheath.methods.discrimination import auroc
from fuller_popheath.methods.logistic_line import logistic_loss
from fuller_popheath.risk.encoding import encoding_of
from fuller_popheath.risk.fitted import Estimator, FittedModel, LabelledRows
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.recalibration import Recalibration
from fuller_popheath.risk.training_sets import FITTING
from fuller_popheath.specs import ModelSpec, Parameters

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Training

ASIDE_SHARE = 0.3
"""Of the people of a search, so many judge the trials that were fitted on the others."""

STABILITY_SHARE = 0.8
"""Each fit of a stability check draws this share of the people anew."""

LEARNING_SHARES = (0.05, 0.1, 0.2, 0.4)
"""The points of a learning curve before its last, as shares of the people of the fit: where it is flat, more people would not help."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class SomeRows:
    """People with features and what became of them: rows picked from others, or of a table from elsewhere."""

    features: pa.Table
    has_outcome: np.ndarray


@dataclass(frozen=True)
class Trial:
    """One set of parameters and how it did on people held aside."""

    parameters: Parameters
    log_loss: float
    auroc: float


@dataclass(frozen=True)
class Search:
    """The trials in the order they were made; the first is the usual parameters."""

    trials: tuple[Trial, ...]

    @property
    def best(self) -> Parameters:
        """The parameters of the least log-loss; of equals the first."""
        return min(self.trials, key=lambda trial: trial.log_loss).parameters


def fit(spec: ModelSpec, rows: LabelledRows, parameters: Parameters, seed: int, training: Training, *, outcome: str, age_group: str) -> FittedModel:
    """The model fitted on those people, or on training.fit_people of them where there are more; its recalibration changes nothing.

    `parameters` left out are the model's usual ones. Raises ContractBroken where a column of the model is missing, InputMissing where nobody or
    everybody has the outcome.
    """
    order = dealt(rows, seed)[: training.fit_people]
    truth = rows.has_outcome[order]
    if not 0 < truth.sum() < len(truth):
        raise InputMissing(
            f"{spec.name}, {outcome}, {age_group}: {int(truth.sum())} of {len(truth)} people have the outcome, so there is nothing to learn; "
            "take more people or a longer horizon"
        )
    # Only what the model looks at is put in order: a baseline reads one column of two hundred.
    wanted = [name for name in rows.features.column_names if not spec.columns or name in spec.columns]
    seen = rows.features.select(wanted).take(order)
    encoding = encoding_of(seen, spec.columns)
    matrix = encoding.encode(seen)
    del seen
    estimator = cast(Estimator, spec.make(encoding.columns, encoding.is_categorical, parameters, seed))
    estimator.fit(matrix, truth)
    return FittedModel(spec.name, outcome, age_group, encoding, estimator, Recalibration())


def search(spec: ModelSpec, rows: LabelledRows, seed: int, training: Training, *, outcome: str, age_group: str, say: Say = lambda _: None) -> Search:
    """Tries parameters on training.trial_people of those people and judges them on ASIDE_SHARE of these; training.trials trials at most.

    The first trial is the usual parameters, the others are drawn from `spec.tries` by the seed. A model with nothing to try gets no trial and
    parameters of its own. Errors as `fit`.
    """
    if not spec.tries:
        return Search((Trial({}, float("nan"), float("nan")),))
    order = dealt(rows, seed)[: training.trial_people]
    aside_count = round(len(order) * ASIDE_SHARE)
    aside, tried_on = pick(rows, order[:aside_count]), pick(rows, order[aside_count:])
    trials: list[Trial] = []
    tries = drawn(spec, seed, training.trials)
    for number, parameters in enumerate(tries, 1):
        model = fit(spec, tried_on, parameters, seed, training, outcome=outcome, age_group=age_group)
        log_odds = model.log_odds(aside.features)
        trials.append(Trial(model.parameters, logistic_loss(log_odds, aside.has_outcome), auroc(aside.has_outcome, log_odds).value))
        say(f"{outcome}, {age_group}, {spec.name}: trial {number} of {len(tries)}, log-loss {trials[-1].log_loss:.4f}")
    return Search(tuple(trials))


def learning_curve(
    spec: ModelSpec,
    rows: LabelledRows,
    judges: LabelledRows,
    parameters: Parameters,
    seed: int,
    training: Training,
    *,
    outcome: str,
    age_group: str,
    shares: Sequence[float] = LEARNING_SHARES,
) -> list[tuple[int, float]]:
    """Fits on ever more of the same people and judges each on `judges`: (people, AUROC), fewest first. Shares without both outcomes are left out."""
    order = dealt(rows, seed)[: training.fit_people]
    points = []
    for count in sorted({round(len(order) * share) for share in shares}):
        some = pick(rows, order[:count])
        if 0 < some.has_outcome.sum() < count:
            model = fit(spec, some, parameters, seed, training, outcome=outcome, age_group=age_group)
            points.append((count, auroc(judges.has_outcome, model.log_odds(judges.features)).value))
    return points


def seed_scores(
    spec: ModelSpec, rows: LabelledRows, judges: LabelledRows, parameters: Parameters, training: Training, *, outcome: str, age_group: str
) -> np.ndarray:
    """What training.stability_seeds models say of the same `judges`: probabilities (seeds, people).

    Each has its own seed and is fitted on its own draw of STABILITY_SHARE of the people: the seed alone changes nothing of a model without chance.
    """
    scores = []
    for number in range(training.stability_seeds):
        order = dealt(rows, training.seed + 1 + number)
        # No more than the fit would take of them, which are the first.
        some = pick(rows, order[: min(round(len(order) * STABILITY_SHARE), training.fit_people)])
        model = fit(spec, some, parameters, training.seed + 1 + number, training, outcome=outcome, age_group=age_group)
        scores.append(model.probability(judges.features))
    return np.array(scores)


def dealt(rows: LabelledRows, seed: int) -> np.ndarray:
    """The places of the rows in an order that rests on their persons and the seed alone. The first so many are a sample of them."""
    shares = person_share(rows.features["person_id"], seed, FITTING)
    return np.argsort(shares, kind="stable")


def pick(rows: LabelledRows, places: np.ndarray) -> SomeRows:
    """The rows at those places, in that order."""
    return SomeRows(rows.features.take(places), rows.has_outcome[places])


def drawn(spec: ModelSpec, seed: int, count: int) -> list[Parameters]:
    """At most `count` sets of parameters: the usual ones (nothing given), and others of `spec.tries`, drawn by the seed without repeating."""
    names = list(spec.tries)
    combinations = [dict(zip(names, values, strict=True)) for values in product(*spec.tries.values())] if names else []
    order = np.random.default_rng([seed, len(combinations)]).permutation(len(combinations))
    return [{}, *(combinations[place] for place in order[: count - 1])]
