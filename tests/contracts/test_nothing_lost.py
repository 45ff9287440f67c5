"""Whatever comes in: every row is accepted or quarantined, with the rules that plain Python finds broken too. And nothing of a row is ever said."""

from __future__ import annotations

import traceback
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from fuller_popheath.contracts import Contract, check, contract_ids, load_contract
from fuller_popheath.errors import FileRefused

CONTRACTS = [load_contract(i) for i in contract_ids()]
JUNK = st.sampled_from(
    [
        *("", " ", None, "0", "-1", "1.5", "1e3", "1,234", "٣", "NaN", "inf", "-0", "99999999999999999999", "2e308", "TRUE", "yes", "NULL"),
        *("2022-02-30", "2022-2-3", "0001-01-01", "01/02/2022", "2022-07-02", "U", "NO2011", "E01000001\n", " A81001 ", "x'); drop", "\x00", "é"),
        *("9434765919", "943 476 5919", "1111111111"),
    ]
)


def rows_like(good: dict[str, Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows near a good one, so that deep rules are reached and not only the first."""
    cells = {
        name: st.one_of(st.just(cell), st.just(cell), st.just(cell), JUNK, st.text(max_size=12), st.integers(-5, 40000).map(str))
        for name, cell in good.items()
        if not isinstance(cell, bytes)
    }
    return st.lists(st.fixed_dictionaries(cells), max_size=8)


def texts(contract: Contract, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({c.name: pa.array([row.get(c.name) for row in rows], pa.string()) for c in contract.columns})


@pytest.fixture
def good(contract: Contract, oracle: SimpleNamespace) -> dict[str, Any]:
    return oracle.good_row(contract)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.id)
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_read_is_accepted_and_quarantined_with_reasons(
    contract: Contract, data: st.DataObject, good: dict[str, Any], oracle: SimpleNamespace
) -> None:
    rows = data.draw(rows_like(good))
    table = texts(contract, rows)
    checked = check(table, contract)
    assert checked.rows_read == len(rows) == checked.accepted.num_rows + checked.quarantined.num_rows
    assert checked.accepted.schema == contract.schema
    # Quarantined rows are there as they were read, by their number in the file.
    read = table.to_pylist()
    numbers = checked.quarantined["_row"].to_pylist()
    assert checked.quarantined.select(table.column_names).to_pylist() == [read[n - 1] for n in numbers]
    found = dict(zip(numbers, checked.quarantined["broken_rules"].to_pylist(), strict=True))
    assert checked.blanked is not None
    emptied = dict(zip(checked.blanked["_row"].to_pylist(), checked.blanked["broken_rules"].to_pylist(), strict=True))
    assert not set(emptied) & set(found)
    assert checked.blanked.select(table.column_names).to_pylist() == [read[n - 1] for n in emptied]
    together = {rule.id for rule in contract.rules if rule.kind in ("primary_key", "unique", "no_overlap", "no_identifier", "group_total")}
    for number, row in enumerate(rows, start=1):
        rules = set(found.get(number, []))
        assert (rules - together) | set(emptied.get(number, [])) == oracle.judge(contract, row)
        assert number not in found or rules
        assert len(rules & together) <= 1, "a row that is refused is not held against the others again"
    assert sum(checked.counts.values()) == sum(len(rules) for rules in found.values())
    assert sum(checked.cells_blanked.values()) == sum(len(rules) for rules in emptied.values())
    kept = [tuple(row[name] for name in contract.primary_key) for row in checked.accepted.to_pylist()]
    complete = [key for key in kept if None not in key]
    assert len(complete) == len(set(complete))


def test_no_rows_are_no_trouble() -> None:
    for contract in CONTRACTS:
        checked = check(texts(contract, []), contract)
        assert (checked.rows_read, checked.accepted.num_rows, checked.quarantined.num_rows, dict(checked.counts)) == (0, 0, 0, {})
        assert checked.accepted.schema == contract.schema
        assert checked.quarantined.schema.field("broken_rules").type == pa.list_(pa.string())


@pytest.fixture
def counts() -> pa.Table:
    columns = {
        "extract_date": "2022-07-01",
        "practice_code": "A81001",
        "practice_name": "A",
        "lsoa_code": "E01000001",
        "sex": "ALL",
        "registered_count": "7",
    }
    return pa.table({name: [value] for name, value in columns.items()})


CONTRACT = load_contract("reference/practice_lsoa_count")


def test_columns_nobody_knows_are_kept_with_what_is_quarantined(counts: pa.Table) -> None:
    bad = counts.set_column(5, "registered_count", [["seven"]]).append_column("PUBLICATION", [["GP_PRAC_PAT_LIST"]]).append_column("_row", [[31794]])
    checked = check(bad, CONTRACT)
    assert checked.accepted.column_names == list(CONTRACT.column_names)
    assert checked.quarantined.to_pylist() == [bad.to_pylist()[0] | {"broken_rules": ["registered_count.type"]}]


def test_an_optional_column_may_be_missing_and_a_key_may_not(counts: pa.Table) -> None:
    areas = load_contract("reference/lsoa_2011_2021")
    table = pa.table({"lsoa11_code": ["E01000001"], "lsoa21_code": ["E01000001"], "change_code": ["U"]})
    assert check(table, areas).accepted["lad22_name"].to_pylist() == [None]
    people = load_contract("inbound/practice_list")
    assert not people.column("nhs_number").required
    row = pa.table({c.name: pa.array([None], pa.string()) for c in people.columns if c.name != "nhs_number"})
    with pytest.raises(FileRefused, match="column nhs_number of inbound/practice_list missing"):
        check(row, people)


def test_a_missing_column_is_told_with_those_that_were_found(counts: pa.Table) -> None:
    renamed = counts.rename_columns(["extract_date", "practice_code", "practice_name", "lsoa_code", "Sex (ALL)", "Number of Patients"])
    with pytest.raises(FileRefused) as refused:
        check(renamed, CONTRACT, file="gp-reg.csv")
    said = str(refused.value)
    assert said.startswith("gp-reg.csv: the columns sex, registered_count of reference/practice_lsoa_count missing")
    assert said.endswith("found extract_date, practice_code, practice_name, lsoa_code, Sex (ALL), Number of Patients")


def test_a_column_that_stands_twice_or_holds_lists_is_refused(counts: pa.Table) -> None:
    with pytest.raises(FileRefused, match="column sex stands twice"):
        check(counts.append_column("sex", [["ALL"]]), CONTRACT)
    with pytest.raises(FileRefused, match="column sex does not hold single values"):
        check(counts.set_column(4, "sex", [[["ALL"]]]), CONTRACT)


@pytest.mark.parametrize("header", ["9434765919", "943 476 5919", "943-476-5919", "1985-10-26", "Jane 1985 10 26", "4000000004 "])
def test_a_file_without_its_header_does_not_show_its_first_row(header: str) -> None:
    people = load_contract("inbound/practice_list")
    first_row = pa.table({"A81001": ["A81001"], header: [header], "Jane Doe": ["John Doe"], "sex": ["female"]})
    for contract in (people, CONTRACT):
        with pytest.raises(FileRefused) as refused:
            check(first_row, contract, file="A81001.csv")
        said = "".join(traceback.format_exception(refused.value))
        assert header not in said
        assert "sex" in str(refused.value)
        assert "not named here" in str(refused.value)
        assert contract is CONTRACT or "Jane" not in said


def test_typed_columns_are_judged_like_text(counts: pa.Table) -> None:
    def with_counts(values: pa.Array) -> list[list[str]]:
        table = pa.concat_tables([counts] * len(values)).set_column(5, "registered_count", values)
        table = table.set_column(3, "lsoa_code", [[f"E0100000{n}" for n in range(len(values))]])
        return [broken[0] if broken else "" for broken in _broken_by_row(check(table, CONTRACT), len(values))]

    assert with_counts(pa.array([7, -1, None, 10**15])) == ["", "registered_count.range", "registered_count.required", "registered_count.type"]
    assert with_counts(pa.array([7.0, 1.5, float("nan")])) == ["", "registered_count.type", "registered_count.type"]
    assert with_counts(pa.array(["7", "", "x"]).dictionary_encode()) == ["", "registered_count.required", "registered_count.type"]
    assert with_counts(pa.array([True])) == ["registered_count.type"]
    day = pa.array([1656633600, 1656633601], pa.timestamp("s"))  # 2022-07-01 00:00:00 and a second later
    table = pa.concat_tables([counts] * 2).set_column(0, "extract_date", day).set_column(3, "lsoa_code", [["E01000001", "E01000002"]])
    assert _broken_by_row(check(table, CONTRACT), 2) == [[], ["extract_date.type"]]


def _broken_by_row(checked: Any, rows: int) -> list[list[str]]:
    found = dict(zip(checked.quarantined["_row"].to_pylist(), checked.quarantined["broken_rules"].to_pylist(), strict=True))
    return [found.get(n, []) for n in range(1, rows + 1)]
