"""Reviews: whose row came back, for how long what was said keeps somebody off lists, and how many proposals are accepted."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from fuller_popheath import registry
from fuller_popheath.cohorts import review_acceptance
from fuller_popheath.cohorts.review_matching import matched, unmatched_in_words
from fuller_popheath.cohorts.review_words import LISTS_AGAIN, REVIEW_TOLD, review_in_words
from fuller_popheath.cohorts.reviews import CASELOAD_DAYS, Reviewed, in_force, last_reviews, on_caseload, reviews_of_tonight
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.site import Site
from fuller_popheath.site_disclosure import Disclosure
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
    same_day = kept(returned((0, LISTS_AGAIN, date(2026, 11, 17))), made, night(TONIGHT + timedelta(days=1)), lists)
    assert off(same_day)[person(0)] == ("no_lists_please", None)
    again = kept(returned((0, LISTS_AGAIN, date(2026, 11, 20))), same_day, night(TONIGHT + timedelta(days=2)), lists)
    # What the other team said counts on; the wish does not.
    assert off(again) == {person(0): ("accepted", date(2027, 5, 20))}
    anew = kept(returned((0, "no_lists_please", date(2026, 11, 21))), again, night(TONIGHT + timedelta(days=3)), lists)
    assert off(anew)[person(0)] == ("no_lists_please", None)


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ((0, "declined", date(2026, 11, 17), None, "list-2026-11-09", TEAM), "issue_id.was_issued"),
        ((0, "declined", date(2026, 11, 17), None, ISSUE, "U99999"), "team_id.has_a_list"),
        ((1, "declined", date(2026, 11, 17), None, ISSUE, "U54321"), "row_reference.is_of_this_team"),
        ((399, "declined", date(2026, 11, 17), None, ISSUE, TEAM), "row_reference.is_on_the_list"),
        ((0, "declined", date(2026, 11, 15), None, ISSUE, TEAM), "reviewed_on.after_the_issue"),
        ((0, "declined", date(2027, 11, 17), None, ISSUE, TEAM), "reviewed_on.not_ahead"),
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
    # A wish without a later word against it always holds.
    rows = two.review.to_pylist()
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


def acceptance(rows: Sequence[Mapping[str, Any]], as_of: date = date(2026, 12, 31)) -> dict[tuple[str, str, str], dict[str, Any]]:
    import pyarrow as pa

    contract = load_contract("core/review")
    full = [
        {"as_of": as_of, "row_reference": reference(at % 400), "issue_id": ISSUE, "reviewed_on": DAY, "is_wish": False, "received_on": DAY} | row
        for at, row in enumerate(rows)
    ]
    site = SimpleNamespace(disclosure=Disclosure())
    made = review_acceptance.build({"core/review": pa.Table.from_pylist(full, schema=contract.schema)}, Night(as_of, site))  # type: ignore[arg-type]
    refuse_if_broken(made, load_contract("products/review_acceptance"))
    return {(row["team_id"], row["reason_code"], row["k"]): row for row in made.to_pylist()}


def said(team: str, first: int, people: int, accepted: int, rank: int = 1, reason: str | None = "dementia") -> list[dict[str, Any]]:
    """So many people of one place on one team's lists, of whom so many were accepted and the others declined."""
    return [
        {
            "team_id": team,
            "person_id": person(first + at),
            "review_outcome": "accepted" if at < accepted else "declined",
            "rank": rank,
            "reason_codes": reason,
        }
        for at in range(people)
    ]


def test_acceptance_at_k_by_team_and_reason_with_its_interval() -> None:
    rows = [
        *said("U1", 0, 40, 20),
        *said("U1", 40, 60, 10, rank=15, reason="housebound"),
        *said("U1", 100, 100, 20, rank=30, reason=None),
        *said("U2", 200, 100, 80),
    ]
    made = acceptance(rows)
    counts = {key: (made[key]["reviewed_count"], made[key]["accepted_count"], made[key]["accepted_percent"]) for key in made}
    assert counts["U1", "all", "10"] == (40, 20, 50.0)
    assert counts["U1", "all", "20"] == (100, 30, 30.0)
    assert counts["U1", "all", "all"] == (200, 50, 25.0)
    assert counts["U1", "dementia", "all"] == (40, 20, 50.0)
    assert counts["all", "all", "all"] == (300, 130, 43.3)
    assert counts["U2", "housebound", "10"] == (0, 0, None)
    low, high = wilson_interval([20], [40])
    row = made["U1", "all", "10"]
    # The interval's own golden numbers stand in tests/methods/test_proportions.py.
    assert (row["lower"], row["upper"]) == (round(100 * float(low[0]), 1), round(100 * float(high[0]), 1))


def test_what_says_nothing_of_a_proposal_is_not_counted_and_a_person_counts_once_a_team() -> None:
    rows = said("U1", 0, 40, 20)
    rows += [
        row | {"review_outcome": word, "person_id": person(100 + at)}
        for at, word in enumerate(("later", "no_lists_please", LISTS_AGAIN))
        for row in said("U1", 0, 1, 0)
    ]
    rows += [
        row | {"reviewed_on": DAY + timedelta(days=1), "review_outcome": "accepted", "issue_id": "list-2026-11-16-2"} for row in said("U1", 20, 10, 0)
    ]
    rows += [row | {"reviewed_on": date(2025, 12, 30)} for row in said("U1", 200, 50, 50)]
    rows += [row | {"reviewed_on": date(2026, 12, 31)} for row in said("U1", 300, 50, 50)]
    assert acceptance(rows)["U1", "all", "all"]["reviewed_count"] == 40
    assert acceptance(rows)["U1", "all", "all"]["accepted_count"] == 30


def test_small_numbers_of_reviews_are_hidden_with_whatever_is_made_of_them() -> None:
    made = acceptance([*said("U1", 0, 5, 2), *said("U2", 100, 60, 30), *said("U3", 200, 60, 30)])
    hidden = made["U1", "all", "all"]
    assert (hidden["is_hidden"], hidden["reviewed_count"], hidden["accepted_percent"], hidden["lower"]) == (True, None, None, None)
    assert made["all", "all", "all"]["reviewed_count"] == 125


JUDGEMENT = ("core/review", "inbound/review_outcome", "products/review_acceptance")
PACKAGE = Path(__file__).resolve().parents[2] / "fuller_popheath"


@pytest.mark.parametrize(
    "folder", ["risk", "catalogue/features", "catalogue/facts", "catalogue/outcomes", "catalogue/models", "catalogue/reasons", "methods"]
)
def test_nothing_that_trains_or_predicts_reads_a_review(folder: str) -> None:
    """Reviews are judgements of people who were listed: as labels they would teach a model to list whom it listed."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        imports = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not texts & set(JUDGEMENT), path.name
        assert not any("review" in module and "model_review" not in module for module in imports), path.name


def test_no_feature_fact_or_outcome_is_made_from_a_review() -> None:
    declared = [*registry.features().values(), *registry.facts().values(), *registry.outcomes().values()]
    assert not [spec for spec in declared if set(spec.inputs) & set(JUDGEMENT)]
