"""One training run: for every outcome and age group each model of the catalogue is fitted, recalibrated and judged on the same people, and stored.

A step takes what an earlier one made; nothing here reads a table of the store or a clock. What does not belong here: how a model is fitted
(`fitting.py`), how good it is (`evaluation.py`), and which model scores (`promotion.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath import registry
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import FullerError, InputMissing
from fuller_popheath.methods.discrimination import auroc
from fuller_popheath.risk import comparison, evaluation_curves, fitting, model_store
from fuller_popheath.risk.drift import PREDICTED_RISK, reference_of
from fuller_popheath.risk.evaluation import Predictions, about, evaluate
from fuller_popheath.risk.fitted import FittedModel, recalibrated
from fuller_popheath.risk.geographic_folds import geographic_folds
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.model_manifest import made_with
from fuller_popheath.risk.model_runs import auroc_gains, run_row, unfitted_row
from fuller_popheath.risk.promotion import in_use
from fuller_popheath.risk.subgroups import ALL, KINDS, Groups, groups
from fuller_popheath.risk.training_sets import AGE_GROUPS, TrainingSet, training_population, training_sets
from fuller_popheath.risk.verdicts import Limits, limits_of
from fuller_popheath.specs import ModelSpec, Night, OutcomeSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Training

LEARNING_SHARES = (0.05, 0.1, 0.2, 0.4)
"""Of the people of the fit, besides all of them: where the curve is flat, more people would not help."""

DEFAULT, CHALLENGER, BASELINE = "default", "challenger", "baseline"
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Trained:
    """One model of one outcome and age group: fitted and recalibrated, what it predicted at the validation date, and what its manifest says."""

    spec: ModelSpec
    model: FittedModel
    predictions: Predictions
    manifest: Mapping[str, Any]

    @property
    def model_id(self) -> str | None:
        """The id it has in the store; baselines have none."""
        return self.predictions.model_id


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """What a run gives: tables by contract id, and the ids of the models that were stored, the champions among them."""

    tables: Mapping[str, pa.Table]
    stored: tuple[str, ...]
    champions: tuple[str, ...]


@dataclass
class _Pages:
    """Rows and tables of a run as they come."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[pa.Table] = field(default_factory=list)
    curves: list[pa.Table] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    champions: list[str] = field(default_factory=list)


def train(
    development: IndexPopulation, validation: IndexPopulation, night: Night, folder: Path, is_synthetic: bool, say: Say = lambda _: None
) -> TrainingRun:
    """Train on the populations of both index dates; models are stored in `folder`, one a default or challenger model.

    An outcome and age group with too few events is told in risk/model_run and has no model. Raises InputMissing where no outcome has enough.
    """
    pages = _Pages()
    for outcome in (registry.outcomes()[name] for name in development.labels):
        for age_group in AGE_GROUPS:
            try:
                sets = training_sets(development, validation, outcome.name, age_group, night.site, night.as_of)
            except InputMissing:
                say(f"{outcome.name}, {age_group}: too few people had it to make a model")
                pages.runs.append(unfitted_row(night.as_of, outcome.name, age_group, is_synthetic, night.site.training.minimum_events))
                continue
            _train_one(outcome, sets, validation.share, night, folder, is_synthetic, pages, say)
    if not pages.stored:
        raise InputMissing(f"none of {len(development.labels)} outcomes had enough events to train a model of; train on more people")
    return TrainingRun(_tables(pages, training_population(development, validation)), tuple(pages.stored), tuple(pages.champions))


def _tables(pages: _Pages, population: pa.Table) -> dict[str, pa.Table]:
    import pyarrow as pa

    runs = load_contract("risk/model_run")
    return {
        "risk/training_population": population,
        "risk/model_run": conform(pa.Table.from_pylist(pages.runs, schema=runs.schema), runs),
        "risk/evaluation": pa.concat_tables(pages.evaluations),
        "risk/evaluation_curve": pa.concat_tables(pages.curves),
    }


