"""What is too small to be shown is hidden, and whoever has a pencil cannot work it out from what is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.disclosure.small_numbers import hidden_overlapping, hidden_siblings, is_small, rounded

groups = st.lists(st.integers(0, 60).flatmap(lambda people: st.tuples(st.just(people), st.integers(0, people))), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("people", "outcomes", "small"),
    [
        (0, 0, False),  # nobody is nobody
        (1, 0, True),
        (7, 0, True),
        (8, 0, False),  # nought is shown
        (100, 1, True),
        (100, 7, True),
        (100, 8, False),
        (100, 93, True),  # seven without it
        (100, 92, False),
        (100, 100, True),  # everybody has it, and so each of them
        (100, 7.4, True),
        (100, 7.5, False),
    ],
)
def test_what_is_small(people: float, outcomes: float, small: bool) -> None:
    assert bool(is_small(people, outcomes)) is small


def test_rounded_to_the_nearest_five() -> None:
    # The examples of NHS England's rule for HES: 8 becomes 10, 12 becomes 10, 13 becomes 15.
    assert rounded([0, 8, 12, 13, 100, 102.4]).tolist() == [0, 10, 10, 15, 100, 100]


def test_one_small_group_among_many_large_ones_costs_nobody_else() -> None:
    people, outcomes = [3, 10_001, 9_998, 10_003, 5_000, 20_000], [1, 803, 797, 801, 403, 1_600]
    assert hidden_siblings(people, outcomes).tolist() == [True, False, False, False, False, False]


def test_beside_one_other_group_its_sibling_is_hidden_where_rounding_tells() -> None:
    # 1,004 people in all and 1,000 shown: between 2 and 6 are left, five counts; but no more than two outcomes are possible.
    assert hidden_siblings([4, 1000], [0, 98]).tolist() == [True, True]
    # 400 with the outcome in all and 395 shown: 3 to 7.
    assert hidden_siblings([5, 3000], [4, 396]).tolist() == [True, False]


def test_the_next_smallest_is_the_one_with_fewest_outcomes_that_has_any() -> None:
    hidden = hidden_siblings([4, 1000, 2000, 500], [0, 98, 300, 0])
    assert hidden[0] and not hidden[2]
    assert hidden.sum() >= 2


def test_where_the_total_is_small_nothing_is_shown() -> None:
    assert hidden_siblings([40, 60, 0], [0, 5, 0]).tolist() == [True, True, False]
    assert hidden_overlapping([40, 60], [0, 5], 100, 5).tolist() == [True, True]


@given(groups)
def test_nobody_can_work_out_a_hidden_count(dealt: list[tuple[int, int]]) -> None:
    """Each shown count stands for five; with the exact total, at least four small counts must remain possible for what is hidden."""
    people, outcomes = np.array(dealt).T
    hidden = hidden_siblings(people, outcomes)
    assert hidden[is_small(people, outcomes)].all()
    assert not hidden.any() or is_small(people, outcomes).any() or bool(is_small(people.sum(), outcomes.sum()))
    for counts, least in ((people, 1), (outcomes, 0)):
        shown = [count for count, is_hidden in zip(counts, hidden, strict=True) if not is_hidden and count]
        left = counts[hidden].sum()
        if not hidden.any() or not shown or left > 7:
            continue
        possible = {0}
        for count in shown:
            five = [n for n in range(count - 4, count + 5) if int(rounded(n)) == int(rounded(count))]
            possible = {so_far + n for so_far in possible for n in (min(five), max(five))}
        lowest, highest = counts.sum() - max(possible), counts.sum() - min(possible)
        assert len([n for n in range(least, 8) if lowest <= n <= highest]) >= 4


@given(groups)
def test_the_order_of_groups_does_not_matter(dealt: list[tuple[int, int]]) -> None:
    order = sorted(range(len(dealt)), key=lambda place: (dealt[place], place))
    people, outcomes = np.array(dealt).T
    straight, back = hidden_siblings(people, outcomes), hidden_siblings(people[order], outcomes[order])
    # Groups of the same counts may stand for each other.
    assert sorted(zip(people[straight], outcomes[straight], strict=True)) == sorted(zip(people[order][back], outcomes[order][back], strict=True))


def test_a_group_that_leaves_a_few_is_hidden_though_it_is_large_itself() -> None:
    # Everybody but five; everybody with the outcome but three; everybody; and one that leaves enough.
    people, outcomes = [995, 600, 1000, 500], [90, 97, 100, 50]
    assert hidden_overlapping(people, outcomes, 1000, 100).tolist() == [True, True, False, False]
