"""Differences and ratios of two groups, against published values, and how many people would close a gap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.gaps import (
    difference_of_proportions,
    difference_of_rates,
    people_to_close,
    people_to_target,
    ratio_of_proportions,
    ratio_of_rates,
)

# Source: R. G. Newcombe, Stat Med 17 (1998) 873-890, table II, method 10, cases (a) to (h) without (f): four decimals as printed.
NEWCOMBE = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


@pytest.mark.parametrize(("x", "n", "y", "m", "lower", "upper"), NEWCOMBE)
def test_the_difference_has_newcombes_limits(x: int, n: int, y: int, m: int, lower: float, upper: float) -> None:
    value, low, high = difference_of_proportions([x], [n], [y], [m])
    assert value[0] == pytest.approx(x / n - y / m)
    assert (round(float(low[0]), 4), round(float(high[0]), 4)) == (lower, upper)


people = st.integers(1, 10**5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(people, people, st.floats(0.5, 0.999))
def test_gaps_hold_their_value_and_turn_over_with_the_groups(first: tuple[int, int], second: tuple[int, int], confidence: float) -> None:
    (x, n), (y, m) = first, second
    value, lower, upper = (part[0] for part in difference_of_proportions([x], [n], [y], [m], confidence))
    assert -1 - 1e-12 <= lower <= value <= upper <= 1 + 1e-12
    turned = difference_of_proportions([y], [m], [x], [n], confidence)
    np.testing.assert_allclose([turned[0][0], turned[1][0], turned[2][0]], [-value, -upper, -lower], atol=1e-12)
    ratio, low, high = (part[0] for part in ratio_of_proportions([x], [n], [y], [m], confidence))
    if x and y:
        assert 0 < low <= ratio * (1 + 1e-9)
        assert ratio <= high * (1 + 1e-9)
        other = ratio_of_proportions([y], [m], [x], [n], confidence)
        np.testing.assert_allclose([other[0][0], other[1][0], other[2][0]], [1 / ratio, 1 / high, 1 / low], rtol=1e-6)


def test_a_ratio_at_none_and_all() -> None:
    value, lower, upper = ratio_of_proportions([0, 5, 0], [10, 10, 10], [4, 0, 0], [10, 10, 10])
    assert (value[0], lower[0]) == (0.0, 0.0)
    assert 0 < upper[0] < 1
    assert (math.isnan(value[1]), lower[1] > 0, upper[1]) == (True, True, math.inf)
    assert np.isnan([value[2], lower[2], upper[2]]).all()


def test_large_groups_agree_with_the_logarithmic_interval() -> None:
    # Recipe: scipy.stats.contingency.relative_risk(5600, 7000, 4800, 8000).confidence_interval(), scipy 1.17 (Katz's interval), recorded as numbers.
    _, lower, upper = ratio_of_proportions([5600], [7000], [4800], [8000])
    assert (lower[0], upper[0]) == pytest.approx((1.3051227689, 1.3621536763), abs=1e-4)


def test_a_rate_ratio_has_the_exact_limits_of_a_binomial_share() -> None:
    # Recipe: scipy.stats.binomtest(10, 20).proportion_ci(0.95, "exact") = 0.2719578, 0.7280422, as odds, times 200 / 100.
    value, lower, upper = ratio_of_rates([10, 0, 5, 0], [100, 10, 10, 5], [10, 5, 0, 0], [200, 10, 10, 5])
    assert value[0] == pytest.approx(2.0)
    assert (lower[0], upper[0]) == pytest.approx((2 * 0.2719578 / 0.7280422, 2 * 0.7280422 / 0.2719578), rel=1e-6)
    assert (value[1], lower[1], upper[2]) == (0.0, 0.0, math.inf)
    assert np.isnan(value[2:]).all()
    assert math.isnan(upper[3])


def test_a_difference_of_rates_reaches_as_far_as_both_rates_do() -> None:
    value, lower, upper = difference_of_rates([0], [1000], [0], [1000], per=1000)
    assert value[0] == 0
    assert (lower[0], upper[0]) == pytest.approx((-3.6888794541139363, 3.6888794541139363))


def test_people_to_close_a_gap_and_to_reach_a_target() -> None:
    # 40 of 100 against 150 of 200 (75 %): 35 more; the other way round nobody. 1 of 3 against 1 of 3: nobody. 0 of 10 against 1 of 1000: one.
    assert people_to_close([40, 150, 1, 0, 3], [100, 200, 3, 10, 9], [150, 40, 1, 1, 0], [200, 100, 3, 1000, 0]).tolist() == [35, 0, 0, 1, 0]
    assert people_to_close([40], [100], [10], [100], is_higher_better=False).tolist() == [30]
    assert people_to_target([40, 77, 78], [100, 101, 101], 0.77).tolist() == [37, 1, 0]


@given(people, people, st.booleans())
def test_so_many_people_close_it_and_one_fewer_does_not(first: tuple[int, int], second: tuple[int, int], is_higher_better: bool) -> None:
    (x, n), (y, m) = first, second
    needed = int(people_to_close([x], [n], [y], [m], is_higher_better)[0])
    step = 1 if is_higher_better else -1
    assert step * ((x + step * needed) * m - y * n) >= 0
    assert needed == 0 or step * ((x + step * (needed - 1)) * m - y * n) < 0


def test_what_is_no_group_is_refused() -> None:
    for wrong in (
        lambda: people_to_close([2], [1], [0], [1]),
        lambda: difference_of_rates([1], [0], [1], [1]),
        lambda: people_to_target([1], [2], 1.1),
    ):
        with pytest.raises(ValueError, match=r"below 0|nobody|target"):
            wrong()
