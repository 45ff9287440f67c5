"""What every model must do, whichever it is: score a person alone as in a crowd, rise with risk, recalibrate without changing the order."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath import registry
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.methods.logistic_line import logistic_line
from fuller_popheath.risk import fitted as fitted_module
from fuller_popheath.risk.fitted import FittedModel, recalibrated
from fuller_popheath.risk.fitting import SomeRows, fit
from fuller_popheath.risk.recalibration import Recalibration, recalibration_of
from fuller_popheath.site import Training

TRAINING = Training(fit_people=5_000)
QUICK = {"additive": {"iterations": 40}, "boosting": {"iterations": 30}}
EXPLAINED = ("additive", "age_sex", "logistic")


def people(count: int, seed: int) -> SomeRows:
    """Make-believe features under the names that the catalogue's baselines read, and an outcome that rests on some of them."""
    rng = np.random.default_rng(seed)
    age, deficits = rng.integers(18, 100, count), rng.poisson(4, count)
    admissions, score = rng.poisson(0.2, count), np.round(rng.gamma(1, 8, count), 1)
    sex = rng.choice(["female", "male", "unknown"], count, p=[0.5, 0.49, 0.01])
    flags = {f"has_{name}": rng.random(count) < 0.05 for name in ("cancer", "palliative_care", "metastatic_cancer")}
    bmi = np.where(rng.random(count) < 0.4, np.nan, rng.normal(27, 5, count))
    log_odds = -4.5 + 0.03 * (age - 50) + 0.15 * deficits + 0.6 * admissions + 0.02 * score + (sex == "male") * 0.2 + np.isnan(bmi) * 0.3
    columns = {
        "person_id": [f"p{seed}_{number}" for number in range(count)],
        "age_years": age,
        "sex": sex,
        "efi_deficit_count": deficits,
        "cambridge_general_score": score,
        "condition_count": deficits // 2,
        "emergency_admission_count_365": admissions,
        "latest_bmi": pa.array(bmi, from_pandas=True),
        **flags,
    }
    return SomeRows(pa.table(columns), rng.random(count) < 1 / (1 + np.exp(-log_odds)))


@cache
def model(name: str) -> FittedModel:
    before = fit(registry.models()[name], people(3_000, 1), QUICK.get(name, {}), 7, TRAINING, outcome="admission", age_group="adult")
    return recalibrated(before, people(1_500, 2))


every_model = pytest.mark.parametrize("name", registry.models())


