"""The Poisson-binomial distribution: every outcome added up by hand, the binomial as a special case, intervals that hold what they say."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.poisson_binomial import interval, mean, pmf, variance

probabilities = st.lists(st.integers(0, 16).map(lambda n: n / 16), max_size=8)


@given(probabilities)
def test_it_is_the_sum_over_every_outcome(given_probabilities: list[float]) -> None:
    expected = [Fraction(0)] * (len(given_probabilities) + 1)
    for outcome in product((0, 1), repeat=len(given_probabilities)):
        chance = Fraction(1)
        for happened, p in zip(outcome, given_probabilities, strict=True):
            chance *= Fraction(p) if happened else 1 - Fraction(p)
        expected[sum(outcome)] += chance
    found = pmf(given_probabilities)
    assert found == pytest.approx([float(each) for each in expected], abs=1e-14)
    counts = np.arange(len(found))
    assert (found * counts).sum() == pytest.approx(mean(given_probabilities), abs=1e-12)
    assert (found * counts**2).sum() - mean(given_probabilities) ** 2 == pytest.approx(variance(given_probabilities), abs=1e-10)


def test_equal_probabilities_are_a_binomial() -> None:
    assert pmf([0.3] * 10) == pytest.approx([comb(10, k) * 0.3**k * 0.7 ** (10 - k) for k in range(11)], abs=1e-15)


@given(probabilities, st.sampled_from([0.5, 0.8, 0.95, 0.99]))
def test_an_interval_holds_its_level_and_no_end_could_be_drawn_in(given_probabilities: list[float], level: float) -> None:
    lower, upper = interval(given_probabilities, level)
    found = pmf(given_probabilities)
    tail = (1 - level) / 2
    assert found[lower : upper + 1].sum() >= level - 1e-9
    assert found[:lower].sum() <= tail + 1e-9
    assert found[upper + 1 :].sum() <= tail + 1e-9
    assert found[: lower + 1].sum() > tail - 1e-9
    assert upper == 0 or found[:upper].sum() < 1 - tail + 1e-9


def test_the_interval_of_a_binomial_is_the_one_of_its_quantiles() -> None:
    # Binomial(40, 0.25): the 2.5 % and 97.5 % quantiles are 5 and 16 (R: qbinom(c(0.025, 0.975), 40, 0.25)).
    assert interval([0.25] * 40) == (5, 16)
    assert interval([]) == (0, 0)
    assert interval([1.0, 1.0, 0.0]) == (2, 2)


@pytest.mark.parametrize("wrong", [[-0.1], [1.5, 0.2], [float("nan")]])
def test_what_is_no_probability_is_refused_without_its_value(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="1 probabilities do not lie between 0 and 1"):
        pmf(wrong)


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        interval([0.5], level)
