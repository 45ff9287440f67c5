"""What a review is written with: the words of the drop-down and their slips, days, and the line that names a list."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from fuller_popheath.site_lists import REVIEW_OUTCOMES
from fuller_popheath.sources import review_outcome
from fuller_popheath.sources.review_words import (
    ALSO_SAID,
    LISTS_AGAIN,
    LISTS_AGAIN_WORDS,
    REVIEW_WORDS,
    is_one_slip,
    list_line,
    lists_named,
    outcome_of,
)


def test_every_outcome_has_its_words_and_no_two_share_one() -> None:
    assert tuple(REVIEW_WORDS) == REVIEW_OUTCOMES
    assert {outcome_of(words): words for words in REVIEW_WORDS.values()} == dict(REVIEW_WORDS)
    assert outcome_of(LISTS_AGAIN_WORDS) == LISTS_AGAIN


PHRASES = [(outcome, words) for outcome, words in REVIEW_WORDS.items()] + [(LISTS_AGAIN, LISTS_AGAIN_WORDS)]
EVERY = [(outcome, said) for outcome, words in ALSO_SAID.items() for said in words] + PHRASES


@given(st.sampled_from(PHRASES), st.data())
def test_one_slip_of_typing_never_turns_a_review_into_another(phrase: tuple[str, str], data: st.DataObject) -> None:
    outcome, words = phrase
    letters = "".join(sign for sign in words.lower() if sign.isalnum())
    at = data.draw(st.integers(0, len(letters) - 2))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    slips = {
        "left out": letters[:at] + letters[at + 1 :],
        "put in": letters[:at] + letter + letters[at:],
        "wrong": letters[:at] + letter + letters[at + 1 :],
        "swapped": letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :],
    }
    typed = slips[data.draw(st.sampled_from(sorted(slips)))]
    assert outcome_of(typed) == outcome
    assert typed == letters or is_one_slip(typed, letters)


def test_no_two_outcomes_are_within_two_slips_of_each_other() -> None:
    """Else one slip could stand as far from one as from the other. Distances by hand: insert, delete and substitute cost 1 each."""

    def distance(a: str, b: str) -> int:
        before = list(range(len(b) + 1))
        for i, one in enumerate(a, start=1):
            row = [i]
            for j, other in enumerate(b, start=1):
                row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (one != other)))
            before = row
        return before[-1]

    keys = [(outcome, "".join(sign for sign in said.lower() if sign.isalnum())) for outcome, said in EVERY]
    assert all(distance(a, b) > 2 for one, a in keys for other, b in keys if one != other)


@pytest.mark.parametrize(
    "typed",
    [
        "suitable",
        "Unaccept",
        "Person wants lists",
        "Late",
        "no",
        "yes",
        "Already unknown to us",
        "Not accepted",
        "Person accepted",
        "declined?? no, accept",
        "",
    ],
)
def test_what_could_mean_something_else_means_nothing(typed: str) -> None:
    assert outcome_of(typed) is None


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-11-17", "2026-11-17"),
        ("2026-11-17T09:30:00", "2026-11-17"),
        ("17/11/2026", "2026-11-17"),
        ("17.11.26", "2026-11-17"),
        ("7/1/27", "2027-01-07"),
        ("17-11-2026", "2026-11-17"),
        ("17 Nov 2026", "2026-11-17"),
        ("17th November 2026", "2026-11-17"),
        ("17-Nov-26", "2026-11-17"),
        ("3 Sept 26", "2026-09-03"),
        ("17/11/2026 00:00", "2026-11-17"),
        ("31/11/2026", "31/11/2026"),
        ("11/17/2026", "11/17/2026"),
        ("17 Mat 2026", "17 Mat 2026"),
        ("next week", "next week"),
        ("123", "123"),
    ],
)
def test_a_day_is_read_as_people_here_write_it(typed: str, day: str) -> None:
    assert review_outcome.as_day(typed) == day


def test_the_line_that_names_a_list_is_found_however_it_is_written() -> None:
    assert lists_named([list_line("list-2026-11-16-2", "U12345")]) == {("list-2026-11-16-2", "U12345")}
    assert lists_named(["Issue: list-2026-11-16 · Team: U12345"]) == {("list-2026-11-16", "U12345")}
    assert lists_named(["issue list-2026-11-16", "NORTH TEAM: 40 people"]) == set()
