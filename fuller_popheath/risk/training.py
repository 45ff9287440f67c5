"""One training run: for every outcome and age group each model of the catalogue is fitted, recalibrated and judged on the same people, and stored.

A step takes what an earlier one made; nothing here reads a table of the store or a clock. What does not belong here: how a model is fitted
(`fitting.py`), how good it is (`evaluation.py`), and which model scores (`promotion.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import FullerError, InputMissing
from fuller_popheath.risk import comparison, evaluation_curves, fitting, model_store
from fuller_popheath.risk.default_checks import check_default
from fuller_popheath.risk.drift import PREDICTED_RISK, reference_of
from fuller_popheath.risk.evaluation import Predictions
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.model_manifest import made_with, settings_of
from fuller_popheath.risk.model_runs import auroc_gains, run_row, unfitted_row
from fuller_popheath.risk.predicting import judged, predictions_of
from fuller_popheath.risk.promotion import in_use
from fuller_popheath.risk.recalibration import CrossFitted, cross_fitted, groups_of_people, lines_to_judge_by
from fuller_popheath.risk.side_by_side import side_by_side
from fuller_popheath.risk.subgroups import Groups, groups
from fuller_popheath.risk.training_sets import AGE_GROUPS, TrainingSet, training_population, training_sets
from fuller_popheath.risk.verdicts import limits_of
from fuller_popheath.specs import ModelSpec, Night, OutcomeSpec

if TYPE_CHECKING:
    import pyarrow as pa

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

    def add(self, others: _Pages) -> None:
        """Those of another outcome and age group after these."""
        self.runs += others.runs
        self.evaluations += others.evaluations
        self.curves += others.curves
        self.stored += others.stored
        self.champions += others.champions


@dataclass(frozen=True, eq=False)
class _Job:
    """All models of one outcome and age group are to be made. `share`: of registered people that are in the populations."""

    outcome: OutcomeSpec
    age_group: str
    share: float
    night: Night
    folder: Path
    is_synthetic: bool


def train(
    development: IndexPopulation, validation: IndexPopulation, night: Night, folder: Path, is_synthetic: bool, say: Say = lambda _: None
) -> TrainingRun:
    """Train on the populations of both index dates; models are stored in `folder`, one a default or challenger model.

    training.side_by_side outcomes and age groups are worked on at a time, which changes nothing of what comes out. An outcome and age group with
    too few events is told in risk/model_run and has no model. Raises InputMissing where no outcome has enough.
    """
    outcomes = [registry.outcomes()[name] for name in development.labels]
    jobs = [_Job(outcome, age_group, validation.share, night, folder, is_synthetic) for outcome in outcomes for age_group in AGE_GROUPS]
    # The largest first, so that none is left over when all the others are done.
    order = sorted(range(len(jobs)), key=lambda number: (AGE_GROUPS.index(jobs[number].age_group), number))
    works = [partial(_train_if_enough, jobs[number], development, validation) for number in order]
    made = dict(zip(order, side_by_side(works, night.site.training.side_by_side, say), strict=True))
    pages = _Pages()
    for number in range(len(jobs)):
        pages.add(made[number])
    if not pages.stored:
        raise InputMissing(f"none of {len(development.labels)} outcomes had enough events to train a model of; train on more people")
    return TrainingRun(_tables(pages, training_population(development, validation)), tuple(pages.stored), tuple(pages.champions))


def _train_if_enough(job: _Job, development: IndexPopulation, validation: IndexPopulation, say: Say) -> _Pages:
    night, outcome = job.night, job.outcome.name
    try:
        sets = training_sets(development, validation, outcome, job.age_group, night.site, night.as_of)
    except InputMissing:
        say(f"{outcome}, {job.age_group}: too few people had it to make a model")
        few = unfitted_row(night.as_of, outcome, job.age_group, job.is_synthetic, night.site.training.minimum_events)
        return _Pages(runs=[few])
    return _train_one(job, sets, say)


def _tables(pages: _Pages, population: pa.Table) -> dict[str, pa.Table]:
    import pyarrow as pa

    runs = load_contract("risk/model_run")
    return {
        "risk/training_population": population,
        "risk/model_run": conform(pa.Table.from_pylist(pages.runs, schema=runs.schema), runs),
        "risk/evaluation": pa.concat_tables(pages.evaluations),
        "risk/evaluation_curve": pa.concat_tables(pages.curves),
    }


def _train_one(job: _Job, sets: TrainingSet, say: Say) -> _Pages:
    """Every model of one outcome and age group."""
    night, training, pages = job.night, job.night.site.training, _Pages()
    people = groups(sets.validate.features, sets.validate.places)
    reference = reference_of(sets.fit.features.select(_that_vary(sets)))
    trained = [_fitted(spec, job, sets, people, reference, say) for spec in _in_order()]
    default = trained[0]
    compared = comparison.compare([one.predictions for one in trained], default.spec.name, night.as_of)
    gains = auroc_gains(compared)
    champion = _champion(trained, gains, training.challenger_margin)
    limits = limits_of(night.site.monitoring, job.outcome, job.is_synthetic)
    before = _predecessor(job, sets, people, say)
    pages.evaluations.append(compared)
    for one in trained:
        is_judged = one.spec.role != BASELINE
        of_all, *others = judged(one.predictions, sets.is_unseen, night.as_of, night.site, training, limits if is_judged else None, job.share)
        deciding = [of_all]
        if is_judged and before is not None:
            deciding.append(comparison.against_predecessor(one.predictions, before, night.as_of, limits))
        pages.runs.append(run_row(one, deciding, gains.get(one.spec.name), sets, night.as_of, one is champion, job.is_synthetic))
        pages.evaluations += [*deciding, *others]
        if is_judged:
            pages.curves.append(evaluation_curves.curves(one.predictions, night.as_of))
    parameters = default.manifest["parameters"]
    checked, curve = check_default(default.spec, parameters, default.predictions, sets, job.share, limits, night, say)
    pages.evaluations += checked
    pages.curves.append(curve)
    _store(trained, champion, job.folder, pages)
    say(f"{sets.outcome}, {sets.age_group}: {champion.spec.name} is best, AUROC {pages.runs[0]['auroc'] or 0:.3f} by the default model")
    return pages


def _that_vary(sets: TrainingSet) -> list[str]:
    """The features that a model could learn from: what was the same for everybody it was fitted on cannot drift away from it."""
    import pyarrow.compute as pc

    names = [name for name in sets.fit.features.column_names if name != "person_id"]
    return [name for name in names if pc.count_distinct(sets.fit.features[name], mode="all").as_py() > 1]


def _predecessor(job: _Job, sets: TrainingSet, people: Groups, say: Say) -> Predictions | None:
    """What the promoted model says of the same people; None where none is promoted, or the one that is cannot score them any more."""
    site, as_of = job.night.site, job.night.as_of
    if f"{sets.outcome}.{sets.age_group}" not in site.models.promoted:
        return None
    try:
        used = in_use(site, job.folder, sets.outcome, sets.age_group, job.is_synthetic, as_of)
        if used is None:
            return None
        stored = model_store.load(job.folder, used.model_id)
        lines = lines_to_judge_by(stored.model.recalibration, stored.manifest, sets.validate.index_date)
        log_odds, seed = stored.model.log_odds(sets.validate.features), settings_of(stored.manifest).seed
        return predictions_of(stored.model, used.model_id, log_odds, lines, sets.validate, people, seed)
    except FullerError as refused:
        say(f"{sets.outcome}, {sets.age_group}: not compared with the model in use: {refused}")
        return None


def _in_order() -> list[ModelSpec]:
    """The default model first, then challengers, then baselines."""
    roles = (DEFAULT, CHALLENGER, BASELINE)
    return sorted(registry.models().values(), key=lambda spec: (roles.index(spec.role), spec.name))


def _fitted(spec: ModelSpec, job: _Job, sets: TrainingSet, people: Groups, reference: Mapping[str, Any], say: Say) -> Trained:
    training, names = job.night.site.training, {"outcome": sets.outcome, "age_group": sets.age_group}
    say(f"{sets.outcome}, {sets.age_group}: {spec.name}")
    searched = fitting.search(spec, sets.fit, training.seed, training, **names, say=say)
    fitted = fitting.fit(spec, sets.fit, searched.best, training.seed, training, **names)
    log_odds = fitted.log_odds(sets.validate.features)
    lines = cross_fitted(log_odds, sets.validate.has_outcome, groups_of_people(sets.validate.features["person_id"], training.seed))
    model = replace(fitted, recalibration=lines.whole)
    manifest = _manifest(spec, job, sets, searched, model, lines)
    predictions = predictions_of(model, None, log_odds, lines, sets.validate, people, training.seed)
    if spec.role == BASELINE:
        return Trained(spec, model, predictions, manifest)
    risks = reference_of(sets.validate.features.select([]), predictions.probability)
    manifest["reference"] = {**reference, PREDICTED_RISK: risks[PREDICTED_RISK]}
    return Trained(spec, model, replace(predictions, model_id=model_store.model_id_of(model, manifest)), manifest)


def _manifest(spec: ModelSpec, job: _Job, sets: TrainingSet, searched: fitting.Search, model: FittedModel, lines: CrossFitted) -> dict[str, Any]:
    """What is known of a model the day it is made: what it predicts and of whom, from which data, by which code and settings."""
    training, outcome, night = job.night.site.training, job.outcome, job.night
    parts = {"fit": sets.fit.has_outcome, "validate": sets.validate.has_outcome}
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
        "is_synthetic": job.is_synthetic,
        "seed": training.seed,
        # How many are made at a time changes no model.
        "settings": training.model_dump(mode="json", exclude={"side_by_side"}),
        "parameters": dict(searched.best),
        "trials": [{"parameters": dict(t.parameters), "log_loss": _number(t.log_loss), "auroc": _number(t.auroc)} for t in searched.trials],
        "recalibration": lines.told(),
        "people": {name: {"people": len(had), "with_outcome": int(had.sum())} for name, had in parts.items()},
    }


def _number(value: float) -> float | None:
    return None if value != value else value


def _champion(trained: list[Trained], gains: Mapping[str, Mapping[str, float | None]], margin: float) -> Trained:
    """The default model, unless a challenger's AUROC is higher by the margin at least and the paired interval lies above 0; of several the best."""
    gained = {one: gains[one.spec.name] for one in trained if one.spec.role == CHALLENGER and one.spec.name in gains}
    better = {one: gain["value"] or 0.0 for one, gain in gained.items() if (gain["value"] or 0.0) >= margin and (gain["lower"] or 0.0) > 0}
    return max(better, key=lambda one: better[one]) if better else trained[0]


def _store(trained: list[Trained], champion: Trained, folder: Path, pages: _Pages) -> None:
    runs = {row["model"]: row for row in pages.runs[-len(trained) :]}
    for one in trained:
        if one.model_id is None:
            continue
        metrics = {name: value for name, value in runs[one.spec.name].items() if isinstance(value, float) and value == value}
        pages.stored.append(model_store.save(folder, one.model, {**one.manifest, "metrics": metrics}))
        if one is champion:
            pages.champions.append(one.model_id)
