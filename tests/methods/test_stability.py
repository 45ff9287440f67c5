"""Stability of populations, of ranks and of the top between seeds."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from fuller_popheath.methods.stability import (
    ReferenceBins,
    mean_absolute_difference,
    population_stability_index,
    rank_agreement,
    reference_bins,
    seed_agreement,
    stability_against,
    top_overlap,
)


def test_the_index_of_a_worked_example() -> None:
    # Published example of three bands of income, 40/30/30 % in one year and 35/25/40 % in the next (geeksforgeeks.org, "Population Stability
    # Index (PSI)"); by its formula -0.05 ln(0.35/0.40) - 0.05 ln(0.25/0.30) + 0.10 ln(0.40/0.30).
    expected = -0.05 * math.log(0.35 / 0.4) - 0.05 * math.log(0.25 / 0.3) + 0.1 * math.log(0.4 / 0.3)
    then, now = np.repeat(["low", "mid", "high"], [40, 30, 30]), np.repeat(["low", "mid", "high"], [35, 25, 40])
    assert expected == pytest.approx(0.04456, abs=5e-6)
    assert population_stability_index(then, now) == pytest.approx(expected, rel=1e-12)
    assert population_stability_index(np.repeat([1.0, 2, 3], [40, 30, 30]), np.repeat([1.0, 2, 3], [35, 25, 40])) == pytest.approx(expected)


def test_missing_is_a_bin_of_its_own() -> None:
    then, now = np.array([1.0] * 5 + [2.0] * 5), np.array([1.0] * 4 + [2.0] * 4 + [math.nan] * 2)
    made = stability_against(reference_bins(then), now)
    assert (made.missing_share_reference, made.missing_share_now) == (0, 0.2)
    assert made.index == pytest.approx(2 * (0.1 * math.log(0.5 / 0.4)) + (0.2 - 1e-4) * math.log(0.2 / 1e-4), rel=1e-9)
    words = stability_against(reference_bins(["a", None, "b", "a"]), ["a", "b", None, None])
    assert (words.missing_share_reference, words.missing_share_now) == (0.25, 0.5)


def test_tenths_of_many_different_numbers() -> None:
    bins = reference_bins(np.arange(1, 101))
    assert bins.upper_edges == tuple(range(10, 100, 10))
    assert bins.shares == pytest.approx([0.1] * 10)
    assert stability_against(bins, np.arange(1, 101)).index == 0
    shifted = stability_against(bins, np.arange(1, 101) + 10).index
    # One tenth emptied (taken as 0.0001) and the last one doubled.
    assert shifted == pytest.approx(0.1 * math.log(0.2 / 0.1) + (0.1 - 1e-4) * math.log(0.1 / 1e-4))


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([False] * 95 + [True] * 5, [False] * 80 + [True] * 20),
        ([False] * 5 + [True] * 95, [False] * 50 + [True] * 50),
        ([0] * 99 + [7], [0] * 50 + [7] * 50),
        ([7] * 95 + [1, 2, 3, 4, 5], [7] * 50 + [1, 2, 3, 4, 5] * 10),
        ([3.0] * 50, [3.0] * 25 + [2.9] * 25),
        ([3.0] * 50, [3.0] * 25 + [3.1] * 25),
    ],
)
def test_a_change_is_seen_however_heaped_the_values(then: list[float], now: list[float]) -> None:
    assert population_stability_index(then, then) == 0
    assert population_stability_index(then, now) > 0.1


def test_a_new_category_and_a_lost_one_are_changes() -> None:
    bins = reference_bins(["m", "f"] * 50)
    assert bins.categories == ("f", "m")
    assert stability_against(bins, ["m", "f"] * 40 + ["other"] * 20).index > 1
    assert stability_against(bins, ["m"] * 100).index > 1
    assert stability_against(bins, [None] * 10).missing_share_now == 1
    assert math.isfinite(stability_against(bins, [None] * 10).index)


def test_only_the_most_frequent_categories_are_kept_by_name() -> None:
    many = [f"c{i:03d}" for i in range(80) for _ in range(2 if i == 79 else 1)]
    bins = reference_bins(many)
    assert len(bins.categories) == 50
    assert {"c000", "c079"} <= set(bins.categories)
    assert "c060" not in bins.categories
    assert sum(bins.shares) == pytest.approx(1)
    assert stability_against(bins, many).index == 0


def test_bins_survive_being_kept_as_json() -> None:
    for values in (np.array([1.5, 2.5, math.nan, 9]), ["a", "b", None]):
        bins = reference_bins(values)
        again = ReferenceBins(**{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(json.dumps(asdict(bins))).items()})
        assert again == bins
        assert stability_against(again, values).index == 0


def test_nobody_then_or_now_has_no_index() -> None:
    assert math.isnan(population_stability_index([], [1.0]))
    assert math.isnan(population_stability_index([1.0], []))
    assert math.isnan(reference_bins([]).missing_share)
    all_missing = reference_bins([math.nan] * 4)
    assert stability_against(all_missing, [math.nan] * 3).index == 0
    assert stability_against(all_missing, [1.0] * 3).index > 1


def test_refusals() -> None:
    with pytest.raises(ValueError, match="two bins"):
        reference_bins([1.0], bins=1)
    with pytest.raises(ValueError, match="2 values now are words"):
        stability_against(reference_bins([1.0, 2.0, 3.0]), ["a", "b"])
    with pytest.raises(ValueError, match="seeds x people"):
        seed_agreement([0.1, 0.2])
    with pytest.raises(ValueError, match="2 scores for 3 people"):
        rank_agreement([1, 2, 3], [1, 2])


@given(st.lists(st.one_of(st.integers(0, 5).map(float), st.just(math.nan)), min_size=1, max_size=60), st.integers(2, 12))
def test_shares_add_up_and_the_index_is_never_below_0(values: list[float], bins: int) -> None:
    made = reference_bins(values, bins)
    assert sum(made.shares) + made.missing_share == pytest.approx(1)
    assert list(made.upper_edges) == sorted(set(made.upper_edges))
    assert len(made.shares) == len(made.upper_edges) + 1
    assert stability_against(made, values).index == pytest.approx(0, abs=1e-12)
    assert stability_against(made, [5.0, math.nan, 0.0]).index >= 0


MADE_OF = st.one_of(st.integers(0, 5).map(float), st.floats(0.001, 900), st.just(math.nan))


@given(st.lists(MADE_OF, max_size=90), st.integers(2, 12), st.integers(2, 12))
def test_every_bin_holds_enough_people_or_nobody(values: list[float], bins: int, least: int) -> None:
    made = reference_bins(values, bins, least)
    known = [value for value in values if not math.isnan(value)]
    assert all(share * made.people_count >= least - 1e-6 or share == 0 for share in made.shares) or len(known) < least
    assert made.missing_share == 0 or not known or made.missing_share * made.people_count >= least - 1e-6
    assert len(made.shares) == len(made.upper_edges) + 1 or not made.people_count
    if made.people_count:
        assert sum(made.shares) + made.missing_share == pytest.approx(1)
    if len(known) < least:
        assert made.upper_edges == ()


@given(st.lists(st.sampled_from("aaaabbbcde"), max_size=60), st.integers(2, 12))
def test_every_category_holds_enough_people(values: list[str], least: int) -> None:
    made = reference_bins(np.array(values, dtype=np.str_), least_people=least)
    assert all(values.count(name) >= least for name in made.categories)
    assert not made.categories or all(share == 0 or share * made.people_count >= least - 1e-6 for share in made.shares)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=40))
def test_rank_agreement_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array([p[0] for p in pairs], dtype=float), np.array([p[1] for p in pairs], dtype=float)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(rank_agreement(a, b))
        return
    assert rank_agreement(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert rank_agreement(a, a) == pytest.approx(1)
    assert rank_agreement(a, -a) == pytest.approx(-1)


def test_overlap_of_the_top() -> None:
    a = np.array([9.0, 8, 7, 6, 5, 4])
    assert top_overlap(a, a, count=3) == 1
    assert top_overlap(a, -a, count=3) == 0
    assert top_overlap(a, np.array([9.0, 8, 1, 7, 5, 4]), count=3) == pytest.approx(2 / 3)
    assert top_overlap(np.ones(6), np.ones(6), share=0.5) == pytest.approx(1)
    assert math.isnan(top_overlap([], [], count=1))


def test_agreement_between_seeds_is_told_by_its_worst_pair() -> None:
    rng = np.random.default_rng(7)
    base = rng.random(400)
    made = seed_agreement([base, base, np.clip(base + 0.1, 0, 1)], share=0.1)
    assert (made.seeds, made.lowest_top_overlap) == (3, pytest.approx(top_overlap(base, np.clip(base + 0.1, 0, 1), share=0.1)))
    assert made.largest_mean_absolute_difference == mean_absolute_difference(base, np.clip(base + 0.1, 0, 1))
    assert made.mean_absolute_difference == pytest.approx(made.largest_mean_absolute_difference * 2 / 3)
    assert made.lowest_rank_agreement == rank_agreement(base, np.clip(base + 0.1, 0, 1))
    assert math.isnan(seed_agreement([base]).lowest_rank_agreement)
    assert math.isnan(mean_absolute_difference([], []))
