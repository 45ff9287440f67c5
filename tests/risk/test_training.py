"""A whole training run on the make-believe ICS: what it stores, what it says of itself, and what must not change any of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import expit

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.errors import InputMissing
from fuller_popheath.methods.discrimination import auroc, auroc_difference
from fuller_popheath.registry import TRAINING_TABLES, models
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.judging import judge
from fuller_popheath.risk.model_store import load, model_ids
from fuller_popheath.risk.recalibration import cross_fitted, groups_of_people, lines_to_judge_by
from fuller_popheath.risk.training import TrainingRun, train
from fuller_popheath.risk.training_sets import ADULT, TrainingSet, training_sets
from fuller_popheath.site import Models, Training
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

EMERGENCY = "emergency_admission_12m"
FIT_PEOPLE = 3_000
SETTINGS = Training(
    fit_people=FIT_PEOPLE, check_people=1_000, trial_people=1_000, trials=1, minimum_events=100, stability_seeds=2, outcome_lag_days=0
)
"""Few people to a fit and one trial, so that a run takes seconds; of under-18s fewer than a hundred had the outcome, so they have no model."""

Populations = tuple[IndexPopulation, IndexPopulation]
Rows = list[dict[str, Any]]


def of_emergencies(population: IndexPopulation) -> IndexPopulation:
    return replace(population, labels={EMERGENCY: population.labels[EMERGENCY]})


@pytest.fixture(scope="module")
def people(risk_populations: Populations) -> Populations:
    development, validation = risk_populations
    return of_emergencies(development), of_emergencies(validation)


@pytest.fixture(scope="module")
def night(risk_ics: Any) -> Night:
    return with_settings(risk_ics.night)


def with_settings(night: Night, promoted: Mapping[str, str] | None = None, **other: Any) -> Night:
    site = night.site.model_copy(update={"training": SETTINGS.model_copy(update=other), "models": Models(promoted=dict(promoted or {}))})
    return replace(night, site=site)


@dataclass(frozen=True)
class Run:
    """A training run, the folder of its models, and what it said while it went on."""

    made: TrainingRun
    folder: Path
    said: list[str]

    def rows(self, name: str = "risk/model_run", **wanted: Any) -> Rows:
        found: Rows = self.made.tables[name].to_pylist()
        return [row for row in found if all(row[key] == value for key, value in wanted.items())]

    def of_model(self, model: str) -> dict[str, Any]:
        (row,) = self.rows(model=model, age_group=ADULT)
        return row


def run_on(people: Populations, night: Night, folder: Path) -> Run:
    said: list[str] = []
    return Run(train(*people, night, folder, is_synthetic=True, say=said.append), folder, said)


@pytest.fixture(scope="module")
def run(people: Populations, night: Night, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_on(people, night, tmp_path_factory.mktemp("trained") / "models")


@pytest.fixture(scope="module")
def sets(people: Populations, night: Night) -> TrainingSet:
    return training_sets(*people, EMERGENCY, ADULT, night.site, night.as_of)


def test_tables_keep_their_contracts(run: Run) -> None:
    assert set(run.made.tables) == set(TRAINING_TABLES)
    for name in TRAINING_TABLES:
        assert refuse_if_broken(run.made.tables[name], load_contract(name)).num_rows > 1, name


def test_every_model_of_the_catalogue_is_beside_the_others_and_all_but_baselines_are_stored(run: Run) -> None:
    rows = run.rows(age_group=ADULT)
    assert sorted(row["model"] for row in rows) == sorted(models())
    assert {row["model_id"] for row in rows} - {None} == set(run.made.stored) == set(model_ids(run.folder))
    assert {row["model"] for row in rows if row["model_id"] is None} == {name for name, spec in models().items() if spec.role == "baseline"}
    assert [row["model_id"] for row in rows if row["is_champion"]] == list(run.made.champions)
    assert {row["validated_count"] for row in rows} == {row["validated_count"] for row in rows[:1]}, "all are judged on the same people"
    assert all(row["is_demonstration"] for row in rows)


def test_every_evaluation_of_the_default_model_is_there(run: Run) -> None:
    additive = run.rows("risk/evaluation", model="additive")
    assert {row["validation"] for row in additive} == {"temporal", "unseen", "geographic"}
    kinds = {"all", "imd_quintile", "ethnic_group", "sex", "age_band", "plus_group", "pcn", "contact_level"}
    assert {row["subgroup_kind"] for row in additive if row["validation"] == "temporal"} == kinds
    assert {"seed_rank_agreement", "seed_mean_difference", "seed_top_overlap"} <= {row["metric"] for row in additive}
    curves = {row["curve"] for row in run.rows("risk/evaluation_curve", model_id=run.of_model("additive")["model_id"])}
    assert {"roc", "calibration", "calibration_decile", "decision", "learning"} <= curves
    assert {row["subgroup_kind"] for row in run.rows("risk/evaluation", model="efi")} == {"all"}, "baselines are judged on everybody alone"


def test_those_it_says_a_model_was_fitted_on_are_no_more_than_it_was_fitted_on(run: Run, sets: TrainingSet) -> None:
    assert sets.could_fit > sets.fit.features.num_rows == FIT_PEOPLE
    for row in run.rows(age_group=ADULT):
        assert row["fitted_count"] == FIT_PEOPLE, row["model"]
        assert row["fitted_outcome_count"] == int(rounded(sets.fit.has_outcome.sum())), row["model"]


def test_the_default_model_is_better_than_age_and_sex_and_no_better_than_the_truth(run: Run, sets: TrainingSet, risk_ics: Any) -> None:
    import pyarrow.compute as pc

    default, age_sex = run.of_model("additive"), run.of_model("age_sex")
    assert default["auroc_lower"] > 0.55
    assert age_sex["auroc_difference_upper"] < 0
    truth = risk_ics.truth.filter(pc.equal(risk_ics.truth["index_date"], sets.validate.index_date))
    at = pc.index_in(sets.validate.features["person_id"], value_set=truth["person_id"].combine_chunks())
    known = at.is_valid().to_numpy()
    true = truth["emergency_admission_probability"].take(at.filter(at.is_valid())).to_numpy()
    told = load(run.folder, default["model_id"]).model.probability(sets.validate.features)[known]
    had = sets.validate.has_outcome[known]
    assert known.mean() > 0.97
    assert auroc(had, told).lower < auroc(had, true).upper
    assert auroc_difference(had, told, true).upper < 0.02, "better than the truth: it has seen the answers"


def test_as_many_have_the_outcome_as_are_told_to(run: Run) -> None:
    """Each judged by what the four other fifths of the same day ask for, so that the level is right whatever the model."""
    for name in models():
        assert run.of_model(name)["observed_over_expected"] == pytest.approx(1, abs=0.01), name
        assert 0.9 < run.of_model(name)["calibration_slope"] < 1.1, name


def test_how_far_the_level_had_moved_is_told_of_the_model_as_it_was_fitted(run: Run, sets: TrainingSet) -> None:
    for name in ("additive", "boosting", "logistic"):
        told = {row["metric"]: row for row in run.rows("risk/evaluation", model=name, validation="temporal", subgroup_kind="all")}
        model = load(run.folder, run.of_model(name)["model_id"]).model
        expected = expit(model.log_odds(sets.validate.features)).sum()
        assert told["observed_over_expected_as_fitted"]["value"] == pytest.approx(sets.validate.has_outcome.sum() / expected, abs=1e-9), name
        assert told["calibration_slope_as_fitted"]["value"] != told["calibration_slope"]["value"], name
    assert not [row for row in run.rows("risk/evaluation", model="efi") if row["metric"].endswith("_as_fitted")]


def test_nobody_is_judged_by_what_became_of_them(night: Night, run: Run, sets: TrainingSet) -> None:
    """Outcomes of one fifth at the later date turned round: what is told of that fifth stays, to the last digit that rests on the fit."""
    model = load(run.folder, run.of_model("additive")["model_id"])
    lines = lines_to_judge_by(model.model.recalibration, model.manifest, sets.validate.index_date)
    group = groups_of_people(sets.validate.features["person_id"], night.site.training.seed)
    turned = np.where(group == 2, ~sets.validate.has_outcome, sets.validate.has_outcome)
    again = cross_fitted(model.model.log_odds(sets.validate.features), turned, group)
    assert (again.without[2].intercept, again.without[2].slope) == pytest.approx((lines.without[2].intercept, lines.without[2].slope), abs=1e-8)
    assert again.whole != lines.whole == model.model.recalibration


def test_two_outcomes_side_by_side_come_out_as_one_after_the_other(risk_populations: Populations, risk_ics: Any, tmp_path: Path) -> None:
    both = tuple(replace(each, labels={name: each.labels[name] for name in (EMERGENCY, "ed_attendance_12m")}) for each in risk_populations)
    small = {"fit_people": 800, "minimum_events": 20, "check_people": 500}
    runs = [run_on(both, with_settings(risk_ics.night, side_by_side=n, **small), tmp_path / str(n)) for n in (1, 2)]  # type: ignore[arg-type]
    assert len(runs[0].made.stored) >= 6
    assert runs[0].made.stored == runs[1].made.stored, "ids end in a hash of the model and of its manifest"
    for name in TRAINING_TABLES:
        assert runs[0].made.tables[name].equals(runs[1].made.tables[name]), name


def test_too_few_events_are_told_and_nothing_is_stored_of_them(run: Run) -> None:
    (few,) = run.rows(age_group="under_18")
    assert (few["model"], few["status"], few["model_id"], few["auroc"]) == ("none", "too_few_events", None, None)
    assert few["told"].startswith("fewer than 100 of the people")
    assert f"{EMERGENCY}, under_18: too few people had it to make a model" in run.said
    assert not [name for name in model_ids(run.folder) if "under_18" in name]


def test_no_outcome_with_enough_events_is_refused_and_leaves_nothing(people: Populations, risk_ics: Any, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="none of 1 outcomes had enough events"):
        run_on(people, with_settings(risk_ics.night, minimum_events=5_000), tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_person_alone_scores_as_in_the_crowd_with_the_stored_model(run: Run, sets: TrainingSet) -> None:
    features = sets.validate.features
    chosen = np.random.default_rng(3).choice(features.num_rows, 40, replace=False).tolist()
    for model_id in run.made.stored:
        model = load(run.folder, model_id).model
        crowd = model.probability(features)
        alone = np.array([model.probability(features.slice(row, 1))[0] for row in chosen])
        if model_id in run.made.champions:
            assert alone.tobytes() == crowd[chosen].tobytes(), model_id
        assert np.abs(alone - crowd[chosen]).max() <= 1e-12, model_id


def test_a_stored_model_judged_again_is_judged_the_same(run: Run, people: Populations, night: Night) -> None:
    (champion,) = run.made.champions
    again = judge(load(run.folder, champion), people[1], night.site, night.as_of)
    kept = ("temporal", "unseen")
    # What compares models, and what takes several fits, is of the run alone.
    alone = ("auroc_difference", "brier_difference", "seed_")
    first = [r for r in run.rows("risk/evaluation", model_id=champion) if r["validation"] in kept and not r["metric"].startswith(alone)]
    assert by_key(again["risk/evaluation"].to_pylist()) == by_key(first)
    drawn = [row for row in run.rows("risk/evaluation_curve", model_id=champion) if row["curve"] != "learning"]
    assert again["risk/evaluation_curve"].to_pylist() == drawn


def by_key(rows: Rows) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = {tuple(row[name] for name in ("validation", "subgroup_kind", "subgroup", "metric")): row for row in rows}
    assert len(found) == len(rows)
    return found


def in_another_order(population: IndexPopulation, seed: int) -> IndexPopulation:
    order = np.random.default_rng(seed).permutation(population.people.num_rows)
    labels = {name: table.take(order) for name, table in population.labels.items()}
    return replace(population, people=population.people.take(order), features=population.features.take(order), labels=labels)


@pytest.fixture(scope="module")
def reordered(people: Populations, risk_ics: Any, run: Run) -> Run:
    """The same people in another order, trained into the same folder, with the first run's champion promoted."""
    promoted = {f"{EMERGENCY}.{ADULT}": run.made.champions[0]}
    return run_on((in_another_order(people[0], 1), in_another_order(people[1], 2)), with_settings(risk_ics.night, promoted), run.folder)


