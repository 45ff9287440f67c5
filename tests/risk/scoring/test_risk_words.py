"""Risks in words: the readable table, and that more risk is never told as less."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.risk.risk_words import WORDS, band, bands_of, risk_words, words_of
from fuller_popheath.site import RiskWords

BANDS = RiskWords().bands
probabilities = st.floats(0, 1)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "less than 1 in 1,000"),
        (0.000_999, "less than 1 in 1,000"),
        (0.001, "about 1 in 1,000"),
        (0.002, "about 1 in 500"),
        (0.01, "about 1 in 100"),
        (0.0123, "about 1 in 80"),
        (0.05, "about 1 in 20"),
        (0.1, "about 1 in 10"),
        (0.166, "about 1 in 6"),
        (0.18, "about 1 in 6"),
        (0.19, "about 1 in 5"),
        (0.333, "about 1 in 3"),
        (0.4, "about 2 in 5"),
        (0.5, "about 1 in 2"),
        (0.6, "about 3 in 5"),
        (0.68, "about 2 in 3"),
        (0.75, "about 3 in 4"),
        (0.8, "about 4 in 5"),
        (0.9, "about 9 in 10"),
        (0.949, "about 9 in 10"),
        (0.95, "more than 9 in 10"),
        (1.0, "more than 9 in 10"),
    ],
)
def test_risks_as_people_say_them(probability: float, words: str) -> None:
    assert risk_words(probability) == words


@given(probabilities, probabilities)
def test_a_higher_risk_is_never_told_as_a_lower_one(one: float, other: float) -> None:
    low, high = words_of(np.array(sorted((one, other))))
    assert low <= high


@given(st.floats(0.001, 0.95, exclude_max=True))
def test_about_is_never_out_by_more_than_a_sixth(probability: float) -> None:
    part, whole = re.fullmatch(r"about (\d+) in ([\d,]+)", risk_words(probability)).groups()  # type: ignore[union-attr]
    told = int(part) / int(whole.replace(",", ""))
    assert 1 / 1.17 <= told / probability <= 1.17


def test_every_way_of_telling_is_one_text_and_keeps_to_the_contract() -> None:
    from fuller_popheath.contracts import load_contract

    assert len(set(WORDS)) == len(WORDS)
    pattern = load_contract("risk/score").column("risk_words").pattern
    assert pattern
    assert all(re.fullmatch(pattern, words) for words in WORDS)


@pytest.mark.parametrize(
    ("probability", "name"), [(0, "low"), (0.0499, "low"), (0.05, "average"), (0.3, "high"), (0.5, "very high"), (1, "very high")]
)
def test_a_band_begins_at_its_limit(probability: float, name: str) -> None:
    assert band(probability, BANDS) == name


@given(probabilities, probabilities)
def test_bands_follow_the_risk(one: float, other: float) -> None:
    low, high = bands_of(np.array(sorted((one, other))), BANDS)
    assert low >= high


@pytest.mark.parametrize("bands", [{}, {"high": 0.5}, {"low": 0.0, "high": 0.5}, {"a": 0.5, "b": 0.5, "c": 0.0}, {"a": 1.5, "b": 0.0}])
def test_bands_that_leave_somebody_out_or_are_in_another_order_are_refused(bands: dict[str, float]) -> None:
    with pytest.raises(SettingsWrong, match=r"risk\.bands"):
        bands_of(np.array([0.1]), bands)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused_without_saying_it(wrong: float) -> None:
    with pytest.raises(ValueError, match="1 of 2 risks") as refusal:
        words_of(np.array([0.5, wrong]))
    assert str(wrong) not in str(refusal.value)
