"""A slip in an optional column costs a person the cell and not the list: which columns those are, what is kept, and how it is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from fuller_popheath.contracts import Contract, check, contract_ids, load_contract
from fuller_popheath.contracts.blanking import blanked_by
from fuller_popheath.contracts.loading import read_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.registry import extracts

PEOPLE = load_contract("inbound/practice_list")
ROW = {
    "extract_date": "2026-07-01",
    "practice_code": "A81001",
    "nhs_number": "9434765919",
    "date_of_birth": "1950-02-03",
    "sex": "female",
    "ethnic_category": "A",
    "lsoa_code": "E01000001",
    "registration_start_date": "2001-02-03",
    "usual_gp_code": "G1234567",
    "postcode": "LA1 1AA",
}


def people(*changes: dict[str, Any]) -> pa.Table:
    schema = pa.schema([(c.name, pa.string()) for c in PEOPLE.columns])
    return pa.Table.from_pylist([{**ROW, **change} for change in changes], schema=schema)


@pytest.mark.parametrize(
    ("cells", "rules"),
    [
        ({"ethnic_category": "White"}, {"ethnic_category.allowed"}),
        ({"lsoa_code": "E0100000"}, {"lsoa_code.pattern"}),
        ({"postcode": "LA11"}, {"postcode.pattern"}),
        ({"usual_gp_code": "9434765919"}, {"usual_gp_code.pattern"}),
        ({"usual_gp_code": "A-943-476-5919"}, {"usual_gp_code.holds_no_nhs_number"}),
        ({"ethnic_category": "White", "postcode": "LA11"}, {"ethnic_category.allowed", "postcode.pattern"}),
    ],
)
def test_the_person_stays_and_the_cell_goes(cells: dict[str, str], rules: set[str]) -> None:
    checked = check(people(cells, {"nhs_number": "4000000004"}), PEOPLE)
    assert (checked.rows_read, checked.accepted.num_rows, checked.quarantined.num_rows, checked.counts) == (2, 2, 0, {})
    first = checked.accepted.to_pylist()[0]
    assert {name: first[name] for name in cells} == dict.fromkeys(cells)
    assert first["nhs_number"] == ROW["nhs_number"]
    assert checked.accepted.to_pylist()[1]["lsoa_code"] == "E01000001"
    assert checked.cells_blanked == dict.fromkeys(sorted(rules), 1)
    assert checked.blanked is not None
    kept = checked.blanked.to_pylist()
    assert [(row["_row"], set(row["broken_rules"])) for row in kept] == [(1, rules)]
    assert {name: kept[0][name] for name in cells} == cells, "as it was read"


@pytest.mark.parametrize(
    "hard",
    [
        {"nhs_number": "9434765918"},
        {"death_date": "1900-01-01"},
        {"registration_end_date": "2000-01-01"},
        {"registration_type": "Regular "},
        {"is_sensitive": "Y"},
        {"patient_id": "a b"},
    ],
)
def test_what_says_who_where_and_whether_alive_is_not_guessed(hard: dict[str, str]) -> None:
    """A record that may be sensitive, or of somebody who may have died, is not used as if nothing had been said."""
    checked = check(people({**hard, "ethnic_category": "White"}), PEOPLE)
    assert (checked.accepted.num_rows, checked.quarantined.num_rows, checked.cells_blanked) == (0, 1, {})
    assert "ethnic_category.allowed" in checked.counts, "a refused row is told of all its faults, so that it is mended once"
    assert len(checked.counts) == 2


def test_a_row_without_a_cell_is_still_held_against_its_rivals() -> None:
    copies = check(people({"ethnic_category": "White"}, {"ethnic_category": "Wite"}), PEOPLE)
    assert (copies.accepted.num_rows, copies.counts) == (1, {"ethnic_category.allowed": 1, "primary_key": 1}), "the same row but for the slip"
    differing = check(people({"ethnic_category": "White"}, {"ethnic_category": "A"}), PEOPLE)
    assert differing.accepted.num_rows == 0, "two rows of one key that do not say the same: to choose one would be silent"


def test_a_cell_that_is_not_of_its_type_can_be_left_empty_too(tmp_path: Path) -> None:
    contract = changed(tmp_path, "is_sensitive", "blank_cell")
    checked = check(people({"is_sensitive": "Y"}, {"nhs_number": "4000000004", "is_sensitive": "true"}), contract)
    assert checked.accepted["is_sensitive"].to_pylist() == [None, True]
    assert checked.cells_blanked == {"is_sensitive.type": 1}


def changed(folder: Path, column: str, on_breach: str) -> Contract:
    declared = yaml.safe_load(Path("data_contracts/inbound/practice_list.yaml").read_text(encoding="utf-8"))
    next(c for c in declared["schema"][0]["properties"] if c["name"] == column)["customProperties"] = [{"property": "on_breach", "value": on_breach}]
    path = folder / "practice_list.yaml"
    path.write_text(yaml.safe_dump(declared), encoding="utf-8")
    return read_contract(path, "inbound/practice_list")


@pytest.mark.parametrize("column", ["nhs_number", "sex"])
def test_a_key_and_a_needed_column_cannot_be_left_empty(column: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=f"column {column}: only cells of an optional column"):
        changed(tmp_path, column, "blank_cell")


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="on_breach must be one of quarantine_row, blank_cell"):
        changed(tmp_path, "postcode", "blank")


def test_only_extracts_have_such_columns_because_only_their_account_counts_them() -> None:
    assert {name for name in contract_ids() if blanked_by(load_contract(name))} == {"inbound/practice_list"} <= set(extracts())
