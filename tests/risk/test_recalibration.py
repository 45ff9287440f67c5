"""Lines of recalibration: of everybody for use, of the others for judging."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from fuller_popheath.risk.recalibration import (
    GROUPS,
    CrossFitted,
    Recalibration,
    cross_fitted,
    groups_of_people,
    lines_to_judge_by,
    recalibration_of,
)

PEOPLE = 4_000
INDEX_DATE = date(2025, 8, 1)


def some(seed: int, people: int = PEOPLE) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are too high and too far apart, what happened, and groups."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(-2, 1.2, people)
    return scores, rng.random(people) < expit(-0.5 + 0.8 * scores), rng.integers(0, GROUPS, people)


def test_each_groups_line_is_that_of_all_others_fitted_by_itself() -> None:
    scores, happened, group = some(1)
    lines = cross_fitted(scores, happened, group)
    assert lines.whole == recalibration_of(scores, happened)
    for number in range(GROUPS):
        alone = recalibration_of(scores[group != number], happened[group != number])
        assert (lines.without[number].intercept, lines.without[number].slope) == pytest.approx((alone.intercept, alone.slope), abs=1e-8)
    assert np.allclose(lines.apply(scores, group), [lines.without[own].apply(score) for score, own in zip(scores, group, strict=True)])


def test_what_happened_to_a_group_changes_nothing_that_is_said_of_it() -> None:
    """The property that the judged rows rest on."""
    scores, happened, group = some(2)
    before = cross_fitted(scores, happened, group)
    turned = np.where(group == 3, ~happened, happened)
    after = cross_fitted(scores, turned, group)
    assert np.allclose(before.apply(scores, group)[group == 3], after.apply(scores, group)[group == 3], atol=1e-8)
    assert not np.allclose(before.apply(scores, group)[group != 3], after.apply(scores, group)[group != 3], atol=0.01)
    assert after.whole != before.whole


def test_judged_so_as_many_have_it_as_are_told_to_and_the_spread_is_right() -> None:
    scores, happened, group = some(3, 40_000)
    told = expit(cross_fitted(scores, happened, group).apply(scores, group))
    assert happened.sum() / told.sum() == pytest.approx(1, abs=0.002)
    assert happened.sum() / expit(scores).sum() < 0.9, "before it they were far off"
    assert recalibration_of(np.log(told / (1 - told)), happened).slope == pytest.approx(1, abs=0.01)


@given(st.integers(0, 1_000))
def test_no_line_turns_people_round_and_the_order_they_came_in_does_not_matter(seed: int) -> None:
    scores, happened, group = some(seed, 60)
    lines = cross_fitted(scores, happened, group)
    assert all(line.slope > 0 for line in (lines.whole, *lines.without))
    order = np.random.default_rng(seed + 1).permutation(60)
    assert cross_fitted(scores[order], happened[order], group[order]) == lines


def test_where_all_are_in_one_group_it_gets_the_line_of_all() -> None:
    scores, happened, _ = some(4, 300)
    lines = cross_fitted(scores, happened, np.zeros(300, int))
    assert lines.without[0] == lines.whole


def test_people_are_dealt_evenly_and_for_good() -> None:
    ids = pa.array([f"{chr(97 + n % 26)}{n:011d}" for n in range(5_000)])
    dealt = groups_of_people(ids, 7)
    assert np.array_equal(groups_of_people(ids.take(pa.array([9, 4])), 7), dealt[[9, 4]])
    assert abs(np.bincount(dealt, minlength=GROUPS) - 1_000).max() < 5 * np.sqrt(800)
    assert len(np.bincount(dealt)) == GROUPS


def test_a_manifest_gives_the_lines_back_until_their_follow_up_is_over() -> None:
    scores, happened, group = some(5)
    lines = cross_fitted(scores, happened, group)
    manifest: dict[str, Any] = {"recalibration": lines.told(), "validation_index_date": INDEX_DATE.isoformat(), "horizon_days": 365}
    for later, is_over in ((0, False), (364, False), (365, True)):
        found = lines_to_judge_by(lines.whole, manifest, INDEX_DATE + timedelta(days=later))
        assert found == (CrossFitted(lines.whole, (lines.whole,) * GROUPS) if is_over else lines), later
    in_use = Recalibration(1.0, 2.0)
    assert lines_to_judge_by(in_use, {"recalibration": {"intercept": 0.0, "slope": 1.0}}, INDEX_DATE).without == (in_use,) * GROUPS
