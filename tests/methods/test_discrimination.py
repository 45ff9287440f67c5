"""Areas under curves against pROC's own tests, published intervals, and the definitions counted pair by pair."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.discrimination import auroc, auroc_difference, average_precision, precision_recall_curve, roc_curve
from fuller_popheath.methods.estimates import normal_deviate

# Ranks (all that matters here) of three measurements of 113 people after a subarachnoid haemorrhage, from the data set aSAH of the R package
# pROC (Turck and others, Intensive Care Med 36 (2010) 107-115). Expected numbers: pROC's own tests of var, cov, ci.auc and roc.test.
with (Path(__file__).parent / "asah_ranks.csv").open(encoding="utf-8") as stream:
    ROWS = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(stream)]
OUTCOME = np.array([row["poor_outcome"] for row in ROWS], dtype=bool)
WFNS, S100B, NDKA = (np.array([row[name] for row in ROWS], dtype=float) for name in ("wfns", "s100b_rank", "ndka_rank"))

SCORED = st.lists(st.tuples(st.booleans(), st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=25)


def columns(people: list[tuple[bool, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([p[0] for p in people]), np.array([float(p[1]) for p in people]), np.array([float(p[2]) for p in people])


@pytest.mark.parametrize(
    ("score", "area", "variance"),
    [
        (WFNS, 0.823678861788618, 0.00146991470882363),
        (NDKA, 0.611957994579946, 0.0031908105493913),
        (S100B, 0.731368563685637, 0.00266868245717244),
    ],
)
def test_area_and_delong_variance_equal_proc(score: np.ndarray, area: float, variance: float) -> None:
    made = auroc(OUTCOME, score)
    assert made.value == pytest.approx(area, rel=1e-12)
    assert made.standard_error**2 == pytest.approx(variance, rel=1e-12)


def test_the_plain_delong_interval_of_proc_follows_from_value_and_standard_error() -> None:
    made = auroc(OUTCOME, NDKA)
    reach = normal_deviate(0.95) * made.standard_error
    assert [made.value - reach, made.value + reach] == pytest.approx([0.501244999271703, 0.722670989888189], rel=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "lower", "upper", "p_value"),
    [
        (WFNS, S100B, 0.0104061769564846, 0.174214419249478, 0.0271757822291882),
        (WFNS, NDKA, 0.0634011709339876, 0.3600405634833566, 0.00514557970691098),
        (NDKA, S100B, -0.2876917446341914, 0.0488706064228094, 0.164295175223054),
    ],
)
def test_paired_differences_equal_proc(a: np.ndarray, b: np.ndarray, lower: float, upper: float, p_value: float) -> None:
    made = auroc_difference(OUTCOME, a, b)
    assert [made.lower, made.upper, made.p_value] == pytest.approx([lower, upper, p_value], rel=1e-10)
    turned = auroc_difference(OUTCOME, b, a)
    assert (turned.value, turned.lower, turned.p_value) == pytest.approx((-made.value, -made.upper, made.p_value), rel=1e-12)


def test_the_logit_interval_is_the_one_its_formula_says() -> None:
    made = auroc(OUTCOME, WFNS, confidence=0.9)
    centre, reach = math.log(made.value / (1 - made.value)), 1.6448536269514722 * made.standard_error / (made.value * (1 - made.value))
    assert (made.lower, made.upper) == pytest.approx((1 / (1 + math.exp(reach - centre)), 1 / (1 + math.exp(-reach - centre))), rel=1e-12)


def test_the_interval_where_delong_has_none_is_newcombes() -> None:
    """The interval of the R package SingleCaseES (NAP of its example, Newcombe's method), which needs no variance between people."""
    from fuller_popheath.methods.discrimination import _newcombe_interval

    area, treated, before = 0.9166666666666666, 7, 6
    assert _newcombe_interval(area, treated, before, normal_deviate(0.95)) == pytest.approx((0.5973193600384168, 0.9859976893703788), abs=1e-9)
    assert _newcombe_interval(area, treated, before, normal_deviate(0.90)) == pytest.approx((0.6591091902344411, 0.9822247870934003), abs=1e-9)


def test_a_perfect_order_is_not_certain_with_five_people() -> None:
    made = auroc([0, 0, 0, 1, 1], [1.0, 2, 3, 4, 5])
    assert (made.value, made.upper, made.standard_error) == (1.0, 1.0, 0.0)
    assert 0.2 < made.lower < 0.7
    turned = auroc([1, 1, 0, 0, 0], [1.0, 2, 3, 4, 5])
    assert (turned.value, turned.lower) == (0.0, 0.0)
    assert turned.upper == pytest.approx(1 - made.lower)


def test_a_single_event_has_an_interval_but_no_standard_error() -> None:
    made = auroc([0, 0, 1, 0, 0], [1.0, 2, 3, 4, 5])
    assert made.value == 0.5
    assert math.isnan(made.standard_error)
    assert 0 < made.lower < 0.5 < made.upper < 1
    assert math.isnan(auroc_difference([0, 0, 1, 0, 0], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]).lower)


def test_one_score_for_everybody_is_a_half_without_doubt() -> None:
    made = auroc([0, 1, 1, 0], [0.2] * 4)
    assert (made.value, made.lower, made.upper, made.standard_error) == (0.5, 0.5, 0.5, 0.0)


