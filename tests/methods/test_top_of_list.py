"""What the top of a list finds: by hand, and the same whoever comes first in the file."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.methods.top_of_list import TopOfList, top_of_each, top_of_list

# A worked list: ten people by falling score, four of whom had the outcome.
OUTCOME = np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
PROBABILITY = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.01])


def test_a_worked_list() -> None:
    made = top_of_list(OUTCOME, PROBABILITY, count=4, probability=PROBABILITY)
    assert (made.people_count, made.flagged_count, made.found_count, made.threshold) == (10, 4, 3, 0.4)
    assert made.expected_count == pytest.approx(2.8)
    assert (made.ppv.value, made.sensitivity.value, made.lift) == pytest.approx((3 / 4, 3 / 4, 0.75 / 0.4))
    assert made.observed_over_expected.value == pytest.approx(3 / 2.8)
    lower, upper = wilson_interval([3], [4])
    assert (made.ppv.lower, made.ppv.upper) == (lower[0], upper[0])
    # Exact limits of a count of 3 (Garwood 1936): 0.6187 and 8.7673.
    assert (made.observed_over_expected.lower * 2.8, made.observed_over_expected.upper * 2.8) == pytest.approx((0.6187, 8.7673), abs=5e-5)


@pytest.mark.parametrize(("share", "flagged"), [(0.4, 4), (0.01, 1), (0.31, 4), (0.3, 3), (1, 10)])
def test_a_share_is_rounded_up_to_whole_people(share: float, flagged: int) -> None:
    assert top_of_list(OUTCOME, PROBABILITY, share=share).flagged_count == flagged


def test_a_share_means_what_it_says_in_spite_of_floating_point() -> None:
    assert top_of_list(np.arange(100) < 7, np.arange(100), share=0.07).flagged_count == 7
    assert top_of_list(np.zeros(1000), np.arange(1000), share=0.005).flagged_count == 5


def test_ties_at_the_cut_count_in_part() -> None:
    made = top_of_list([1, 1, 0, 0, 0], [0.9, 0.5, 0.5, 0.5, 0.1], count=2, probability=[0.9, 0.5, 0.5, 0.5, 0.1])
    assert made.flagged_count == pytest.approx(2)
    assert made.found_count == pytest.approx(1 + 1 / 3)
    assert made.expected_count == pytest.approx(0.9 + 0.5)
    assert made.ppv.value == pytest.approx(2 / 3)


def test_the_part_is_the_mean_over_every_order_of_the_ties() -> None:
    outcome, score = (1, 0, 1, 0, 0), (3, 2, 2, 2, 1)
    found = [
        sum(outcome[i] for i in sorted(order, key=lambda i: -score[i])[:3])  # sorted is stable: the order decides among ties
        for order in permutations(range(5))
    ]
    assert top_of_list(outcome, score, count=3).found_count == pytest.approx(float(Fraction(sum(found), len(found))))


def test_one_score_for_everybody_finds_what_chance_finds() -> None:
    made = top_of_list(OUTCOME, np.full(10, 0.3), count=5)
    assert (made.flagged_count, made.found_count, made.lift) == pytest.approx((5, 2, 1))
    assert math.isnan(made.expected_count)
    assert math.isnan(made.observed_over_expected.value)


def test_no_events_all_events_nobody_flagged_and_nobody() -> None:
    none = top_of_list([0] * 5, [1, 2, 3, 4, 5], count=2)
    assert (none.ppv.value, none.ppv.lower) == (0, 0)
    assert math.isnan(none.sensitivity.value)
    assert math.isnan(none.lift)
    everybody = top_of_list([1] * 5, [1, 2, 3, 4, 5], count=2)
    assert (everybody.ppv.value, everybody.ppv.upper, everybody.sensitivity.value, everybody.lift) == (1, 1, 0.4, 1)
    more = top_of_list([0, 1], [0.1, 0.2], count=50)
    assert (more.flagged_count, more.threshold, more.sensitivity.value) == (2, 0.1, 1)
    flagged_nobody = top_of_list([0, 1], [0.1, 0.2], count=0)
    assert math.isnan(flagged_nobody.ppv.value)
    assert math.isnan(flagged_nobody.threshold)
    empty = top_of_list([], [], share=0.1, probability=[])
    assert (empty.people_count, empty.flagged_count) == (0, 0)
    assert math.isnan(empty.ppv.value)


def test_each_neighbourhood_has_its_own_top() -> None:
    group = np.array(["east"] * 7 + ["west"] * 3, dtype=object)
    made = top_of_each(OUTCOME, PROBABILITY, group, count=2, probability=PROBABILITY)
    # East: 0.9 and 0.8, both found. West: 0.1 (found) and 0.05.
    assert (made.flagged_count, made.found_count) == (4, 3)
    assert made.expected_count == pytest.approx(0.9 + 0.8 + 0.1 + 0.05)
    assert math.isnan(made.threshold)
    assert top_of_each(OUTCOME, PROBABILITY, group, count=5).flagged_count == 5 + 3


def test_whoever_has_no_neighbourhood_is_on_no_list_but_counts() -> None:
    group = np.array([None, "east", "east", "east", None, "west", "west", "west", "west", "west"], dtype=object)
    made = top_of_each(OUTCOME, PROBABILITY, group, count=1)
    assert (made.people_count, made.flagged_count, made.found_count) == (10, 2, 1)
    assert made.sensitivity.value == 1 / 4
    nobody = top_of_each([1, 0], [0.1, 0.2], np.array([None, None], dtype=object), count=3)
    assert nobody.flagged_count == 0


def test_one_neighbourhood_for_all_is_the_plain_top() -> None:
    plain = top_of_list(OUTCOME, np.round(PROBABILITY, 1), count=3, probability=PROBABILITY)
    each = top_of_each(OUTCOME, np.round(PROBABILITY, 1), ["a"] * 10, count=3, probability=PROBABILITY)
    assert {**vars(plain), "threshold": 0} == {**vars(each), "threshold": 0}


@pytest.mark.parametrize("wrong", [{}, {"share": 0.1, "count": 3}, {"share": 0}, {"share": 1.1}, {"count": -1}])
def test_exactly_one_of_share_and_count(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"share|count"):
        top_of_list(OUTCOME, PROBABILITY, **wrong)  # type: ignore[arg-type]


def test_as_many_groups_as_people() -> None:
    with pytest.raises(ValueError, match="3 groups for 10 people"):
        top_of_each(OUTCOME, PROBABILITY, ["a"] * 3, count=1)


def numbers(made: TopOfList) -> list[float]:
    return [made.flagged_count, made.found_count, made.ppv.value, made.ppv.upper, made.sensitivity.value, made.lift]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=30), st.integers(1, 30), st.randoms(use_true_random=False))
def test_identities_and_row_order(people: list[tuple[bool, int]], count: int, chance: object) -> None:
    outcome, score = np.array([p[0] for p in people]), np.array([float(p[1]) for p in people])
    made = top_of_list(outcome, score, count=count)
    assert made.flagged_count == pytest.approx(min(count, outcome.size))
    assert 0 <= made.found_count <= min(made.flagged_count, outcome.sum()) + 1e-9
    assert 0 <= made.ppv.lower <= made.ppv.value <= made.ppv.upper <= 1
    order = list(range(outcome.size))
    chance.shuffle(order)  # type: ignore[attr-defined]
    assert numbers(top_of_list(outcome[order], score[order], count=count)) == pytest.approx(numbers(made), nan_ok=True)
    rest = top_of_list(outcome, -score, count=outcome.size - min(count, outcome.size))
    assert made.found_count + rest.found_count == pytest.approx(outcome.sum())
