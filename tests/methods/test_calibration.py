"""Calibration against published logistic regressions, England's public-health vectors, and routes that share nothing with ours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit

from fuller_popheath.methods.calibration import (
    calibration_curve,
    calibration_groups,
    calibration_in_the_large,
    calibration_line,
    calibration_slope,
    joint_intercept,
    observed_over_expected,
    observed_over_expected_of_counts,
)

# Dalal, Fowlkes and Hoadley, J Am Stat Assoc 84 (1989) 945-957: launch temperature (F) and whether a ring showed distress. R's summary(glm()) of
# it, printed in many courses: intercept 15.0429 (standard error 7.3786), temperature -0.2322 (0.1082).
TEMPERATURE = np.array([66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58], dtype=float)
DISTRESS = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1], dtype=bool)


def people(count: int, seed: int = 2, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = rng.normal(-2, 1.2, count)
    return rng.random(count) < expit(shift + slope * predicted), expit(predicted)


def test_intercept_and_slope_are_those_of_a_published_logistic_regression() -> None:
    # Predicted log-odds 7 - temperature / 10, so that slope = 10 x 0.2322 and intercept = 15.0429 - 7 x 2.322.
    made = calibration_line(DISTRESS, expit(7 - TEMPERATURE / 10))
    assert made.slope.value == pytest.approx(2.322, abs=0.0005)
    assert made.slope.standard_error == pytest.approx(1.082, abs=0.0005)
    assert made.joint_intercept.value == pytest.approx(15.0429 - 7 * 2.322, abs=0.004)
    assert made.slope.upper == pytest.approx(made.slope.value + 1.959963984540054 * made.slope.standard_error)
    # Predicted log-odds of -temperature / 10 give the published intercept itself.
    raw = calibration_line(DISTRESS, expit(-TEMPERATURE / 10))
    assert raw.joint_intercept.value == pytest.approx(15.0429, abs=0.00005)
    assert raw.joint_intercept.standard_error == pytest.approx(7.3786, abs=0.00005)
    assert calibration_slope(DISTRESS, expit(-TEMPERATURE / 10)) == raw.slope
    assert joint_intercept(DISTRESS, expit(-TEMPERATURE / 10)) == raw.joint_intercept


def test_in_the_large_of_one_probability_has_a_closed_form() -> None:
    made = calibration_in_the_large([1] * 30 + [0] * 170, [0.1] * 200)
    assert made.value == pytest.approx(logit(0.15) - logit(0.1), rel=1e-10)
    assert made.standard_error == pytest.approx(1 / math.sqrt(200 * 0.15 * 0.85), rel=1e-10)


def test_in_the_large_makes_the_expected_count_the_observed_one() -> None:
    outcome, probability = people(3000, shift=0.4)
    made = calibration_in_the_large(outcome, probability)
    assert expit(logit(probability) + made.value).sum() == pytest.approx(outcome.sum(), rel=1e-10)
    assert made.lower < 0.4 < made.upper


def test_in_the_large_is_not_the_joint_intercept() -> None:
    outcome, probability = people(20_000, slope=0.6, shift=-0.8)
    line = calibration_line(outcome, probability)
    assert line.slope.value == pytest.approx(0.6, abs=0.05)
    assert line.joint_intercept.value == pytest.approx(-0.8, abs=0.1)
    assert abs(calibration_in_the_large(outcome, probability).value - line.joint_intercept.value) > 0.3


def test_the_line_is_the_one_scikit_learn_fits_without_penalty() -> None:
    from sklearn.linear_model import LogisticRegression

    outcome, probability = people(1500, slope=0.7, shift=0.2)
    other = LogisticRegression(C=1e12, tol=1e-12, max_iter=1000).fit(logit(probability).reshape(-1, 1), outcome)
    made = calibration_line(outcome, probability)
    assert (made.joint_intercept.value, made.slope.value) == pytest.approx((other.intercept_[0], other.coef_[0, 0]), abs=1e-5)


@pytest.mark.parametrize("outcome", [[0] * 6, [1] * 6, []])
def test_without_both_outcomes_no_line_and_no_curve(outcome: list[int]) -> None:
    probability = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6][: len(outcome)]
    line = calibration_line(outcome, probability)
    for made in (calibration_in_the_large(outcome, probability), line.slope, line.joint_intercept):
        assert all(math.isnan(number) for number in vars(made).values())
    curve = calibration_curve(outcome, probability)
    assert curve.predicted.size == curve.observed.size == 0
    assert all(math.isnan(number) for number in (curve.ici, curve.e50, curve.e90, curve.emax))


def test_no_slope_where_everybody_has_one_probability_or_the_outcomes_are_separated() -> None:
    assert math.isnan(calibration_slope([0, 1, 0, 1], [0.3] * 4).value)
    assert math.isnan(calibration_slope([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5]).value)
    assert math.isnan(calibration_slope([1, 1, 0, 0, 0], [0.1, 0.2, 0.2, 0.4, 0.5]).value)
    assert math.isfinite(calibration_in_the_large([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5]).value)


def test_probabilities_of_exactly_0_and_1_are_those_just_beside_them() -> None:
    outcome, probability = people(400)
    probability[:4], outcome[:4] = [0, 1, 0, 1], [False, True, True, False]
    beside = np.clip(probability, 1e-8, 1 - 1e-8)
    assert calibration_in_the_large(outcome, probability) == calibration_in_the_large(outcome, beside)
    assert calibration_line(outcome, probability) == calibration_line(outcome, beside)
    assert math.isfinite(calibration_slope(outcome, probability).value)
    assert math.isfinite(calibration_curve(outcome, probability).ici)


# PHEindicatormethods' own test results of phe_isr (testresults_ISR, ratio x 1): observed, expected, value, 95 % and 99.8 % limits.
STANDARDISED = [
    (895, 835.8835612311743, 1.0707232939020275, 1.0017147712553987, 1.143233287249895, 0.9635155619614437, 1.1860070415876287),
    (91, 835.8835612311743, 0.10886683770400503, 0.08765040101829405, 0.1336657632841891, 0.07695425528392111, 0.14897920510466744),
    (9, 835.8835612311743, 0.010767049882813684, 0.004923380825095776, 0.02043921455549973, 0.0029339306550682617, 0.02710589651469021),
]


@pytest.mark.parametrize(("observed", "expected", "ratio", "lower", "upper", "lower_998", "upper_998"), STANDARDISED)
def test_observed_over_expected_equals_england_s_standardised_ratio(
    observed: int, expected: float, ratio: float, lower: float, upper: float, lower_998: float, upper_998: float
) -> None:
    made = observed_over_expected_of_counts(observed, expected)
    assert (made.value, made.lower, made.upper) == pytest.approx((ratio, lower, upper), rel=1e-12)
    wide = observed_over_expected_of_counts(observed, expected, 0.998)
    assert (wide.lower, wide.upper) == pytest.approx((lower_998, upper_998), rel=1e-12)


def test_observed_over_expected_of_nobody_and_of_no_events() -> None:
    assert math.isnan(observed_over_expected([], []).value)
    assert math.isnan(observed_over_expected([1, 0], [0, 0]).upper)
    none = observed_over_expected([0] * 5, [0.2] * 5)
    # The exact upper limit of a count of 0 is ln(1 / 0.025) = 3.6889.
    assert (none.value, none.lower, none.upper) == pytest.approx((0, 0, math.log(40)))
    everybody = observed_over_expected([1] * 5, [0.5] * 5)
    assert everybody.value == 2
    assert math.isnan(observed_over_expected_of_counts(math.nan, 3).value)


def test_groups_are_tenths_that_never_part_people_of_one_probability() -> None:
    outcome, probability = people(1003)
    made = calibration_groups(outcome, probability)
    assert sorted(set(made.people_count.tolist())) in ([100, 101], [100, 101, 102])
    assert (made.people_count.sum(), made.outcome_count.sum()) == (1003, outcome.sum())
    assert made.expected_count.sum() == pytest.approx(probability.sum())
    assert (np.diff(made.predicted_share) > 0).all()
    rounded = np.round(probability, 1)
    tied = calibration_groups(outcome, rounded)
    assert tied.people_count.sum() == 1003
    assert tied.people_count.size < 10
    assert tied.people_count[0] == ((rounded == 0) | (rounded == 0.1)).sum() or tied.people_count[0] == (rounded == 0).sum()


def test_groups_of_five_people_and_of_nobody() -> None:
    made = calibration_groups([0, 0, 1, 0, 1], [0, 0.2, 0.4, 0.6, 1])
    assert made.people_count.tolist() == [1] * 5
    assert made.observed_share.tolist() == [0, 0, 1, 0, 1]
    # Wilson's limits of 0 in 1 and 1 in 1 (scipy's binomtest).
    assert made.upper[0] == pytest.approx(1 - 0.20654931437723745)
    assert made.lower[2] == pytest.approx(0.20654931437723745)
    assert calibration_groups([], []).people_count.size == 0
    with pytest.raises(ValueError, match="one group"):
        calibration_groups([0, 1], [0.1, 0.2], groups=0)


def _natural_spline_curve(outcome: np.ndarray, probability: np.ndarray, quantiles: tuple[float, ...]) -> np.ndarray:
    """The same curve by another route: natural splines through unit heights (scipy), fitted by scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    x = logit(probability)
    knots = np.quantile(x, quantiles)
    columns = []
    for height in np.eye(knots.size):
        spline = CubicSpline(knots, height, bc_type="natural")
        inside = spline(np.clip(x, knots[0], knots[-1]))
        columns.append(inside + spline(knots[0], 1) * np.minimum(x - knots[0], 0) + spline(knots[-1], 1) * np.maximum(x - knots[-1], 0))
    design = np.column_stack(columns)
    fit = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000, fit_intercept=False, solver="newton-cholesky").fit(design, outcome)
    return fit.predict_proba(design)[:, 1]


