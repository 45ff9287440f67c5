"""Who lives in an area and what they have: counts by hand, what is expected at the ICB's rates, and nothing small that can be worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.catalogue.products import population_profile as product
from fuller_popheath.cohorts.population_profile import CONDITIONS, age_band_names
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken
from fuller_popheath.site import Site
from fuller_popheath.site_disclosure import Disclosure
from fuller_popheath.specs import Night

DAY = date(2026, 8, 1)
USUAL = {"practice_code": "A00001", "pcn_code": "U00001", "place_code": "00Q", "age_years": 40, "sex": "female"}
ELSEWHERE = {"practice_code": "A00002", "pcn_code": "U00002"}
KEY = ("area_type", "area_code", "topic", "group", "sex", "age_band")
Rows = Sequence[Mapping[str, Any]]
Made = dict[tuple[str, ...], dict[str, Any]]


def a_table(contract_id: str, rows: Rows) -> pa.Table:
    """Rows of a contract; of what is not said, required numbers are 0, required marks false, and everything else is empty."""
    contract = load_contract(contract_id)
    nothing = {c.name: {"integer": 0, "number": 0.0, "boolean": False}.get(c.logical_type) if c.required else None for c in contract.columns}
    full = [{**nothing, "as_of": DAY, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row[f.name] for row in full], f.type) for f in contract.schema}), contract)


def person_ids(count: int) -> list[str]:
    letters = str.maketrans("0123456789", "abcdefghij")
    return [f"{number:05d}".translate(letters).ljust(12, "a") for number in range(count)]


def inputs_of(people: Rows, plus: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, pa.Table]:
    """Tables of people, each told by what is not usual about them; `plus`: by group, then by position, the membership."""
    ids = person_ids(len(people))
    rows = [{**USUAL, **person, "person_id": each} for person, each in zip(people, ids, strict=True)]
    member = [
        {"person_id": ids[int(at)], "plus_group": group, "membership": membership}
        for group, members in (plus or {}).items()
        for at, membership in members.items()
    ]
    practices = [{"practice_code": code, "icb_code": "QE1"} for code in ("A00001", "A00002")]
    return {
        "core/person": a_table("core/person", rows),
        "features/conditions": a_table("features/conditions", rows),
        "core/person_plus": a_table("core/person_plus", member),
        "core/neighbourhood_practice": a_table("core/neighbourhood_practice", practices),
    }


def made(people: Rows, plus: Mapping[str, Mapping[str, str]] | None = None, rule: str = "redact_1_7_round_5") -> Made:
    night = Night(DAY, Site(disclosure=Disclosure(rule=rule)))
    table = refuse_if_broken(product.build(inputs_of(people, plus), night), load_contract(product.CONTRACT))
    return {tuple(row[name] for name in KEY): row for row in table.to_pylist()}


def test_ages_and_sexes_by_hand() -> None:
    people = [{"age_years": 4}] * 20 + [{"age_years": 5, "sex": "male"}] * 30 + [{"age_years": 97}] * 40 + [{"sex": "unknown"}] * 10
    rows = made(people, rule="hide_1_4")
    of = {key[3:]: row["people_count"] for key, row in rows.items() if key[:3] == ("pcn", "U00001", "age_sex")}
    assert of["all", "all", "all"] == 100, "whoever is recorded as neither sex counts among all"
    assert (of["all", "female", "0-4"], of["all", "male", "5-9"], of["all", "female", "90+"]) == (20, 30, 40)
    assert (of["all", "female", "all"], of["all", "male", "all"], of["all", "male", "0-4"]) == (60, 30, 0)
    assert len(of) == 1 + 2 * (1 + len(age_band_names())) == 41
    assert rows["pcn", "U00001", "age_sex", "all", "female", "0-4"]["percent"] == pytest.approx(33.33), "of the sex"
    assert rows["pcn", "U00001", "age_sex", "all", "female", "all"]["percent"] == 60, "of everybody"


def test_expected_is_what_the_ages_and_sexes_would_have_at_the_rates_of_the_icb() -> None:
    young: Mapping[str, Any] = {"age_years": 30}
    old: Mapping[str, Any] = {"age_years": 80}
    has: Mapping[str, Any] = {"has_diabetes": True}
    # In the ICB 40 of 400 young people have it and 200 of 400 old ones: 10 % and 50 %.
    here: list[dict[str, Any]] = [{**young, **has}] * 10 + [{**young}] * 90 + [{**old, **has}] * 150 + [{**old}] * 150
    there = [{**each, **ELSEWHERE} for each in [{**young, **has}] * 30 + [young] * 270 + [{**old, **has}] * 50 + [old] * 50]
    rows = made(here + there, rule="hide_1_4")
    diabetes = {code: rows["pcn", code, "condition", "diabetes", "all", "all"] for code in ("U00001", "U00002")}
    assert (diabetes["U00001"]["people_count"], diabetes["U00001"]["expected_count"]) == (160, 0.1 * 100 + 0.5 * 300)
    assert (diabetes["U00002"]["people_count"], diabetes["U00002"]["expected_count"]) == (80, 0.1 * 300 + 0.5 * 100)
    assert rows["icb", "QE1", "condition", "diabetes", "all", "all"]["expected_count"] is None, "it would be the exact count"
    assert rows["pcn", "U00001", "age_sex", "all", "all", "all"]["expected_count"] is None
    assert {key[3] for key in rows if key[2] == "condition"} == {"all", *CONDITIONS}


def test_plus_groups_and_those_of_whom_nobody_can_say_are_told_apart() -> None:
    members = {"carer": {str(at): "yes" for at in range(20)}, "ethnic_minority": {str(at): "not_recorded" for at in range(30)}}
    rows = made([{}] * 100, members)
    assert rows["pcn", "U00001", "plus", "carer", "all", "all"]["people_count"] == 20
    assert rows["pcn", "U00001", "plus_not_recorded", "ethnic_minority", "all", "all"]["percent"] == 30
    assert rows["pcn", "U00001", "plus", "ethnic_minority", "all", "all"]["people_count"] == 0


def test_a_small_count_is_hidden_and_so_is_what_would_give_it_away() -> None:
    few, many = {"has_epilepsy": True}, {**ELSEWHERE, "has_epilepsy": True}
    rows = made([few] * 3 + [{}] * 200 + [many] * 40 + [ELSEWHERE] * 200, rule="hide_1_5")
    epilepsy = {key[:2]: row for key, row in rows.items() if key[3] == "epilepsy"}
    assert epilepsy["pcn", "U00001"]["people_count"] is None
    told = [code for code in (("pcn", "U00002"), ("place", "00Q"), ("icb", "QE1")) if epilepsy[code]["people_count"] is not None]
    assert ("pcn", "U00002") not in told, "the place less the other PCN would be the three"
    rounded = made([few] * 3 + [{}] * 200 + [many] * 40 + [ELSEWHERE] * 200)
    assert rounded["pcn", "U00001", "condition", "epilepsy", "all", "all"]["people_count"] is None
    assert epilepsy["pcn", "U00001"]["percent"] is epilepsy["pcn", "U00001"]["expected_count"] is None


def test_nearly_everybody_is_as_telling_as_hardly_anybody() -> None:
    rows = made([{"has_obesity": True}] * 97 + [{}] * 3, rule="hide_1_5")
    assert rows["pcn", "U00001", "condition", "obesity", "all", "all"]["is_hidden"]


def test_the_same_everybody_stands_under_every_topic() -> None:
    rows = made([{}] * 63 + [ELSEWHERE] * 5)
    everybody = {key[:3]: row["people_count"] for key, row in rows.items() if key[3:] == ("all", "all", "all")}
    for area in (("pcn", "U00001"), ("pcn", "U00002"), ("place", "00Q"), ("icb", "QE1")):
        assert len({everybody[(*area, topic)] for topic in ("age_sex", "condition", "plus", "plus_not_recorded")}) == 1


def test_no_person_is_no_row_and_other_people_are_refused() -> None:
    assert made([]) == {}
    inputs = inputs_of([{}] * 20)
    inputs["core/person_plus"] = a_table("core/person_plus", [{"person_id": "zzzzzzzzzzzz", "plus_group": "carer", "membership": "yes"}])
    with pytest.raises(ContractBroken, match="1 rows about people who are not in core/person"):
        product.build(inputs, Night(DAY, Site()))
