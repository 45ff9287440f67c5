"""Which differences between two releases stop a release, and which do not: a practice that closes or moves, PCNs that merge, and chance do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.publish.release_limits import Figures, areas_of, broken_limits, figures_of
from fuller_popheath.site_releases import Releases

LIMITS = Releases()
NORTH, SOUTH = {"A1": 10_000, "A2": 8_000, "A3": 6_000}, {"B1": 9_000, "B2": 7_000}
BEFORE = Figures(
    published={"QE1": {"U1": NORTH, "U2": SOUTH}},
    lists={"": {"U1": NORTH, "U2": SOUTH}},
    practices=(5, 5),
    rows={"products/core20_by_pcn": 41, "products/segment_count": 900},
)


def changed(**more: Any) -> tuple[str, ...]:
    return broken_limits(replace(BEFORE, **more), BEFORE, LIMITS)


def test_a_night_like_the_last_is_within_limits() -> None:
    assert changed() == ()
    assert broken_limits(BEFORE, None, LIMITS) == (), "the first release has nothing to be compared with"


def test_people_who_vanish_from_a_practice_stop_the_release() -> None:
    north = {**NORTH, "A1": 5_000}
    icb, pcn = changed(published={"QE1": {"U1": north, "U2": SOUTH}})
    assert icb == "registered people of ICB QE1 fell from 40,000 to 35,000, by 12.5 % (at most 10 %)"
    assert pcn == "registered people (published counts) of U1 (3 practices) fell from 24,000 to 19,000, by 20.8 % (at most 10 %)"
    (told,) = changed(lists={"": {"U1": north, "U2": SOUTH}})
    assert told.startswith("people on the practices' lists of U1 (3 practices) fell from 24,000 to 19,000")


def test_a_limit_holds_up_to_itself() -> None:
    before = Figures(published={"QE1": {"U1": {"A1": 10_000}}}, practices=(1, 1))
    at, beyond = (Figures(published={"QE1": {"U1": {"A1": people}}}, practices=(1, 1)) for people in (11_000, 11_001))
    assert broken_limits(at, before, LIMITS) == () and len(broken_limits(beyond, before, LIMITS)) == 2
    assert broken_limits(beyond, before, Releases(registered_change_percent=11.0)) == ()


@pytest.mark.parametrize(
    "areas",
    [
        {"U1": {**NORTH, **SOUTH}},
        {"U9": {**NORTH, **SOUTH}},
        {"U1": {"A1": 12_500, "A2": 8_700}, "U2": {"B1": 9_200, "B2": 7_100}},
        {"U1": {"A1": 10_000, "A2": 8_000}, "U2": {**SOUTH, "A3": 6_000}},
        {"U1": {"A1": 10_000, "A2": 14_000}, "U2": SOUTH},
    ],
    ids=["two PCNs merge", "two PCNs merge under a new code", "a practice closes", "a practice moves", "people go to another practice"],
)
def test_mergers_closures_and_moves_are_no_alarm(areas: dict[str, dict[str, int]]) -> None:
    limits = replace_limit(25.0) if areas.get("U1", {}).get("A1") == 12_500 else LIMITS
    assert broken_limits(replace(BEFORE, published={"QE1": areas}, lists={"": areas}), BEFORE, limits) == ()


def replace_limit(percent: float) -> Releases:
    """The people of a practice that closed are at the others, which therefore grow: the site's own limit says how far."""
    return Releases(registered_change_percent=percent, practice_coverage_percent=60.0)


def test_small_changes_are_chance_whatever_their_percent() -> None:
    before = Figures(published={"QE1": {"U1": {"A1": 300}}}, practices=(1, 1), rows={"products/a": 10})
    now = Figures(published={"QE1": {"U1": {"A1": 390}}}, practices=(1, 1), rows={"products/a": 29})
    assert broken_limits(now, before, LIMITS) == ()


