"""A list over three nights and the next weeks: issued, pruned, issued again, with what was said about people in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.cohorts.issuing import is_issue_day, issue_id_for
from fuller_popheath.cohorts.list_changes import After, Before, differences
from fuller_popheath.cohorts.pruning import roll_back
from fuller_popheath.errors import ContractBroken

LIST, CHANGE, LOG, ACCOUNT, GROUP = (
    *("products/cohort_list", "core/list_change", "core/selection_log"),
    *("products/cohort_list_account", "core/selection_group"),
)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def test_a_declined_person_is_taken_off_and_stays_off_until_the_review_ends(world: Callable[..., Any]) -> None:
    place = world(slots_count=3)
    place.holds_contracts = True
    monday = place.monday
    first = place.lists(monday)
    assert place.on_list(first) == ["na", "nb", "nc"]
    assert {row["issue_id"] for row in first[LIST].to_pylist()} == {"list-2026-10-05"}
    place.review(first, "nb", "declined", monday + DAY)
    second = place.lists(monday + 2 * DAY, first)
    assert place.on_list(second) == ["na", "nc"]
    row = place.row(second, "nb")
    assert (row["state"], row["mark"], row["marked_on"]) == ("removed", "reviewed", monday + 2 * DAY)
    told = "declined by the person on 6 Oct 2026, until 6 Oct 2027 (said by team NORTH in list-2026-10-05)"
    assert place.changes(second)["nb"] == ("removed", told)
    third = place.lists(monday + WEEK, second)
    assert place.on_list(third) == ["na", "nc", "nd"]
    assert place.changes(third) == {
        "na": ("stayed", "place 1 of 7 by score; 1 last time"),
        "nc": ("stayed", "place 2 of 7 by score; 3 last time"),
        "nd": ("joined", "place 3 of 7 by score; 4 last time"),
        "nb": ("left", told),
    }
    assert [(row["is_new"], row["rank"]) for row in (place.row(third, name) for name in ("na", "nc", "nd"))] == [(False, 1), (False, 2), (True, 3)]
    # A year on the review has ended: the person may return, and the list says what was said.
    later = place.lists(date(2027, 10, 11), third)
    assert place.on_list(later)[:2] == ["na", "nb"]
    words = "declined by the person on 6 Oct 2026, until 6 Oct 2027: that time is over; place 2 of 8 by score"
    assert place.changes(later)["nb"] == ("joined", words)
    assert place.row(later, "nb")["last_review"] == "declined by the person on 6 Oct 2026, until 6 Oct 2027"


def test_whom_the_team_takes_on_stays_on_this_weeks_list_and_is_not_on_the_next(world: Callable[..., Any]) -> None:
    place = world(slots_count=3)
    place.holds_contracts = True
    first = place.lists(place.monday)
    place.review(first, "nb", "accepted", place.monday + DAY)
    second = place.lists(place.monday + 2 * DAY, first)
    row = place.row(second, "nb")
    assert (row["state"], row["mark"]) == ("listed", "taken_on")
    assert place.changes(second)["nb"][0] == "marked"
    assert "nb" not in place.on_list(place.lists(place.monday + WEEK, second))


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "left": ({"practice_code": "A00002"}, "left", "now registered at another practice of the neighbourhood"),
    "moved": (
        {"practice_code": "A00003", "neighbourhood_code": "U00002"},
        "left",
        "now registered at another practice, which the team does not serve",
    ),
    "sensitive": ({"is_sensitive": True}, "sensitive", "the record is marked as not to be shared"),
    "type 1": (
        {"excluded_from_rule_list": True, "has_type_1_objection": True, "type_1_reason": "dissent"},
        "objects",
        "objects to lists: a Type 1 objection",
    ),
    "national": ({"excluded_from_rule_list": True}, "objects", "objects to lists: the national data opt-out"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_takes_somebody_off_between_issues(world: Callable[..., Any], case: str) -> None:
    place = world()
    first = place.lists(place.monday)
    now, mark, words = CASES[case]
    place.people["nb"] |= now
    second = place.lists(place.monday + DAY, first)
    assert (place.on_list(second), place.on_list(second, state="removed")) == (["na", "nc"], ["nb"])
    assert (place.row(second, "nb")["mark"], place.changes(second)["nb"]) == (mark, ("removed", words))
    # Whoever only changed practice within the neighbourhood can be listed again next time; the others are not.
    returns = case == "left"
    week_on = place.changes(place.lists(place.monday + WEEK, second))["nb"]
    back = ("joined", f"was taken off the last list ({words}) and can be listed again; place 2 of 8 by score")
    assert week_on == (back if returns else ("left", words))


def test_the_dead_are_taken_off_as_such_and_who_is_gone_as_gone(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    del place.people["na"], place.people["nb"]
    place.dead["na"] = place.monday
    second = place.lists(place.monday + DAY, first)
    assert [place.row(second, name)["mark"] for name in ("na", "nb", "nc")] == ["died", "left", None]
    assert place.changes(second)["nb"] == ("removed", "not on the practice's own list any more (left, died, or the row could not be read)")


def test_a_wish_takes_somebody_off_at_every_practice(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    place.review(first, "nb", "no_lists_please", place.monday)
    second = place.lists(place.monday + DAY, first)
    assert (place.row(second, "nb")["mark"], place.changes(second)["nb"][1]) == (
        "unlisted_wish",
        "the person wants no lists on 5 Oct 2026, for good (said by team NORTH in list-2026-10-05)",
    )
    place.people["nb"] |= {"practice_code": "A00003", "neighbourhood_code": "U00002", "points": 20}
    assert place.on_list(place.lists(date(2029, 1, 1), second), "QUAY") == ["qa", "qb", "qc"]


def test_nobody_comes_back_before_the_next_issue(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    place.people["nb"] |= {"is_sensitive": True}
    second = place.lists(place.monday + DAY, first)
    place.people["nb"] |= {"is_sensitive": False}
    third = place.lists(place.monday + 2 * DAY, second)
    assert place.on_list(third, state="removed") == ["nb"]
    assert place.row(third, "nb")["marked_on"] == place.monday + DAY
    # Taking up the list of an earlier day again does not bring back whoever has left since.
    place.people["nc"] |= {"is_sensitive": True}
    assert place.on_list(place.lists(place.monday + 3 * DAY, first)) == ["na", "nb"]
    fourth = place.lists(place.monday + WEEK, place.lists(place.monday + 3 * DAY, third))
    assert place.changes(fourth)["nb"] == (
        "joined",
        "was taken off the last list (the record is marked as not to be shared) and can be listed again; place 2 of 7 by score",
    )


def test_going_back_to_an_earlier_list_brings_nobody_back(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    place.people["nb"] |= {"is_sensitive": True}
    second = place.lists(place.monday + DAY, first)
    # On the day of going back nothing speaks against nb any more, and something does against nc.
    place.people["nb"] |= {"is_sensitive": False}
    place.people["nc"] |= {"is_sensitive": True}
    made = roll_back(place.monday + 2 * DAY, first, second, place.tables(place.monday + 2 * DAY))
    assert (place.on_list(made), place.on_list(made, state="removed")) == (["na"], ["nb", "nc"])
    assert [place.row(made, name)["marked_on"] for name in ("nb", "nc")] == [place.monday + DAY, place.monday + 2 * DAY]
    assert {name: change for name, (change, _) in place.changes(made).items()} == {"na": "joined", "nb": "removed", "nc": "removed"}
    assert place.account(made)["removed_count"] == 2


names = st.sampled_from([f"p{number}" for number in range(12)])


@settings(max_examples=80, deadline=None)
@given(st.lists(names, unique=True), st.sets(names), st.lists(names, unique=True), st.sets(names))
def test_differences_are_complete_whoever_comes_and_goes(old: list[str], off: set[str], new: list[str], others: set[str]) -> None:
    def frame(people: list[str], **columns: Any) -> pd.DataFrame:
        rows = {"person_id": people, "rank": range(1, len(people) + 1), "practice_code": "A00001", **columns}
        return pd.DataFrame(rows).set_index("person_id")

    def places(people: list[str]) -> dict[str, int]:
        return {person: place for place, person in enumerate([*people, *sorted(others - set(people))], 1)}

    state = ["removed" if person in off else "listed" for person in old]
    before = Before("list-2026-10-05", date(2026, 10, 5), frame(old, state=state), places(old), dict.fromkeys(off & set(old), "died"))
    listed = frame(new, row_reference="BCDFGH", decided_by="score", risk_change=None, registration_start_date=date(2010, 1, 1))
    after = After("list-2026-10-12", "NORTH", date(2026, 10, 12), listed, places(new), len(new))
    rows = list(differences(before, after))
    assert sorted(row["person_id"] for row in rows) == sorted({*old, *new})
    expected = {person: "stayed" if person in set(old) - off else "joined" for person in new} | dict.fromkeys(set(old) - set(new), "left")
    assert {row["person_id"]: row["change"] for row in rows} == expected
    assert all(row["words"] for row in rows)
    assert all((row["rank"] is None) == (row["change"] == "left") == (row["row_reference"] is None) for row in rows)


def test_nothing_but_state_mark_and_day_changes_between_issues(world: Callable[..., Any]) -> None:
    place = world({"na": {"points": 12, "risk": 0.2}})
    first = place.lists(place.monday)
    for person in place.people.values():
        person |= {"points": 1, "age_years": 80, "contact_count_365": 0, "continuity_upc": 0.9, "admitted": place.monday}
    second = place.lists(place.monday + DAY, first)
    kept = [name for name in first[LIST].column_names if name not in ("as_of", "state", "mark", "marked_on")]
    assert second[LIST].select(kept).equals(first[LIST].select(kept))
    assert set(second[LIST]["mark"].to_pylist()) == {"new_admission"}
    assert set(second[LIST]["state"].to_pylist()) == {"listed"}
    kept = [name for name in first[ACCOUNT].column_names if name != "as_of"]
    assert second[ACCOUNT].select(kept).equals(first[ACCOUNT].select(kept))
    assert second[LOG].drop_columns(["as_of"]).equals(first[LOG].drop_columns(["as_of"]))


def test_an_admission_that_was_known_at_the_issue_is_no_new_one(world: Callable[..., Any]) -> None:
    place = world({"na": {"points": 12, "admitted": date(2026, 9, 1)}})
    first = place.lists(place.monday)
    assert place.row(first, "na")["last_emergency_admission_date"] == date(2026, 9, 1)
    second = place.lists(place.monday + DAY, first)
    assert second[LIST]["mark"].null_count == second[LIST].num_rows
    # One that lay before the issue, and was told after it, is.
    place.people["na"]["admitted"] = date(2026, 9, 20)
    third = place.lists(place.monday + 2 * DAY, second)
    assert place.changes(third)["na"] == ("marked", "an emergency admission on 20 Sep 2026 that was not known when the list was issued")
    place.people["na"]["admitted"] = place.monday + 2 * DAY
    fourth = place.lists(place.monday + 3 * DAY, third)
    assert (place.row(fourth, "na")["marked_on"], fourth[CHANGE].num_rows) == (place.monday + 2 * DAY, third[CHANGE].num_rows)


def test_the_same_night_twice_gives_the_same_lists(world: Callable[..., Any]) -> None:
    place = world({"ni": {"points": 9}, "nj": {"points": 9}, "nk": {"points": 9}})
    first = place.lists(place.monday)
    again = place.lists(place.monday)
    assert all(first[name].equals(again[name]) for name in first)
    # Run once more with its own lists standing: nothing new happens.
    standing = place.lists(place.monday, first)
    assert all(standing[name].equals(first[name]) for name in first)
    place.people["na"] |= {"is_sensitive": True}
    pruned = place.lists(place.monday + DAY, first)
    twice = place.lists(place.monday + DAY, pruned)
    assert all(twice[name].equals(pruned[name]) for name in first)


def test_every_difference_between_two_issues_has_exactly_one_explanation(world: Callable[..., Any]) -> None:
    place = world(slots_count=4, newly_surfaced_percent=25.0)
    previous = place.lists(place.monday)
    moves: list[dict[str, dict[str, Any]]] = [
        {"nh": {"points": 30}},
        {"na": {"points": 1}, "ng": {"points": 9, "risk": 0.4, "risk_change": "rose"}},
        {"nb": {"is_sensitive": True}, "nx": {"points": 14, "registration_start_date": date(2026, 10, 20)}},
        {"nb": {"is_sensitive": False}, "nc": {"practice_code": "A00003", "neighbourhood_code": "U00002", "points": 9}},
    ]
    for week, changed in enumerate(moves, 1):
        for name, now in changed.items():
            place.people[name] = {**place.people.get(name, {}), **now}
        tuesday = place.lists(place.monday + week * WEEK - 6 * DAY, previous)
        place.holds_contracts = week == len(moves)
        made = place.lists(place.monday + week * WEEK, tuesday)
        for team in place.teams:
            before, after = ({*place.on_list(each, team), *place.on_list(each, team, "removed")} for each in (tuesday, made))
            rows = [row for row in made[CHANGE].to_pylist() if row["team_id"] == team]
            assert sorted(row["person_id"].rstrip("x") for row in rows) == sorted(before | after)
            kinds = {row["person_id"].rstrip("x"): row["change"] for row in rows}
            assert {name for name in kinds if kinds[name] == "left"} == before - after
            assert {name for name in kinds if kinds[name] == "joined"} == after - set(place.on_list(tuesday, team))
            assert {name for name in kinds if kinds[name] == "stayed"} == after & set(place.on_list(tuesday, team))
            assert all(len(row["words"]) > 5 for row in rows)
            account = place.account(made, team)
            assert (account["joined_count"], account["left_count"], account["stayed_count"]) == tuple(
                list(kinds.values()).count(kind) for kind in ("joined", "left", "stayed")
            )
        previous = made
    words = place.changes(previous)
    assert words["nc"] == ("left", "now registered at another practice, which the team does not serve")
    assert place.changes(previous, "QUAY")["nc"][1].startswith("could not be listed last time, and can be now; place 1 of 4")


def test_why_somebody_joined_or_left(world: Callable[..., Any]) -> None:
    place = world(slots_count=2)
    first = place.lists(place.monday)
    place.people["nb"] |= {"points": 3}
    place.people["nh"] |= {"points": 13, "risk": 0.4, "risk_change": "rose"}
    second = place.lists(place.monday + WEEK, first)
    assert place.changes(second) == {
        "nh": ("joined", "place 1 of 8 by score; 8 last time; the risk rose: two falls (before: one)"),
        "na": ("stayed", "place 2 of 8 by score; 1 last time"),
        "nb": ("left", "place 8 by score, and there are 2 places; 2 last time"),
    }
    place.people["na"] |= {"points": 1}
    place.people["nz"] = {"points": 20, "registration_start_date": place.monday + 8 * DAY}
    third = place.lists(place.monday + 2 * WEEK, second)
    assert place.changes(third)["na"] == ("left", "too few points of need for a list")
    assert place.changes(third)["nz"] == ("joined", "newly registered, on 13 Oct 2026; place 1 of 8 by score")


def test_stay_on_keeps_a_list_steady(world: Callable[..., Any]) -> None:
    place = world(slots_count=4)
    first = place.lists(place.monday)
    place.people["nd"]["points"], place.people["ne"]["points"] = 8, 9
    second = place.lists(place.monday + WEEK, first)
    # nd is fifth of four places now, within 1.25 times as many; ne is fourth, and not within the 3.2 that go before all others.
    assert place.on_list(second) == ["na", "nb", "nc", "nd"]
    assert place.row(second, "nd")["decided_by"] == "stay_on"
    assert place.changes(second)["nd"] == ("stayed", "place 5 of 8 by score, near enough to stay on the list; 4 last time")
    # At the head of the order nobody has to wait for those who stay: na, nb and ne go first, and the last who stood there leaves.
    place.people["ne"]["points"] = 30
    third = place.lists(place.monday + 2 * WEEK, second)
    assert place.on_list(third) == ["ne", "na", "nb", "nc"]
    assert place.changes(third)["nd"] == ("left", "place 5 by score, and there are 4 places; 5 last time")
    assert (
        "The first 3 by score go before all others; then who was on the last list stays while their place by score is within 1.25 times"
        in (place.account(third)["rule"])
    )


def test_a_list_is_due_when_its_day_has_come_since() -> None:
    monday = date(2026, 10, 5)
    assert is_issue_day(monday + 3 * DAY, None, "monday")
    due = [is_issue_day(monday + days * DAY, monday, "monday") for days in range(9)]
    assert due == [False] * 7 + [True, True]
    # Issued late in the week, it is due on the usual day again; a night that did not run is made up for.
    assert not is_issue_day(monday + 4 * DAY, monday + 3 * DAY, "monday")
    assert is_issue_day(monday + 7 * DAY, monday + 6 * DAY, "monday")
    assert is_issue_day(monday + 10 * DAY, monday, "monday")


def test_issues_are_numbered_within_their_day() -> None:
    day = date(2026, 10, 5)
    assert issue_id_for(day, (), False) == "list-2026-10-05"
    assert issue_id_for(day, ("list-2026-10-05",), True) == issue_id_for(day, (), True) == "list-2026-10-05-2"
    assert issue_id_for(day, ("list-2026-10-05", "list-2026-10-05-2"), True) == "list-2026-10-05-3"
    with pytest.raises(ContractBroken, match="98 issues were made"):
        issue_id_for(day, {f"list-2026-10-05-{number}" for number in range(2, 100)}, True)


def test_a_later_list_is_no_list_of_before(world: Callable[..., Any]) -> None:
    place = world()
    later = place.lists(place.monday + WEEK)
    with pytest.raises(ContractBroken, match=r"\(6 of 6 rows are later\)"):
        place.lists(place.monday, later)
