"""A jump at a cut-off: exact on curves without noise, the same as the bias taken out by its own formula, and over many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fuller_popheath.methods.discontinuity import best_bandwidth, discontinuity


def people(seed: int, size: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Risks as a list sees them, skewed, with a fifth above the cut-off; who is above has the outcome less often by `effect`."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(1.5, 6, size)
    cut = np.quantile(risk, 0.8)
    above = risk > cut
    return risk - cut, rng.random(size) < risk - np.where(above, effect, 0), above


def test_curves_without_noise_give_their_jump() -> None:
    x = np.linspace(-1, 1, 401)
    above = x > 0
    y = np.where(above, 2 + 3 * x - x**2, 1 - 2 * x + 4 * x**2)
    found = discontinuity(x, y, above, bandwidth=0.5)
    assert found.value == pytest.approx(1.0, abs=1e-9)
    assert found.upper - found.lower == pytest.approx(0, abs=1e-6)
    # Within 0.5 of it, without the ends; the person at 0 stands below.
    assert (found.below, found.above) == (100, 99)
    straight = discontinuity(x, np.where(above, 5 + x, x), above, bandwidth=0.5)
    assert (straight.plain, straight.value) == (pytest.approx(5.0), pytest.approx(5.0))


def test_the_value_is_the_lines_less_their_estimated_bias() -> None:
    # S. Calonico, M. Cattaneo, R. Titiunik, Econometrica 82 (2014), remark 7, told the long way: the intercept of the line less what the
    # line makes of the curvature that the quadratic finds.
    x, y, above = people(3, 3000, 0.1)
    width, jumps = 0.15, []
    for side in (~above, above):
        near = side & (np.abs(x) < width)
        weight = 1 - np.abs(x[near]) / width
        line, curve = (np.vander(x[near], degree + 1, increasing=True) for degree in (1, 2))
        solve = [np.linalg.solve(design.T @ (weight[:, None] * design), design.T * weight) for design in (line, curve)]
        curvature = (solve[1] @ y[near])[2]
        jumps.append(((solve[0] @ y[near])[0], (solve[0] @ x[near] ** 2)[0] * curvature))
    found = discontinuity(x, y, above, bandwidth=width)
    assert found.plain == pytest.approx(jumps[1][0] - jumps[0][0])
    assert found.value == pytest.approx(found.plain - (jumps[1][1] - jumps[0][1]))


def test_the_variance_is_hc3_of_a_regression_on_either_side() -> None:
    x, y, above = people(4, 800, 0.0)
    width, variance = 0.2, 0.0
    for side in (~above, above):
        near = side & (np.abs(x) < width)
        weight = 1 - np.abs(x[near]) / width
        design = np.vander(x[near], 3, increasing=True)
        bread = np.linalg.inv(design.T @ (weight[:, None] * design))
        hat = np.diag(design @ bread @ design.T * weight)
        residual = (y[near] - design @ bread @ (design.T * weight) @ y[near]) / (1 - hat)
        variance += (bread @ (design.T * (weight * residual) ** 2) @ design @ bread)[0, 0]
    found = discontinuity(x, y, above, bandwidth=width)
    assert found.upper - found.lower == pytest.approx(2 * 1.959964 * math.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("effect", [0.0, 0.12])
def test_over_many_draws_a_planted_effect_and_none_are_found_again(effect: float) -> None:
    found = [discontinuity(*people(seed, 4000, effect)) for seed in range(150)]
    held = sum(each.lower <= -effect <= each.upper for each in found)
    # Of 150 intervals of 95 % at least 131 hold (four standard errors), and on average the value is right (four standard errors of the mean).
    assert held >= 131
    values = np.array([each.value for each in found])
    assert abs(values.mean() + effect) < 4 * values.std() / math.sqrt(150)


def test_the_unit_of_the_distance_does_not_matter() -> None:
    x, y, above = people(5, 2000, 0.1)
    one, other = discontinuity(x, y, above), discontinuity(1000 * x, y, above)
    assert other.bandwidth == pytest.approx(1000 * one.bandwidth)
    assert (other.value, other.lower) == (pytest.approx(one.value), pytest.approx(one.lower))


def test_more_people_and_more_noise_move_the_bandwidth_as_they_should() -> None:
    x, y, above = people(6, 1000, 0.0)
    many = best_bandwidth(*people(6, 30_000, 0.0))
    assert 0 < many < best_bandwidth(x, y, above) <= np.abs(x).max() * 1.001


@pytest.mark.parametrize("outcome", [[0, 1, 0], [0, 0, 0]])
def test_too_few_people_or_nothing_that_varies_is_undefined(outcome: list[int]) -> None:
    found = discontinuity([-1, -0.5, 1], outcome, [False, False, True])
    assert math.isnan(found.value)
    assert math.isnan(found.lower)
    assert math.isnan(best_bandwidth([0.0, 0.0], [0, 1], [False, True]))


def test_somebody_on_the_wrong_side_and_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1 people stand on the other side"):
        discontinuity([-1, 1], [0, 1], [True, True])
    with pytest.raises(ValueError, match="2 distances, 1 outcomes and 2 sides"):
        discontinuity([-1, 1], [0], [False, True])
