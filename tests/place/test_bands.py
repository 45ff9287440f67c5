"""The eight bands as the board paper prints them, and the edges it leaves open."""

from __future__ import annotations

import pytest

from fuller_popheath.contracts import load_contract
from fuller_popheath.place.bands import BAND_LABELS, band_labels, band_probabilities


@pytest.mark.parametrize(
    ("count", "total", "label"),
    [
        (6994, 10_000, "60.0% to 69.9%"),
        (6995, 10_000, "Above 70.0%"),
        (70, 100, "Above 70.0%"),
        (5995, 10_000, "60.0% to 69.9%"),
        (4994, 10_000, "40.0% to 49.9%"),
        (3000, 10_000, "30.0% to 39.9%"),
        (2999, 10_000, "30.0% to 39.9%"),  # 29.99 % is shown as 30.0
        (2994, 10_000, "20.0% to 29.9%"),
        (1000, 10_000, "10.0% to 19.9%"),
        (994, 10_000, "Up to 9.9%"),
        (0, 1, "Up to 9.9%"),
        (1, 1, "Above 70.0%"),
    ],
)
def test_a_share_is_in_the_band_it_is_shown_in(count: int, total: int, label: str) -> None:
    assert band_labels([count], [total]).tolist() == [label]


def test_the_labels_are_those_of_the_contract_in_the_same_order() -> None:
    (band,) = (column for column in load_contract("products/core20_by_pcn").columns if column.name == "band")
    assert tuple(band.allowed) == BAND_LABELS


def test_a_share_on_an_edge_is_in_its_band_about_half_the_time_and_a_clear_one_nearly_always() -> None:
    on_edge, clear = band_probabilities([5995, 6500], [10_000, 10_000])
    assert 0.49 < on_edge < 0.51
    assert clear > 0.999999
