"""What would have become of a chosen group: exact where it can be counted by hand, against published limits, and over many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.regression_to_mean import regression_to_mean, shares_alike, weights_alike

# Source: R. G. Newcombe, Stat Med 17 (1998) 873-890, table II, method 10, cases (a), (b), (d), (e), (g): with one stratum the limits are his.
NEWCOMBE = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
]


def test_the_fall_of_a_group_chosen_for_its_past_is_that_of_everybody_like_it() -> None:
    # Eight people who have none or two admissions in any year with one chance in two, whatever came before: four of each past, two of each future.
    before = np.array([2, 2, 2, 2, 0, 0, 0, 0])
    after = np.array([2, 0, 2, 0, 2, 0, 2, 0])
    chosen = np.array([True, True, False, False, False, False, False, False])
    year = np.ones(8)
    found = regression_to_mean(before, after, year, year, chosen, before)
    # From two a year to one, as the two others with two the year before: a fall by half with nothing done.
    assert (found.matched, found.unmatched, found.compared) == (2, 0, 2)
    assert (found.before, found.after, found.before_alike, found.after_alike) == (2.0, 1.0, 2.0, 1.0)
    assert found.difference.value == 0
    # Residuals of 1, -1 on either side, each with weight 1 in a sum of 2 years: standard error sqrt(2 / 4 + 2 / 4).
    assert found.difference.standard_error == pytest.approx(1.0)
    assert found.difference.upper == pytest.approx(1.959964, abs=1e-6)


def test_strata_are_weighted_to_the_chosen_and_time_is_that_lived() -> None:
    stratum = np.array(["low", "low", "low", "high", "high", "alone", "nobody chosen"])
    chosen = np.array([True, False, False, True, False, True, False])
    assert weights_alike(chosen, stratum).tolist() == [1, 0.5, 0.5, 1, 1, 0, 0]
    after, years = np.array([0, 1, 0, 3, 2, 9, 9]), np.array([1, 1, 1, 0.5, 0.5, 1, 1])
    found = regression_to_mean(np.array([1, 1, 1, 4, 5, 7, 0]), after, np.ones(7), years, chosen, stratum)
    assert (found.matched, found.unmatched, found.compared) == (2, 1, 3)
    # (0 + 3) / 1.5 against (0.5 x 1 + 0.5 x 0 + 2) / (0.5 + 0.5 + 0.5); the one alone and the one like nobody are in neither.
    assert (found.before, found.after) == (2.5, 2.0)
    assert (found.before_alike, found.after_alike) == (3.0, pytest.approx(2.5 / 1.5))


@pytest.mark.parametrize(("x", "n", "y", "m", "lower", "upper"), NEWCOMBE)
def test_with_one_stratum_the_shares_have_newcombes_limits(x: int, n: int, y: int, m: int, lower: float, upper: float) -> None:
    outcome = np.concatenate([np.arange(n) < x, np.arange(m) < y])
    found = shares_alike(outcome, np.arange(n + m) < n, np.zeros(n + m))
    assert found.difference == pytest.approx(x / n - y / m)
    assert (round(found.lower, 4), round(found.upper, 4)) == (lower, upper)


def test_shares_of_two_strata_by_hand() -> None:
    # Three of four chosen in the first stratum, whose others have 1 in 2; one in the second, whose others have 3 in 4.
    chosen = np.array([True] * 4 + [False] * 6)
    stratum = np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1])
    outcome = np.array([1, 0, 0, 1, 1, 0, 1, 1, 1, 0])
    found = shares_alike(outcome, chosen, stratum)
    assert (found.matched, found.compared) == (4, 6)
    assert found.share == 0.5
    assert found.share_alike == pytest.approx(0.75 * 0.5 + 0.25 * 0.75)
    assert found.difference == pytest.approx(0.5 - 0.5625)
    assert found.lower < found.difference < found.upper


def test_nobody_alike_is_undefined_and_never_a_guess() -> None:
    chosen, stratum = np.array([True, False]), np.array([1, 2])
    found = regression_to_mean([3, 1], [1, 1], [1, 1], [1, 1], chosen, stratum)
    assert (found.matched, found.unmatched, found.compared) == (0, 1, 0)
    assert all(math.isnan(each) for each in (found.before, found.after, found.after_alike, found.difference.value))
    assert math.isnan(shares_alike([1, 0], chosen, stratum).difference)
    assert shares_alike([], [], []).matched == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=60))
def test_both_sides_weigh_the_same_in_every_stratum(people: list[tuple[bool, int]]) -> None:
    chosen, stratum = np.array([each[0] for each in people], bool), np.array([each[1] for each in people], int)
    weight = weights_alike(chosen, stratum)
    for number in set(stratum.tolist()):
        own, others = (weight[(stratum == number) & side].sum() for side in (chosen, ~chosen))
        assert own == pytest.approx(others)
        assert own in (0, (chosen & (stratum == number)).sum())


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(20)
    held = {"rate": 0, "share": 0}
    for _ in range(300):
        frailty = rng.gamma(1.0, 0.5, 1500)
        before, after = rng.poisson(frailty), rng.poisson(frailty)
        chosen = rng.random(1500) < np.where(before > 0, 0.4, 0.05)
        stratum = np.minimum(before, 3)
        year = np.ones(1500)
        found = regression_to_mean(before, after, year, year, chosen, stratum).difference
        shares = shares_alike(after > 0, chosen, stratum)
        held["rate"] += found.lower <= 0 <= found.upper
        held["share"] += shares.lower <= 0 <= shares.upper
    # Of 300 intervals of 95 % between 91 and 99 % hold (four standard errors).
    assert all(273 <= count <= 299 for count in held.values()), held


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [1], [1], [1], [True, False], [0]), "1 strata for 2 people"),
        (([1], [1], [1], [1], [True, False], [0, 0]), "4 of the four columns"),
        (([1], [1], [1], [-1], [True], [0]), "1 spans of time are below 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regression_to_mean(*columns)


def test_outcomes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1 outcomes for 2 people"):
        shares_alike([1], [True, False], [0, 0])
