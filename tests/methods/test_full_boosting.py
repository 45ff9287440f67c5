"""Boosting with interactions, and the care it takes of small and odd tables."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_info, threadpool_limits

from fuller_popheath.methods.full_boosting import ENOUGH_CELLS, FullBoosting, threads_for, usable_columns

PARAMETERS = {"iterations": 80, "iterations_per_root_event": 1e9, "learning_rate": 0.1, "leaves": 8, "least_rows": 100, "l2": 1.0}


def test_it_finds_an_interaction() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(6_000, 3))
    outcome = (matrix[:, 0] * matrix[:, 1] > 0) ^ (rng.random(6_000) < 0.1)
    model = FullBoosting((False,) * 3, PARAMETERS, 1).fit(matrix[:4_000], outcome[:4_000])
    assert roc_auc_score(outcome[4_000:], model.decision_function(matrix[4_000:])) > 0.85


def test_a_row_alone_scores_as_among_others() -> None:
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(500, 4))
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    model = FullBoosting((False,) * 4, PARAMETERS, 1).fit(matrix, rng.random(500) < 0.3)
    alone = np.concatenate([model.decision_function(matrix[i : i + 1]) for i in range(100)])
    assert np.abs(alone - model.decision_function(matrix)[:100]).max() < 1e-12


def test_a_small_table_is_split_although_its_leaves_should_be_larger() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(60, 1))
    model = FullBoosting((False,), PARAMETERS, 1).fit(matrix, matrix[:, 0] > 0)
    assert np.ptp(model.decision_function(matrix)) > 1


def test_categories_with_more_values_than_bins_are_taken() -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 150, 3_000).astype(float)
    model = FullBoosting((True, False), PARAMETERS, 1).fit(
        np.column_stack([codes, rng.normal(size=3_000)]), (codes % 2 == 0) ^ (rng.random(3_000) < 0.1)
    )
    assert np.isfinite(model.decision_function(np.array([[0.0, 0.0], [149.0, np.nan], [np.nan, 1.0]]))).all()


def test_usable_columns_vary_and_are_known_for_some() -> None:
    matrix = np.full((100, 5), np.nan)
    matrix[:, 0] = np.arange(100)
    matrix[:, 1] = 7  # never varies
    matrix[:19, 2] = np.arange(19)  # known for too few
    matrix[:20, 3] = 7  # known or not is what varies
    assert usable_columns(matrix).tolist() == [0, 3]


def test_a_small_matrix_takes_one_thread_and_the_number_comes_back() -> None:
    with threadpool_limits(2):
        before = [pool["num_threads"] for pool in threadpool_info()]
        with threads_for(ENOUGH_CELLS - 1):
            assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        with threads_for(ENOUGH_CELLS):
            assert [pool["num_threads"] for pool in threadpool_info()] == before
        assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_one_outcome_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="with the outcome and rows without"):
        FullBoosting((False,), PARAMETERS, 1).fit(np.arange(100.0)[:, None], np.zeros(100))


def test_no_more_trees_than_the_rarer_outcome_allows() -> None:
    rng = np.random.default_rng(5)
    matrix, outcome = rng.normal(size=(2_000, 2)), np.arange(2_000) < 100
    for happened in (outcome, ~outcome):
        few = FullBoosting((False,) * 2, {**PARAMETERS, "iterations_per_root_event": 1.5}, 1).fit(matrix, happened)
        assert few.trees.n_iter_ == 15
    assert FullBoosting((False,) * 2, PARAMETERS, 1).fit(matrix, outcome).trees.n_iter_ == 80
