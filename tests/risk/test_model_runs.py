"""The account of a training run: a row a model with its figures and its worst verdict, and one where nothing could be fitted."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.risk.comparison import compare
from fuller_popheath.risk.evaluation import Predictions, evaluate
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.model_runs import auroc_gains, run_row, unfitted_row
from fuller_popheath.risk.subgroups import groups_of
from fuller_popheath.risk.training import Trained
from fuller_popheath.risk.training_sets import Rows, TrainingSet
from fuller_popheath.risk.verdicts import limits_of
from fuller_popheath.site import Monitoring, Site
from tests.risk.scoring.conftest import fitted

AS_OF = date(2026, 8, 1)
EMERGENCY = "emergency_admission_12m"
MODEL_ID = f"{EMERGENCY}.adult.additive.2026-08-01.0123456789abcdef"
PEOPLE, FITTED_ON = 2_000, 1_203


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fitted("additive", EMERGENCY, "adult")


def predictions(noise: float, name: str = "additive", model_id: str | None = MODEL_ID) -> Predictions:
    """Calibrated risks, and log-odds that are told with noise."""
    rng = np.random.default_rng(2)
    log_odds = rng.normal(-2, 1.2, PEOPLE)
    had = rng.random(PEOPLE) < 1 / (1 + np.exp(-log_odds))
    told = log_odds + np.random.default_rng(3).normal(0, noise, PEOPLE)
    people = groups_of({"imd_quintile": rng.choice(["1", "2"], PEOPLE), "pcn": rng.choice(["U00001", "U00002"], PEOPLE)})
    return Predictions(EMERGENCY, "adult", name, model_id, "temporal", had, 1 / (1 + np.exp(-told)), told, people)


def trained(model: FittedModel, told: Predictions) -> Trained:
    return Trained(registry.models()[told.model], model, told, {"people": {"fit": {"people": FITTED_ON, "with_outcome": 101}}})


def sets(told: Predictions) -> TrainingSet:
    people = pa.table({"person_id": [f"p{n}" for n in range(PEOPLE)]})
    rows = Rows(AS_OF, people, told.has_outcome, people)
    return TrainingSet(EMERGENCY, "adult", AS_OF, rows, rows, rows, np.zeros(PEOPLE, dtype=bool))


def row_of(model: FittedModel, told: Predictions, judged: list[pa.Table], **other: Any) -> dict[str, Any]:
    return run_row(trained(model, told), judged, other.pop("gain", None), sets(told), AS_OF, is_champion=True, is_synthetic=True, **other)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    contract = load_contract("risk/model_run")
    return refuse_if_broken(conform(pa.Table.from_pylist(rows, schema=contract.schema), contract), contract)


def judged_row(metric: str, verdict: str | None, **other: Any) -> dict[str, Any]:
    given = {"subgroup_kind": "all", "subgroup": "all", "metric": metric, "value": 1.0, "lower": 0.9, "upper": 1.1, "verdict": verdict}
    return given | other


def test_an_outcome_without_a_model_has_a_row_that_keeps_the_contract() -> None:
    (row,) = table_of([unfitted_row(AS_OF, EMERGENCY, "under_18", True, 100)]).to_pylist()
    assert (row["model"], row["status"], row["model_id"], row["verdict"]) == ("none", "too_few_events", None, None)
    assert row["fitted_count"] == row["validated_count"] == 0
    assert "100" in row["told"]


def test_figures_are_those_of_the_evaluation_of_everybody(model: FittedModel) -> None:
    told = predictions(noise=0.0)
    evaluation = evaluate(told, AS_OF, Site(), limits_of(Monitoring(), registry.outcomes()[EMERGENCY], is_synthetic=True))
    (row,) = table_of([row_of(model, told, [evaluation])]).to_pylist()
    of_all = {found["metric"]: found for found in evaluation.to_pylist() if found["subgroup_kind"] == "all"}
    for name in ("auroc", "auprc", "brier", "scaled_brier", "calibration_slope", "calibration_in_the_large", "observed_over_expected"):
        assert row[name] == of_all[name]["value"], name
    for name in ("auroc", "calibration_slope", "observed_over_expected"):
        assert (row[f"{name}_lower"], row[f"{name}_upper"]) == (of_all[name]["lower"], of_all[name]["upper"]), name
    assert (row["role"], row["model_id"], row["is_champion"], row["is_demonstration"]) == ("default", MODEL_ID, True, True)
    assert (row["validated_count"], row["auroc_difference"]) == (PEOPLE, None)


def test_it_says_how_many_the_model_was_fitted_on_and_not_how_many_there_were(model: FittedModel) -> None:
    row = row_of(model, predictions(noise=0.0), [])
    assert abs(row["fitted_count"] - FITTED_ON) < 5
    assert abs(row["fitted_outcome_count"] - 101) < 5


def test_gains_are_differences_to_the_default_model_and_it_has_none() -> None:
    default, worse = predictions(noise=0.0), predictions(noise=3.0, name="logistic")
    gains = auroc_gains(compare([default, worse], "additive", AS_OF))
    assert set(gains) == {"logistic"}
    lower, value, upper = (gains["logistic"][end] or 0.0 for end in ("lower", "value", "upper"))
    assert lower < value < upper < 0


def test_the_gain_stands_in_the_row(model: FittedModel) -> None:
    row = row_of(model, predictions(noise=0.0), [], gain={"value": 0.01, "lower": -0.02, "upper": 0.04})
    assert (row["auroc_difference"], row["auroc_difference_lower"], row["auroc_difference_upper"]) == (0.01, -0.02, 0.04)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([judged_row("auroc", "green"), judged_row("observed_over_expected", "amber")], "amber"),
        ([judged_row("auroc", "red"), judged_row("observed_over_expected", "green")], "red"),
        ([judged_row("auroc", "green"), judged_row("observed_over_expected", "red", subgroup_kind="imd_quintile", subgroup="1")], "red"),
        ([judged_row("auroc", "green"), judged_row("auroc_difference_to_predecessor", "red")], "red"),
        ([judged_row("auroc", None), judged_row("brier", None)], None),
    ],
    ids=["an edge", "a leak", "unfair to a quintile", "worse than the one in use", "nothing judged"],
)
def test_the_verdict_is_the_worst_one(model: FittedModel, rows: list[dict[str, Any]], verdict: str | None) -> None:
    row = row_of(model, predictions(noise=0.0), [pa.Table.from_pylist(rows)])
    assert row["verdict"] == verdict
    assert ("told" in row) == (verdict is not None)
    assert verdict is None or f"1 {verdict}" in row["told"]


def test_figures_of_a_group_never_pass_for_those_of_everybody(model: FittedModel) -> None:
    rows = [judged_row("auroc", None, value=0.7), judged_row("auroc", None, value=0.9, subgroup_kind="sex", subgroup="male")]
    assert row_of(model, predictions(noise=0.0), [pa.Table.from_pylist(rows)])["auroc"] == 0.7
