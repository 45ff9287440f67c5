"""Limits of counts and crude rates, against values computed elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.counts import byar_interval, count_interval, crude_rate, exact_interval, observed_over_expected

# Recipe: half of scipy.stats.chi2.ppf((1 - c) / 2, 2 x) and of chi2.ppf((1 + c) / 2, 2 x + 2), scipy 1.17, recorded as numbers.
# The 95 % limits of 0 (3.689) and 10 (4.795-18.390) are those of Garwood's table (Biometrika 28, 1936).
EXACT = [
    (0, 0.95, 0.0, 3.6888794541139363),
    (1, 0.95, 0.025317807984289897, 5.571643390938898),
    (9, 0.95, 4.115373097378334, 17.084803451419166),
    (10, 0.95, 4.7953886961324335, 18.39035604201778),
    (10, 0.998, 2.96052037274376, 24.13397114541759),
]


@pytest.mark.parametrize(("count", "confidence", "lower", "upper"), EXACT)
def test_exact_limits_equal_values_from_elsewhere(count: int, confidence: float, lower: float, upper: float) -> None:
    made = exact_interval([count], confidence)
    assert made[0][0] == pytest.approx(lower, rel=1e-9)
    assert made[1][0] == pytest.approx(upper, rel=1e-9)


def test_byars_limits_are_those_of_its_formula_written_out() -> None:
    # Breslow and Day 1987, p. 69, worked with z = 1.959963984540054 and 895 events, the count of the worked rate below.
    z = 1.959963984540054
    lower, upper = byar_interval([895, 0])
    assert lower[0] == pytest.approx(895 * (1 - 1 / 8055 - z / (3 * math.sqrt(895))) ** 3, rel=1e-12)
    assert upper[0] == pytest.approx(896 * (1 - 1 / 8064 + z / (3 * math.sqrt(896))) ** 3, rel=1e-12)
    assert lower[1] == 0.0


def test_ten_events_are_the_first_with_byars_limits() -> None:
    lower, upper = count_interval([9, 10])
    assert (lower[0], upper[0]) == (exact_interval([9])[0][0], exact_interval([9])[1][0])
    assert (lower[1], upper[1]) == (byar_interval([10])[0][0], byar_interval([10])[1][0])


def test_a_crude_rate_is_told_per_so_many_and_not_without_people() -> None:
    value, lower, upper = crude_rate([5, 0, 0], [1000, 500, 0], per=1000)
    assert value[:2].tolist() == [5.0, 0.0]
    assert lower[1] == 0.0
    assert upper[1] == pytest.approx(2 * 3.6888794541139363)
    assert np.isnan([value[2], lower[2], upper[2]]).all()


def test_observed_over_expected_has_limits_at_zero_events() -> None:
    ratio, (lower, upper) = observed_over_expected([0, 20, 3], [2.0, 10.0, 0.0])
    assert (ratio[0], lower[0]) == (0.0, 0.0)
    assert upper[0] == pytest.approx(3.6888794541139363 / 2)
    assert lower[1] < ratio[1] == 2.0 < upper[1]
    assert np.isnan(ratio[2])


@given(st.integers(0, 10**6), st.floats(0.5, 0.9999))
def test_limits_hold_the_count_and_byars_lie_near_the_exact_ones(count: int, confidence: float) -> None:
    for lower, upper in (byar_interval([count], confidence), exact_interval([count], confidence), count_interval([count], confidence)):
        assert 0 <= lower[0] <= count < upper[0]
    if count >= 10:
        np.testing.assert_allclose(byar_interval([count], confidence), exact_interval([count], confidence), rtol=0.03)


@pytest.mark.parametrize("made", [lambda: byar_interval([-1]), lambda: exact_interval([float("nan")]), lambda: exact_interval([1], 1.0)])
def test_what_is_no_count_is_refused(made: object) -> None:
    with pytest.raises(ValueError, match=r"counts are below 0|confidence"):
        made()  # type: ignore[operator]


@pytest.mark.parametrize("made", [lambda: crude_rate([1], [0]), lambda: crude_rate([1], [-2]), lambda: observed_over_expected([1], [-1.0])])
def test_what_is_no_population_is_refused(made: object) -> None:
    with pytest.raises(ValueError, match=r"populations are|expected numbers are"):
        made()  # type: ignore[operator]
