"""Tables that the house made: cast without changing a value, or refused whole, with counts and no value."""

from __future__ import annotations

import traceback
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.contracts import conform, contract_ids, empty_table, load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken

CONTRACT = load_contract("core/registered_count")
PLANTED = "9434765919"


def table(**changes: Any) -> pa.Table:
    columns = {
        "registrations_extract": pa.array([date(2022, 7, 1)] * 2),
        "as_of": [date(2022, 7, 1)] * 2,
        "practice_code": ["A81001", "A81002"],
        "practice_name": ["A", "B"],
        "lsoa_code": ["E01000001", "NO2011"],
        "registered_count": pa.array([7, 8], pa.int32()),
        "of_no_interest": [PLANTED, PLANTED],
    }
    return pa.table({**columns, **changes})


def test_conform_puts_columns_in_order_and_type() -> None:
    conformed = conform(table(registered_count=[7.0, 8.0]), CONTRACT)
    assert conformed.schema == CONTRACT.schema
    assert conformed["registered_count"].to_pylist() == [7, 8]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"registered_count": [7.5, 8.0]}, "registered_count (double, 2 rows) cannot be made whole number"),
        ({"registered_count": [PLANTED, "x"]}, "registered_count (string, 2 rows) cannot be made whole number"),
        ({"as_of": [PLANTED, PLANTED]}, "as_of (string, 2 rows) cannot be made date"),
        ({"as_of": pa.array([1656633601] * 2, pa.timestamp("s"))}, "as_of (timestamp[s], 2 rows) cannot be made date"),  # one second past midnight
        ({"lsoa_code": [["E01000001"], [PLANTED]]}, "lsoa_code"),
    ],
)
def test_conform_changes_no_value_and_says_none(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractBroken) as refused:
        conform(table(**changes), CONTRACT)
    assert words in str(refused.value)
    assert PLANTED not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_conform_names_the_columns_that_are_missing() -> None:
    with pytest.raises(ContractBroken, match="core/registered_count: missing: the columns as_of, lsoa_code"):
        conform(table().drop_columns(["as_of", "lsoa_code"]), CONTRACT)


def test_a_table_in_which_nothing_is_broken_is_returned_conformed() -> None:
    assert refuse_if_broken(table(), CONTRACT).equals(conform(table(), CONTRACT))
    for contract in map(load_contract, contract_ids()):
        assert refuse_if_broken(empty_table(contract), contract).schema == contract.schema


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lsoa_code": [PLANTED, "NO2011"]}, "1 of 2 rows break its rules (lsoa_code.pattern: 1 row)"),
        (
            {"practice_code": ["A81001", None], "registered_count": [-1, -1]},
            "2 of 2 rows break its rules (practice_code.required: 1 row; registered_count.range: 2 rows)",
        ),
        ({"practice_code": ["A81001"] * 2, "lsoa_code": ["NO2011"] * 2}, "2 of 2 rows break its rules (primary_key: 2 rows)"),
        ({"lsoa_code": ["NO2011 ", "NO2011"]}, "lsoa_code.pattern: 1 row"),  # what we made ourselves is not trimmed
    ],
)
def test_a_broken_table_is_refused_with_counts(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractBroken) as refused:
        refuse_if_broken(table(**changes), CONTRACT)
    assert words in str(refused.value)
    assert PLANTED not in "".join(traceback.format_exception(refused.value))


def test_a_number_that_is_none_is_refused() -> None:
    contract = load_contract("products/core20_by_pcn")
    rows = empty_table(contract).to_pydict()
    assert contract.column("mean_imd_score").required is False
    one = {c.name: pa.array([float("nan")] if c.name == "mean_imd_score" else [None], c.arrow_type) for c in contract.columns}
    with pytest.raises(ContractBroken, match=r"mean_imd_score\.type: 1 row"):
        refuse_if_broken(pa.table({name: one[name] for name in rows}), contract)


def test_an_empty_text_is_a_value_of_ours() -> None:
    contract = load_contract("core/landing_file")
    row = {"as_of": date(2022, 7, 1), "file_name": "a.csv", "member": "", "content_hash": "0" * 64, "size_bytes": 0, "use": "not recognised"}
    rows = pa.table({c.name: pa.array([row.get(c.name)], c.arrow_type) for c in contract.columns})
    assert refuse_if_broken(rows, contract)["member"].to_pylist() == [""]


def test_references_are_judged_where_they_are_given() -> None:
    contract = load_contract("products/core20_phasing")
    row = {
        "as_of": date(2022, 7, 1),
        "imd_edition": "2019",
        "pcn_code": "U00001",
        "pcn_name": "A",
        "core20_percent": 12.5,
        "band": "10.0% to 19.9%",
        "wave": "Wave 2",
        "hangs_on_rounding": False,
    }
    phasing = pa.table({c.name: pa.array([row.get(c.name)], c.arrow_type) for c in contract.columns})
    assert refuse_if_broken(phasing, contract, {"products/core20_by_pcn": pa.table({"pcn_code": ["U00001"]})}).num_rows == 1
    with pytest.raises(ContractBroken, match=r"pcn_code\.reference: 1 row"):
        refuse_if_broken(phasing, contract, {"products/core20_by_pcn": pa.table({"pcn_code": ["U00002"]})})
