"""Reviews: whose row came back, for how long what was said keeps somebody off lists, and how it is corrected."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from fuller_popheath.cohorts.review_matching import matched, unmatched_in_words
from fuller_popheath.cohorts.review_words import LISTS_AGAIN, REVIEW_TOLD, review_in_words
from fuller_popheath.cohorts.reviews import (
    CASELOAD_DAYS,
    Reviewed,
    all_reviews,
    in_force,
    last_reviews,
    not_corrected,
    on_caseload,
    reviews_of_tonight,
)
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.site import Site
from fuller_popheath.site_lists import REVIEW_OUTCOMES
from fuller_popheath.sources.review_words import REVIEW_WORDS
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

ISSUE, TEAM, DAY = "list-2026-11-16", "U12345", date(2026, 11, 16)
TONIGHT = date(2026, 11, 20)
LETTERS = "BCDFGHJKMNPQRSTVWXYZ"


def reference(at: int) -> str:
    return f"BCDF{LETTERS[at // 20]}{LETTERS[at % 20]}"


def person(at: int) -> str:
    return f"person{LETTERS[at // 20]}{LETTERS[at % 20]}".lower().ljust(12, "a")


def night(as_of: date = TONIGHT, **days_off: int) -> Night:
    every = {**Site().reviews.days_off, **days_off}
    return Night(as_of=as_of, site=Site(reviews={"days_off": every}))


def issued(people: int = 5, issue: str = ISSUE, team: str = TEAM, first: int = 0) -> pa.Table:
    """So many listed rows, the first for person `first`; `reason_codes` of every other one are empty."""
    import pyarrow as pa

    schema = pa.schema(
        [
            (name, pa.int64() if name == "rank" else pa.string())
            for name in ("issue_id", "team_id", "row_reference", "person_id", "rank", "reason_codes")
        ]
    )
    rows = [
        {
            "issue_id": issue,
            "team_id": team,
            "row_reference": reference(at),
            "person_id": person(first + at),
            "rank": at + 1,
            "reason_codes": "dementia,housebound" if at % 2 == 0 else None,
        }
        for at in range(people)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def returned(*rows: tuple[Any, ...]) -> pa.Table:
    """Rows of inbound/review_outcome, each of its own file: (place on the list, outcome, day, later, issue, team), the last four optional."""
    import pyarrow as pa

    contract = load_contract("inbound/review_outcome")
    made = []
    for number, row in enumerate(rows, start=5):
        at, outcome, day, later, issue, team = (*row, *(None, None, ISSUE, TEAM)[len(row) - 2 :])
        made.append(
            {
                "return_id": f"{number:012x}",
                "issue_id": issue,
                "team_id": team,
                "row_reference": reference(at),
                "review_outcome": outcome,
                "reviewed_on": day,
                "later_until": later,
                "has_note": False,
                "row_number": number,
            }
        )
    return refuse_if_broken(pa.Table.from_pylist(made, schema=contract.schema), contract)


def kept(returns: pa.Table, previous: Reviewed | None = None, at: Night | None = None, lists: pa.Table | None = None) -> Reviewed:
    made = reviews_of_tonight(returns, issued() if lists is None else lists, previous.review if previous else None, at or night())
    refuse_if_broken(made.review, load_contract("core/review"))
    return made


def off(made: Reviewed, day: date = TONIGHT) -> dict[str, tuple[str, date | None]]:
    return {row["person_id"]: (row["outcome"], row["until"]) for row in in_force(made.review, day).to_pylist()}


def test_a_declined_person_is_off_until_the_review_ends_and_may_then_return() -> None:
    made = kept(returned((0, "declined", date(2026, 11, 17)), (1, "not_reviewed")))
    end = date(2027, 11, 17)
    assert off(made) == {person(0): ("declined", end)}
    assert off(made, end - timedelta(days=1)) == {person(0): ("declined", end)}
    assert off(made, end) == {}
    assert (made.returned_count, made.passed_over_count, made.unmatched_count) == (1, 1, 0)
    (row,) = made.review.to_pylist()
    assert (row["rank"], row["reason_codes"], row["received_on"], row["as_of"]) == (1, "dementia,housebound", TONIGHT, TONIGHT)


@pytest.mark.parametrize("outcome", [outcome for outcome in REVIEW_OUTCOMES if outcome != "later"])
def test_how_long_a_review_counts_is_the_sites_choice_and_nought_is_for_good(outcome: str) -> None:
    review = returned((0, outcome, date(2026, 11, 17)))
    assert off(kept(review, at=night(**{outcome: 10}))) == {person(0): (outcome, date(2026, 11, 27))}
    for_good = kept(review, at=night(**{outcome: 0}))
    assert off(for_good, date(2090, 1, 1)) == {person(0): (outcome, None)}


def test_later_counts_to_its_own_day_and_without_one_to_the_sites() -> None:
    made = kept(returned((0, "later", date(2026, 11, 17), date(2027, 1, 5)), (1, "later", date(2026, 11, 17))))
    assert off(made) == {person(0): ("later", date(2027, 1, 5)), person(1): ("later", date(2027, 2, 15))}


def test_a_change_of_settings_holds_for_reviews_of_old() -> None:
    first = kept(returned((0, "declined", date(2026, 11, 17))))
    second = kept(returned(), first, night(date(2026, 12, 1), declined=7))
    assert off(second, date(2026, 12, 1)) == {}


def test_the_same_file_night_after_night_is_one_review_whether_or_not_it_has_a_day() -> None:
    rows = returned((0, "declined", date(2026, 11, 17)), (1, "accepted"))
    made = kept(rows)
    for number in range(1, 4):
        made = kept(rows, made, night(TONIGHT + timedelta(days=number)))
    told = {row["person_id"]: (row["reviewed_on"], row["received_on"]) for row in made.review.to_pylist()}
    assert told == {person(0): (date(2026, 11, 17), TONIGHT), person(1): (TONIGHT, TONIGHT)}
    assert made.review.num_rows == 2


def test_of_two_files_about_one_row_the_later_day_counts_and_both_are_kept() -> None:
    both = kept(returned((0, "declined", date(2026, 11, 18)), (0, "accepted", date(2026, 11, 17))))
    assert both.review.num_rows == 2
    assert off(both) == {person(0): ("declined", date(2027, 11, 18))}
    corrected = kept(returned((0, "moved_or_died", date(2026, 11, 19))), both, night(TONIGHT + timedelta(days=1)))
    assert off(corrected) == {person(0): ("moved_or_died", date(2027, 2, 17))}


def test_of_reviews_on_different_lists_the_one_that_ends_last_keeps_the_person_off() -> None:
    import pyarrow as pa

    lists = pa.concat_tables([issued(1), issued(1, team="U54321")])
    rows = returned((0, "unsuitable", date(2026, 11, 17)), (0, "moved_or_died", date(2026, 11, 19), None, ISSUE, "U54321"))
    assert off(kept(rows, lists=lists)) == {person(0): ("unsuitable", date(2027, 11, 17))}


def test_a_wish_goes_before_everything_and_ends_only_with_the_persons_own_word() -> None:
    import pyarrow as pa

    lists = pa.concat_tables([issued(1), issued(1, team="U54321")])
    made = kept(returned((0, "no_lists_please", date(2026, 11, 17)), (0, "accepted", date(2026, 11, 19), None, ISSUE, "U54321")), lists=lists)
    assert off(made, date(2099, 1, 1)) == {person(0): ("no_lists_please", None)}
    (row,) = in_force(made.review, TONIGHT).to_pylist()
    assert (row["is_wish"], row["team_id"], row["issue_id"], row["reviewed_on"]) == (True, TEAM, ISSUE, date(2026, 11, 17))
    # Of the same day, on another list, it is no later word.
    same_day = kept(returned((0, LISTS_AGAIN, date(2026, 11, 17), None, ISSUE, "U54321")), made, night(TONIGHT + timedelta(days=1)), lists)
    assert off(same_day)[person(0)] == ("no_lists_please", None)
    again = kept(returned((0, LISTS_AGAIN, date(2026, 11, 20))), same_day, night(TONIGHT + timedelta(days=2)), lists)
    # What the other team said counts on; the wish does not.
    assert off(again) == {person(0): ("accepted", date(2027, 5, 20))}
    anew = kept(returned((0, "no_lists_please", date(2026, 11, 21))), again, night(TONIGHT + timedelta(days=3)), lists)
    assert off(anew)[person(0)] == ("no_lists_please", None)


WRONG_AND_RIGHT = [("declined", "accepted"), ("accepted", "declined"), ("no_lists_please", "accepted"), ("no_lists_please", "later")]


@pytest.mark.parametrize(("wrong", "right"), [*WRONG_AND_RIGHT, ("unsuitable", "moved_or_died"), ("moved_or_died", "no_lists_please")])
def test_a_row_returned_once_more_with_the_same_day_corrects_what_came_before(wrong: str, right: str) -> None:
    day = date(2026, 11, 17)
    first = kept(returned((0, wrong, day), (1, wrong, day)))
    made = kept(returned((0, right, day), (1, wrong, day)), first, night(TONIGHT + timedelta(days=1)))
    assert {who: outcome for who, (outcome, _) in off(made).items()} == {person(0): right, person(1): wrong}
    told = {row["person_id"]: row["words"] for row in last_reviews(made.review).to_pylist()}
    assert [told[person(at)].startswith(REVIEW_TOLD[word]) for at, word in enumerate((right, wrong))] == [True, True]
    assert on_caseload(made.review, TONIGHT).to_pylist() == [person(at) for at, word in enumerate((right, wrong)) if word == "accepted"]
    assert made.review.num_rows == 3  # what was said first is kept
    # The file that was wrong still lies there: it changes nothing, on that night or the next.
    both = kept(returned((0, wrong, day), (0, right, day)), made, night(TONIGHT + timedelta(days=2)))
    assert off(both) == off(made)


def test_a_wish_is_corrected_by_a_later_day_of_its_own_row_and_never_by_an_earlier_one_or_another_list() -> None:
    import pyarrow as pa

    lists = pa.concat_tables([issued(2), issued(2, team="U54321")])
    wish = kept(returned((0, "no_lists_please", date(2026, 11, 17)), (1, "no_lists_please", date(2026, 11, 17))), lists=lists)
    rows = ((0, "accepted", date(2026, 11, 19)), (1, "accepted", date(2026, 11, 19), None, ISSUE, "U54321"), (1, "accepted", date(2026, 11, 16)))
    made = kept(returned(*rows), wish, night(TONIGHT + timedelta(days=1)), lists)
    assert {who: outcome for who, (outcome, _) in off(made).items()} == {person(0): "accepted", person(1): "no_lists_please"}


def test_lists_again_by_mistake_is_taken_back_with_the_same_day_and_not_by_a_later_answer() -> None:
    import pyarrow as pa

    lists = pa.concat_tables([issued(2), issued(2, team="U54321")])
    wishes = kept(returned(*((at, "no_lists_please", date(2026, 11, 17)) for at in (0, 1))), lists=lists)
    again = kept(
        returned(*((at, LISTS_AGAIN, date(2026, 11, 18), None, ISSUE, "U54321") for at in (0, 1))), wishes, night(TONIGHT + timedelta(days=1)), lists
    )
    assert off(again) == {}
    rows = ((0, "accepted", date(2026, 11, 18), None, ISSUE, "U54321"), (1, "accepted", date(2026, 11, 19), None, ISSUE, "U54321"))
    made = kept(returned(*rows), again, night(TONIGHT + timedelta(days=2)), lists)
    assert {who: outcome for who, (outcome, _) in off(made).items()} == {person(0): "no_lists_please", person(1): "accepted"}


def test_of_two_lists_of_one_day_the_answer_that_arrived_later_decides_on_a_caseload() -> None:
    import pyarrow as pa

    lists = pa.concat_tables([issued(1), issued(1, team="U54321")])
    first = kept(returned((0, "unsuitable", date(2026, 11, 17))), lists=lists)
    made = kept(returned((0, "accepted", date(2026, 11, 17), None, ISSUE, "U54321")), first, night(TONIGHT + timedelta(days=1)), lists)
    assert on_caseload(made.review, TONIGHT).to_pylist() == [person(0)]
    assert last_reviews(made.review)["words"].to_pylist()[0].startswith("accepted")


def test_later_without_a_day_of_review_is_judged_when_it_first_comes_and_not_again_when_its_day_has_passed() -> None:
    rows = returned((0, "later", None, date(2026, 12, 1)))
    first = kept(rows)
    assert first.unmatched_count == 0
    made = kept(rows, first, night(date(2026, 12, 20)))
    assert (made.unmatched_count, made.review.num_rows, off(made, date(2026, 12, 20))) == (0, 1, {})


def test_every_stored_night_together_loses_nothing_whatever_the_order_of_the_runs() -> None:
    rows = returned((0, "declined", date(2026, 11, 17)), (1, "later", date(2026, 11, 17), date(2026, 12, 1)))
    first = kept(rows)
    later = kept(
        returned((1, "later", date(2026, 11, 17), date(2026, 12, 5)), (2, "accepted", date(2026, 11, 18))), at=night(date(2026, 11, 25), declined=9)
    )
    union = refuse_if_broken(all_reviews(iter([later.review, first.review])), load_contract("core/review"))
    assert union.equals(all_reviews([first.review, later.review, first.review]))
    told = {row["person_id"]: (row["received_on"], row["later_until"], row["as_of"]) for row in union.to_pylist()}
    last = date(2026, 11, 25)
    assert told == {person(0): (TONIGHT, None, last), person(1): (TONIGHT, date(2026, 12, 5), last), person(2): (last, None, last)}
    # An older day is run once more, with nothing in its folder: nothing is lost, and a second run is as the first.
    anew = reviews_of_tonight(returned(), issued(), union, night())
    assert anew.review.num_rows == 3
    assert reviews_of_tonight(rows, issued(), all_reviews([union, anew.review]), night()).review.equals(anew.review)
    assert all_reviews([]).schema.names == union.schema.names


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ((0, "declined", date(2026, 11, 17), None, "list-2026-11-09", TEAM), "issue_id.was_issued"),
        ((0, "declined", date(2026, 11, 17), None, ISSUE, "U99999"), "team_id.has_a_list"),
        ((1, "declined", date(2026, 11, 17), None, ISSUE, "U54321"), "row_reference.is_of_this_team"),
        ((399, "declined", date(2026, 11, 17), None, ISSUE, TEAM), "row_reference.is_on_the_list"),
        ((0, "declined", date(2026, 11, 15), None, ISSUE, TEAM), "reviewed_on.after_the_issue"),
        ((0, "declined", date(2027, 11, 17), None, ISSUE, TEAM), "reviewed_on.not_ahead"),
        ((0, "later", date(2026, 11, 18), date(2026, 11, 18), ISSUE, TEAM), "later_until.after_the_review"),
        ((0, "later", None, date(2026, 11, 19), ISSUE, TEAM), "later_until.after_the_review"),
        ((0, "later", date(2026, 11, 17), date(2036, 11, 17), ISSUE, TEAM), "later_until.not_too_far"),
    ],
)
def test_a_made_up_return_is_used_for_nothing_and_told_by_row_number(row: tuple[Any, ...], rule: str) -> None:
    import pyarrow as pa

    lists = pa.concat_tables([issued(2), issued(1, team="U54321", first=7)])
    made = kept(returned(row, (1, "accepted", date(2026, 11, 17))), lists=lists)
    assert [each["person_id"] for each in made.review.to_pylist()] == [person(1)]
    assert made.unmatched["broken_rules"].to_pylist() == [[rule]]
    assert made.unmatched_words.startswith("return 000000000005, row 5: ")
    assert reference(row[0]) not in made.unmatched_words


def test_an_unused_row_is_told_by_the_name_of_its_file_unless_that_holds_a_number() -> None:
    rows = returned((0, "declined", date(2026, 11, 15), None, ISSUE, TEAM))
    _, unmatched = matched(rows, issued(2), TONIGHT)
    return_id = unmatched["return_id"].to_pylist()[0]
    told = unmatched_in_words(unmatched, {return_id: "returns/list-2026-11-16_NORTH.xlsx"})
    assert told.startswith("returns/list-2026-11-16_NORTH.xlsx, row 5: the day of the review lies before the list was made")
    withheld = unmatched_in_words(unmatched, {return_id: "about 9434765919.xlsx"})
    assert "9434765919" not in withheld and f"(return {return_id}), row 5: " in withheld


def test_a_wish_is_not_lost_to_a_mistyped_day() -> None:
    made = kept(returned((0, "no_lists_please", date(2025, 11, 17))))
    assert (made.unmatched_count, in_force(made.review, TONIGHT)["outcome"].to_pylist()) == (0, ["no_lists_please"])


def test_a_row_counts_for_the_person_of_its_own_list_alone() -> None:
    """The same reference on another list stands for somebody else."""
    import pyarrow as pa

    lists = pa.concat_tables([issued(1), issued(1, team="U54321", first=7), issued(1, issue="list-2026-11-16-2", first=9)])
    found, unmatched = matched(returned((0, "declined", date(2026, 11, 17), None, "list-2026-11-16-2", TEAM)), lists, TONIGHT)
    assert found["person_id"].to_pylist() == [person(9)]
    assert unmatched_in_words(unmatched) == ""


def test_an_old_workbook_that_still_lies_there_is_of_no_unknown_list() -> None:
    rows = returned((0, "declined", date(2026, 11, 17)))
    made = kept(rows, kept(rows), night(TONIGHT + timedelta(days=1)), issued(1, "list-2026-11-23"))
    assert (made.unmatched_count, made.review.num_rows) == (0, 1)


def test_a_night_without_anything_gives_the_bare_columns() -> None:
    made = kept(returned(), lists=issued(0))
    assert made.review.num_rows == 0
    assert in_force(made.review, TONIGHT).num_rows == 0
    assert on_caseload(made.review, TONIGHT).to_pylist() == []


_SAID = st.tuples(st.integers(0, 4), st.sampled_from([*REVIEW_OUTCOMES, LISTS_AGAIN]), st.none() | st.dates(DAY, DAY + timedelta(days=60)))


@settings(deadline=None, max_examples=40)
@given(st.lists(_SAID, max_size=12), st.lists(_SAID, max_size=12))
def test_reviews_only_come_to_the_table_in_whatever_order_and_nobody_is_told_twice(first: list[Any], second: list[Any]) -> None:
    one = kept(returned(*first))
    two = kept(returned(*second), one, night(TONIGHT + timedelta(days=1)))
    key = [name for name in load_contract("core/review").primary_key if name != "as_of"]
    before, after = ({tuple(row[name] for name in key) for row in made.review.to_pylist()} for made in (one, two))
    assert before <= after
    people = in_force(two.review, TONIGHT)["person_id"].to_pylist()
    assert people == sorted(set(people))
    turned = kept(returned(*reversed(first)))
    assert turned.review.equals(one.review)
    # A wish that is not corrected and without a later word against it always holds.
    rows = not_corrected(two.review).to_pylist()
    for row in rows:
        taken_back = any(
            r["person_id"] == row["person_id"] and r["review_outcome"] == LISTS_AGAIN and r["reviewed_on"] > row["reviewed_on"] for r in rows
        )
        if row["review_outcome"] == "no_lists_please" and not taken_back:
            assert off(two)[row["person_id"]] == ("no_lists_please", None)


def test_a_caseload_is_who_was_accepted_or_known_when_last_judged_for_two_years() -> None:
    rows = (
        (0, "accepted", date(2026, 11, 17)),
        (1, "already_known", date(2026, 11, 17)),
        (2, "declined", date(2026, 11, 17)),
        (3, "accepted", date(2026, 11, 17)),
        (4, "accepted", date(2026, 11, 17)),
    )
    made = kept(returned(*rows))
    made = kept(returned((3, "declined", date(2026, 11, 18)), (4, "later", date(2026, 11, 18))), made, night(TONIGHT + timedelta(days=1)))
    assert on_caseload(made.review, TONIGHT).to_pylist() == [person(0), person(1), person(4)]
    end = date(2026, 11, 17) + timedelta(days=CASELOAD_DAYS)
    assert len(on_caseload(made.review, end)) == 3
    assert len(on_caseload(made.review, end + timedelta(days=1))) == 0
    # The reviews themselves have long ceased to keep anybody off by then.
    assert off(made, end) == {}


def test_the_next_reader_is_told_what_was_last_said() -> None:
    made = kept(returned((0, "declined", date(2026, 11, 17)), (1, "no_lists_please", date(2026, 11, 18))))
    assert last_reviews(made.review).to_pylist() == [
        {"person_id": person(0), "words": "declined by the person on 17 Nov 2026, until 17 Nov 2027"},
        {"person_id": person(1), "words": "the person wants no lists on 18 Nov 2026, for good"},
    ]
    assert set(REVIEW_TOLD) == {*REVIEW_WORDS, LISTS_AGAIN}
    assert review_in_words("accepted", date(2026, 3, 3)) == "accepted on 3 Mar 2026"
