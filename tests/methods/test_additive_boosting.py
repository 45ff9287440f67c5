"""The look-up tables say what scikit-learn's trees say, add up exactly, and recover what a simulation put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from fuller_popheath.methods.additive_boosting import AdditiveBoosting
from fuller_popheath.methods.full_boosting import boosted
from fuller_popheath.methods.logistic_line import logistic_line

PARAMETERS = {"iterations": 60, "iterations_per_root_event": 1e9, "learning_rate": 0.1, "leaves": 6, "least_rows": 20, "l2": 1.0}
IS_CATEGORICAL = (False, True, False, False, True, False)


def simulated(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrix, outcome and true log-odds: a curve, a category, a count that may be missing, noise, a category that says nothing, a flag."""
    rng = np.random.default_rng(seed)
    age, sex, count = rng.uniform(18, 95, rows), rng.integers(0, 3, rows), rng.poisson(1.5, rows).astype(float)
    noise, group, flag = rng.normal(size=rows), rng.integers(0, 12, rows), rng.random(rows) < 0.1
    is_missing = rng.random(rows) < 0.3
    log_odds = -2.5 + ((age - 50) / 25) ** 2 + np.array([0.0, 0.6, -0.4])[sex] + np.where(is_missing, 0.8, 0.4 * np.minimum(count, 4)) + 0.9 * flag
    matrix = np.column_stack([age, sex, np.where(is_missing, np.nan, count), noise, group, flag]).astype(float)
    return matrix, rng.random(rows) < 1 / (1 + np.exp(-log_odds)), log_odds


@pytest.fixture(scope="module")
def fitted() -> AdditiveBoosting:
    matrix, outcome, _ = simulated(4_000, 1)
    return AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 5).fit(matrix, outcome)


def test_the_tables_are_the_trees_also_for_what_the_fit_never_saw(fitted: AdditiveBoosting) -> None:
    matrix, outcome, _ = simulated(4_000, 1)
    trees = boosted(matrix, outcome, None, IS_CATEGORICAL, PARAMETERS, 5, additive=True)
    others, _, _ = simulated(3_000, 2)
    others[:50] = np.nan
    others[50:100, 0] = [-np.inf, np.inf] * 25
    others[100:150, 2] = 1e9
    assert np.abs(fitted.decision_function(others) - trees.decision_function(others)).max() < 1e-9


def test_an_unseen_category_counts_as_missing(fitted: AdditiveBoosting) -> None:
    matrix, _, _ = simulated(50, 3)
    unseen, missing = matrix.copy(), matrix.copy()
    unseen[:, 1], missing[:, 1] = 77, np.nan
    assert np.array_equal(fitted.decision_function(unseen), fitted.decision_function(missing))


def test_a_gap_among_the_codes_of_the_fit_counts_as_missing_too() -> None:
    matrix, outcome, _ = simulated(2_000, 4)
    kept = matrix[:, 4] != 5
    model = AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 5).fit(matrix[kept], outcome[kept])
    trees = boosted(matrix[kept], outcome[kept], None, IS_CATEGORICAL, PARAMETERS, 5, additive=True)
    assert np.abs(model.decision_function(matrix) - trees.decision_function(matrix)).max() < 1e-9


def test_contributions_add_up_to_the_last_bit_and_a_row_alone_scores_as_among_others(fitted: AdditiveBoosting) -> None:
    matrix, _, _ = simulated(700, 6)
    intercept, parts = fitted.contributions(matrix)
    total = np.full(len(matrix), intercept)
    for part in parts.T:
        total = total + part
    together = fitted.decision_function(matrix)
    assert np.array_equal(total, together)
    assert np.array_equal(np.array([fitted.decision_function(matrix[i : i + 1])[0] for i in range(len(matrix))]), together)
    assert np.array_equal(fitted.decision_function(np.ascontiguousarray(matrix[::-1])), together[::-1])


def test_a_contribution_is_relative_to_the_average_row_of_the_fit() -> None:
    matrix, outcome, _ = simulated(3_000, 7)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(matrix))
    plain = AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 5).fit(matrix, outcome)
    weighted = AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 5).fit(matrix, outcome, weight)
    assert np.abs(plain.contributions(matrix)[1].mean(axis=0)).max() < 1e-12
    assert np.abs(np.average(weighted.contributions(matrix)[1], axis=0, weights=weight)).max() < 1e-12


