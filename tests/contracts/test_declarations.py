"""The contracts on disk are documents of the standard, say what they should, and a wrong one is refused by name."""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
import yaml

from fuller_popheath.contracts import Contract, contract_ids, dictionary_markdown, load_contract, loading
from fuller_popheath.contracts.loading import CONTRACTS_FOLDER, read_contract
from fuller_popheath.errors import SettingsWrong

FILES = [CONTRACTS_FOLDER / f"{i}.yaml" for i in contract_ids()]
CONTRACTS = [load_contract(i) for i in contract_ids()]
PRACTICE_LIST = CONTRACTS_FOLDER / "inbound" / "practice_list.yaml"


@pytest.fixture(scope="module")
def standard() -> Any:
    """The Open Data Contract Standard's own JSON Schema, as its publisher's package ships it."""
    schema = json.loads(importlib.resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_is_a_document_of_the_standard(path: Path, standard: Any) -> None:
    wrong = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in standard.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]
    assert wrong == []


def test_the_standard_would_notice_a_wrong_document(standard: Any) -> None:
    document = yaml.safe_load(PRACTICE_LIST.read_text(encoding="utf-8"))
    document["schema"][0]["properties"][0]["logicalType"] = "postcode"
    assert not standard.is_valid(document)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.id)
def test_every_contract_says_what_people_need(contract: Contract) -> None:
    assert contract.schema.names == list(contract.column_names)
    assert contract.grain.startswith("One row per")
    for column in contract.columns:
        # A number without a unit is a trap; a change of people may be negative, everything else that counts may not.
        assert column.unit or column.logical_type not in ("integer", "number"), column.name
        if column.name.endswith("_count") and "_change_" not in column.name:
            assert column.minimum is not None and float(column.minimum) >= 0, column.name
        if column.name.endswith("_percent"):
            assert (column.minimum, column.maximum) == (0, 100), column.name
        if column.logical_type == "date":
            assert column.minimum and column.maximum, f"{column.name}: a date without bounds lets year 1 and year 9999 in"
    if not contract.id.startswith("inbound/"):
        assert "identifier" not in {c.classification for c in contract.columns}, "numbers stay in inbound tables and in the vault"
    if contract.purpose == "open" or contract.id.startswith("reference/"):
        assert {c.classification for c in contract.columns} == {"open"}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.id)
def test_every_reference_leads_to_a_column_that_says_its_id(contract: Contract) -> None:
    for to in (c.references for c in contract.columns if c.references):
        other = load_contract(to.contract_id)
        assert to.column in other.column_names
        table = yaml.safe_load((CONTRACTS_FOLDER / f"{to.contract_id}.yaml").read_text(encoding="utf-8"))["schema"][0]
        assert table["id"] == to.contract_id.split("/")[1]
        assert to.column in [p.get("id") for p in table["properties"]]


def test_core20_by_pcn_is_the_agreed_table() -> None:
    contract = load_contract("products/core20_by_pcn")
    agreed = (  # the order of columns is promised to those who read the file
        "as_of registrations_extract membership_snapshot imd_edition icb_code pcn_code pcn_name practice_count registered_count matched_count "
        "unmatched_count q1_count q2_count q3_count q4_count q5_count core20_percent core20_lower core20_upper band band_probability "
        "mean_imd_score rank_in_icb"
    )
    assert contract.column_names == tuple(agreed.split())
    assert contract.primary_key == ("as_of", "imd_edition", "pcn_code")
    assert contract.purpose == "open"


def test_the_dictionary_is_current() -> None:
    written = (CONTRACTS_FOLDER / "DICTIONARY.md").read_text(encoding="utf-8")
    assert written == dictionary_markdown(), "run: python -m fuller_popheath.contracts"


def test_the_dictionary_has_every_table_column_and_rule_and_whole_table_rows() -> None:
    pages = dict(re.findall(r"^---\n\n## (\S+)\n(.*?)(?=^---$|\Z)", dictionary_markdown(), re.M | re.S))
    assert sorted(pages) == list(contract_ids())
    for contract in CONTRACTS:
        rows = [line for line in pages[contract.id].splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(contract.column_names)
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}
        assert all(f"`{rule.id}`" in pages[contract.id] for rule in contract.rules if rule.column is None)


def test_the_command_writes_the_dictionary_and_loads_nothing_heavy() -> None:
    said = "import sys, fuller_popheath.contracts; print(*sorted({'pyarrow', 'ibis', 'duckdb', 'pandas', 'yaml', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_a_planted_contract_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = tmp_path / "reference" / "lsoa_area.yaml"
    planted.parent.mkdir()
    text = (CONTRACTS_FOLDER / "reference" / "lsoa_population.yaml").read_text(encoding="utf-8")
    planted.write_text(text.replace("lsoa_population", "lsoa_area"), encoding="utf-8")
    monkeypatch.setattr(loading, "CONTRACTS_FOLDER", tmp_path)
    assert contract_ids() == contract_ids("reference") == ("reference/lsoa_area",)
    assert load_contract("reference/lsoa_area").schema.field("population_count").type == pa.int64()
    load_contract.cache_clear()