def _train_one(
    outcome: OutcomeSpec, sets: TrainingSet, share: float, night: Night, folder: Path, is_synthetic: bool, pages: _Pages, say: Say
) -> None:
    """Every model of one outcome and age group."""
    people = groups(sets.validate.features, sets.validate.places)
    reference = reference_of(sets.fit.features.select(_that_vary(sets)))
    trained = [_fitted(spec, outcome, sets, people, reference, night, is_synthetic, say) for spec in _in_order()]
    default = trained[0]
    compared = comparison.compare([one.predictions for one in trained], default.spec.name, night.as_of)
    gains = auroc_gains(compared)
    champion = _champion(trained, gains, night.site.training.challenger_margin)
    limits = limits_of(night.site.monitoring, outcome, is_synthetic)
    before = _predecessor(sets, people, night, folder, is_synthetic, say)
    pages.evaluations.append(compared)
    for one in trained:
        is_judged = one.spec.role != BASELINE
        # The people of the validation are those of the teams, less those who were recalibrated with and those outside the sample.
        kinds = KINDS if is_judged else (ALL,)
        judged = [evaluate(one.predictions, night.as_of, night.site, limits if is_judged else None, share * _kept(night), kinds)]
        if is_judged and before is not None:
            judged.append(comparison.against_predecessor(one.predictions, before, night.as_of, limits))
        pages.runs.append(run_row(one, judged, gains.get(one.spec.name), sets, night.as_of, one is champion, is_synthetic))
        if is_judged and sets.is_unseen.any():
            unseen = one.predictions.take(sets.is_unseen, "unseen")
            judged.append(evaluate(unseen, night.as_of, night.site, limits, share * night.site.training.unseen_share))
        if is_judged:
            pages.curves.append(evaluation_curves.curves(one.predictions, night.as_of))
        pages.evaluations += judged
    _judge_default(default, sets, share, limits, night, pages, say)
    _store(trained, champion, folder, pages)
    say(f"{outcome.name}, {sets.age_group}: {champion.spec.name} is best, AUROC {pages.runs[-len(trained)]['auroc'] or 0:.3f} by the default model")


def _that_vary(sets: TrainingSet) -> list[str]:
    """The features that a model could learn from: what was the same for everybody it was fitted on cannot drift away from it."""
    import pyarrow.compute as pc

    names = [name for name in sets.fit.features.column_names if name != "person_id"]
    return [name for name in names if pc.count_distinct(sets.fit.features[name], mode="all").as_py() > 1]


def _predecessor(sets: TrainingSet, people: Groups, night: Night, folder: Path, is_synthetic: bool, say: Say) -> Predictions | None:
    """What the promoted model says of the same people; None where none is promoted, or the one that is cannot score them any more."""
    if f"{sets.outcome}.{sets.age_group}" not in night.site.models.promoted:
        return None
    try:
        used = in_use(night.site, folder, sets.outcome, sets.age_group, is_synthetic, night.as_of)
        return None if used is None else _predictions(model_store.load(folder, used.model_id).model, used.model_id, sets, people)
    except FullerError as refused:
        say(f"{sets.outcome}, {sets.age_group}: not compared with the model in use: {refused}")
        return None


def _in_order() -> list[ModelSpec]:
    """The default model first, then challengers, then baselines."""
    roles = (DEFAULT, CHALLENGER, BASELINE)
    return sorted(registry.models().values(), key=lambda spec: (roles.index(spec.role), spec.name))


def _kept(night: Night) -> float:
    return 1.0 - night.site.training.calibration_share


def _fitted(
    spec: ModelSpec,
    outcome: OutcomeSpec,
    sets: TrainingSet,
    people: Groups,
    reference: Mapping[str, Any],
    night: Night,
    is_synthetic: bool,
    say: Say,
) -> Trained:
    training, names = night.site.training, {"outcome": sets.outcome, "age_group": sets.age_group}
    say(f"{sets.outcome}, {sets.age_group}: {spec.name}")
    searched = fitting.search(spec, sets.fit, training.seed, training, **names, say=say)
    model = recalibrated(fitting.fit(spec, sets.fit, searched.best, training.seed, training, **names), sets.calibrate)
    manifest = _manifest(spec, outcome, sets, searched, model, night, is_synthetic)
    predictions = _predictions(model, None, sets, people)
    if spec.role == BASELINE:
        return Trained(spec, model, predictions, manifest)
    risks = reference_of(sets.validate.features.select([]), predictions.probability)
    manifest["reference"] = {**reference, PREDICTED_RISK: risks[PREDICTED_RISK]}
    return Trained(spec, model, replace(predictions, model_id=model_store.model_id_of(model, manifest)), manifest)


def _predictions(model: FittedModel, model_id: str | None, sets: TrainingSet, people: Groups) -> Predictions:
    log_odds = model.log_odds(sets.validate.features)
    return Predictions(
        outcome=sets.outcome,
        age_group=sets.age_group,
        model=model.model,
        model_id=model_id,
        validation="temporal",
        has_outcome=sets.validate.has_outcome,
        probability=model.probability_of(log_odds),
        score=log_odds,
        groups=people,
    )


def _manifest(
    spec: ModelSpec, outcome: OutcomeSpec, sets: TrainingSet, searched: fitting.Search, model: FittedModel, night: Night, is_synthetic: bool
) -> dict[str, Any]:
    """What is known of a model the day it is made: what it predicts and of whom, from which data, by which code and settings."""
    training = night.site.training
    fitted_on = sets.fit.has_outcome[fitting.dealt(sets.fit, training.seed)[: training.fit_people]]
    parts = {"fit": fitted_on, "calibrate": sets.calibrate.has_outcome, "validate": sets.validate.has_outcome}
    return {
        **made_with(),
        "outcome": sets.outcome,
        "outcome_words": outcome.words,
        "horizon_days": outcome.horizon_days,
        "age_group": sets.age_group,
        "model": spec.name,
        "model_words": spec.words,
        "role": spec.role,
        "as_of": night.as_of.isoformat(),
        "development_index_date": sets.fit.index_date.isoformat(),
        "validation_index_date": sets.validate.index_date.isoformat(),
        "is_synthetic": is_synthetic,
        "seed": night.site.training.seed,
        "settings": night.site.training.model_dump(mode="json"),
        "parameters": dict(searched.best),
        "trials": [{"parameters": dict(t.parameters), "log_loss": _number(t.log_loss), "auroc": _number(t.auroc)} for t in searched.trials],
        "recalibration": {"intercept": model.recalibration.intercept, "slope": model.recalibration.slope},
        "people": {name: {"people": len(had), "with_outcome": int(had.sum())} for name, had in parts.items()},
    }


