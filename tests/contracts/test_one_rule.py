"""What stands in several contracts is one thing: bands, numbers of LSOAs, and columns that the products share."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from fuller_popheath.contracts import Column, contract_ids, load_contract
from fuller_popheath.place.bands import BAND_LABELS, BANDS
from fuller_popheath.place.editions import EDITIONS

CONTRACTS_FOLDER = Path(__file__).parents[2] / "data_contracts"
IDS = contract_ids()
BAND_LIKE = re.compile(r"\d\.\d%")
RANKED = {edition.lsoa_count for edition in EDITIONS}

DIFFER_ON_PURPOSE = {
    # column: what may differ, because the tables are of different grain
    "imd_edition": {"required", "description"},  # a scorecard has it for quintiles only
    "icb_code": {"required", "description"},  # an ICB's own row always has it
    "place_code": {"required", "description"},
    "pcn_code": {"pattern", "description"},  # by practice, U says: in no PCN
    "pcn_name": {"description"},
    "pcn_count": {"description"},
    "registered_count": {"description", "classification", "required"},  # published counts, or lists; hidden in activity
    "practice_count": {"description", "minimum"},  # a neighbourhood of a list may have no practice that sent one
    "practice_code": {"description"},
    "practice_name": {"required"},  # nobody published the name of a practice that sends a list
    "reason": {"allowed", "description"},  # two questions: why left out, why another band
    "core20_percent": {"description", "required", "unit"},  # of an LSOA it is a part of the LSOA, not of a list
    "age_group": {"allowed", "description"},  # of indicators, and of models
    "area_type": {"allowed", "description"},
    "area_code": {"description"},
    # "all" is one of them, or not
    "imd_quintile": {"logical_type", "arrow_type", "unit", "required", "allowed", "minimum", "maximum", "description"},
    "is_hidden": {"description"},
    "lower": {"unit", "maximum", "description"},  # of a percent, a ratio, a rate
    "upper": {"unit", "maximum", "description"},
    "value": {"unit", "classification", "minimum", "maximum", "description"},  # of an indicator, and of a list
    "lsoa_code": {"description"},
    "mean_upc": {"description"},
    "slicc": {"description"},
    "people_count": {"logical_type", "arrow_type", "required", "description"},  # published counts are never hidden
    "covered_percent": {"required", "description"},  # of people by deprivation, and of people whose practices reported staff
    "expected_count": {"description"},  # of admissions, and of people with a condition
    "percent": {"description"},
    "previous_as_of": {"required", "description"},  # a movement always has a day before it
    "sex": {"allowed", "classification", "description"},  # of a person, and of a group
    "scored_count": {"logical_type", "arrow_type", "required", "classification", "description"},  # with a risk, and with a deprivation score
    "team_id": {"pattern", "description"},  # "all" is one of them, or not
    "band": {"description"},
}
COMPARED = ("logical_type", "arrow_type", "unit", "required", "classification", "pattern", "allowed", "minimum", "maximum", "description")


def _raw(contract_id: str) -> dict[str, Any]:
    return yaml.safe_load((CONTRACTS_FOLDER / f"{contract_id}.yaml").read_text(encoding="utf-8"))["schema"][0]


def _numbers(node: Any) -> list[int]:
    """Every number above 10,000 in a contract, wherever it stands, also written with a comma within a sentence."""
    match node:
        case dict():
            return [n for value in node.values() for n in _numbers(value)]
        case list():
            return [n for value in node for n in _numbers(value)]
        case bool():
            return []
        case int() | float():
            return [int(node)] if node > 10_000 else []
        case str():
            return [int(n.replace(",", "")) for n in re.findall(r"\b\d\d,\d{3}\b", node)]
    return []


@pytest.mark.parametrize("contract_id", IDS)
def test_every_list_of_bands_is_the_one_of_the_board_paper(contract_id: str) -> None:
    contract = load_contract(contract_id)
    for column in contract.columns:
        if column.allowed and any(BAND_LIKE.search(str(value)) for value in column.allowed):
            assert column.allowed == BAND_LABELS, column.name
    for rule in contract.rules:
        if "lowest_tenths" in rule.arguments:
            assert list(rule.arguments["lowest_tenths"].items()) == [(band.label, band.lower_tenths) for band in BANDS]


def test_there_are_bands_to_hold_against_each_other() -> None:
    with_rule = [i for i in IDS if any("lowest_tenths" in rule.arguments for rule in load_contract(i).rules)]
    assert with_rule == [f"products/core20_by_{level}" for level in ("icb", "pcn", "place", "practice")]
    lists = [c for i in IDS for c in load_contract(i).columns if c.allowed == BAND_LABELS]
    assert len(lists) == 7


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.name)
def test_an_edition_ranks_as_many_lsoas_in_its_contract_as_in_the_code(edition: Any) -> None:
    said = _numbers(_raw(edition.contract))
    assert len(said) >= 4
    assert set(said) == {edition.lsoa_count}


def test_every_table_that_says_how_many_lsoas_there_are_says_the_same() -> None:
    rule = next(rule for rule in load_contract("core/area_deprivation").rules if rule.kind == "at_most_for")
    assert rule.arguments["largest"] == {edition.name: edition.lsoa_count for edition in EDITIONS}
    assert set(_numbers(_raw("core/area_deprivation"))) == RANKED
    editions = [c.allowed for i in IDS for c in load_contract(i).columns if c.name == "imd_edition"]
    assert editions
    assert set(editions) == {tuple(edition.name for edition in EDITIONS)}


def test_a_column_of_one_name_is_one_column_in_all_products() -> None:
    named: dict[str, list[Column]] = defaultdict(list)
    for contract_id in (*contract_ids("products"), "core/practice_quintile"):
        for column in load_contract(contract_id).columns:
            named[column.name].append(column)
    differing = {(name, what) for name, columns in named.items() for what in COMPARED if len({str(getattr(column, what)) for column in columns}) > 1}
    expected = {(name, what) for name, differs in DIFFER_ON_PURPOSE.items() for what in differs}
    assert differing == expected
    siblings = {"q1_count", "q5_count", "matched_count", "unmatched_count", "core20_lower", "core20_upper", "band_probability", "as_of"}
    assert all(len(named[name]) >= 4 for name in siblings)