def test_the_order_of_the_people_changes_no_model(run: Run, reordered: Run) -> None:
    """Ids end in a hash of the model's bytes and of what its manifest says, so the same ids are the same scores."""
    assert reordered.made.stored == run.made.stored
    assert reordered.made.champions == run.made.champions
    assert set(model_ids(run.folder)) == set(run.made.stored)
    for name in models():
        assert reordered.of_model(name)["auroc"] == pytest.approx(run.of_model(name)["auroc"], abs=1e-12), name


def test_models_are_held_against_the_one_in_use(run: Run, reordered: Run) -> None:
    found = {(row["model"], row["metric"]): row for row in reordered.rows("risk/evaluation") if row["metric"].endswith("_to_predecessor")}
    assert {model for model, _ in found} == {"additive", "boosting", "logistic"}
    itself = found["additive", "auroc_difference_to_predecessor"]
    assert (itself["value"], itself["verdict"]) == (0.0, "green")
    other = found["logistic", "auroc_difference_to_predecessor"]
    assert other["value"] == pytest.approx(run.of_model("logistic")["auroc_difference"], abs=1e-12)
    assert other["verdict"] == ("red" if other["upper"] < 0 else "green")
    assert not [row for row in run.rows("risk/evaluation") if row["metric"].endswith("_to_predecessor")], "nothing was promoted then"