def test_an_icb_that_is_gone_and_a_membership_that_lost_practices_are_told() -> None:
    assert changed(published={"QOP": {"U1": NORTH, "U2": SOUTH}}) == ("ICB QE1 is gone, with 40,000 registered people",)
    assert changed(practices=(5, 3)) == ("3 of 5 practices of PCNs have published counts (60.0 %, at least 90 % wanted)",)
    assert changed(practices=(5, 4)) == (), "one practice is no alarm"
    kept = changed(lists={"": {"U1": {"A1": 10_000}, "U2": {"B1": 9_000}}})
    assert kept == ("of 5 practices whose lists were in use 2 still are (40.0 %, at least 90 % wanted)",)


def test_new_practices_are_welcome() -> None:
    first = replace(BEFORE, lists={"": {"U1": {"A1": 10_000}}})
    assert broken_limits(BEFORE, first, LIMITS) == (), "lists of practices that send for the first time are no change of the others"


def test_rows_and_products_that_vanish() -> None:
    assert changed(rows={"products/core20_by_pcn": 41, "products/segment_count": 600}) == (
        "rows of products/segment_count fell from 900 to 600, by 33.3 % (at most 25 %)",
    )
    assert changed(rows={"products/segment_count": 900}) == ("products/core20_by_pcn is in the last release and would not be in this one",)
    many = {f"products/p{n}": 100 for n in range(9)}
    before, now = replace(BEFORE, rows=many), replace(BEFORE, rows=dict.fromkeys(many, 10))
    told = broken_limits(now, before, LIMITS)
    assert len(told) == 6 and told[-1] == "and 4 more products with another number of rows"


def test_fewer_pcns_have_fewer_rows_and_reviews_more_each_week() -> None:
    one = {"U1": {**NORTH, **SOUTH}}
    assert changed(published={"QE1": one}, rows={"products/core20_by_pcn": 41, "products/segment_count": 450}) == ()
    (told,) = changed(published={"QE1": one}, rows={"products/core20_by_pcn": 41, "products/segment_count": 300})
    assert told == "rows of products/segment_count (for as many PCNs as now) fell from 450 to 300, by 33.3 % (at most 25 %)"
    few, many = ({"products/review_acceptance": rows} for rows in (30, 300))
    assert broken_limits(replace(BEFORE, rows=many), replace(BEFORE, rows=few), LIMITS) == ()
    assert len(broken_limits(replace(BEFORE, rows=few), replace(BEFORE, rows=many), LIMITS)) == 1


def test_figures_are_kept_and_read_again(tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text(BEFORE.as_text(), encoding="utf-8")
    assert figures_of(tmp_path / "figures.json") == BEFORE
    (tmp_path / "figures.json").write_text('{"published": {}}', encoding="utf-8")
    assert figures_of(tmp_path / "figures.json") is None and figures_of(tmp_path / "none.json") is None


def test_areas_count_a_practice_once_an_edition_and_people_one_by_one() -> None:
    editions = pa.table({"icb": ["Q", "Q", None], "pcn": ["U1", "U1", "U2"], "practice_code": ["A", "A", "B"], "n": [700, 700, 5]})
    assert areas_of(editions, "pcn", "icb", "n") == {"Q": {"U1": {"A": 700}}, "": {"U2": {"B": 5}}}
    people = pa.table({"pcn": ["U1", "U1", "U2", None], "practice_code": ["A", "A", "B", "B"]})
    assert areas_of(people, "pcn") == {"": {"U1": {"A": 2}, "U2": {"B": 1}}}


def test_a_list_is_held_against_the_teams_that_it_is_for() -> None:
    """Two PCNs merged a few nights ago, and only the new issue has a team fewer."""
    lists = {"products/cohort_list": 146, "products/cohort_list_account": 6}
    before = replace(BEFORE, rows={**BEFORE.rows, **lists})
    fewer, too_few = (replace(before, rows={**before.rows, "products/cohort_list": rows, "products/cohort_list_account": 5}) for rows in (107, 80))
    assert broken_limits(fewer, before, LIMITS) == ()
    (told,) = broken_limits(too_few, before, LIMITS)
    assert told.startswith("rows of products/cohort_list (for as many teams as now) fell from 122 to 80")
