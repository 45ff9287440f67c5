"""Who somebody is: what core/person says, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

GROUP, PERSON = "features/demography", "core/person"
Build = Callable[..., Any]


@pytest.mark.parametrize(
    ("category", "group"),
    [
        *(("A", "white"), ("C", "white"), ("G", "mixed"), ("H", "asian"), ("L", "asian"), ("P", "black")),
        *(("R", "other"), ("S", "other"), ("Z", "unknown"), ("99", "unknown"), (None, "unknown")),
    ],
)
def test_ethnic_group_is_the_heading_of_the_category(core_table: Build, build: Build, night: Build, category: str | None, group: str) -> None:
    made = build(GROUP, {PERSON: core_table(PERSON, [{"person": 0, "ethnic_category": category}])}, night()).to_pylist()[0]
    assert (made["ethnic_category"], made["ethnic_group"]) == (category, group)


@pytest.mark.parametrize(("quintile", "is_core20"), [(1, True), (2, False), (5, False), (None, None)])
def test_core20_is_the_first_quintile_and_unknown_where_that_is(
    core_table: Build, build: Build, night: Build, quintile: int | None, is_core20: bool | None
) -> None:
    person = {"person": 0, "imd_2019_quintile": quintile, "imd_2025_quintile": 3}
    made = build(GROUP, {PERSON: core_table(PERSON, [person])}, night()).to_pylist()[0]
    assert (made["is_core20_2019"], made["is_core20_2025"]) == (is_core20, False)


@pytest.mark.parametrize("days", [0, 1, 400])
def test_registered_for_as_many_days_as_since_the_start(core_table: Build, build: Build, night: Build, ago: Build, days: int) -> None:
    """Who registers on the day itself is registered, for no days yet."""
    person = {"person": 0, "registration_start_date": ago(days), "usual_gp_code": "G1000001", "age_years": 41}
    made = build(GROUP, {PERSON: core_table(PERSON, [person])}, night()).to_pylist()[0]
    assert (made["registration_days"], made["has_usual_gp"], made["age_years"]) == (days, True, 41)