@pytest.mark.parametrize("quantiles", [(0.05, 0.275, 0.5, 0.725, 0.95), (0.1, 0.5, 0.9)])
def test_curve_and_ici_equal_another_route_to_the_same_spline(quantiles: tuple[float, ...]) -> None:
    outcome, probability = people(4000, slope=0.7, shift=0.3)
    made = calibration_curve(outcome, probability, knot_quantiles=quantiles)
    other = _natural_spline_curve(outcome, probability, quantiles)
    distance = np.abs(other - probability)
    expected = (distance.mean(), np.median(distance), np.quantile(distance, 0.9), distance.max())
    assert (made.ici, made.e50, made.e90, made.emax) == pytest.approx(expected, abs=1e-6)
    order = np.argsort(probability)
    np.testing.assert_allclose(made.observed, np.interp(made.predicted, probability[order], other[order]), atol=5e-4)
    if len(quantiles) == 5:
        assert made.knots == calibration_curve(outcome, probability).knots == pytest.approx(np.quantile(probability, quantiles), rel=1e-3)


def test_the_curve_finds_what_was_planted_and_its_band_holds_it() -> None:
    outcome, probability = people(60_000, slope=0.6, shift=-0.5)
    made = calibration_curve(outcome, probability, points=40)
    truth = expit(-0.5 + 0.6 * logit(made.predicted))
    assert ((made.lower <= truth) & (truth <= made.upper)).mean() > 0.8
    assert (made.lower <= made.observed).all()
    assert (made.observed <= made.upper).all()
    assert made.ici == pytest.approx(np.abs(expit(-0.5 + 0.6 * logit(probability)) - probability).mean(), abs=0.004)
    right = calibration_curve(*people(60_000))
    assert right.ici < 0.004 < made.ici


