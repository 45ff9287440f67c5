"""Thirty nights of one table: released nightly it gives small counts away, released monthly it does not; and the check says which is which."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.disclosure.between_releases import is_release_day, possible_over_time, releases_differ_safely, told_at_sight
from fuller_popheath.disclosure.controlled_counts import adds_up, control
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.errors import ContractBroken

RULE = rule_named("redact_1_7_round_5")
FIRST = date(2026, 9, 1)
KEY = ("area", "segment")
NIGHTS = 30


def nights(seed: int) -> list[tuple[date, pd.DataFrame]]:
    """Exact counts of thirty nights, in which every cell gains or loses a person now and then."""
    rng = np.random.default_rng(seed)
    areas, segments = [f"U{n}" for n in range(12)], ["a", "b", "c"]
    counts = rng.choice([0, 4, 7, 9, 14, 40], (len(areas), len(segments)))
    made = []
    for night in range(NIGHTS):
        counts = np.maximum(counts + rng.choice([-1, 0, 0, 0, 1], counts.shape), 0)
        rows = [(area, segment, int(counts[i, j])) for i, area in enumerate(areas) for j, segment in enumerate(segments)]
        table = pd.DataFrame(rows, columns=[*KEY, "people_count"])
        totals = table.groupby("segment", as_index=False)["people_count"].sum().assign(area="all")
        made.append((FIRST + timedelta(days=night), pd.concat([table, totals], ignore_index=True)))
    return made


def released(table: pd.DataFrame) -> pd.DataFrame:
    return control(table, KEY, ("people_count",), (adds_up("area"),), RULE)


def possible(shown: object) -> set[int]:
    """What the attacker thinks that a cell can be: a hidden one is small."""
    if pd.isna(shown):
        return set(range(1, 8))
    told = int(str(shown))
    return {n for n in range(max(told - 5, 8), told + 6) if (n + 2) // 5 * 5 == told} if told else {0}


def worked_out(exact: list[tuple[date, pd.DataFrame]], shown: list[tuple[date, pd.DataFrame]]) -> set[tuple[str, str, date]]:
    """The attacker: from release to release a cell changes by at most one person a night. Cells of 1 to 7 that have fewer than four counts left."""
    found = set()
    for row, (area, segment) in enumerate(zip(shown[0][1]["area"], shown[0][1]["segment"], strict=True)):
        sets = [possible(table["people_count"].iloc[row]) for _, table in shown]
        for order in (range(1, len(sets)), range(len(sets) - 2, -1, -1)):
            for place in order:
                beside = place - 1 if order.step == 1 else place + 1
                most = abs((shown[place][0] - shown[beside][0]).days)
                near = {n + change for n in sets[beside] for change in range(-most, most + 1)}
                sets[place] = sets[place] & near or sets[place]
        for (day, truth), counts in zip(exact, sets, strict=True):
            if 1 <= truth["people_count"].iloc[row] <= 7 and len(counts) < 4:
                found.add((area, segment, day))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nightly_releases_give_small_counts_away_and_the_check_says_so(seed: int) -> None:
    exact = nights(seed)
    shown = [(day, released(table)) for day, table in exact]
    found = worked_out(exact, shown)
    assert len(found) > 10
    told = releases_differ_safely(shown, KEY, ("people_count",), RULE)
    assert not told.is_safe
    hidden = told.cells[told.cells["what"] == "hidden"]
    assert found <= set(zip(hidden["area"], hidden["segment"], hidden["release_date"], strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_monthly_releases_of_the_same_thirty_nights_give_nothing_away(seed: int) -> None:
    exact = nights(seed)
    last: date | None = None
    kept = []
    for day, table in [*exact, (FIRST + timedelta(days=NIGHTS), exact[-1][1])]:
        if is_release_day(day, last, "monthly"):
            kept.append((day, table))
            last = day
    assert [day for day, _ in kept] == [date(2026, 9, 1), date(2026, 10, 1)]
    shown = [(day, released(table)) for day, table in kept]
    assert worked_out(kept, shown) == set()
    assert releases_differ_safely(shown, KEY, ("people_count",), RULE).is_safe


def one_cell(*shown: int | None) -> list[tuple[date, pd.DataFrame]]:
    return [
        (FIRST + timedelta(days=n), pd.DataFrame({"area": ["U0"], "people_count": pd.array([value], dtype="Int64")})) for n, value in enumerate(shown)
    ]


@pytest.mark.parametrize(
    ("shown", "what", "left"),
    [
        ((None, 10), ["hidden"], [1]),  # 7 became 8
        ((0, None), ["hidden"], [1]),  # nobody became 1
        ((0, None, None, None, None), ["hidden"] * 3, [1, 2, 3]),  # at most one more each night: four are left on the fourth
        ((10, 15), ["rounded", "rounded"], [1, 1]),  # 12 became 13
        ((10, 10), [], []),
        ((None, None), [], []),
        ((None, 50), [], []),  # hidden for another's sake: no small count is possible
    ],
)
def test_what_two_nights_tell_of_one_cell(shown: tuple[int | None, ...], what: list[str], left: list[int]) -> None:
    told = releases_differ_safely(one_cell(*shown), ("area",), ("people_count",), RULE).cells
    assert sorted(told["what"]) == sorted(what)
    assert sorted(told["possible_count"]) == sorted(left)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=6), st.integers(1, 3))
def test_the_true_counts_are_always_among_the_possible_ones(changes: list[int], most: int) -> None:
    counts = [changes[0]]
    for change in changes[1:]:
        counts.append(max(counts[-1] + change % (2 * most + 1) - most, 0))
    shown = np.array([[np.nan if 1 <= n <= 7 else (n + 2) // 5 * 5] for n in counts], float)
    at_sight = told_at_sight(shown, np.ones(shown.shape, bool), RULE)
    low, high = possible_over_time(*at_sight, np.full(len(counts) - 1, float(most)))
    assert (low[:, 0] <= counts).all()
    assert (high[:, 0] >= counts).all()
    assert (low >= at_sight[0]).all()
    assert (high <= at_sight[1]).all()


def test_two_releases_of_one_day_and_a_double_key_are_refused() -> None:
    one = one_cell(10)[0]
    with pytest.raises(ContractBroken, match="same date"):
        releases_differ_safely([one, one], ("area",), ("people_count",), RULE)
    twice = pd.concat([one[1], one[1]])
    with pytest.raises(ContractBroken, match="1 rows of a release have the key of another row in area"):
        releases_differ_safely([(FIRST, twice)], ("area",), ("people_count",), RULE)


def test_nightly_means_every_night_and_monthly_once_a_calendar_month() -> None:
    assert is_release_day(date(2026, 9, 2), date(2026, 9, 1), "nightly")
    assert not is_release_day(date(2026, 9, 30), date(2026, 9, 1), "monthly")
    assert is_release_day(date(2026, 10, 3), date(2026, 9, 30), "monthly")
    assert is_release_day(date(2027, 1, 1), date(2026, 12, 1), "monthly")
    assert is_release_day(date(2026, 9, 30), None, "monthly")
