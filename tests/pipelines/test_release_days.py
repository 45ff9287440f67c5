"""Of which day counts leave: the first night of a month, or a night whose counts can stand beside all that left before."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.site import Site
from fuller_popheath.site_disclosure import Disclosure
from pipelines.release_days import counts_of, counts_products, day_of, decide
from pipelines.stores import Store, prove

SEGMENTS, GAP, LISTED = "products/segment_count", "products/continuity_gap_by_pcn", "products/cohort_list"
FIRST = date(2026, 9, 1)
NIGHTLY, MONTHLY = Site(disclosure=Disclosure(release="nightly")), Site()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", tmp_path / "products")


def night(number: int) -> date:
    return FIRST + timedelta(days=number)


def keep(store: Store, day: date, *counts: int | None) -> None:
    """A night's segment counts as control left them; None is hidden."""
    contract = load_contract(SEGMENTS)
    key = {"area_type": "pcn", "imd_edition": "2025", "imd_quintile": "all", "people_group": "all", "scheme": "continuity", "segment": "all"}
    rows = [{"as_of": day, "area_code": f"U{n:05d}", "people_count": count, "is_hidden": count is None, **key} for n, count in enumerate(counts)]
    table = pa.table({field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in contract.schema})
    store.write(prove(conform(table, contract), contract), day, Path("landing"))


def nights(store: Store, site: Site, *counts: int | None) -> list[date]:
    """The day that leaves on each of so many nights, of one cell."""
    days = []
    for number, count in enumerate(counts):
        keep(store, night(number), count)
        decide(store, night(number), site)
        days.append(day_of(store, night(number), site, SEGMENTS))
    return days


def test_monthly_the_first_night_of_a_month_stands_until_the_next(store: Store) -> None:
    assert nights(store, MONTHLY, 40, 45, None) == [FIRST] * 3
    keep(store, date(2026, 10, 2), 50)
    assert day_of(store, date(2026, 10, 3), MONTHLY, SEGMENTS) == date(2026, 10, 2)
    assert decide(store, FIRST, MONTHLY).leaves


def test_nightly_a_night_leaves_where_nothing_can_be_worked_out_and_else_the_last_one_stands(store: Store) -> None:
    # 40 and 40 tell nothing; 40 and 45 a night later that 42 became 43; on the night after, one person more or less a night, still 43 or 44.
    assert nights(store, NIGHTLY, 40, 40, 45, 45) == [night(0), night(1), night(1), night(1)]
    later = night(20)
    keep(store, later, 45)
    assert decide(store, later, NIGHTLY).leaves
    assert day_of(store, later, NIGHTLY, SEGMENTS) == later


def test_a_small_count_that_comes_from_nought_keeps_the_whole_night_back_and_is_told_by_product_and_number(store: Store) -> None:
    keep(store, night(0), 40, 0, 100)
    assert decide(store, night(0), NIGHTLY).leaves
    keep(store, night(1), 40, None, 100)
    made = decide(store, night(1), NIGHTLY)
    assert (made.leaves, made.given_away) == (False, {SEGMENTS: 1})
    assert "1 cells of products/segment_count could be worked out" in made.words
    # Products of counts leave together: one that nothing is wrong with stays too, on the last night that left.
    assert day_of(store, night(1), NIGHTLY, GAP) == night(1), "there is none of it yet, so its own day is asked for, and is not there"
    assert day_of(store, night(1), NIGHTLY, SEGMENTS) == night(0)


def test_a_night_is_held_against_all_that_left_and_not_the_last_alone(store: Store) -> None:
    # Each night beside the one before tells nothing, but nought, then nothing said for three nights, is at most three people.
    keep(store, night(0), 0)
    assert decide(store, night(0), NIGHTLY).leaves
    for number in (1, 2, 3):
        keep(store, night(number), None)
        assert not decide(store, night(number), NIGHTLY).leaves
    keep(store, night(4), None)
    assert decide(store, night(4), NIGHTLY).leaves


def test_a_decision_stands_when_it_is_asked_for_again_and_a_night_made_anew_leaves_no_second_time(store: Store) -> None:
    nights(store, NIGHTLY, 40, 40)
    assert decide(store, night(1), NIGHTLY).leaves
    keep(store, night(1), 45)
    made = decide(store, night(1), NIGHTLY)
    assert not made.leaves
    assert "left already and were made anew" in made.words
    assert day_of(store, night(1), NIGHTLY, SEGMENTS) == night(0)


def test_who_changes_from_monthly_to_nightly_is_held_against_the_month(store: Store) -> None:
    nights(store, MONTHLY, 0, 0)
    keep(store, night(2), None)
    assert not decide(store, night(2), NIGHTLY).leaves
    assert day_of(store, night(2), NIGHTLY, SEGMENTS) == FIRST


def test_lists_are_of_the_night_and_counts_of_people_alone_are_held_against_each_other(store: Store) -> None:
    assert day_of(store, night(5), NIGHTLY, LISTED) == night(5)
    assert LISTED not in counts_products()
    assert {SEGMENTS, GAP, "products/activity_by_pcn", "products/core20plus5_by_pcn"} <= set(counts_products())
    assert counts_of(load_contract("products/core20plus5_by_pcn")) == ("numerator", "denominator")
    assert all(counts_of(load_contract(name)) for name in counts_products())