def test_the_ends_of_the_curve_are_no_single_person() -> None:
    outcome, probability = people(1000)
    made = calibration_curve(outcome, probability, points=7)
    ordered = np.sort(probability)
    assert (made.predicted.size, made.predicted[0], made.predicted[-1]) == (7, ordered[9], ordered[-10])
    assert np.diff(made.predicted) == pytest.approx(np.diff(made.predicted)[0])


def test_a_few_predictions_are_compared_as_they_are() -> None:
    made = calibration_curve([1, 0, 0, 0] * 25 + [1, 1, 1, 0] * 25, [0.2] * 100 + [0.7] * 100)
    assert (made.predicted.tolist(), made.observed.tolist()) == ([0.2, 0.7], [0.25, 0.75])
    assert (made.ici, made.e50, made.e90, made.emax) == pytest.approx((0.05, 0.05, 0.05, 0.05))
    assert made.lower[0] == pytest.approx(0.1754521, abs=1e-6)  # Wilson's lower limit of 25 in 100
    certain = calibration_curve([0, 0, 1, 0, 1], [0, 0, 1, 0, 1])
    assert (certain.observed.tolist(), certain.ici, certain.emax) == ([0, 1], 0, 0)
    uneven = calibration_curve([0] * 9 + [1], [0.3] * 9 + [0.9])
    assert (uneven.ici, uneven.e50, uneven.emax) == pytest.approx((0.9 * 0.3 + 0.1 * 0.1, 0.3, 0.3))