def test_a_contract_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingsWrong, match=r"no contract products/core21.*products/core20_by_pcn"):
        load_contract("products/core21")


def column(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(p for p in document["schema"][0]["properties"] if p["name"] == name)


def changes() -> Iterator[Any]:
    """What to change in the contract of the practice list, and the words that must name the fault."""

    def case(name: str, change: Callable[[dict[str, Any]], object], *words: str) -> Any:
        return pytest.param(change, words, id=name)

    def of(name: str, **values: Any) -> Callable[[dict[str, Any]], object]:
        return lambda d: column(d, name).update(values)

    def rule(**values: Any) -> Callable[[dict[str, Any]], object]:
        return lambda d: d["schema"][0]["quality"][0].update(values)

    valid_values = {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["male", 1]}}
    yield case("another id", lambda d: d.update(id="inbound/other"), "id must be inbound/practice_list")
    yield case("unknown key", lambda d: d.update(colour="red"), "colour")
    yield case("no purpose", lambda d: d.pop("customProperties"), "purpose")
    yield case("two tables", lambda d: d["schema"].append(d["schema"][0]), "exactly one table")
    yield case("no key", lambda d: [p.pop("primaryKey", None) for p in d["schema"][0]["properties"]], "primaryKey")
    yield case("column twice", lambda d: d["schema"][0]["properties"].append(column(d, "sex")), "no name may stand twice")
    yield case("unknown type", of("sex", logicalType="timestamp"), "column sex", "timestamp is not understood")
    yield case("no description", of("sex", description=" "), "column sex", "description is missing")
    yield case("unknown class", of("sex", classification="secret"), "column sex", "classification")
    yield case("unknown option", of("sex", logicalTypeOptions={"maxLength": 3}), "column sex", "maxLength is not understood")
    yield case("bad pattern", of("lsoa_code", logicalTypeOptions={"pattern": "^(E01$"}), "column lsoa_code", "not a regular expression")
    yield case("loose pattern", of("lsoa_code", logicalTypeOptions={"pattern": "E01"}), "column lsoa_code", "begin with ^")
    yield case("look-ahead", of("lsoa_code", logicalTypeOptions={"pattern": "^(?=E)E01$"}), "column lsoa_code", "look-around")
    yield case("free text", of("usual_gp_code", logicalTypeOptions={}), "column usual_gp_code", "needs a pattern or validValues")
    yield case(
        "wide pattern", of("usual_gp_code", logicalTypeOptions={"pattern": "^[A-Z0-9]{1,12}$"}), "column usual_gp_code", "an NHS number passes"
    )
    yield case("date bound", of("death_date", logicalTypeOptions={"minimum": "1.1.1900"}), "column death_date", "YYYY-MM-DD")
    yield case("bound on text", of("usual_gp_code", logicalTypeOptions={"minimum": 3}), "column usual_gp_code", "numbers and dates only")
    yield case("mixed values", of("sex", quality=[valid_values]), "column sex", "of the column's own type")
    yield case("unknown metric", of("sex", quality=[{"metric": "nullValues", "mustBe": 0}]), "column sex", "only invalidValues")
    yield case("strange reference", of("sex", relationships=[{"to": "sexes.code"}]), "column sex", "one relationship is understood")
    yield case("sql rule", rule(type="sql", query="select 1"), "rule date_of_birth.not_after_extract_date", "type custom")
    yield case("another engine", rule(engine="soda"), "rule date_of_birth.not_after_extract_date", "engine fuller_popheath")
    yield case(
        "unknown rule", rule(implementation={"rule": "vibes"}), "rule date_of_birth.not_after_extract_date", "no implementation is called vibes"
    )
    yield case("missing argument", rule(implementation={"rule": "in_order"}), "in_order takes columns", "columns is missing")
    yield case("unknown argument", rule(implementation={"rule": "half_of", "half": 1, "whole": 2, "third": 3}), "third is not one")
    yield case("unknown column", rule(implementation={"rule": "in_order", "columns": ["sex", "gender"]}), "its columns must be")
    yield case("wrong column", rule(implementation={"rule": "half_of", "half": "sex", "whole": "sex"}), "its half must be a number column")
    yield case("same name", lambda d: d["schema"][0]["quality"].append(d["schema"][0]["quality"][0]), "same name")


@pytest.mark.parametrize(("change", "words"), list(changes()))
def test_a_contract_that_cannot_be_used_is_refused_by_name(
    change: Callable[[dict[str, Any]], object], words: tuple[str, ...], tmp_path: Path
) -> None:
    document = yaml.safe_load(PRACTICE_LIST.read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "practice_list.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(SettingsWrong) as refused:
        read_contract(path, "inbound/practice_list")
    assert [word for word in ("practice_list.yaml", *words) if word not in str(refused.value)] == [], str(refused.value)


@pytest.mark.parametrize("text", ["", "just words", "a: [1", "a: b: c", "\x00"])
def test_a_file_that_is_no_contract_at_all_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsWrong, match=r"x\.yaml"):
        read_contract(path, "core/x")
