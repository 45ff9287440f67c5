"""The splines are natural cubic splines, the fit is scikit-learn's, and what is missing has a weight of its own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from fuller_popheath.methods import spline_logistic
from fuller_popheath.methods.logistic_line import logistic_line
from fuller_popheath.methods.spline_logistic import SplineLogistic

STRAIGHT = {"knots": 0, "l2": 2.0}


def curved(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrix (age, sex, count that may be missing), outcome, true log-odds."""
    rng = np.random.default_rng(seed)
    age, sex, count = rng.uniform(18, 95, rows), rng.integers(0, 3, rows).astype(float), rng.poisson(0.4, rows).astype(float)
    count[rng.random(rows) < 0.25] = np.nan
    log_odds = (
        -3
        + ((age - 45) / 25) ** 2
        + np.array([0.0, 0.5, -0.5])[sex.astype(int)]
        + np.where(np.isnan(count), 1.0, 0.6 * np.minimum(np.nan_to_num(count), 2))
    )
    return np.column_stack([age, sex, count]), rng.random(rows) < 1 / (1 + np.exp(-log_odds)), log_odds


def test_straight_lines_are_scikit_learns_ridge_regression_on_standardised_columns() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(900, 4)) * [1, 10, 0.1, 5] + [0, 5, -3, 100]
    outcome = rng.random(900) < 1 / (1 + np.exp(-(matrix[:, 0] + 0.1 * matrix[:, 1])))
    model = SplineLogistic((False,) * 4, STRAIGHT).fit(matrix, outcome)
    scaled = StandardScaler().fit(matrix)
    theirs = LogisticRegression(C=0.5, tol=1e-12, max_iter=10_000).fit(scaled.transform(matrix), outcome)
    assert np.abs(model.decision_function(matrix) - theirs.decision_function(scaled.transform(matrix))).max() < 1e-6


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_a_penalty_per_row_is_that_many_times_the_rows(weight: float) -> None:
    matrix, outcome, _ = curved(800, 11)
    weights = np.full(800, weight)
    per_row = SplineLogistic((False, True, False), {"knots": 4, "l2_per_row": 0.05}).fit(matrix, outcome, weights)
    absolute = SplineLogistic((False, True, False), {"knots": 4, "l2": 40.0 * weight}).fit(matrix, outcome, weights)
    assert np.abs(per_row.decision_function(matrix) - absolute.decision_function(matrix)).max() < 1e-12


def test_a_penalty_per_row_shrinks_a_model_of_some_rows_as_much_as_one_of_all() -> None:
    matrix, outcome, _ = curved(20_000, 12)
    others, _, _ = curved(4_000, 13)
    spread = {
        (name, rows): np.std(
            SplineLogistic((False, True, False), {"knots": 0, name: l2}).fit(matrix[:rows], outcome[:rows]).decision_function(others)
        )
        for name, l2 in (("l2", 3_000.0), ("l2_per_row", 0.3))
        for rows in (7_500, 10_000)
    }
    assert spread["l2_per_row", 10_000] / spread["l2_per_row", 7_500] == pytest.approx(1, abs=0.02)
    assert spread["l2", 10_000] / spread["l2", 7_500] > 1.05


def test_a_weight_counts_as_so_many_rows() -> None:
    matrix, outcome, _ = curved(600, 2)
    times = np.random.default_rng(2).integers(1, 4, len(matrix))
    often = np.repeat(np.arange(len(matrix)), times)
    # Scales are those of the rows, not weighted, hence straight lines without a penalty to speak of.
    parameters = {"knots": 0, "l2": 0}
    weighted = SplineLogistic((False, True, False), parameters).fit(matrix, outcome, times.astype(float))
    repeated = SplineLogistic((False, True, False), parameters).fit(matrix[often], outcome[often])
    assert np.abs(weighted.decision_function(matrix) - repeated.decision_function(matrix)).max() < 1e-3


@pytest.mark.parametrize("knots", [3, 4, 5])
def test_each_curve_is_a_natural_cubic_spline_through_its_knots(knots: int) -> None:
    """By another route: scipy's natural spline through the values at the knots, and a straight line beyond the first and the last."""
    rng = np.random.default_rng(3)
    matrix = rng.gamma(2, 10, size=(2_000, 1))
    model = SplineLogistic((False,), {"knots": knots, "l2": 1.0}).fit(matrix, rng.random(2_000) < 0.3)
    at = model.low[0] + model.knots * (model.high[0] - model.low[0])
    assert len(at) == knots
    along = np.linspace(matrix.min(), matrix.max(), 400)
    score = model.decision_function(along[:, None])
    natural = CubicSpline(at, model.decision_function(at[:, None]), bc_type="natural")
    inside = (along >= at[0]) & (along <= at[-1])
    assert np.abs(score - natural(along))[inside].max() < 1e-9
    below, above = along < at[0], along > at[-1]
    assert np.abs(score - (natural(at[0]) + natural(at[0], 1) * (along - at[0])))[below].max() < 1e-9
    assert np.abs(score - (natural(at[-1]) + natural(at[-1], 1) * (along - at[-1])))[above].max() < 1e-9