@pytest.mark.parametrize("outcome", [[0, 0, 0], [1, 1, 1], []])
def test_without_both_outcomes_nothing_is_defined(outcome: list[int]) -> None:
    score = [0.1, 0.5, 0.9][: len(outcome)]
    numbers = [*vars(auroc(outcome, score)).values(), *vars(average_precision(outcome, score)).values()]
    numbers += vars(auroc_difference(outcome, score, score)).values()
    assert all(math.isnan(number) for number in numbers)
    assert roc_curve(outcome, score).x.size == precision_recall_curve(outcome, score).x.size == 0


def test_two_scores_of_one_order_do_not_differ() -> None:
    made = auroc_difference(OUTCOME, S100B, np.exp(S100B / 50))
    assert (made.value, made.lower, made.upper, made.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_average_precision_equals_the_published_example() -> None:
    # scikit-learn's documentation of average_precision_score prints 0.83. Three of the four pairs are in order.
    made = average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert made.value == pytest.approx(0.8333333333333333, rel=1e-12)
    assert auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value == 0.75


def test_the_interval_of_average_precision_counts_events_not_people() -> None:
    outcome, score = np.tile(OUTCOME, 2), np.tile(WFNS, 2)
    made, more = average_precision(OUTCOME, WFNS), average_precision(np.append(OUTCOME, [False] * 50), np.append(WFNS, [0.0] * 50))
    assert made.value == pytest.approx(more.value) == pytest.approx(average_precision(outcome, score).value)
    assert (made.lower, made.upper) == pytest.approx((more.lower, more.upper))
    # Boyd, Eng and Page 2013: logit(area) -+ z / sqrt(events x area x (1 - area)), written out for 41 events.
    reach = normal_deviate(0.95) / math.sqrt(41 * made.value * (1 - made.value))
    assert math.log(made.upper / (1 - made.upper)) - math.log(made.value / (1 - made.value)) == pytest.approx(reach)


def test_average_precision_of_a_perfect_order_has_an_interval() -> None:
    made = average_precision([0, 0, 0, 1, 1], [1, 2, 3, 4, 5])
    assert (made.value, made.upper) == (1.0, 1.0)
    assert made.lower == pytest.approx(0.3423802275066533, rel=1e-9)  # Wilson's lower limit of 2 in 2


@given(SCORED)
def test_area_and_its_variance_are_those_of_every_pair_counted(people: list[tuple[bool, int, int]]) -> None:
    outcome, score, _ = columns(people)
    if outcome.all() or not outcome.any():
        return
    better = (score[outcome][:, None] > score[~outcome]) + 0.5 * (score[outcome][:, None] == score[~outcome])
    made = auroc(outcome, score)
    assert made.value == pytest.approx(better.mean(), abs=1e-12)
    if min(better.shape) > 1:
        variance = better.mean(1).var(ddof=1) / len(better) + better.mean(0).var(ddof=1) / better.shape[1]
        assert made.standard_error**2 == pytest.approx(variance, abs=1e-12)
    assert 0 <= made.lower <= made.value <= made.upper <= 1


@given(SCORED)
def test_areas_mirror_and_agree_with_scikit_learn(people: list[tuple[bool, int, int]]) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    outcome, score, other = columns(people)
    if outcome.all() or not outcome.any():
        return
    assert auroc(outcome, score).value == pytest.approx(roc_auc_score(outcome, score), abs=1e-12)
    assert auroc(outcome, -score).value == pytest.approx(1 - auroc(outcome, score).value, abs=1e-12)
    assert average_precision(outcome, score).value == pytest.approx(average_precision_score(outcome, score), abs=1e-12)
    difference = auroc_difference(outcome, score, other)
    assert difference.value == pytest.approx(auroc(outcome, score).value - auroc(outcome, other).value, abs=1e-12)


@given(SCORED, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_says_nothing(people: list[tuple[bool, int, int]], chance: object) -> None:
    shuffled = list(people)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for method in (auroc, average_precision):
        assert repr(method(*columns(people)[:2])) == repr(method(*columns(shuffled)[:2]))


@pytest.mark.parametrize("points", [2, 5, 50])
def test_curves_are_thin_and_keep_their_ends_and_their_area(points: int) -> None:
    rng = np.random.default_rng(4)
    score = rng.normal(size=5000)
    outcome = rng.random(5000) < 1 / (1 + np.exp(3 - score))
    curve = roc_curve(outcome, score, points)
    assert curve.x.size <= points
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.x) >= 0).all()
    assert (np.diff(curve.y) >= 0).all()
    full = roc_curve(outcome, score, 10_000)
    assert np.trapezoid(full.y, full.x) == pytest.approx(auroc(outcome, score).value, abs=1e-12)
    if points == 50:
        assert np.trapezoid(curve.y, curve.x) == pytest.approx(auroc(outcome, score).value, abs=0.005)
    recall = precision_recall_curve(outcome, score, points)
    assert recall.x.size <= points
    assert (recall.x[-1], recall.y[-1]) == (1, pytest.approx(outcome.mean()))


@pytest.mark.parametrize(
    ("outcome", "score", "told"),
    [
        ([0, 1], [0.1, math.nan], "1 scores are not numbers"),
        ([0, 2], [0.1, 0.2], "1 outcomes are neither 0 nor 1"),
        ([0, 1], [0.1], "1 scores for 2 people"),
        ([[0, 1]], [0.1], "2 dimensions"),
    ],
)
def test_what_cannot_be_judged_is_refused(outcome: list[int], score: list[float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        auroc(outcome, score)
    with pytest.raises(ValueError, match="confidence"):
        auroc([0, 1], [0.1, 0.2], confidence=1.0)
    with pytest.raises(ValueError, match="two points"):
        roc_curve([0, 1], [0.1, 0.2], points=1)
