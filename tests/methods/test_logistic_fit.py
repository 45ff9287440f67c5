"""Maximum likelihood of a few columns: the equations hold at the maximum, and where there is none it says so."""

from __future__ import annotations

import numpy as np
import pytest

from fuller_popheath.methods.logistic_fit import BLOCK, fit_logistic


def test_the_maximum_solves_the_likelihood_equations() -> None:
    # Disease by age, data of the SAS/STAT User's Guide, PROC LOGISTIC, example "ROC Curve, Customized Odds Ratios": diseased of how many at 25
    # to 75. (A published fit, with its standard errors, is in test_calibration.)
    age, diseased, count = np.array([25, 35, 45, 55, 65, 75.0]), np.array([0, 0, 0, 7, 6, 17]), np.array([14, 20, 19, 18, 12, 17])
    columns = np.column_stack([np.ones(count.sum()), np.repeat(age, count)])
    outcome = np.concatenate([np.arange(n) < d for n, d in zip(count, diseased, strict=True)])
    made = fit_logistic(columns, outcome)
    assert made is not None
    fitted = 1 / (1 + np.exp(-columns @ made.coefficients))
    np.testing.assert_allclose(columns.T @ fitted, columns.T @ outcome, rtol=1e-12)
    information = (columns * (fitted * (1 - fitted))[:, None]).T @ columns
    np.testing.assert_allclose(made.covariance @ information, np.eye(2), atol=1e-9)


def test_an_offset_is_taken_as_it_is() -> None:
    rng = np.random.default_rng(1)
    offset = rng.normal(size=500)
    outcome = rng.random(500) < 0.3
    made = fit_logistic(np.ones((500, 1)), outcome, offset)
    assert made is not None
    assert (1 / (1 + np.exp(-offset - made.coefficients[0]))).sum() == pytest.approx(outcome.sum(), rel=1e-12)


def test_a_far_away_maximum_is_reached() -> None:
    outcome = np.arange(100) < 50
    made = fit_logistic(np.ones((100, 1)), outcome, np.full(100, -18.0))
    assert made is not None
    assert made.coefficients[0] == pytest.approx(18.0, rel=1e-9)


def test_blocks_of_people_add_up() -> None:
    rng = np.random.default_rng(2)
    columns = np.column_stack([np.ones(2 * BLOCK + 7), rng.normal(size=2 * BLOCK + 7)])
    outcome = rng.random(len(columns)) < 1 / (1 + np.exp(1 - columns[:, 1]))
    made = fit_logistic(columns, outcome)
    assert made is not None
    fitted = 1 / (1 + np.exp(-columns @ made.coefficients))
    np.testing.assert_allclose(columns.T @ (outcome - fitted), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("columns", "outcome"),
    [
        ([[1.0], [1.0], [1.0]], [True, True, True]),
        ([[1.0, 1], [1, 2], [1, 3], [1, 4]], [False, False, True, True]),
        ([[1.0, 2], [1, 2], [1, 2], [1, 2]], [False, True, False, True]),
        ([[0.0], [0.0]], [False, True]),
        (np.empty((0, 1)), []),
    ],
)
def test_where_there_is_no_maximum_it_says_so(columns: list[list[float]], outcome: list[bool]) -> None:
    assert fit_logistic(np.asarray(columns, dtype=float), np.asarray(outcome, dtype=bool)) is None
