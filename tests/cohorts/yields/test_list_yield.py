"""What past lists found: planted effects and none come back from the lot and the cut-off, the fall that doing nothing shows is told beside, and
nobody is lost silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fuller_popheath.cohorts.list_yield import alike_in_risk, list_yield
from fuller_popheath.errors import ContractBroken

REPEATS = 16


@pytest.mark.parametrize("effect", [0.0, 0.15])
def test_the_lot_at_the_margin_finds_a_planted_effect_and_none(place: Callable[..., Any], effect: float) -> None:
    held, values = 0, []
    for seed in range(REPEATS):
        lot = list_yield(place(seed=seed, effect=effect, band=500, team={"core20_floor": 1.1}).people(), True).by_lot
        assert lot is not None and lot.difference is not None and lot.check is not None
        assert lot.pairs == 500 and lot.lost == 0
        held += lot.difference.lower <= -effect <= lot.difference.upper
        values.append(lot.difference.value)
    assert held >= REPEATS - 1
    # The standard error of one is about sqrt(2 x 0.2 / 500) = 0.028.
    assert np.mean(values) == pytest.approx(-effect, abs=4 * 0.028 / REPEATS**0.5)


@pytest.mark.parametrize("effect", [0.0, 0.2])
@pytest.mark.parametrize("team", [{}, {"core20_floor": 1.2, "newly_surfaced_percent": 40.0}])
def test_the_cut_off_finds_a_planted_effect_and_none_with_floors_and_without(place: Callable[..., Any], effect: float, team: dict[str, Any]) -> None:
    held, jumps, checks = 0, [], []
    for seed in range(REPEATS):
        (found,) = list_yield(place(size=5000, seed=seed, effect=effect, team=team).people(), True).at_cut_off
        assert found.jump is not None and found.check is not None and found.unclear == 0
        held += found.jump.lower <= -effect <= found.jump.upper
        jumps.append(found.jump.value)
        checks.append(found.check.value)
    assert held >= REPEATS - 3
    # Over 400 draws the standard error of one was 0.06 and the mean within 0.005 of the truth, with floors and without.
    assert np.mean(jumps) == pytest.approx(-effect, abs=4 * 0.06 / REPEATS**0.5)
    assert np.mean(checks) == pytest.approx(0, abs=4 * 0.06 / REPEATS**0.5)


def test_a_list_that_did_nothing_shows_the_fall_that_doing_nothing_shows(place: Callable[..., Any]) -> None:
    # Listed by lot among people alike, mostly those with a bad year: nothing happens to anybody.
    north = place(size=8000, seed=3)
    rng = np.random.default_rng(9)
    listed = rng.random(8000) < np.where(north.before > 0, 0.4, 0.02)
    found = list_yield(north.people(is_listed=listed), True)
    assert found.rate_after < 0.6 * found.rate_before
    assert found.fall.after_alike < 0.6 * found.fall.before_alike
    assert found.fall.difference.lower <= 0 <= found.fall.difference.upper
    assert found.alike.lower <= 0 <= found.alike.upper
    assert abs(found.risk_apart) < 0.005
    # The model knows nothing of the lot, and is right.
    assert found.came.lower is not None and found.came.upper is not None
    assert found.came.lower <= found.came.observed <= found.came.upper


def test_the_regression_to_the_mean_of_a_few_people_by_hand(place: Callable[..., Any]) -> None:
    north = place(size=8, team={"slots_count": 2})
    listed = np.array([True, True, *[False] * 6])
    before, after = np.array([2, 0, 2, 2, 0, 0, 1, 5]), np.array([1, 1, 0, 1, 0, 2, 9, 9])
    same = north.people(is_listed=listed, before_count=before, after_count=after, probability=np.full(8, 0.2), score=np.full(8, 0.2))
    fall = list_yield(same, True).fall
    # Listed: 2 + 0 before and 1 + 1 after. Alike: two with two before, who had 0.5 after on average, and two with none, who had 1.
    assert (fall.matched, fall.compared) == (2, 4)
    assert (fall.before, fall.after, fall.before_alike, fall.after_alike) == (1.0, 1.0, 1.0, 0.75)


def test_who_left_or_objects_is_in_no_figure_and_who_died_is_until_then(place: Callable[..., Any]) -> None:
    north = place(size=8, team={"slots_count": 4})
    listed = np.array([True] * 4 + [False] * 4)
    flag = lambda *at: np.isin(np.arange(8), at)  # noqa: E731
    same = north.people(
        is_listed=listed,
        is_followed=~flag(0, 4),
        objects=flag(1, 4),
        has_died=flag(0, 2),
        has_outcome=flag(0, 1, 2, 5),
        before_count=np.zeros(8, int),
        after_count=np.array([5, 5, 1, 0, 0, 1, 0, 0]),
        followed_years=np.array([1, 1, 0.25, 1, 1, 1, 1, 1]),
        probability=np.full(8, 0.2),
    )
    found = list_yield(same, True)
    assert (found.listed.people, found.listed.left, found.listed.objecting, found.listed.died) == (4, 1, 1, 1)
    # Who left and objects is told as objecting, once.
    assert (found.others.people, found.others.left, found.others.objecting, found.others.died) == (4, 0, 1, 0)
    assert (found.came.people, found.came.observed, found.came.predicted) == (2, 1, pytest.approx(0.4))
    assert found.rate_after == pytest.approx(1 / 1.25)
    assert found.fall.after_alike == pytest.approx(1 / 3)


def test_a_pair_with_somebody_lost_is_lost_whole_and_few_pairs_say_nothing(place: Callable[..., Any]) -> None:
    people = place(band=30, seed=2).people()
    first = np.flatnonzero(people.is_in_margin_band & people.is_listed)[0]
    followed = np.ones(4000, bool)
    followed[first] = False
    lot = list_yield(replace(people, is_followed=followed), True).by_lot
    assert lot is not None
    assert (lot.pairs, lot.lost) == (29, 1)
    few = list_yield(place(band=5).people(), True).by_lot
    assert few is not None
    assert (few.pairs, few.difference) == (5, None)


def test_pairs_that_cannot_be_found_again_are_refused(place: Callable[..., Any]) -> None:
    people = place(band=20).people()
    listed = people.is_listed.copy()
    listed[np.flatnonzero(people.is_in_margin_band & listed)[0]] = False
    with pytest.raises(ContractBroken, match=r"40 people of a margin band do not make pairs with one listed each \(1 do not\)"):
        list_yield(replace(people, is_listed=listed), True)
    with pytest.raises(ContractBroken, match="says of 40 of 40 people"):
        list_yield(replace(people, cell=np.full(4000, -1)), True)


def test_no_estimate_at_a_cut_off_that_is_none(place: Callable[..., Any]) -> None:
    people = place().people()
    assert list_yield(replace(people, cell=np.full(4000, -1)), True).at_cut_off == ()
    # Everybody was on the list before, and stays on more easily.
    assert list_yield(replace(people, was_on_last=np.ones(4000, bool)), True).at_cut_off == ()
    # Listed by something else than the score.
    (found,) = list_yield(replace(people, is_listed=people.is_listed[::-1].copy()), True).at_cut_off
    assert (found.people, found.unclear, found.jump) == (0, 4000, None)
    # A small list: told as too few.
    (few,) = list_yield(place(size=300, team={"slots_count": 20}).people(), True).at_cut_off
    assert few.jump is None and few.above <= 20
    # With a margin band the lot answers.
    with_band = list_yield(place(band=20).people(), True)
    assert (with_band.has_band, with_band.at_cut_off) == (True, ())


def test_people_without_a_risk_are_like_nobody_unless_nobody_has_one(place: Callable[..., Any]) -> None:
    people = place(size=6, team={"slots_count": 2}).people(
        probability=np.array([0.2, 0.21, np.nan, np.nan, 0.5, 0.2]), score=np.array([3.0, 3, 4, 4, 3, 3])
    )
    strata = alike_in_risk(people)
    assert strata[0] == strata[1] == strata[5]
    assert len(set(strata.tolist())) == 4
    by_points = alike_in_risk(replace(people, probability=np.full(6, np.nan)))
    assert by_points.tolist() == [0, 0, 1, 1, 0, 0]
    two_orders = alike_in_risk(replace(people, probability=np.full(6, np.nan), priority=np.array(["need"] * 5 + ["gap"])))
    assert len(set(two_orders.tolist())) == 3


def test_probabilities_are_of_a_year_and_never_scaled(place: Callable[..., Any]) -> None:
    found = list_yield(place().people(), is_full_time=False)
    assert found.came.predicted is None
    assert (found.came.people, found.came_others.people) == (800, 3200)