def with_outcomes(population: IndexPopulation, has_outcome: np.ndarray) -> IndexPopulation:
    import pyarrow as pa

    told: pa.Table = population.labels[EMERGENCY]
    place = told.column_names.index("has_outcome")
    return replace(population, labels={EMERGENCY: told.set_column(place, "has_outcome", pa.array(has_outcome))})


def followed(population: IndexPopulation) -> np.ndarray:
    """The places of those who were at risk and did not leave."""
    told = population.labels[EMERGENCY]
    return np.flatnonzero(told["is_at_risk"].to_numpy().astype(bool) & (told["ended_by"].to_numpy() != "left"))


def shuffled(population: IndexPopulation, seed: int) -> IndexPopulation:
    had, at = population.labels[EMERGENCY]["has_outcome"].to_numpy().astype(bool), followed(population)
    had[at] = np.random.default_rng(seed).permutation(had[at])
    return with_outcomes(population, had)


def test_shuffled_outcomes_cannot_be_predicted(people: Populations, night: Night, tmp_path: Path) -> None:
    run = run_on((shuffled(people[0], 1), shuffled(people[1], 2)), night, tmp_path)
    for name in ("additive", "boosting", "logistic"):
        row = run.of_model(name)
        assert row["auroc_lower"] <= 0.5 <= row["auroc_upper"], name
        assert row["scaled_brier"] < 0.01, name