def test_knots_lie_where_harrell_puts_them_and_beside_a_value_that_most_rows_have() -> None:
    values = np.arange(1, 1_001, dtype=float)
    assert spline_logistic._knots(values, 4) == pytest.approx(np.quantile(values, [0.05, 0.35, 0.65, 0.95]))
    mostly_none = np.concatenate([np.zeros(900), np.arange(1, 101)])
    assert spline_logistic._knots(mostly_none, 4) == pytest.approx([0, *np.quantile(np.arange(1, 101), [0.1, 0.5, 0.9])])
    assert len(spline_logistic._knots(np.array([0.0, 1.0] * 50), 4)) == 0
    assert len(spline_logistic._knots(np.full(50, 2.0), 4)) == 0


def test_values_beyond_those_of_the_fit_are_taken_as_its_outermost() -> None:
    matrix, outcome, _ = curved(1_000, 4)
    model = SplineLogistic((False, True, False), {"knots": 4, "l2": 1.0}).fit(matrix, outcome)
    oldest, older, old = np.tile(matrix[:1], (3, 1)), np.tile(matrix[:1], (3, 1)), matrix[:, 0].max()
    oldest[:, 0], older[:, 0] = old, [old + 1, 1e9, np.inf]
    assert np.array_equal(model.decision_function(oldest), model.decision_function(older))


def test_it_finds_the_curves_that_were_put_in() -> None:
    matrix, outcome, _ = curved(20_000, 5)
    others, happened, truth = curved(10_000, 6)
    model = SplineLogistic((False, True, False), {"knots": 5, "l2": 1.0}).fit(matrix, outcome)
    score = model.decision_function(others)
    assert roc_auc_score(happened, truth) - roc_auc_score(happened, score) < 0.003
    assert logistic_line(score, happened)[1] == pytest.approx(1, abs=0.06)
    missing, none = others[:1].copy(), others[:1].copy()
    missing[0, 2], none[0, 2] = np.nan, 0
    assert (model.decision_function(missing) - model.decision_function(none))[0] == pytest.approx(1.0, abs=0.12)


def test_contributions_add_up_are_relative_to_the_average_row_and_do_not_depend_on_other_rows() -> None:
    matrix, outcome, _ = curved(1_500, 7)
    model = SplineLogistic((False, True, False), {"knots": 4, "l2": 3.0}).fit(matrix, outcome)
    intercept, parts = model.contributions(matrix)
    score = model.decision_function(matrix)
    assert np.abs(intercept + parts.sum(axis=1) - score).max() < 1e-12
    assert np.abs(parts.mean(axis=0)).max() < 1e-12
    alone = np.concatenate([model.decision_function(matrix[i : i + 1]) for i in range(200)])
    assert np.abs(alone - score[:200]).max() < 1e-12


@pytest.mark.parametrize("l2", [{"l2": 3.0}, {"l2_per_row": 0.01}])
def test_many_rows_get_what_one_fit_of_all_would(monkeypatch: pytest.MonkeyPatch, l2: dict[str, float]) -> None:
    matrix, outcome, _ = curved(5_000, 8)
    parameters = {"knots": 0, **l2}
    whole = SplineLogistic((False, True, False), parameters).fit(matrix, outcome)
    monkeypatch.setattr(spline_logistic, "FIRST_ROWS", 500)
    in_two = SplineLogistic((False, True, False), parameters).fit(matrix, outcome)
    assert np.abs(whole.decision_function(matrix) - in_two.decision_function(matrix)).max() < 1e-6


def test_columns_that_say_nothing_or_the_same_do_no_harm() -> None:
    matrix, outcome, _ = curved(800, 9)
    odd = np.column_stack([matrix, matrix[:, 0], np.full(len(matrix), np.nan), np.full(len(matrix), 4.0), np.full(len(matrix), np.nan)])
    model = SplineLogistic((False, True, False, False, False, False, True), {"knots": 4, "l2": 1.0}).fit(odd, outcome)
    assert np.isfinite(model.decision_function(odd)).all()
    assert not model.contributions(odd)[1][:, 4:].any()


def test_outcomes_that_a_column_separates_have_an_answer() -> None:
    matrix = np.arange(200.0)[:, None]
    model = SplineLogistic((False,), {"knots": 4, "l2": 0}).fit(matrix, matrix[:, 0] >= 100)
    score = model.decision_function(matrix)
    assert np.isfinite(score).all()
    assert score[:100].max() < score[100:].min()


def test_very_large_and_very_small_numbers_have_an_answer() -> None:
    rng = np.random.default_rng(10)
    values = rng.normal(size=(500, 2))
    outcome = values[:, 0] + rng.normal(size=500) > 0
    plain, extreme = (SplineLogistic((False, False), {"knots": 4, "l2": 1.0}).fit(values * scale, outcome) for scale in ([1, 1], [1e300, 1e-300]))
    assert extreme.decision_function(values * [1e300, 1e-300]) == pytest.approx(plain.decision_function(values), abs=1e-6)


def test_one_outcome_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="with the outcome and rows without"):
        SplineLogistic((False,), STRAIGHT).fit(np.arange(100.0)[:, None], np.zeros(100))
