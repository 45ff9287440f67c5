"""A product that drops under-18s, a PLUS group or people of low contact is found, and said by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath.cohorts.never_vanish import SCORE, SCORECARD, SEGMENT_COUNT, SELECTION_GROUP, groups_in, products_looked_at
from fuller_popheath.cohorts.never_vanish import vanished as found_vanished
from fuller_popheath.contracts import contract_ids, load_contract, loading

GROUPS = ("all", "under_18", "18_64", "65_plus", "low_contact", "carer")


@pytest.fixture
def population() -> dict[str, pa.Table]:
    return {
        "core/person": pa.table({"person_id": ["a", "b", "c"], "age_years": [9, 40, 80]}),
        "core/person_plus": pa.table({"plus_group": ["carer", "veterans"], "membership": ["yes", "not_recorded"]}),
        "features/contacts": pa.table({"person_id": ["a", "b", "c"], "contact_count_365": [2, 0, 5]}),
    }


def vanished(population: dict[str, pa.Table], products: dict[str, pa.Table]) -> list[tuple[str, str]]:
    return [(each.product, each.group) for each in found_vanished(population, products)]


def counts(*groups: str, areas: tuple[str, ...] = ("icb", "pcn")) -> pa.Table:
    rows = [{"area_type": area, "scheme": "tiers", "people_group": group, "people_count": None} for area in areas for group in groups]
    return pa.Table.from_pylist(rows)


def test_the_groups_of_a_population(population: dict[str, pa.Table]) -> None:
    # Whether anybody is a veteran is not recorded of anybody: that is no member.
    assert groups_in(population) == {"under_18": 1, "low_contact": 1, "carer": 1}
    population["core/person"] = population["core/person"].slice(1)
    assert groups_in(population) == {"low_contact": 1, "carer": 1}


def test_a_hidden_count_is_there_and_a_missing_row_is_not(population: dict[str, pa.Table]) -> None:
    assert vanished(population, {SEGMENT_COUNT: counts(*GROUPS)}) == []
    for group in ("under_18", "low_contact", "carer"):
        fewer = counts(*(name for name in GROUPS if name != group))
        assert vanished(population, {SEGMENT_COUNT: fewer}) == [(SEGMENT_COUNT, group)]
    # At one level of areas alone it is missing too.
    for level in ("icb", "pcn"):
        some = pa.concat_tables([counts(*GROUPS, areas=("place",)), counts(*GROUPS[:-1], areas=(level,))])
        assert vanished(population, {SEGMENT_COUNT: some}) == [(SEGMENT_COUNT, "carer")]
    assert vanished(population, {SEGMENT_COUNT: counts(*GROUPS).slice(0, 0)}) == []


def test_a_scorecard_without_children_is_found(population: dict[str, pa.Table]) -> None:
    rows = [
        {"age_group": "adult", "subgroup_kind": "all", "subgroup": "all"},
        {"age_group": "adult", "subgroup_kind": "contact_level", "subgroup": "no_contact"},
        {"age_group": "adult", "subgroup_kind": "plus_group", "subgroup": "homelessness"},
    ]
    assert vanished(population, {SCORECARD: pa.Table.from_pylist(rows)}) == [(SCORECARD, "under_18")]
    assert vanished(population, {SCORECARD: pa.Table.from_pylist(rows[:1])}) == [(SCORECARD, name) for name in ("under_18", "low_contact", "plus")]
    assert vanished(population, {SCORECARD: pa.Table.from_pylist([*rows, {**rows[0], "age_group": "under_18"}])}) == []


def test_every_list_tells_of_every_group(world: Callable[..., Any], population: dict[str, pa.Table]) -> None:
    groups = world({"kid": {"age_years": 9, "points": 3, "plus": ("carer",)}}).lists(world().monday)[SELECTION_GROUP]
    assert vanished(population, {SELECTION_GROUP: groups}) == []
    one_team_less = groups.filter(pc.invert(pc.and_(pc.equal(groups["team_id"], "QUAY"), pc.equal(groups["group"], "under_18"))))
    assert vanished(population, {SELECTION_GROUP: one_team_less}) == [(SELECTION_GROUP, "under_18")]


def test_a_count_of_nought_tells_of_nobody(population: dict[str, pa.Table]) -> None:
    table = counts(*GROUPS).to_pylist()
    rows = [{**row, "people_count": 0 if row["people_group"] == "carer" else 20} for row in table]
    assert vanished(population, {SEGMENT_COUNT: pa.Table.from_pylist(rows)}) == [(SEGMENT_COUNT, "carer")]
    some = [*rows, *({**row, "people_count": 10} for row in table if row["people_group"] == "carer")]
    assert vanished(population, {SEGMENT_COUNT: pa.Table.from_pylist(some)}) == []


def test_ten_people_who_are_nowhere_are_an_error_and_fewer_or_somewhere_a_warning(population: dict[str, pa.Table]) -> None:
    def errors(people: int, table: pa.Table) -> list[bool]:
        plus = pa.table({"plus_group": ["carer"] * people, "membership": ["yes"] * people})
        return [each.is_error for each in found_vanished({**population, "core/person_plus": plus}, {SEGMENT_COUNT: table})]

    none = counts(*(name for name in GROUPS if name != "carer"))
    assert (errors(10, none), errors(9, none)) == ([True], [False])
    assert errors(10, pa.concat_tables([none, counts("carer", areas=("icb",)), counts(*GROUPS[:-1], areas=("place",))])) == [False]


def test_a_scorecard_speaks_of_the_ages_that_are_scored(population: dict[str, pa.Table]) -> None:
    """A small place has no model of children: its scorecard has nothing to say of them."""
    rows = [
        {"age_group": "adult", "subgroup_kind": "contact_level", "subgroup": "no_contact"},
        {"age_group": "adult", "subgroup_kind": "plus_group", "subgroup": "homelessness"},
    ]
    card = {SCORECARD: pa.Table.from_pylist(rows)}
    assert vanished({**population, SCORE: pa.table({"age_group": ["adult"]})}, card) == []
    assert vanished({**population, SCORE: pa.table({"age_group": ["adult", "under_18"]})}, card) == [(SCORECARD, "under_18")]


PLANTED = """
apiVersion: v3.1.0
kind: DataContract
id: products/planted_by_group
name: planted_by_group
version: 1.0.0
status: active
domain: population health
description: {purpose: "Something of each group of people."}
customProperties: [{property: purpose, value: secondary_use}]
schema:
  - name: planted_by_group
    id: planted_by_group
    logicalType: object
    physicalType: table
    dataGranularityDescription: "One row per group of people."
    properties:
      - {name: people_group, logicalType: string, physicalType: text, description: "Group of people.", primaryKey: true, primaryKeyPosition: 1,
         required: true, classification: open}
"""


def test_whatever_tells_of_groups_by_its_contract_is_looked_at(
    population: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_column = {name for name in contract_ids() if name.startswith(("core/", "products/")) and "people_group" in load_contract(name).column_names}
    assert {SEGMENT_COUNT, SELECTION_GROUP, SCORECARD} <= set(products_looked_at()) == {*with_column, SELECTION_GROUP, SCORECARD}
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "planted_by_group.yaml").write_text(PLANTED, encoding="utf-8")
    monkeypatch.setattr(loading, "CONTRACTS_FOLDER", tmp_path)
    assert "products/planted_by_group" in products_looked_at()
    made = pa.table({"people_group": ["all", "under_18", "carer"]})
    assert vanished(population, {"products/planted_by_group": made}) == [("products/planted_by_group", "low_contact")]
