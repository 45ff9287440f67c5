"""The lot's answer: every lot that could have been drawn is drawn, and the interval holds the truth as often as it says, whatever the effects."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.paired_lot import effect_of_lot

pair = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans())


@given(st.lists(pair, min_size=1, max_size=7), st.sampled_from([0.5, 0.8, 0.95]))
def test_over_every_lot_the_interval_holds_the_true_effect_often_enough(people: list[tuple[bool, ...]], confidence: float) -> None:
    # Of each pair: the outcome of the one and the other without, then of the one and the other with.
    without, with_it = np.array([each[:2] for each in people]), np.array([each[2:] for each in people])
    truth = (with_it.astype(int) - without.astype(int)).mean()
    held = 0
    at = np.arange(len(people))
    for lot in product((0, 1), repeat=len(people)):
        who = np.array(lot)
        found = effect_of_lot(with_it[at, who], without[at, 1 - who], confidence)
        held += found.lower - 1e-12 <= truth <= found.upper + 1e-12
    assert held >= confidence * 2 ** len(people)


@pytest.mark.parametrize("effect", [0.0, 0.15])
def test_of_many_pairs_a_planted_effect_and_none_are_found_again(effect: float) -> None:
    rng = np.random.default_rng(8)
    held, widths = 0, []
    for _ in range(200):
        risk = rng.uniform(0.2, 0.4, 1000)
        found = effect_of_lot(rng.random(1000) < risk - effect, rng.random(1000) < risk)
        held += found.lower <= -effect <= found.upper
        widths.append(found.upper - found.lower)
    assert held >= 190
    # Exact costs about a quarter more than the large-sample interval, 2 x 1.96 x sqrt(2 x 0.3 x 0.7 / 1000) = 0.080, and no more.
    assert np.mean(widths) < 0.115


def test_none_and_all_and_nobody() -> None:
    none = effect_of_lot([0] * 20, [0] * 20)
    assert (none.value, none.standard_error) == (0, 0)
    assert none.lower == -none.upper < 0
    sure = effect_of_lot([1] * 20, [0] * 20)
    assert sure.value == 1
    assert 0 < sure.lower < 1 <= sure.upper
    assert math.isnan(effect_of_lot([], []).value)
    # One pair says nothing about either of its people.
    assert (effect_of_lot([1], [0]).lower, effect_of_lot([1], [0]).upper) == (0, 1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_it_turns_over_with_the_sides_and_holds_its_value(pairs: list[tuple[bool, bool]]) -> None:
    ins, outs = zip(*pairs, strict=True)
    found, turned = effect_of_lot(ins, outs), effect_of_lot(outs, ins)
    assert -1 <= found.lower <= found.value <= found.upper <= 1
    assert (turned.value, turned.lower, turned.upper) == (pytest.approx(-found.value), -found.upper, -found.lower)


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="2 people were drawn in and 1 out"):
        effect_of_lot([1, 0], [1])
    with pytest.raises(ValueError, match="confidence"):
        effect_of_lot([1], [0], 1.0)
