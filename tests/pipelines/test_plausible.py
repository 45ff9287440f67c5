"""The statistical checks say what they count, and warn where they should."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from fuller_popheath.arrival import plausible
from fuller_popheath.site import ArrivalLimits

LIMITS = ArrivalLimits(list_size_change_percent=5.0, unmatched_percent=1.0, practice_coverage_percent=95.0)


def registered(**people: int) -> pa.Table:
    return pa.table({"practice_code": list(people), "lsoa_code": ["E01000001"] * len(people), "registered_count": list(people.values())})


def listed(**people: int) -> pa.Table:
    return registered(**people).rename_columns(["practice_code", "lsoa_code", "listed_count"])


def members(*codes: str) -> pa.Table:
    return pa.table({"practice_code": pa.array(codes, pa.string())})


@pytest.mark.parametrize(("practices", "is_as_expected"), [(20, True), (21, False)])
def test_practice_coverage_at_its_limit(practices: int, is_as_expected: bool) -> None:
    codes = [f"Y{n:05d}" for n in range(practices)]
    found = plausible.practice_coverage(members(*codes), registered(**dict.fromkeys(codes[:19], 10)), LIMITS)
    assert found.is_as_expected is is_as_expected
    assert found.numbers["practices with people"] == 19
    assert "19 of" in found.sentence


def test_lists_sent_counts_only_where_any_did() -> None:
    assert plausible.lists_sent(listed(), registered(A=1, B=1), LIMITS) == plausible.Finding(True, plausible.NO_LISTS, {"practice lists": 0})
    found = plausible.lists_sent(listed(A=1, C=1), registered(A=1, B=1), LIMITS)
    assert not found.is_as_expected and found.numbers["percent sent"] == 50.0


def test_lists_agree_by_practice_and_lsoa() -> None:
    assert plausible.lists_agree(listed(A=5, B=7), registered(A=5, B=7, C=9), LIMITS).is_as_expected
    found = plausible.lists_agree(listed(A=5, B=8), registered(A=5, B=7), LIMITS)
    assert not found.is_as_expected
    assert found.numbers == {"practices compared": 2, "practices that differ": 1, "people of difference": 1, "practices beyond the limit": 1}
    moved = listed(A=5).set_column(1, "lsoa_code", pa.array(["E01000002"]))
    assert plausible.lists_agree(moved, registered(A=5), LIMITS).numbers["people of difference"] == 10


@pytest.mark.parametrize(("counted", "is_as_expected"), [(1000, True), (1010, True), (1011, False), (990, True), (989, False)])
def test_lists_may_differ_by_a_hundredth(counted: int, is_as_expected: bool) -> None:
    assert plausible.lists_agree(listed(A=counted), registered(A=1000), LIMITS).is_as_expected is is_as_expected


@pytest.mark.parametrize(("now", "is_as_expected"), [(105, True), (106, False), (95, True), (94, False)])
def test_list_size_change_at_its_limit(now: int, is_as_expected: bool) -> None:
    assert plausible.list_size_change(registered(A=now), registered(A=100), LIMITS).is_as_expected is is_as_expected


def test_list_size_tells_who_came_and_went() -> None:
    found = plausible.list_size_change(registered(A=10, C=1), registered(A=10, B=1), LIMITS)
    assert not found.is_as_expected
    assert (found.numbers["practices gone"], found.numbers["practices new"]) == (1, 1)
    assert plausible.list_size_change(registered(A=10), None, LIMITS).is_as_expected


def test_unmatched_share_goes_by_edition() -> None:
    table = pa.table({"imd_edition": ["2019", "2019", "2025"], "registered_count": [100, 100, 200], "unmatched_count": [1, 1, 3]})
    found = plausible.unmatched_share(table, LIMITS)
    assert not found.is_as_expected
    assert found.numbers == {"unmatched percent 2019": 1.0, "unmatched percent 2025": 1.5}


def test_core20_shares_are_of_registered_people() -> None:
    table = pa.table({"imd_edition": ["2019", "2019"], "q1_count": [1, 2], "registered_count": [4, 5]})
    assert plausible.core20_shares(table) == {"2019": 33.33}
    assert plausible.core20_shares(table.drop_columns(["q1_count"])) == {}
    assert plausible.percent(1, 0) == 0.0


def test_practices_in_two_pcns_on_the_day_are_counted() -> None:
    day = date(2022, 7, 1)
    rows = {
        "practice_code": ["A00001", "A00001", "A00002", "A00002", "A00003"],
        "start_date": [date(2020, 1, 1), date(2022, 7, 1), date(2020, 1, 1), date(2022, 7, 1), date(2022, 7, 2)],
        "end_date": [None, None, date(2022, 7, 1), None, None],
    }
    finding = plausible.one_membership(pa.table(rows), day)
    assert not finding.is_as_expected
    assert finding.numbers == {"practices": 2, "practices in two PCNs": 1}
    assert plausible.one_membership(pa.table(rows).slice(2), day).is_as_expected
