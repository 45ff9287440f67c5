"""The line along a score is maximum likelihood where there is enough to learn, finite where there is not, and never falls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from fuller_popheath.methods.logistic_line import LEAST_SLOPE, logistic_line, logistic_loss


def test_it_is_maximum_likelihood_for_many_people() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(-2, 1.5, 20_000)
    outcome = rng.random(20_000) < 1 / (1 + np.exp(-(0.4 + 0.7 * score)))
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(score[:, None], outcome)
    assert logistic_line(score, outcome) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), abs=1e-3)


def test_a_score_that_separates_the_outcomes_gets_a_finite_line() -> None:
    intercept, slope = logistic_line(np.linspace(-5, 5, 100), np.arange(100) >= 50)
    assert np.isfinite(intercept)
    assert 1 < slope < 10


def test_a_score_that_goes_the_wrong_way_keeps_its_order_and_gets_the_right_level() -> None:
    rng = np.random.default_rng(2)
    score = rng.normal(size=2_000)
    outcome = rng.random(2_000) < 1 / (1 + np.exp(2 + score))
    intercept, slope = logistic_line(score, outcome)
    assert slope == LEAST_SLOPE
    assert 1 / (1 + np.exp(-intercept)) == pytest.approx(outcome.mean(), abs=1e-3)


@pytest.mark.parametrize("outcome", [np.zeros(30), np.ones(30)])
def test_one_outcome_alone_gives_a_finite_line(outcome: np.ndarray) -> None:
    assert np.isfinite(logistic_line(np.linspace(-3, 1, 30), outcome)).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-40, 40), st.booleans()), min_size=1, max_size=60))
def test_any_people_get_a_rising_finite_line(people: list[tuple[float, bool]]) -> None:
    score, outcome = np.array([s for s, _ in people]), np.array([o for _, o in people])
    intercept, slope = logistic_line(score, outcome)
    assert np.isfinite(intercept)
    assert slope >= LEAST_SLOPE


@pytest.mark.parametrize("score", [np.array([]), np.array([1.0, np.nan]), np.array([1.0, np.inf])])
def test_nobody_or_no_score_is_refused(score: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite score"):
        logistic_line(score, np.zeros(len(score)))


def test_the_loss_is_scikit_learns() -> None:
    log_odds, outcome = np.array([-2.0, 0.0, 3.0]), np.array([False, True, True])
    assert logistic_loss(log_odds, outcome) == pytest.approx(log_loss(outcome, 1 / (1 + np.exp(-log_odds))))
