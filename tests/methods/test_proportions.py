"""Wilson's score interval, against values computed elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.proportions import wilson_interval

# Recipe: scipy.stats.binomtest(count, total).proportion_ci(confidence, method="wilson"), scipy 1.16, recorded as numbers.
GOLDEN = [
    (0, 10, 0.95, 0.0, 0.27753279986288926),
    (1, 10, 0.95, 0.017876213095072896, 0.4041500267952385),
    (5, 10, 0.95, 0.236593090512564, 0.7634069094874361),
    (10, 10, 0.95, 0.7224672001371109, 1.0),
    (81, 263, 0.95, 0.2552885198782742, 0.36620957698280004),
    (81, 263, 0.998, 0.22803574024200476, 0.40138942190936955),
    (952, 10168, 0.95, 0.08811733329554704, 0.09944373581316142),
    (556212, 1818958, 0.95, 0.30511690641490136, 0.30645603376654057),
    (1, 1, 0.95, 0.20654931437723745, 1.0),
]


@pytest.mark.parametrize(("count", "total", "confidence", "lower", "upper"), GOLDEN)
def test_equals_values_from_elsewhere(count: int, total: int, confidence: float, lower: float, upper: float) -> None:
    made = wilson_interval([count], [total], confidence)
    assert made[0][0] == pytest.approx(lower, rel=1e-12, abs=1e-15)
    assert made[1][0] == pytest.approx(upper, rel=1e-12)


def test_nobody_at_all_has_no_interval_and_does_not_disturb_the_others() -> None:
    lower, upper = wilson_interval([0, 5], [0, 10])
    assert math.isnan(lower[0])
    assert math.isnan(upper[0])
    assert (round(lower[1], 6), round(upper[1], 6)) == (0.236593, 0.763407)


def test_the_ends_of_nobody_and_everybody_are_exact() -> None:
    lower, upper = wilson_interval([0, 7], [7, 7])
    assert lower[0] == 0.0
    assert upper[1] == 1.0


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_the_interval_holds_the_share_and_mirrors_its_complement(share: tuple[int, int], confidence: float) -> None:
    count, total = share
    lower, upper = wilson_interval([count, total - count], [total, total], confidence)
    assert 0 <= lower[0] <= count / total <= upper[0] <= 1
    np.testing.assert_allclose(lower[1], 1 - upper[0], atol=1e-12)


@pytest.mark.parametrize(("counts", "totals", "confidence"), [([-1], [3], 0.95), ([4], [3], 0.95), ([1], [3], 1.0), ([1], [3], 0.0)])
def test_what_is_no_proportion_is_refused(counts: list[int], totals: list[int], confidence: float) -> None:
    with pytest.raises(ValueError, match=r"count|confidence"):
        wilson_interval(counts, totals, confidence)
