"""The quick check of large files gives what the plain one gives: the same rows accepted, the same quarantined, the same counts."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from fuller_popheath.contracts import Contract, check, contract_ids, load_contract
from fuller_popheath.contracts.by_value import check_by_value

INBOUND = contract_ids("inbound")
ODD = (
    None,
    "",
    "  ",
    "9434765919",
    "943476591",
    "A9434765919",
    "x-1234567890-943-476-5919",
    "943 476 5919",
    "943-476-591-9",
    "271649006",
    "{12345678-9012-3456-7890-943476591912}",
    "snomed",
    "local",
    "1000001",
    "1111111111",
    "2022-02-30",
    "1900-01-01",
    "01/04/2024",
    "2099-01-01",
    "x",
    "1e400",
    "+5",
    ".5",
    "1.",
)


def _same(raw: pa.Table, contract: Contract) -> None:
    plain, quick = check(raw, contract), check_by_value(raw, contract)
    assert quick.accepted.cast(contract.schema).equals(plain.accepted)
    assert (quick.counts, quick.cells_blanked) == (plain.counts, plain.cells_blanked)
    assert plain.blanked is not None
    assert quick.blanked.select(plain.blanked.column_names).to_pylist() == plain.blanked.to_pylist()
    assert quick.quarantined.select(plain.quarantined.column_names).to_pylist() == plain.quarantined.to_pylist()
    assert (
        quick.rows_read == raw.num_rows == quick.accepted.num_rows + quick.quarantined.num_rows == len(quick.positions) + quick.quarantined.num_rows
    )
    rows = raw["_row"].to_pylist()
    assert sorted([rows[at] for at in quick.positions] + quick.quarantined["_row"].to_pylist()) == sorted(rows)
    assert [rows[at] for at in quick.blanked_at] == quick.blanked["_row"].to_pylist()
    assert set(quick.blanked_at.tolist()) <= set(quick.positions.tolist())


def _coded(raw: pa.Table) -> pa.Table:
    return pa.table({name: raw[name].dictionary_encode() if name != "_row" else raw[name] for name in raw.column_names})


@st.composite
def _rows(draw: Any, good: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for at in range(draw(st.integers(0, 12))):
        row = {**good, **({"record_id": f"r{draw(st.integers(0, 9))}x"} if "record_id" in good else {})}
        for name in draw(st.lists(st.sampled_from(sorted(good)), max_size=2)):
            row[name] = draw(st.sampled_from(ODD) | st.just(f" {good[name]} "))
        rows.append({**row, "_row": 2 * at + 2})
    return rows


@pytest.mark.parametrize("contract_id", INBOUND)
def test_the_quick_check_says_what_the_plain_one_says(contract_id: str, oracle: Any) -> None:
    contract = load_contract(contract_id)
    good = oracle.good_row(contract)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_rows(good), st.booleans())
    def holds(rows: list[dict[str, Any]], coded: bool) -> None:
        schema = pa.schema([*((name, pa.string()) for name in good), ("_row", pa.int64())])
        raw = pa.Table.from_pylist(rows, schema=schema)
        _same(_coded(raw) if coded else raw, contract)

    holds()


def test_a_table_with_a_rule_the_quick_look_does_not_know_goes_the_plain_way(oracle: Any) -> None:
    contract = load_contract("core/practice_quintile")
    good = oracle.good_row(contract)
    raw = pa.Table.from_pylist([{**good, "_row": 7}, {**good, "matched_count": "9999", "_row": 9}])
    _same(raw, contract)


def test_typed_columns_are_taken_as_they_are(oracle: Any) -> None:
    contract = load_contract("inbound/clinical_event")
    good = oracle.good_row(contract)
    raw = check(pa.Table.from_pylist([{**good, "record_id": f"r{at}x"} for at in range(5)]), contract).accepted
    raw = raw.append_column("_row", pa.array(range(1, 6)))
    _same(raw, contract)