def test_it_finds_the_curves_that_were_put_in() -> None:
    matrix, outcome, _ = simulated(20_000, 8)
    others, happened, truth = simulated(10_000, 9)
    parameters = {**PARAMETERS, "iterations": 200, "leaves": 4, "least_rows": 100, "l2": 10}
    model = AdditiveBoosting(IS_CATEGORICAL, parameters, 1).fit(matrix, outcome)
    score = model.decision_function(others)
    assert roc_auc_score(happened, truth) - roc_auc_score(happened, score) < 0.01
    assert logistic_line(score, happened)[1] == pytest.approx(1, abs=0.08)
    ages, at_age, _ = model.shape(0)
    middle = at_age[np.searchsorted(ages, 50)]
    assert at_age[np.searchsorted(ages, 92)] - middle > 1.5  # put in: (42 / 25) ** 2 = 2.8
    _, at_count, missing = model.shape(2)
    assert missing - at_count[0] == pytest.approx(0.8, abs=0.25)
    assert abs(model.shape(3)[1]).max() < 0.3  # noise


def test_columns_that_say_nothing_add_nothing_and_do_no_harm() -> None:
    matrix, outcome, _ = simulated(1_000, 10)
    empty = np.column_stack([np.full(len(matrix), np.nan), matrix, np.full(len(matrix), 3.0), np.where(np.arange(len(matrix)) < 5, 1.0, np.nan)])
    model = AdditiveBoosting((True, *IS_CATEGORICAL, False, False), PARAMETERS, 5).fit(empty, outcome)
    intercept, parts = model.contributions(empty)
    assert not parts[:, [0, 7, 8]].any()
    plain = AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 5).fit(matrix, outcome)
    assert np.array_equal(model.decision_function(empty), plain.decision_function(matrix))
    assert intercept == plain.intercept


def test_the_same_rows_and_seed_give_the_same_model() -> None:
    matrix, outcome, _ = simulated(800, 11)
    one, two = (AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 5).fit(matrix, outcome) for _ in range(2))
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.steps, two.steps)


@pytest.mark.parametrize("outcome", [np.zeros(100, bool), np.ones(100, bool)])
def test_one_outcome_alone_is_refused(outcome: np.ndarray) -> None:
    with pytest.raises(ValueError, match="with the outcome and rows without"):
        AdditiveBoosting((False,), PARAMETERS, 1).fit(np.random.default_rng(0).normal(size=(100, 1)), outcome)


def test_columns_that_never_vary_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="no column varies"):
        AdditiveBoosting((False,), PARAMETERS, 1).fit(np.ones((100, 1)), np.arange(100) % 2 == 0)


def test_trees_that_say_something_else_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later scikit-learn might keep its trees in another way: the fit then fails instead of scoring wrongly."""
    real = HistGradientBoostingClassifier.decision_function
    monkeypatch.setattr(HistGradientBoostingClassifier, "decision_function", lambda self, rows: real(self, rows) + 1e-6)
    matrix, outcome, _ = simulated(500, 12)
    with pytest.raises(RuntimeError, match="do not add up"):
        AdditiveBoosting(IS_CATEGORICAL, PARAMETERS, 1).fit(matrix, outcome)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 300), st.integers(2, 12), st.floats(0, 0.5))
def test_any_matrix_adds_up(seed: int, rows: int, leaves: int, share_missing: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([rng.integers(0, 5, rows), rng.normal(size=rows), np.round(rng.exponential(size=rows), 1)]).astype(float)
    matrix[20:][rng.random((rows - 20, 3)) < share_missing] = np.nan
    outcome = np.arange(rows) % 3 == 0
    parameters = {**PARAMETERS, "iterations": 8, "leaves": leaves, "least_rows": 1}
    model = AdditiveBoosting((True, False, False), parameters, seed).fit(matrix, outcome)
    intercept, parts = model.contributions(matrix)
    assert np.array_equal(((intercept + parts[:, 0]) + parts[:, 1]) + parts[:, 2], model.decision_function(matrix))
    trees = boosted(matrix, outcome, None, (True, False, False), parameters, seed, additive=True)
    assert np.abs(trees.decision_function(matrix) - model.decision_function(matrix)).max() < 1e-9
