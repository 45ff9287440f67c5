"""Chance that belongs to a person: the same alone as in a crowd, even, and unrelated from one purpose to the next."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.synthetic.simulation.chance import Luck
from fuller_popheath.synthetic.simulation.schedule import MONDAY, on_working_days, regular, scatter

PERSONS = np.arange(9_990_000_000, 9_990_200_000)


@given(st.integers(0, 2**31), st.integers(0, 199_999), st.sampled_from(["frailty", "asthma", "usual gp"]), st.integers(0, 2_000))
def test_a_person_alone_has_the_luck_they_have_in_a_crowd(seed: int, row: int, purpose: str, step: int) -> None:
    alone = Luck.of(seed, PERSONS[row : row + 1]).uniform(purpose, step)
    crowd = Luck.of(seed, PERSONS[max(0, row - 3) : row + 4]).uniform(purpose, step)
    assert alone[0] in crowd and 0 <= alone[0] < 1


def test_luck_is_even_and_unrelated() -> None:
    luck = Luck.of(7, PERSONS)
    one, other, later = luck.uniform("asthma"), luck.uniform("copd"), luck.uniform("asthma", 1)
    expected = len(PERSONS) / 50
    for numbers in (one, other, later, Luck.of(8, PERSONS).uniform("asthma")):
        counts = np.bincount((numbers * 50).astype(int), minlength=50)
        assert ((counts - expected) ** 2 / expected).sum() < 100, "chi-square of 49 degrees of freedom: 100 is one in 50,000"
    pairs = np.corrcoef([one, other, later, Luck.of(8, PERSONS).uniform("asthma"), np.arange(len(PERSONS))])
    assert np.abs(pairs - np.eye(5)).max() < 0.012
    normal = luck.normal("frailty")
    assert abs(normal.mean()) < 0.01 and abs(normal.std() - 1) < 0.01


def test_happenings_stay_in_their_periods_and_come_as_often_as_asked() -> None:
    rng = np.random.default_rng(1)
    start, end = np.array([0, 100, 500]), np.array([3652, 100, 400])
    who, day = scatter(rng, start, end, np.array([20.0, 50.0, 50.0]))
    assert set(who) == {0} and day.min() >= 0 and day.max() < 3652
    assert 140 < len(who) < 260, "20 a year for ten years"
    who, day = regular(rng, start[:2], np.array([3652, 130]), np.array([28, 28]))
    assert 129 <= (who == 0).sum() <= 132 and day[who == 0].max() < 3652
    assert (np.diff(np.sort(day[who == 0])) >= 20).all()
    moved = on_working_days(rng, np.arange(400), np.zeros(400, dtype=int), np.full(400, 400))
    assert ((moved - MONDAY) % 7 < 5).mean() > 0.99 and np.abs(moved - np.arange(400)).max() <= 6
