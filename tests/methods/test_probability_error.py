"""Brier scores against published examples, and intervals against the same people drawn again and again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.probability_error import brier, brier_difference, scaled_brier

PREDICTED = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=30)


def test_brier_equals_the_published_example() -> None:
    # scikit-learn's documentation of brier_score_loss: 0.0375. Scaled by 0.25, the score of giving everybody a half: 0.85.
    outcome, probability = [0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]
    assert brier(outcome, probability).value == pytest.approx(0.0375, rel=1e-12)
    assert scaled_brier(outcome, probability).value == pytest.approx(0.85, rel=1e-12)


def test_the_interval_of_the_brier_score_is_that_of_a_mean() -> None:
    made = brier([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3])
    # Squares .01 .01 .04 .09: variance 0.0014250, standard error sqrt(0.001425 / 4).
    assert made.standard_error == pytest.approx(math.sqrt(0.001425 / 4), rel=1e-12)
    assert made.upper == pytest.approx(0.0375 + 1.959963984540054 * math.sqrt(0.001425 / 4), rel=1e-12)
    assert made.lower == pytest.approx(0.0375 - 1.959963984540054 * math.sqrt(0.001425 / 4), rel=1e-12)


def people(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-2, 1.2, count)
    outcome = rng.random(count) < 1 / (1 + np.exp(-log_odds))
    return outcome, 1 / (1 + np.exp(-0.8 * log_odds)), 1 / (1 + np.exp(-log_odds - rng.normal(0, 0.5, count)))


def test_standard_errors_are_those_of_people_drawn_again() -> None:
    """The delta method against the bootstrap of the same 2,000 people (seeded; within a tenth)."""
    outcome, a, b = people(3, 2000)
    rng = np.random.default_rng(8)
    drawn = [rng.integers(0, 2000, 2000) for _ in range(600)]
    scaled = np.std([scaled_brier(outcome[rows], a[rows]).value for rows in drawn])
    assert scaled_brier(outcome, a).standard_error == pytest.approx(scaled, rel=0.1)
    difference = np.std([brier_difference(outcome[rows], a[rows], b[rows]).value for rows in drawn])
    assert brier_difference(outcome, a, b).standard_error == pytest.approx(difference, rel=0.1)
    assert brier(outcome, a).standard_error == pytest.approx(np.std([brier(outcome[rows], a[rows]).value for rows in drawn]), rel=0.1)


def test_a_difference_is_that_of_the_two_scores_and_narrower_than_unpaired() -> None:
    outcome, a, b = people(5, 2000)
    made = brier_difference(outcome, a, b)
    assert made.value == pytest.approx(brier(outcome, a).value - brier(outcome, b).value, abs=1e-15)
    assert made.standard_error < brier(outcome, a).standard_error
    assert made.p_value == pytest.approx(math.erfc(abs(made.value) / made.standard_error / math.sqrt(2)), rel=1e-9)
    same = brier_difference(outcome, a, a)
    assert (same.value, same.lower, same.upper, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_the_inputs_are_left_as_they_were() -> None:
    outcome, a, b = people(6, 50)
    before = a.copy()
    brier(outcome, a)
    brier_difference(outcome, a, b)
    assert (a == before).all()


@pytest.mark.parametrize("outcome", [[0, 0, 0], [1, 1, 1]])
def test_the_scaled_score_needs_both_outcomes_and_the_plain_one_does_not(outcome: list[int]) -> None:
    assert all(math.isnan(number) for number in vars(scaled_brier(outcome, [0.1, 0.2, 0.4])).values())
    assert brier(outcome, [0.1, 0.2, 0.4]).value == pytest.approx(np.mean([(o - p) ** 2 for o, p in zip(outcome, [0.1, 0.2, 0.4], strict=True)]))


def test_nobody_and_one_person() -> None:
    assert all(math.isnan(number) for made in (brier([], []), scaled_brier([], []), brier_difference([], [], [])) for number in vars(made).values())
    alone = brier([1], [0.75])
    assert alone.value == 0.0625
    assert math.isnan(alone.lower)


def test_certain_and_right_is_perfect_and_certain_and_wrong_the_worst() -> None:
    assert (brier([0, 1, 1], [0, 1, 1]).value, scaled_brier([0, 1, 1], [0, 1, 1]).value, scaled_brier([0, 1, 1], [0, 1, 1]).upper) == (0, 1, 1)
    assert brier([0, 1], [1, 0]).value == 1
    assert brier([0, 1], [1, 0]).upper == 1


@given(PREDICTED)
def test_bounds_and_agreement_with_scikit_learn(given_people: list[tuple[bool, float]]) -> None:
    from sklearn.metrics import brier_score_loss

    outcome, probability = np.array([p[0] for p in given_people]), np.array([p[1] for p in given_people])
    made = brier(outcome, probability)
    assert made.value == pytest.approx(brier_score_loss(outcome, probability, labels=[False, True]), abs=1e-12)
    assert 0 <= made.lower <= made.value <= made.upper <= 1
    if outcome.any() and not outcome.all():
        assert scaled_brier(outcome, probability).value <= 1
        assert scaled_brier(outcome, np.full(outcome.size, outcome.mean())).value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("probability", [[0.5, 1.0000001], [-0.1, 0.5]])
def test_what_is_no_probability_is_refused(probability: list[float]) -> None:
    with pytest.raises(ValueError, match="1 probabilities do not lie between 0 and 1"):
        brier([0, 1], probability)