def with_feature(population: IndexPopulation, name: str, values: np.ndarray) -> IndexPopulation:
    import pyarrow as pa

    features: pa.Table = population.features
    return replace(population, features=features.set_column(features.column_names.index(name), name, pa.array(values)))


def leaking(population: IndexPopulation, seed: int) -> IndexPopulation:
    """The latest BMI, missing or not, gives way to a number that knows the outcome: two standard deviations apart, AUROC 0.92."""
    had = population.labels[EMERGENCY]["has_outcome"].to_numpy()
    return with_feature(population, "latest_bmi", 25 + 8 * had + np.random.default_rng(seed).normal(0, 4, len(had)))


def test_a_feature_that_knows_the_outcome_is_found_out(people: Populations, night: Night, run: Run, tmp_path: Path) -> None:
    leaked = run_on((leaking(people[0], 1), leaking(people[1], 2)), night, tmp_path)
    of_all = {"subgroup_kind": "all", "metric": "auroc"}
    for validation in ("temporal", "geographic"):
        (row,) = leaked.rows("risk/evaluation", model="additive", validation=validation, **of_all)
        assert row["value"] > 0.88, validation
    for name in ("additive", "boosting", "logistic"):
        (row,) = leaked.rows("risk/evaluation", model=name, validation="temporal", **of_all)
        assert row["verdict"] == "red", name
        assert leaked.of_model(name)["verdict"] == "red", name
        (row,) = run.rows("risk/evaluation", model=name, validation="temporal", **of_all)
        assert row["verdict"] == "green", name


def either_or(population: IndexPopulation, seed: int) -> IndexPopulation:
    """Outcomes of women under 50 and of men from 50 on: what no sum over age and sex can tell."""
    people, had = population.people, np.zeros(population.people.num_rows, dtype=bool)
    is_either = (people["sex"].to_numpy() == "female") ^ (people["age_years"].to_numpy() >= 50)
    had[followed(population)] = (np.random.default_rng(seed).random(len(had)) < np.where(is_either, 0.14, 0.03))[followed(population)]
    return with_outcomes(population, had)


def test_a_challenger_takes_the_place_only_by_the_margin(people: Populations, risk_ics: Any, tmp_path: Path) -> None:
    interacting = (either_or(people[0], 1), either_or(people[1], 2))
    run = run_on(interacting, with_settings(risk_ics.night, challenger_margin=0.01, minimum_events=250), tmp_path / "small")
    gain = run.of_model("boosting")["auroc_difference"]
    assert 0.05 < gain < 0.2
    assert run.made.champions == (run.of_model("boosting")["model_id"],)
    run = run_on(interacting, with_settings(risk_ics.night, challenger_margin=0.2, minimum_events=250), tmp_path / "large")
    assert run.of_model("boosting")["auroc_difference"] == gain
    assert run.made.champions == (run.of_model("additive")["model_id"],)
