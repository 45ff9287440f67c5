"""Largest remainder: totals kept, nobody moved by more than one, ties to the lower category."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.allocation import largest_remainder


@pytest.mark.parametrize(
    ("shares", "total", "expected"),
    [
        ([2.5, 2.5, 0, 0, 0], 5, [3, 2, 0, 0, 0]),  # a tie goes to the lower quintile
        ([0, 0, 1.5, 0, 1.5], 3, [0, 0, 2, 0, 1]),
        ([1 / 3, 1 / 3, 1 / 3, 0, 0], 1, [1, 0, 0, 0, 0]),
        ([2 / 3, 2 / 3, 2 / 3, 0, 0], 2, [1, 1, 0, 0, 0]),
        ([1.2, 3.7, 0.1, 0, 0], 5, [1, 4, 0, 0, 0]),
        ([4.0, 1.0, 0, 0, 0], 5, [4, 1, 0, 0, 0]),
        ([0, 0, 0, 0, 0], 0, [0, 0, 0, 0, 0]),
    ],
)
def test_by_hand(shares: list[float], total: int, expected: list[int]) -> None:
    assert largest_remainder([shares], [total]).tolist() == [expected]


def test_remainders_that_differ_by_a_rounding_error_only_are_a_tie() -> None:
    # Without rounding, the later category would win by the error; with it, the lower one does.
    assert largest_remainder([[0.35, 0.35 + 1e-13, 0.3]], [1]).tolist() == [[1, 0, 0]]
    assert largest_remainder([[0.5, 0.2 + 0.3 + 1e-13]], [1]).tolist() == [[1, 0]]
    assert largest_remainder([[0.5, 0.5 + 1e-8]], [1]).tolist() == [[0, 1]]


def test_a_share_just_below_a_whole_person_counts_as_that_person() -> None:
    assert largest_remainder([[0.1 * 3 + 0.7 - 1e-12, 2.0]], [3]).tolist() == [[1, 2]]


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 60), min_size=5, max_size=5).filter(any), st.integers(0, 50_000)),
        min_size=1,
        max_size=20,
    )
)
def test_totals_are_kept_and_every_result_is_within_one_of_its_share(groups: list[tuple[list[int], int]]) -> None:
    exact = [[Fraction(people * weight, sum(weights)) for weight in weights] for weights, people in groups]
    totals = np.array([people for _, people in groups])
    made = largest_remainder(np.array([[float(share) for share in row] for row in exact]), totals)
    assert (made.sum(axis=1) == totals).all()
    assert (made >= 0).all()
    for row, shares in zip(made.tolist(), exact, strict=True):
        assert all(abs(count - share) < 1 for count, share in zip(row, shares, strict=True))
        remainders = [share - (share.numerator // share.denominator) for share in shares]
        given_one = [count > share.numerator // share.denominator for count, share in zip(row, shares, strict=True)]
        order = sorted(range(5), key=lambda index: (-remainders[index], index))
        assert [index for index in order if given_one[index]] == order[: sum(given_one)]


def test_groups_do_not_touch_each_other() -> None:
    rows = [[0.5, 0.5], [1.25, 0.75], [3.0, 0.0]]
    together = largest_remainder(rows, [1, 2, 3]).tolist()
    assert together == [largest_remainder([row], [total]).tolist()[0] for row, total in zip(rows, [1, 2, 3], strict=True)]


@pytest.mark.parametrize(("shares", "totals"), [([[1.0, 1.0]], [3]), ([[-0.5, 1.5]], [1]), ([[1.0, 1.0]], [2, 2]), ([[float("nan"), 1.0]], [1])])
def test_shares_that_do_not_add_up_are_refused_without_their_values(shares: list[list[float]], totals: list[int]) -> None:
    with pytest.raises(ValueError, match="group") as refusal:
        largest_remainder(shares, totals)
    assert "1.5" not in str(refusal.value)
