"""Restricted cubic splines against the natural splines of scipy, which hold the same curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from fuller_popheath.methods.splines import FIVE_KNOTS, FOUR_KNOTS, THREE_KNOTS, restricted_cubic_spline


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=6, unique_by=lambda v: round(v, 1)).map(sorted), st.integers(0, 99))
def test_every_natural_spline_through_the_knots_is_a_sum_of_the_columns(knots: list[float], seed: int) -> None:
    t = np.array(knots)
    spline = CubicSpline(t, np.random.default_rng(seed).normal(size=t.size), bc_type="natural")
    x = np.linspace(t[0], t[-1], 60)
    columns = np.column_stack([np.ones(x.size), restricted_cubic_spline(x, t)])
    weights, *_ = np.linalg.lstsq(columns, spline(x), rcond=None)
    np.testing.assert_allclose(columns @ weights, spline(x), atol=1e-6)


@pytest.mark.parametrize("knots", [(-1.0, 0.5, 2.0), (-2.0, -1.0, 0.0, 1.0, 4.0)])
def test_columns_are_straight_beyond_the_outermost_knots(knots: tuple[float, ...]) -> None:
    for side in (knots[0] - np.arange(1, 6), knots[-1] + np.arange(1, 6)):
        bends = np.diff(restricted_cubic_spline(side, knots), n=2, axis=0)
        np.testing.assert_allclose(bends, 0, atol=1e-9)


def test_a_column_worked_by_hand() -> None:
    # Knots 0, 1, 3 at x = 2: (2^3 - (2 - 1)^3 x 3 / 2) / 3^2 = 6.5 / 9; at x = 4: (64 - 27 x 3 / 2 + 1 x 1 / 2) / 9 = 24 / 9.
    made = restricted_cubic_spline([-1, 0, 2, 4], [0, 1, 3])
    np.testing.assert_allclose(made, [[-1, 0], [0, 0], [2, 6.5 / 9], [4, 24 / 9]], atol=1e-12)


def test_shapes_and_refusals() -> None:
    for quantiles in (THREE_KNOTS, FOUR_KNOTS, FIVE_KNOTS):
        assert restricted_cubic_spline(np.arange(7), quantiles).shape == (7, len(quantiles) - 1)
    assert restricted_cubic_spline([1, 2], []).tolist() == [[1], [2]]
    for knots in ([1.0], [1.0, 2.0], [1.0, 1.0, 2.0], [3.0, 2.0, 1.0]):
        with pytest.raises(ValueError, match="three knots"):
            restricted_cubic_spline([1.0], knots)
