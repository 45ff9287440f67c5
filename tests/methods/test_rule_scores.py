"""Scores that are not learnt keep their order whatever is fitted to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fuller_popheath.methods.logistic_line import logistic_line
from fuller_popheath.methods.rule_scores import SingleScore, ThresholdRule


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.integers(-5, 60).map(float), st.just(np.nan)), min_size=30, max_size=200), st.integers(0, 1_000))
def test_the_order_is_that_of_the_score(values: list[float], seed: int) -> None:
    score = np.array([0.0, *values])
    outcome = np.random.default_rng(seed).random(len(score)) < 0.3
    model = SingleScore().fit(score[:, None], outcome)
    asked = np.array([-20.0, -1.0, 0.0, 1.0, 2.0, 59.0, 60.0, 61.0, 500.0])
    assert (np.diff(model.decision_function(asked[:, None])) > 0).all()


def test_a_score_that_rises_with_the_logarithm_is_calibrated_so() -> None:
    rng = np.random.default_rng(1)
    count = rng.geometric(0.4, 20_000) - 1.0
    outcome = rng.random(20_000) < 1 / (1 + np.exp(-(-3 + 1.5 * np.log1p(count))))
    model = SingleScore().fit(count[:, None], outcome)
    log_odds = model.decision_function(count[:, None])
    assert model.scale == "logarithm"
    assert logistic_line(log_odds, outcome) == pytest.approx((0, 1), abs=0.02)
    assert roc_auc_score(outcome, log_odds) == roc_auc_score(outcome, count)


def test_somebody_without_a_score_counts_as_the_average() -> None:
    score = np.array([1.0, 3.0, np.nan] * 30)[:, None]
    model = SingleScore().fit(score, np.arange(90) % 2 == 0)
    assert model.decision_function(np.array([[np.nan]])) == model.decision_function(np.array([[2.0]]))


def test_a_score_nobody_has_gives_everybody_the_same() -> None:
    empty = np.full((40, 1), np.nan)
    log_odds = SingleScore().fit(empty, np.arange(40) < 10).decision_function(empty)
    assert np.ptp(log_odds) == 0
    assert 1 / (1 + np.exp(-log_odds[0])) == pytest.approx(0.25, abs=0.01)


def test_a_score_is_one_column() -> None:
    with pytest.raises(ValueError, match="one column, not 2"):
        SingleScore().fit(np.zeros((4, 2)), np.zeros(4))


def test_the_highest_level_of_which_one_alternative_holds() -> None:
    rule = ThresholdRule(
        ("deficits", "age", "cancer"), (((("deficits", 9.0), ("age", 65.0)), (("cancer", 1.0),)), ((("deficits", 13.0), ("age", 65.0)),))
    )
    people = [(9, 65, 0), (9, 64, 0), (13, 64, 1), (13, 65, 0), (12, 80, 1), (0, 0, 0), (np.nan, 90, 0), (np.nan, 90, 1)]
    assert rule.level(np.array(people, dtype=float)).tolist() == [1, 0, 1, 2, 1, 0, 0, 1]


def test_the_risk_rises_with_the_level() -> None:
    rng = np.random.default_rng(2)
    matrix = rng.integers(0, 20, (5_000, 1)).astype(float)
    outcome = rng.random(5_000) < np.array([0.05, 0.15, 0.4])[(matrix[:, 0] >= 9).astype(int) + (matrix[:, 0] >= 13)]
    rule = ThresholdRule(("deficits",), (((("deficits", 9.0),),), ((("deficits", 13.0),),))).fit(matrix, outcome)
    green, amber, red = 1 / (1 + np.exp(-rule.decision_function(np.array([[0.0], [9.0], [13.0]]))))
    assert [green, amber, red] == pytest.approx([0.05, 0.15, 0.4], abs=0.03)
