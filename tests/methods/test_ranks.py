"""Ranks with ties "min", and the national quantile of a rank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.ranks import quantile_of_rank, rank_from_largest


def test_equal_values_share_the_smallest_rank() -> None:
    assert rank_from_largest([10.0, 30.0, 20.0, 30.0, 5.0]).tolist() == [4, 1, 3, 1, 5]
    assert rank_from_largest([]).tolist() == []


def test_what_is_no_number_has_no_rank() -> None:
    with pytest.raises(ValueError, match="1 values"):
        rank_from_largest([1.0, float("nan")])


# Last rank of each decile, as published (English Indices of Deprivation, File 1): floor(N x d / 10).
@pytest.mark.parametrize(
    ("ranked", "last_ranks"),
    [
        (32_844, (3284, 6568, 9853, 13137, 16422, 19706, 22990, 26275, 29559, 32844)),
        (33_755, (3375, 6751, 10126, 13502, 16877, 20253, 23628, 27004, 30379, 33755)),
    ],
)
def test_deciles_and_quintiles_change_where_they_are_published_to(ranked: int, last_ranks: tuple[int, ...]) -> None:
    assert quantile_of_rank(list(last_ranks), 10, ranked).tolist() == list(range(1, 11))
    assert quantile_of_rank([rank + 1 for rank in last_ranks[:-1]], 10, ranked).tolist() == list(range(2, 11))
    assert quantile_of_rank(list(last_ranks[1::2]), 5, ranked).tolist() == [1, 2, 3, 4, 5]


@given(st.integers(1, 33_755))
def test_fractions_of_a_rank_give_the_same_answer_as_whole_ranks(rank: int) -> None:
    whole = quantile_of_rank([rank], 5, 33_755)
    assert quantile_of_rank([float(rank)], 5, 33_755).tolist() == whole.tolist()
    assert quantile_of_rank([rank + 1e-12 if rank < 33_755 else 33_755.0], 5, 33_755).tolist() == whole.tolist()


def test_a_rank_outside_the_edition_is_refused() -> None:
    for rank in (0, 32_845):
        with pytest.raises(ValueError, match="1 ranks do not lie between 1 and 32,844"):
            quantile_of_rank([rank], 10, 32_844)
