"""Makes Dagster assets of risk: one step trains and judges every model, one scores tonight's people, one holds the models in use against the world.

A step gathers tables of the store, has the domain do the work, and hands what comes back to the store. What does not belong here: arithmetic, and the
name of any single outcome or model.
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import FullerError, InputMissing
from fuller_popheath.registry import MONITORING_TABLES, PRACTICE_EXTRACT, SCORE_TABLES, TRAINING_TABLES, facts, features, outcomes, tables
from pipelines import describe
from pipelines.guard import guarded
from pipelines.progress import saying
from pipelines.risk_checks import CHECKS, verdicts_of
from pipelines.several_tables import Told, given, given_in_parts, spec_of
from pipelines.steps import CHECK, KEEPS, asset_check_spec

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night
    from pipelines.tonight import Tonight

PERSON, OBJECTION = "core/person", "core/person_objection"
LISTS, REGISTRATION = "inbound/practice_list", "core/registration"
DRIFT, SCORECARD = MONITORING_TABLES
SCORE, REASON, CHANGE = SCORE_TABLES
TRAINING_GROUP, RISK_GROUP, MONITORING_GROUP = "training", "risk", "monitoring"
LEARNT = {"scikitlearn", "parquet"}
STABLE = "stable"
TRAIN = "train_models"
"""The name of the step, by which a run is told on how many people to train."""


class TrainingChoice(dg.Config):
    """What a run trains; everything may be left to site.toml."""

    people: int = Field(default=0, ge=0, description="At most so many people at each index date. 0: as site.toml says.")
    trials: int = Field(default=0, ge=0, description="Trials of hyper-parameters. 0: as site.toml says.")
    outcomes: list[str] = Field(default=[], description="Names of outcomes, for example emergency_admission_12m. Empty: as site.toml says.")


def sources_of_populations() -> tuple[str, ...]:
    """The tables that people at an earlier date are rebuilt from: what practices sent, places, and who objects tonight."""
    computed = {**tables(), **facts(), **features()}
    wanted = {PERSON, OBJECTION, PRACTICE_EXTRACT}
    asked = [spec.inputs for spec in facts().values()] + [spec.inputs for spec in features().values()] + [spec.inputs for spec in outcomes().values()]
    for inputs in (tables()[PERSON].inputs, *asked):
        wanted |= {name for name in inputs if name not in computed or name in tables()}
    return tuple(sorted(wanted))


def risk_assets() -> list[dg.AssetsDefinition]:
    """The steps of risk."""
    return [training_asset(), cards_asset(), scoring_asset(), scorecard_asset()]


def is_synthetic(tonight: "Tonight") -> bool:
    """Whether tonight's people are make-believe: the demonstration key is taken for no others, and the store knows with which key it was filled."""
    from fuller_popheath.people.pseudonyms import demo_key

    keys = tonight.store.extracts.keys(LISTS, REGISTRATION, tonight.as_of)
    return keys == {demo_key().fingerprint}


def training_asset() -> dg.AssetsDefinition:
    """Every model of every outcome, fitted, judged and stored; nothing is in use before site.toml says so."""
    needed = sources_of_populations()
    specs = [spec_of(name, TRAINING_GROUP, needed, LEARNT) for name in TRAINING_TABLES]
    checks = [asset_check_spec(load_contract(name), CHECK, KEEPS) for name in TRAINING_TABLES]
    checks += [asset_check_spec(load_contract("risk/evaluation"), check.name, check.sentence) for check in CHECKS]

    @dg.multi_asset(name=TRAIN, specs=specs, check_specs=checks, required_resource_keys={"night"})
    @guarded
    def train_models(context: dg.AssetExecutionContext, config: TrainingChoice) -> Told:
        from fuller_popheath.risk.training import train
        from fuller_popheath.risk.training_sets import index_dates
        from pipelines.scores import population_of

        tonight: Tonight = context.resources.night.tonight()
        night = _with_choice(tonight.night, config)
        dates = index_dates(night.as_of, night.site.training.outcome_lag_days)
        development, validation = (population_of(tonight.store, night, day, saying(context)) for day in dates)
        run = train(development, validation, night, night.site.folder("models"), is_synthetic(tonight), saying(context))
        for name in TRAINING_TABLES:
            shown = {"models stored": len(run.stored), "champions": list(run.champions)} if name == "risk/model_run" else {}
            yield from given(tonight, run.tables[name], name, shown | describe_run(name, run.tables, night))
        yield from verdicts_of(run.tables["risk/evaluation"])

    return train_models


