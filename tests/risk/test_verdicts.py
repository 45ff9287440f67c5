"""Green, amber or red: the stated limits, to the edge."""

from __future__ import annotations

import math

import pytest

from fuller_popheath import registry
from fuller_popheath.risk import verdicts
from fuller_popheath.site import Monitoring

LIMITS = verdicts.Limits((0.8, 1.25), (0.8, 1.2), 0.85)


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (0.9, 1.1, "green"),
        (0.8, 1.25, "green"),  # the edges belong to green
        (0.79, 1.1, "amber"),
        (1.2, 1.26, "amber"),
        (0.5, 2.0, "amber"),  # so wide that it says nothing
        (0.7, 0.8, "amber"),
        (0.7, 0.79, "red"),
        (1.26, 1.5, "red"),
        (None, None, None),
        (math.nan, 1.0, None),
    ],
)
def test_an_interval_within_across_or_outside_the_limits(lower: float | None, upper: float | None, verdict: str | None) -> None:
    assert verdicts.of_interval(lower, upper, (0.8, 1.25)) == verdict


@pytest.mark.parametrize(
    ("metric", "figures", "verdict"),
    [
        ("auroc", (0.85, 0.84, 0.86), "green"),
        ("auroc", (0.8501, 0.84, 0.86), "red"),
        ("observed_over_expected", (1.5, 1.3, 1.7), "red"),
        ("observed_over_expected_top_5_percent", (1.5, 1.3, 1.7), None),
        ("calibration_slope", (0.75, 0.7, 0.81), "amber"),
        ("calibration_slope", (0.7, 0.6, 0.79), "red"),
        ("auroc_difference_to_predecessor", (-0.01, -0.02, -0.001), "red"),
        ("auroc_difference_to_predecessor", (-0.01, -0.02, 0.0), "green"),
        ("brier_difference_to_predecessor", (0.01, 0.001, 0.02), "red"),
        ("brier_difference_to_predecessor", (-0.01, -0.02, -0.001), "green"),
        ("auroc_difference", (-0.01, -0.02, -0.001), None),
        ("brier", (0.9, 0.8, 1.0), None),
        ("auroc", (None, None, None), None),
    ],
)
def test_each_metric_by_its_own_limit(metric: str, figures: tuple[float | None, ...], verdict: str | None) -> None:
    assert verdicts.of_metric(metric, *figures, LIMITS) == verdict


def test_every_outcome_has_a_limit_for_leaks_and_make_believe_data_its_own() -> None:
    assert registry.outcomes()
    for outcome in registry.outcomes().values():
        real, synthetic = (verdicts.limits_of(Monitoring(), outcome, is_synthetic).highest_auroc for is_synthetic in (False, True))
        assert (real, synthetic) == (outcome.highest_auroc, outcome.highest_auroc_synthetic)
        assert 0.5 < outcome.highest_auroc <= outcome.highest_auroc_synthetic < 1
    # The limits that were agreed for emergency admission.
    emergency = registry.outcomes()["emergency_admission_12m"]
    assert (emergency.highest_auroc, emergency.highest_auroc_synthetic) == (0.85, 0.88)


@pytest.mark.parametrize(
    ("index", "then", "now", "verdict"),
    [
        (0.0, 0.0, 0.0, "green"),
        (0.125, 5.0, 5.0, "green"),
        (0.2, 5.0, 5.0, "amber"),
        (0.26, 5.0, 5.0, "red"),
        (0.0, 5.0, 11.0, "amber"),
        (0.0, 20.0, 9.0, "red"),  # fewer missing is a change too
        (None, None, 3.0, None),
    ],
)
def test_drift_is_red_above_a_limit_and_amber_above_half_of_it(
    index: float | None, then: float | None, now: float | None, verdict: str | None
) -> None:
    assert verdicts.of_drift(index, then, now, Monitoring()) == verdict


def test_the_worst_of_several_counts_and_what_is_not_judged_does_not() -> None:
    assert verdicts.worst(["green", None, "amber"]) == "amber"
    assert verdicts.worst(["red", "green"]) == "red"
    assert verdicts.worst([None, None]) is None


def test_limits_are_told_in_words_with_their_numbers() -> None:
    told = verdicts.in_words(LIMITS)
    assert "0.8 to 1.25" in told["observed_over_expected"]
    assert "0.85" in told["auroc"]
    assert "auroc" not in verdicts.in_words(verdicts.Limits((0.8, 1.25), (0.8, 1.2)))
