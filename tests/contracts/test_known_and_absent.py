"""What a contract says for the features: by which dates a row is known, and what a person without a record is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fuller_popheath.contracts import contract_ids, load_contract
from fuller_popheath.contracts.loading import CONTRACTS_FOLDER, read_contract
from fuller_popheath.errors import SettingsWrong


def changed(contract_id: str, tmp_path: Path, table: list[Any] | None = None, column: str = "", absent: Any = None) -> Path:
    document = yaml.safe_load((CONTRACTS_FOLDER / f"{contract_id}.yaml").read_text(encoding="utf-8"))
    if table is not None:
        document["schema"][0]["customProperties"] = table
    for declared in document["schema"][0]["properties"]:
        if declared["name"] == column:
            declared["customProperties"] = [{"property": "unit", "value": "things"}, {"property": "absent", "value": absent}]
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_known_by_is_read_in_its_order() -> None:
    assert load_contract("core/spell").known_by == ("admission_date", "recorded_date")
    assert load_contract("core/registered_count").known_by == ()


@pytest.mark.parametrize("names", [["no_such_date"], ["code"], [], "event_date"])
def test_known_by_must_be_dates_of_the_table(names: Any, tmp_path: Path) -> None:
    path = changed("core/event", tmp_path, table=[{"property": "known_by", "value": names}])
    with pytest.raises(SettingsWrong, match="known_by"):
        read_contract(path, "core/event")


@pytest.mark.parametrize(
    ("column", "absent", "read"),
    [("medicine_count_90", 0, 0), ("has_polypharmacy", "false", False), ("has_polypharmacy", "true", True), ("medicine_count_90", None, None)],
)
def test_absent_is_a_value_of_the_column(column: str, absent: Any, read: Any, tmp_path: Path) -> None:
    value = read_contract(changed("features/medicines", tmp_path, column=column, absent=absent), "features/medicines").column(column).absent
    assert value == read and type(value) is type(read)


@pytest.mark.parametrize(
    ("column", "absent"), [("medicine_count_90", "0"), ("medicine_count_90", True), ("medicine_count_90", 0.5), ("has_polypharmacy", 0)]
)
def test_absent_of_another_type_is_refused(column: str, absent: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=f"column {column}: .*absent"):
        read_contract(changed("features/medicines", tmp_path, column=column, absent=absent), "features/medicines")


def test_what_every_person_must_have_is_never_left_empty_for_want_of_a_record() -> None:
    """A required feature of persons without a record is what `absent` says; without it the whole table would be refused."""
    of_everybody = {"features/demography", "features/contacts", "features/continuity", "features/hospital"}
    for contract in map(load_contract, (i for i in contract_ids("features") if i not in of_everybody)):
        assert [c.name for c in contract.columns if c.required and not c.primary_key and c.absent is None] == []
