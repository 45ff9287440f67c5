"""Decision curves against the R package dcurves, arithmetic by hand, and people drawn again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.net_benefit import decision_curve, net_benefit

# dcurves' example data, 750 people by family history and cancer: 24 of 115 with a history had cancer, 81 of 635 without one did. Net benefit
# of deciding by family history, and of treating all, as R prints it (MSKCC-Epi-Bio/dcurves, data/r_case1_results.csv).
OUTCOME = np.repeat([True, False, True, False], [24, 91, 81, 554])
HISTORY = np.repeat([1.0, 1.0, 0.0, 0.0], [24, 91, 81, 554])
PUBLISHED = [
    (0.01, 0.030774410774410774, 0.13131313131313133),
    (0.05, 0.025614035087719297, 0.09473684210526317),
    (0.1, 0.018518518518518517, 0.04444444444444445),
    (0.14, 0.012248062015503873, 0.0),
    (0.2, 0.0016666666666666635, -0.07499999999999998),
]


def test_net_benefit_equals_dcurves() -> None:
    thresholds, model, treat_all = zip(*PUBLISHED, strict=True)
    made = decision_curve(OUTCOME, HISTORY, thresholds)
    np.testing.assert_allclose(made.model, model, atol=1e-15)
    np.testing.assert_allclose(made.treat_all, treat_all, atol=1e-15)
    assert made.treat_none.tolist() == [0.0] * 5
    np.testing.assert_allclose(made.flagged_share, 115 / 750)


def test_the_advantage_is_over_the_better_of_all_and_none() -> None:
    made = decision_curve(OUTCOME, HISTORY, [0.1, 0.2])
    np.testing.assert_allclose(made.advantage, [0.018518518518518517 - 0.04444444444444445, 0.0016666666666666635], atol=1e-15)


def test_whoever_stands_exactly_on_the_threshold_is_flagged() -> None:
    made = decision_curve([1, 0, 1, 0], [0.2, 0.2, 0.1, 0.1], [0.2, 0.2 + 1e-9])
    assert made.flagged_share.tolist() == [0.5, 0.0]
    assert made.model.tolist() == [0.25 - 0.25 * 0.25, 0.0]


def test_limits_are_those_of_the_mean_of_what_each_person_adds() -> None:
    each = np.where(OUTCOME, 1.0, -0.1 / 0.9) * HISTORY
    made = net_benefit(OUTCOME, HISTORY, 0.1)
    assert made.standard_error == pytest.approx(each.std(ddof=1) / math.sqrt(750), rel=1e-10)
    assert made.upper == pytest.approx(made.value + 1.959963984540054 * made.standard_error, rel=1e-10)
    curve = decision_curve(OUTCOME, HISTORY, [0.1])
    everybody = np.where(OUTCOME, 1.0, -0.1 / 0.9)
    gained = (each - everybody).std(ddof=1) / math.sqrt(750) * 1.959963984540054
    assert curve.advantage_upper[0] - curve.advantage[0] == pytest.approx(gained, rel=1e-10)
    assert curve.treat_all[0] - curve.treat_all_lower[0] == pytest.approx(everybody.std(ddof=1) / math.sqrt(750) * 1.959963984540054, rel=1e-10)


def test_no_events_all_events_nobody_and_one_person() -> None:
    none = decision_curve([0] * 5, [0, 0.1, 0.2, 0.5, 1], [0, 0.15])
    assert none.model.tolist() == [0, pytest.approx(-0.6 * 0.15 / 0.85)]
    assert (none.advantage <= 0).all()
    all_events = decision_curve([1] * 5, [0, 0.1, 0.2, 0.5, 1], [0.15])
    assert (all_events.model[0], all_events.treat_all[0], all_events.advantage[0]) == (0.6, 1, pytest.approx(-0.4))
    assert math.isnan(net_benefit([], [], 0.1).value)
    assert math.isnan(decision_curve([], [], [0.1]).treat_none[0])
    alone = net_benefit([1], [0.5], 0.1)
    assert alone.value == 1
    assert math.isnan(alone.lower)


@pytest.mark.parametrize("threshold", [1.0, -0.1, math.nan])
def test_a_threshold_outside_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="1 thresholds"):
        decision_curve([0, 1], [0.1, 0.2], [0.1, threshold])


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=30), st.floats(0, 0.9))
def test_identities(people: list[tuple[bool, float]], threshold: float) -> None:
    outcome, probability = np.array([p[0] for p in people]), np.array([p[1] for p in people])
    made = decision_curve(outcome, probability, [threshold, 0.0])
    flagged = probability >= threshold
    odds = threshold / (1 - threshold)
    assert made.model[0] == pytest.approx((outcome & flagged).mean() - odds * (~outcome & flagged).mean(), abs=1e-12)
    assert made.model[1] == made.treat_all[1] == pytest.approx(outcome.mean())
    assert made.advantage[0] == pytest.approx(made.model[0] - max(made.treat_all[0], 0), abs=1e-9)
    assert made.model[0] <= outcome.mean() + 1e-12
    assert (made.model_lower <= made.model).all()
    assert (made.model <= made.model_upper).all()