def _with_choice(night: "Night", choice: TrainingChoice) -> "Night":
    from dataclasses import replace

    asked = {"people": choice.people, "trials": choice.trials, "outcomes": tuple(choice.outcomes)}
    training = night.site.training.model_copy(update={name: value for name, value in asked.items() if value})
    return replace(night, site=night.site.model_copy(update={"training": training}))


def describe_run(contract_id: str, made: "dict[str, pa.Table] | Any", night: "Night") -> dict[str, Any]:
    """What the page shows of a training run: figures of the champions, which it plots, and their pictures."""
    from fuller_popheath.publish.model_cards import pictures_of

    champions = [row for row in made["risk/model_run"].to_pylist() if row["is_champion"]]
    if contract_id == "risk/model_run":
        figures = ("auroc", "calibration_slope", "observed_over_expected", "scaled_brier")
        named = {f"{row['outcome']} {row['age_group']} {name}": row[name] for row in champions for name in figures}
        return {name: round(value, 4) for name, value in named.items() if value is not None}
    if contract_id == "risk/evaluation":
        drawn = (pictures_of(row, made["risk/evaluation"], made["risk/evaluation_curve"], night.site) for row in champions)
        return {name: value for pictures in drawn for name, value in describe.pictures(pictures).items()}
    return {}


def cards_asset() -> dg.AssetsDefinition:
    """A card for every model of the run, beside the model."""

    @dg.asset(
        key=["cards", "risk_models"],
        group_name=TRAINING_GROUP,
        description="The model card of every model that was trained: a page and its data, in the model's own folder. For secondary use.",
        owners=list(describe.OWNERS),
        kinds={"html"},
        tags={"purpose": "secondary_use"},
        deps=[describe.key_of(name) for name in TRAINING_TABLES],
        required_resource_keys={"night"},
    )
    @guarded
    def risk_models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        from fuller_popheath.publish.model_cards import write_cards

        tonight: Tonight = context.resources.night.tonight()
        made = {name: tonight.store.read(name, tonight.as_of) for name in TRAINING_TABLES}
        pages = write_cards(tonight.night.site, made)
        shown = {path.parent.name: dg.MetadataValue.path(str(path)) for path in pages}
        yield dg.MaterializeResult(metadata={"cards": len(pages), "as of": tonight.as_of.isoformat(), **shown})

    return risk_models


def scoring_asset() -> dg.AssetsDefinition:
    """Tonight's risks with their reasons, of the models in use, and whether tonight's people still look like those the models were made with.

    None in use: no rows, and a warning that says so. One step, because it reads every feature of everybody.
    """
    needed = (PERSON, OBJECTION, *features(), "risk/model_run", "core/spell")
    specs = [spec_of(name, RISK_GROUP, needed, LEARNT) for name in SCORE_TABLES]
    specs.append(spec_of(DRIFT, MONITORING_GROUP, (PERSON, *features(), "risk/score"), LEARNT).replace_attributes(skippable=True))
    checks = [asset_check_spec(load_contract(name), CHECK, KEEPS) for name in (*SCORE_TABLES, DRIFT)]
    checks.append(asset_check_spec(load_contract("risk/score"), "models_in_use", "A reviewed model scores what may stand on a list."))
    stable = "No feature has drifted beyond the limits of site.toml since the models in use were made."
    checks.append(asset_check_spec(load_contract(DRIFT), STABLE, stable))

    @dg.multi_asset(name="score_people", specs=specs, check_specs=checks, required_resource_keys={"night"})
    @guarded
    def score_people(context: dg.AssetExecutionContext) -> Told:
        from fuller_popheath.risk.scoring import scoring_models
        from pipelines.scores import features_of, scores_of_tonight

        tonight: Tonight = context.resources.night.tonight()
        site = tonight.night.site
        try:
            models, refused = scoring_models(site, site.folder("models"), is_synthetic(tonight), tonight.as_of), None
        except FullerError as wrong:
            # Lists made by rules go out all the same, without a risk on them: yesterday's scores are never shown as tonight's.
            models, refused = (), wrong
        whole = features_of(tonight, tonight.as_of) if models else None
        scores, reasons, changes = scores_of_tonight(tonight, models, whole, saying(context))
        drift = _drift(tonight, models, whole, scores)
        del whole
        shown = {"models": [model.model_id for model in models], "demonstration": any(model.is_demonstration for model in models)}
        yield from given(tonight, scores, SCORE, shown)
        yield from given_in_parts(tonight, reasons, REASON, shown)
        yield from given(tonight, changes, CHANGE, shown)
        yield _models_in_use(models, refused)
        yield from _drift_told(tonight, drift)

    return score_people


