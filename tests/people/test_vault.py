"""The vault: who a person is, for direct care only."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from fuller_popheath.errors import ContractBroken, FileRefused, InputMissing
from fuller_popheath.people.vault import Vault

DAY = date(2026, 8, 1)


def _identities(rows: list[tuple[str, str | None, str, str | None]]) -> pa.Table:
    names = ("person_id", "nhs_number", "practice_code", "patient_id")
    table = pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)})
    return table.append_column("key_version", pa.array([1] * len(rows), pa.int64()))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "vault")
    vault.write_part("P81001", "one", _identities([("aaaaaaaaaaaa", "9990000018", "P81001", "1"), ("bbbbbbbbbbbb", None, "P81001", "2")]))
    vault.write_part("P81002", "two", _identities([("aaaaaaaaaaaa", "9990000018", "P81002", "7")]))
    vault.write_night(DAY, [("P81001", "one"), ("P81002", "two")])
    return vault


def test_people_are_found_by_their_ids_in_every_practice(vault: Vault) -> None:
    found = vault.reidentify(pa.array(["aaaaaaaaaaaa", "cccccccccccc"]), "direct_care")
    assert found.to_pylist() == [
        {"person_id": "aaaaaaaaaaaa", "nhs_number": "9990000018", "practice_code": "P81001", "patient_id": "1"},
        {"person_id": "aaaaaaaaaaaa", "nhs_number": "9990000018", "practice_code": "P81002", "patient_id": "7"},
    ]


@pytest.mark.parametrize("purpose", ["secondary_use", "open", "", "Direct_care"])
def test_for_any_other_purpose_nobody_is(vault: Vault, purpose: str) -> None:
    with pytest.raises(ContractBroken, match="for direct care only"):
        vault.reidentify(pa.array(["aaaaaaaaaaaa"]), purpose)


def test_one_id_for_two_numbers_is_nobody_s(vault: Vault) -> None:
    vault.write_part("P81002", "three", _identities([("aaaaaaaaaaaa", "9990000026", "P81002", "7")]))
    vault.write_night(DAY, [("P81001", "one"), ("P81002", "three")])
    with pytest.raises(FileRefused, match="1 person ids stand for two NHS numbers"):
        vault.reidentify(pa.array(["bbbbbbbbbbbb"]), "direct_care")


def test_a_part_that_is_no_longer_in_use_names_nobody(vault: Vault) -> None:
    vault.write_night(date(2026, 8, 2), [("P81002", "two")])
    assert vault.reidentify(pa.array(["bbbbbbbbbbbb"]), "direct_care").num_rows == 0
    assert vault.reidentify(pa.array(["bbbbbbbbbbbb"]), "direct_care", DAY)["patient_id"].to_pylist() == ["2"]


def test_an_empty_vault_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="the vault holds no list"):
        Vault(tmp_path).reidentify(pa.array(["aaaaaaaaaaaa"]), "direct_care")


def test_only_its_owner_reads_it(vault: Vault) -> None:
    for path in vault.folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_who_a_person_was_is_forgotten_when_no_kept_night_uses_the_list(vault: Vault) -> None:
    for day in range(2, 11):
        vault.write_night(date(2026, 8, day), [("P81002", "two")])
    assert vault.reidentify(pa.array(["bbbbbbbbbbbb"]), "direct_care", DAY).num_rows == 1
    vault.write_night(date(2026, 8, 11), [("P81002", "two")])
    assert [path.name for path in (vault.folder / "identity" / "parts").glob("*/*.parquet")] == ["two.parquet"]
    with pytest.raises(InputMissing, match="no lists for 2026-08-01"):
        vault.reidentify(pa.array(["bbbbbbbbbbbb"]), "direct_care", DAY)


def test_a_night_of_an_earlier_day_forgets_nobody(vault: Vault) -> None:
    for day in range(2, 12):
        vault.write_night(date(2026, 8, day), [("P81002", "two")])
    vault.write_part("P81001", "one", _identities([("bbbbbbbbbbbb", None, "P81001", "2")]))
    vault.write_night(date(2026, 7, 1), [("P81001", "one"), ("P81009", "gone")])
    assert vault.reidentify(pa.array(["bbbbbbbbbbbb"]), "direct_care", date(2026, 7, 1)).num_rows == 1
