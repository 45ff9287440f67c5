"""Rounding to tenths of a percent, bands, and how sure a band is."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.bands import band_of_tenths, band_probability, percent_tenths

EDGES = (700, 600, 500, 400, 300, 200, 100, 0)


@pytest.mark.parametrize(
    ("count", "total", "tenths", "band"),
    [
        (6994, 10_000, 699, 1),  # 69.94 %
        (6995, 10_000, 700, 0),  # 69.95 % is shown as 70.0 and belongs to the top
        (7000, 10_000, 700, 0),
        (699_499, 1_000_000, 699, 1),
        (5995, 10_000, 600, 1),
        (5994, 10_000, 599, 2),
        (995, 10_000, 100, 6),
        (994, 10_000, 99, 7),
        (0, 7, 0, 7),
        (7, 7, 1000, 0),
        (1, 2000, 1, 7),  # 0.05 % rounds up
        (43_249_999, 61_768_942, 700, 0),  # 70.0190... % of a country
    ],
)
def test_edges(count: int, total: int, tenths: int, band: int) -> None:
    assert percent_tenths([count], [total]).tolist() == [tenths]
    assert band_of_tenths([tenths], EDGES).tolist() == [band]


@given(st.integers(1, 70_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_tenths_are_half_up_as_decimals_round(share: tuple[int, int]) -> None:
    count, total = share
    twice = Decimal(2000 * count) / Decimal(2 * total)
    if Decimal(4000 * count) % Decimal(2 * total) != 0:  # where the quotient is finite, Decimal is exact; elsewhere 28 digits decide
        assert percent_tenths([count], [total])[0] == int(twice.quantize(Decimal(1), ROUND_HALF_UP))


# Recipe: adaptive quadrature (scipy.integrate.quad, relative tolerance 1e-12) of the Beta(x + 1/2, n - x + 1/2) density between the rounding edges.
@pytest.mark.parametrize(
    ("count", "total", "probability"),
    [
        (952, 10_168, 0.976798787510823),  # 9.36 %: 0 to 0.0995
        (60, 100, 0.4846220893265171),  # 0.5995 to 0.6995
        (6995, 10_000, 0.4994213194274055),  # 0.6995 to 1
        (6994, 10_000, 0.5092789748010939),  # 0.5995 to 0.6995
        (299, 1000, 0.5119285871682508),  # 0.1995 to 0.2995
        (0, 50, 0.9988277013171308),
    ],
)
def test_band_probability_equals_quadrature(count: int, total: int, probability: float) -> None:
    assert band_probability([count], [total], EDGES)[0] == pytest.approx(probability, rel=1e-9)


@given(st.integers(1, 200_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_masses_of_all_bands_add_up(share: tuple[int, int]) -> None:
    from scipy.stats import beta

    count, total = share
    inside = band_probability([count], [total], EDGES)[0]
    band = int(band_of_tenths(percent_tenths([count], [total]), EDGES)[0])
    others = 0.0
    for index, edge in enumerate(EDGES):
        if index != band:
            low = 0.0 if edge == 0 else (edge - 0.5) / 1000
            high = 1.0 if index == 0 else (EDGES[index - 1] - 0.5) / 1000
            posterior = beta(count + 0.5, total - count + 0.5)
            others += float(posterior.cdf(high) - posterior.cdf(low))
    assert inside + others == pytest.approx(1.0, abs=1e-9)


def test_a_share_of_nobody_and_edges_in_disorder_are_refused() -> None:
    with pytest.raises(ValueError, match="total of 0"):
        percent_tenths([0], [0])
    with pytest.raises(ValueError, match="descend"):
        band_of_tenths([5], (0, 100))
    with pytest.raises(ValueError, match="below the lowest"):
        band_of_tenths([5], (100, 10))