def _drift(tonight: "Tonight", models: Any, whole: "pa.Table | None", scores: "pa.Table") -> "pa.Table | FullerError":
    """The rows of risk/drift, or why there are none: the scores stand all the same."""
    from pipelines.scores import drift_of_tonight

    try:
        return drift_of_tonight(tonight, models, whole, scores)
    except FullerError as wrong:
        return wrong


def _drift_told(tonight: "Tonight", drift: "pa.Table | FullerError") -> Told:
    from pipelines.risk_checks import drift_verdict

    if isinstance(drift, FullerError):
        for name in (CHECK, STABLE):
            told, error = str(drift), {"error": type(drift).__name__}
            yield dg.AssetCheckResult(asset_key=describe.key_of(DRIFT), check_name=name, passed=False, description=told, metadata=error)
        return
    yield from given(tonight, drift, DRIFT)
    yield drift_verdict(drift, tonight.night.site)


def _models_in_use(models: Any, refused: "FullerError | None") -> dg.AssetCheckResult:
    told = (
        str(refused)
        if refused
        else "no model is in use: train, read the card, and name one in site.toml ([models] promoted); nobody has a score until then"
    )
    if models:
        told = f"{len(models)} models score" + (" as a DEMONSTRATION on make-believe data" if any(m.is_demonstration for m in models) else "")
    return dg.AssetCheckResult(
        asset_key=describe.key_of("risk/score"),
        check_name="models_in_use",
        passed=bool(models),
        severity=dg.AssetCheckSeverity.ERROR if refused else dg.AssetCheckSeverity.WARN,
        description=told,
        metadata={"models": len(models), "error": type(refused).__name__ if refused else ""},
    )


def scorecard_asset() -> dg.AssetsDefinition:
    """Predicted against observed: a year-old score where the store has one, else the models in use, asked as if they had scored then."""
    specs = [spec_of(SCORECARD, MONITORING_GROUP, (*sources_of_populations(), "risk/score"), LEARNT)]
    contract = load_contract(SCORECARD)
    checks = [
        asset_check_spec(contract, CHECK, KEEPS),
        asset_check_spec(contract, "calibrated", "Observed over expected lies within the limits of site.toml in every group."),
    ]

    @dg.multi_asset(name="keep_scorecard", specs=specs, check_specs=checks, required_resource_keys={"night"})
    @guarded
    def keep_scorecard(context: dg.AssetExecutionContext) -> Told:
        from pipelines.risk_checks import scorecard_verdict
        from pipelines.scores import scorecard_of_tonight

        tonight: Tonight = context.resources.night.tonight()
        made = scorecard_of_tonight(tonight, is_synthetic(tonight), saying(context))
        if made is None:
            raise InputMissing("no model is in use, so there is nothing to hold against what happened; name one in site.toml ([models] promoted)")
        yield from given(tonight, made, SCORECARD, _scored_when(made))
        yield scorecard_verdict(made, tonight.night.site)

    return keep_scorecard


def _scored_when(scorecard: "pa.Table") -> dict[str, Any]:
    """Of which day its scores are, and whether they were made on it."""
    first = scorecard.slice(0, 1).to_pylist()
    return {"scored as of": first[0]["scored_as_of"].isoformat(), "scored at the time": first[0]["is_scored_then"]} if first else {}