@every_model
def test_a_person_alone_scores_as_in_a_crowd(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = people(400, 3).features
    scores, risks = model(name).log_odds(crowd), model(name).probability(crowd)
    alone = np.concatenate([model(name).log_odds(crowd.slice(place, 1)) for place in range(100)])
    alone_risks = np.concatenate([model(name).probability(crowd.slice(place, 1)) for place in range(100)])
    if name == "additive":
        assert np.array_equal(alone, scores[:100])
        assert np.array_equal(alone_risks, risks[:100])
    assert np.abs(alone - scores[:100]).max() < 1e-12
    assert np.abs(alone_risks - risks[:100]).max() < 1e-12
    monkeypatch.setattr(fitted_module, "ROWS_AT_A_TIME", 37)
    assert np.abs(model(name).log_odds(crowd) - scores).max() < 1e-12


@every_model
def test_another_order_of_rows_and_columns_changes_no_score(name: str) -> None:
    crowd = people(300, 4).features
    turned = crowd.take(list(range(crowd.num_rows))[::-1]).select(crowd.column_names[::-1])
    assert np.abs(model(name).probability(turned)[::-1] - model(name).probability(crowd)).max() < 1e-12


@every_model
def test_probabilities_lie_between_0_and_1_rise_with_the_score_and_are_calibrated(name: str) -> None:
    rows = people(4_000, 5)
    scores, risks = model(name).log_odds(rows.features), model(name).probability(rows.features)
    order = np.argsort(scores)
    assert (np.diff(risks[order]) >= 0).all()
    assert risks.min() > 0
    assert risks.max() < 1
    assert rows.has_outcome.sum() / risks.sum() == pytest.approx(1, abs=0.12)


@every_model
def test_nobody_has_no_scores(name: str) -> None:
    nobody = people(5, 6).features.slice(0, 0)
    assert model(name).probability(nobody).shape == (0,)
    if name in EXPLAINED:
        intercept, parts = model(name).contributions(nobody)
        assert parts.shape == (0, len(model(name).columns))
        assert intercept == model(name).contributions(people(5, 6).features)[0]


@pytest.mark.parametrize("name", EXPLAINED)
def test_contributions_add_up_to_the_score_and_are_relative_to_the_average_person(name: str) -> None:
    crowd = people(500, 7).features
    intercept, parts = model(name).contributions(crowd)
    assert model(name).can_explain
    assert np.abs(intercept + parts.sum(axis=1) - model(name).log_odds(crowd)).max() < 1e-12
    assert np.abs(model(name).contributions(people(3_000, 1).features)[1].mean(axis=0)).max() < 1e-12


def test_the_champions_contributions_add_up_to_the_last_bit() -> None:
    crowd = people(500, 7).features
    total, parts = model("additive").contributions(crowd)
    for part in parts.T:
        total = total + part
    assert np.array_equal(total, model("additive").log_odds(crowd))


@pytest.mark.parametrize("name", [name for name in registry.models() if name not in EXPLAINED])
def test_a_score_that_is_no_sum_is_not_explained(name: str) -> None:
    assert not model(name).can_explain
    with pytest.raises(SettingsWrong, match=f"the model {name} is not a sum over columns"):
        model(name).contributions(people(3, 1).features)


@every_model
def test_a_table_without_a_column_of_the_model_is_refused(name: str) -> None:
    lacking = people(10, 8).features.drop_columns([model(name).columns[0]])
    with pytest.raises(ContractBroken, match=model(name).columns[0]):
        model(name).probability(lacking)


def test_a_fit_rests_on_who_the_people_are_not_on_their_order() -> None:
    rows = people(1_200, 9)
    turned = SomeRows(rows.features.take(list(range(1_200))[::-1]), rows.has_outcome[::-1])
    for name in ("additive", "logistic", "boosting"):
        one, two = (
            fit(registry.models()[name], each, QUICK.get(name, {}), 7, Training(fit_people=600), outcome="admission", age_group="adult")
            for each in (rows, turned)
        )
        assert np.array_equal(one.log_odds(rows.features), two.log_odds(rows.features))


def test_people_who_all_have_the_outcome_are_refused_by_their_number() -> None:
    rows = people(200, 10)
    with pytest.raises(InputMissing, match="efi, admission, adult: 200 of 200 people have the outcome"):
        fit(registry.models()["efi"], replace(rows, has_outcome=np.ones(200, bool)), {}, 1, TRAINING, outcome="admission", age_group="adult")


def test_recalibration_mends_level_and_slope_and_keeps_the_order() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(-2, 1, 30_000)
    happened = rng.random(30_000) < 1 / (1 + np.exp(-truth))
    too_extreme = 1.5 + 2.0 * truth
    line = recalibration_of(too_extreme, happened)
    assert (line.intercept, line.slope) == pytest.approx((-0.75, 0.5), abs=0.03)
    assert logistic_line(line.apply(too_extreme), happened) == pytest.approx((0, 1), abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 80))
def test_a_recalibration_never_turns_two_people_round(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=count)
    after = recalibration_of(scores, rng.random(count) < 0.5).apply(scores)
    assert np.array_equal(np.argsort(after, kind="stable"), np.argsort(scores, kind="stable"))


@pytest.mark.parametrize("slope", [0.0, -1.0, np.nan, np.inf])
def test_a_slope_that_does_not_rise_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match="slope above 0"):
        Recalibration(0.0, slope)
