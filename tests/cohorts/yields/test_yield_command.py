"""`fuller yield` on a store: what it tells is what the people of it had, no effect is claimed, and it says when a first list can be judged."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fuller_popheath import yield_command
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.past_lists import PastLists

ISSUED = date(2025, 6, 2)
TONIGHT = ISSUED + timedelta(days=365 + 14)


@pytest.fixture
def told(kept: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs the command on the store and returns what it says, blanks as one."""
    monkeypatch.setattr(yield_command, "load_site", lambda: kept.site)
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    app.callback()(lambda: None)
    yield_command.add_to(app, print)

    def run(*options: str) -> str:
        result = CliRunner().invoke(app, ["yield", *options], catch_exceptions=False)
        assert result.exit_code == 0
        return " ".join(result.output.split())

    return run


@pytest.fixture
def two_places(place: Callable[..., Any]) -> Callable[..., list[Any]]:
    """A team of which score alone decides, and one with a floor and a margin band."""
    return lambda effect=0.0: [
        place(size=1500, seed=4, effect=effect, team={"slots_count": 400}),
        place(size=1500, seed=5, effect=effect, first=2000, band=150, team={"team_id": "QUAY", "slots_count": 400, "core20_floor": 1.1}),
    ]


def test_the_command_tells_of_the_store_what_the_people_of_it_had(two_places: Callable[..., list[Any]], kept: Any, told: Callable[..., str]) -> None:
    places = two_places()
    kept.issue(places)
    away, dead, objecting = (1490, 1491), (1492, 1493), (1494,)
    kept.tonight(places, left=away, died=dead, objects=objecting)
    screen = told()
    north, quay = (place.people() for place in places)
    gone = np.isin(np.arange(1500), [*away, *objecting])
    listed = north.is_listed & ~gone
    observed = int(north.has_outcome[listed].sum() + quay.has_outcome[quay.is_listed].sum())
    predicted = math.fsum([*north.probability[listed], *quay.probability[quay.is_listed]])
    people = int(listed.sum()) + 400
    assert f"listed {people:,} {predicted:,.1f} (" in screen
    assert f") {observed} {100 * observed / people:.1f} %" in screen
    assert "list-2025-06-02, issued on 2 Jun 2025, 2 teams; followed for 365 days, by records up to 16 Jun 2026" in screen
    out = [int((north.is_listed[list(each)]).sum()) for each in (away, objecting)]
    assert f"Listed: 800 people. Of them {out[0]} left every practice's list and {out[1]} object by now" in screen
    assert "Risks on this list are a demonstration" in screen
    # Told twice, counted once: stays of one day are one.
    before = int(north.before_count[listed].sum() + quay.before_count[quay.is_listed].sum())
    assert f"all listed {people} {100 * before / people:.1f} " in screen
    assert "At the cut-off, of teams with a margin band: no estimate" in screen
    assert "At the cut-off of lists by risk, among " in screen
    assert re.search(r"By lot, at the margin: \d+ of 150 drawn in were admitted, \d+ of 150 drawn out; difference", screen)
    assert "Nothing here promises fewer admissions" in screen
    assert not [place for place in places for person in place.candidates["person_id"].to_pylist() if person in screen]


def test_a_planted_effect_is_told_of_but_never_claimed(two_places: Callable[..., list[Any]], kept: Any, told: Callable[..., str]) -> None:
    places = two_places(effect=0.25)
    kept.issue(places)
    kept.tonight(places, left=(1490,), died=(1492,))
    screen = told("--team", "quay", "--issue", "list-2025-06-02")
    found = re.search(r"drawn out; difference (-[\d.]+) points \(95 % interval (-[\d.]+) to (-[\d.]+), more than chance often gives", screen)
    assert found is not None
    value, lower, upper = (float(each) for each in found.groups())
    assert lower <= -25 <= upper < 0
    assert lower < value < upper
    assert "team QUAY" in screen and "Listed: 400 people" in screen
    assert not re.search(r"prevented [\d]|saved|avoided|thanks to|because of the list", screen)


def test_a_shorter_time_is_held_against_people_alike_alone(two_places: Callable[..., list[Any]], kept: Any, told: Callable[..., str]) -> None:
    places = two_places()
    kept.issue(places)
    kept.tonight(places, left=(1490,), died=(1492,))
    screen = told("--days", "200")
    assert "emergency admission within 200 days people predicted (95 %)" in screen
    assert "No prediction is held against what was observed: they are for 365 days" in screen
    assert "Regression to the mean: the last line of the table" in screen


def test_a_store_without_an_old_enough_list_says_when_the_first_can_be_judged(
    two_places: Callable[..., list[Any]], kept: Any, told: Callable[..., str]
) -> None:
    with pytest.raises(InputMissing, match="products/cohort_list_account is not in the store"):
        told()
    places = two_places()
    kept.issue(places)
    kept.tonight(places, day=TONIGHT - timedelta(days=1), left=(1490,), died=(1492,))
    screen = told()
    assert "No list is old enough to be judged. list-2025-06-02, issued on 2 Jun 2025, can first be judged on 16 Jun 2026" in screen
    assert "The newest night is 15 Jun 2026" in screen
    kept.tonight(places, left=(1490,), died=(1492,))
    assert "Listed: 800 people" in told()


def test_lists_only_of_survivors_and_what_is_not_there_are_refused(two_places: Callable[..., list[Any]], kept: Any, told: Callable[..., str]) -> None:
    places = two_places()
    kept.issue(places)
    kept.tonight(places)
    with pytest.raises(InputMissing, match="the lists hold only people who are still registered"):
        told()
    for options, message in (
        (("--issue", "list-2025-06-09"), "no list of that issue stood at the end of its day; there are 1 issues"),
        (("--team", "SOUTH"), "no list of that team; there are NORTH, QUAY"),
        (("--days", "27"), "--days must be 28 or more"),
    ):
        with pytest.raises(SettingsWrong, match=message):
            told(*options)


def test_a_later_issue_and_who_was_on_the_last_list(two_places: Callable[..., list[Any]], kept: Any, told: Callable[..., str]) -> None:
    places = two_places()
    kept.issue(places)
    week = ISSUED + timedelta(days=7)
    kept.issue(places, week)
    kept.tonight(places, day=TONIGHT + timedelta(days=7), left=(1490,), died=(1492,))
    past = PastLists(kept.folder / "store")
    assert [(each.issue_id, each.team_id) for each in past.all] == [
        ("list-2025-06-02", "NORTH"),
        ("list-2025-06-02", "QUAY"),
        ("list-2025-06-09", "NORTH"),
        ("list-2025-06-09", "QUAY"),
    ]
    screen = told()
    assert screen.index("list-2025-06-02 800") < screen.index("list-2025-06-09 800") < screen.index("list-2025-06-09, issued on 9 Jun 2025")
    # All of the second week stood on the first: none of them was decided about by score alone.
    assert "Of those listed 800 stood on another list too" in screen
    assert "At the cut-off: no estimate" in told("--issue", "list-2025-06-09", "--team", "NORTH")