def test_a_curve_of_few_people_falls_back_to_a_line_and_then_to_nothing() -> None:
    few = calibration_curve([0, 1, 0, 0, 1, 0, 1, 1], np.linspace(0.1, 0.8, 8))
    assert np.isfinite(few.observed).all()
    assert math.isfinite(few.ici)
    apart = calibration_curve([0, 0, 0, 1, 1, 1, 1], np.linspace(0.1, 0.7, 7))
    assert apart.predicted.size == 0
    assert math.isnan(apart.ici)
    outcome, probability = people(3000)
    probability[:2900] = 0.1
    heaped = calibration_curve(outcome, probability)
    assert heaped.knots == ()
    assert math.isfinite(heaped.ici)


def test_predictions_that_differ_by_rounding_alone_do_no_harm() -> None:
    outcome, _ = people(500)
    probability = 0.2 + np.arange(500) * 1e-17
    assert math.isnan(calibration_slope(outcome, probability).value)
    barely = 0.2 + np.arange(500) * 1e-13
    assert calibration_curve(outcome, barely).predicted.size in (0, 101)


PREDICTED = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.02, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 1.0])), min_size=1, max_size=40)


@given(PREDICTED)
def test_nothing_leaves_its_bounds_whatever_is_given(given_people: list[tuple[bool, float]]) -> None:
    outcome, probability = np.array([p[0] for p in given_people]), np.array([p[1] for p in given_people])
    curve = calibration_curve(outcome, probability)
    assert ((curve.lower >= 0) & (curve.upper <= 1) & (curve.lower <= curve.observed) & (curve.observed <= curve.upper)).all()
    if math.isfinite(curve.ici):
        assert 0 <= curve.ici <= curve.emax + 1e-12 <= 1 + 1e-9
        assert curve.e50 <= curve.e90 <= curve.emax
    groups = calibration_groups(outcome, probability)
    assert groups.people_count.sum() == outcome.size
    assert (groups.people_count > 0).all()
    ratio = observed_over_expected(outcome, probability)
    if probability.sum() > 0:
        assert 0 <= ratio.lower <= ratio.value <= ratio.upper
    line = calibration_line(outcome, probability)
    assert math.isnan(line.slope.value) == math.isnan(line.joint_intercept.value)
    large = calibration_in_the_large(outcome, probability)
    if math.isfinite(large.value):
        moved = expit(logit(np.clip(probability, 1e-8, 1 - 1e-8)) + large.value).sum()
        assert moved == pytest.approx(outcome.sum(), rel=1e-6, abs=1e-6)