def _number(value: float) -> float | None:
    return None if value != value else value


def _champion(trained: list[Trained], gains: Mapping[str, Mapping[str, float | None]], margin: float) -> Trained:
    """The default model, unless a challenger's AUROC is higher by the margin at least and the paired interval lies above 0; of several the best."""
    gained = {one: gains[one.spec.name] for one in trained if one.spec.role == CHALLENGER and one.spec.name in gains}
    better = {one: gain["value"] or 0.0 for one, gain in gained.items() if (gain["value"] or 0.0) >= margin and (gain["lower"] or 0.0) > 0}
    return max(better, key=lambda one: better[one]) if better else trained[0]


def _judge_default(default: Trained, sets: TrainingSet, share: float, limits: Limits, night: Night, pages: _Pages, say: Say) -> None:
    """What only the default model is held to: other places, ever more people, other seeds."""
    training, names = _of_checks(night), {"outcome": sets.outcome, "age_group": sets.age_group}
    parameters = default.manifest["parameters"]
    say(f"{sets.outcome}, {sets.age_group}: {default.spec.name} in PCNs that it has not seen")
    pages.evaluations += list(_geographic(default, sets, share, limits, night, say))
    say(f"{sets.outcome}, {sets.age_group}: {default.spec.name} on fewer people, and with other seeds")
    whole = (min(sets.fit.features.num_rows, night.site.training.fit_people), auroc(sets.validate.has_outcome, default.predictions.score).value)
    fewer = fitting.learning_curve(
        default.spec,
        sets.fit,
        sets.validate,
        parameters,
        training.seed,
        night.site.training,
        outcome=sets.outcome,
        age_group=sets.age_group,
        shares=LEARNING_SHARES,
    )
    points = [*fewer, whole]
    pages.curves.append(evaluation_curves.learning(about(default.predictions, night.as_of), points))
    scores = fitting.seed_scores(default.spec, sets.fit, sets.validate, parameters, training, **names)
    pages.evaluations.append(comparison.between_seeds(default.predictions, list(scores), night.as_of))


def _of_checks(night: Night) -> Training:
    """The settings of fits that only check: on fewer people."""
    training = night.site.training
    return training.model_copy(update={"fit_people": min(training.fit_people, training.check_people)})


def _geographic(default: Trained, sets: TrainingSet, share: float, limits: Limits, night: Night, say: Say) -> Iterator[pa.Table]:
    """The evaluation of models that were fitted and recalibrated without the PCNs they are judged in; nothing where there is one PCN only."""
    training, names = _of_checks(night), {"outcome": sets.outcome, "age_group": sets.age_group}
    parts: list[tuple[np.ndarray, np.ndarray, pa.Table, pa.Table]] = []
    try:
        for fold in geographic_folds(sets, training.seed):
            if not 0 < fold.calibrate.has_outcome.sum() < len(fold.calibrate.has_outcome):
                return
            fitted = fitting.fit(default.spec, fold.fit, default.manifest["parameters"], training.seed, training, **names)
            probability = recalibrated(fitted, fold.calibrate).probability(fold.validate.features)
            parts.append((fold.validate.has_outcome, probability, fold.validate.features, fold.validate.places))
    except InputMissing as one_place:
        say(str(one_place))
        return
    import pyarrow as pa
    from scipy.special import logit

    outcome, probability = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    people = groups(pa.concat_tables([part[2] for part in parts]), pa.concat_tables([part[3] for part in parts]))
    one = default.predictions
    judged = Predictions(one.outcome, one.age_group, one.model, one.model_id, "geographic", outcome, probability, logit(probability), people)
    yield evaluate(judged, night.as_of, night.site, limits, share * _kept(night))


def _store(trained: list[Trained], champion: Trained, folder: Path, pages: _Pages) -> None:
    runs = {row["model"]: row for row in pages.runs[-len(trained) :]}
    for one in trained:
        if one.model_id is None:
            continue
        metrics = {name: value for name, value in runs[one.spec.name].items() if isinstance(value, float) and value == value}
        pages.stored.append(model_store.save(folder, one.model, {**one.manifest, "metrics": metrics}))
        if one is champion:
            pages.champions.append(one.model_id)
