"""For every rule of every column of every contract: a row that breaks exactly it, and one that breaks nothing, both made from the contract."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.contracts import Contract, Rule, check, contract_ids, load_contract
from fuller_popheath.contracts.blanking import blanked_by
from fuller_popheath.contracts.custom_rules import KINDS

CONTRACTS = [load_contract(i) for i in contract_ids()]
OF_ONE_ROW = ("type", "required", "pattern", "allowed", "range", *(name for name, kind in KINDS.items() if kind.row))


def as_table(contract: Contract, rows: list[dict[str, Any]]) -> pa.Table:
    columns = {}
    for column in contract.columns:
        cells = [row[column.name] for row in rows]
        shapes = column.logical_type == "binary" and not any(isinstance(cell, str) for cell in cells)
        columns[column.name] = pa.array(cells, pa.binary() if shapes else pa.string())
    return pa.table(columns)


def cases(*kinds: str) -> list[Any]:
    return [pytest.param(c, r, id=f"{c.id}:{r.id}") for c in CONTRACTS for r in c.rules if r.kind in kinds]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.id)
def test_a_good_row_is_accepted_as_it_is(contract: Contract, oracle: SimpleNamespace) -> None:
    good = oracle.good_row(contract)
    checked = check(as_table(contract, [good]), contract)
    assert checked.counts == {}
    assert checked.accepted.schema == contract.schema
    assert checked.accepted.to_pylist() == [{c.name: oracle.value_of(c, good[c.name])[0] for c in contract.columns}]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.id)
def test_each_bad_row_is_quarantined_with_exactly_its_rule(contract: Contract, oracle: SimpleNamespace) -> None:
    good = oracle.good_row(contract)
    bad = {rule.id: oracle.bad_row(contract, rule, good) for rule in contract.rules if rule.kind in OF_ONE_ROW}
    assert [rule for rule, row in bad.items() if row is None] == [], "no row breaks these rules alone, so nobody can tell what they are for"
    costs_a_cell = {contract.rules[number].id for number in blanked_by(contract)}
    # A text for a shape, and a slip that costs a cell and not the row, have tests of their own.
    rows = {rule: row for rule, row in bad.items() if rule not in costs_a_cell and not isinstance(row.get("geometry"), str)}
    checked = check(as_table(contract, [*rows.values(), good]), contract)
    found = zip(rows, checked.quarantined["broken_rules"].to_pylist(), strict=True)
    assert {rule: broken for rule, broken in found if broken != [rule]} == {}
    assert checked.counts == dict.fromkeys(rows, 1)
    assert checked.accepted.num_rows == 1


COSTING_A_CELL = [
    pytest.param(contract, contract.rules[number], column, id=f"{contract.id}:{contract.rules[number].id}")
    for contract in CONTRACTS
    for number, column in blanked_by(contract).items()
    if contract.rules[number].kind in OF_ONE_ROW
]


@pytest.mark.parametrize(("contract", "rule", "column"), COSTING_A_CELL)
def test_a_slip_in_a_column_that_may_be_blanked_costs_the_cell(contract: Contract, rule: Rule, column: str, oracle: SimpleNamespace) -> None:
    good = oracle.good_row(contract)
    bad = oracle.bad_row(contract, rule, good)
    checked = check(as_table(contract, [bad]), contract)
    assert checked.counts == {} and checked.quarantined.num_rows == 0
    assert checked.cells_blanked == {rule.id: 1}
    assert checked.blanked is not None and checked.blanked["broken_rules"].to_pylist() == [[rule.id]]
    kept = {c.name: oracle.value_of(c, bad[c.name])[0] for c in contract.columns if c.name != column}
    assert checked.accepted.to_pylist() == [{**kept, column: None}]


def test_text_is_never_a_shape(oracle: SimpleNamespace) -> None:
    contract = load_contract("reference/lsoa_boundary")
    good = oracle.good_row(contract)
    text = check(as_table(contract, [{**good, "geometry": "POINT (0 0)"}, {**good, "geometry": None}]), contract)
    assert text.quarantined["broken_rules"].to_pylist() == [["geometry.type"], ["geometry.required"]]


@pytest.mark.parametrize(("contract", "rule"), cases("reference"))
def test_a_reference_is_judged_where_the_other_table_is_given(contract: Contract, rule: Rule, oracle: SimpleNamespace) -> None:
    column = contract.column(str(rule.column))
    assert column.references is not None
    good = {**oracle.good_row(contract), column.name: oracle.first_cell(column, 1)}
    other = load_contract(column.references.contract_id)
    assert other.column(column.references.column).logical_type == column.logical_type
    table = as_table(contract, [good, *({**good, column.name: value} for value in column.references.except_values)])
    known = pa.table({column.references.column: [good[column.name], "something else"]})
    assert rule.id not in check(table, contract, {other.id: known}).counts
    unknown = check(as_table(contract, [good]), contract, {other.id: pa.table({column.references.column: ["something else"]})})
    assert unknown.quarantined["broken_rules"].to_pylist() == [[rule.id]]
    assert check(as_table(contract, [good]), contract).counts == {}


@pytest.mark.parametrize(("contract", "rule"), cases("unique"))
def test_rows_that_share_a_unique_value_are_all_quarantined(contract: Contract, rule: Rule, oracle: SimpleNamespace) -> None:
    good = oracle.good_row(contract)
    other = {**good, **{name: oracle.first_cell(contract.column(name), 1) for name in contract.primary_key}}
    checked = check(as_table(contract, [good, other]), contract)
    assert checked.quarantined["broken_rules"].to_pylist() == [[rule.id], [rule.id]]


def differing(contract: Contract, good: dict[str, Any], oracle: SimpleNamespace) -> dict[str, Any] | None:
    """A good row with the same key and another content, if the table has more than its key."""
    for column in contract.columns:
        other = {**good, column.name: oracle.first_cell(column, 1)}
        if column.name not in contract.primary_key and not column.unique and other != good and not oracle.judge(contract, other):
            return other
    return None


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.id)
def test_of_copies_the_first_is_kept_and_of_rivals_none(contract: Contract, oracle: SimpleNamespace) -> None:
    good = oracle.good_row(contract)
    copies = check(as_table(contract, [good, good, good]), contract)
    assert copies.accepted.num_rows == 1
    assert copies.quarantined["_row"].to_pylist() == [2, 3]
    rival = differing(contract, good, oracle)
    assert rival is not None
    rivals = check(as_table(contract, [good, rival, good]), contract)
    assert rivals.accepted.num_rows == 0
    assert rivals.counts == {"primary_key": 3}


def membership(start: str, end: str | None, pcn: str = "U00001") -> dict[str, Any]:
    names = dict.fromkeys(("practice_sub_icb_code", "pcn_sub_icb_code"), "X1Y2Z") | dict.fromkeys(("practice_name", "pcn_name"), "Name")
    nothing = {"practice_sub_icb_name": None, "pcn_sub_icb_name": None}
    return {"membership_snapshot": "undated", "practice_code": "A00001", "pcn_code": pcn, "start_date": start, "end_date": end, **names, **nothing}


def registration(start: str, end: str | None, **other: Any) -> dict[str, Any]:
    person = {"practice_code": "A00001", "nhs_number": "9434765919", "date_of_birth": "1980-01-01", "sex": "female", "lsoa_code": "E01000001"}
    nothing = dict.fromkeys(("ethnic_category", "usual_gp_code", "death_date", "patient_id", "registration_type", "postcode", "is_sensitive"))
    return {**person, **nothing, "extract_date": "2022-07-01", "registration_start_date": start, "registration_end_date": end, **other}


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        ([("2020-01-01", "2021-01-01"), ("2021-01-01", None)], []),  # one is closed
        ([("2020-01-01", "2022-07-01"), ("2021-01-01", None)], []),  # the end day is outside: closed on the day of the extract
        ([("2020-01-01", "2022-07-02"), ("2021-01-01", None)], [1]),  # both open on the day: the earlier start is refused
        ([("2021-01-01", None), ("2020-01-01", None)], [2]),  # whatever the order in the file
        ([("2019-01-01", None), ("2020-01-01", "2020-02-01")], []),  # an old, closed period inside an open one costs it nothing
        ([("2018-01-01", None), ("2019-01-01", None), ("2020-01-01", None)], [1, 2]),  # of three the last stands
        ([("2020-01-01", None), ("2022-07-02", None)], []),  # one has not begun
    ],
)
def test_registrations_of_one_person_that_are_open_at_once(rows: list[tuple[str, str | None]], refused: list[int]) -> None:
    contract = load_contract("inbound/practice_list")
    checked = check(as_table(contract, [registration(start, end) for start, end in rows]), contract)
    assert checked.quarantined["_row"].to_pylist() == refused
    assert set(checked.counts) <= {"no_overlap"}


def test_a_row_that_is_refused_anyway_is_no_rival() -> None:
    contract = load_contract("reference/pcn_membership")
    rows = [membership("2020-01-01", None, "U00001"), membership("2021-01-01", "2020-06-01", "U00002"), membership("2020-01-01", "20 May", "U00001")]
    checked = check(as_table(contract, rows), contract)
    assert checked.accepted["pcn_code"].to_pylist() == ["U00001"]
    assert checked.quarantined["broken_rules"].to_pylist() == [["start_not_after_end"], ["end_date.type"]]


def test_shares_that_do_not_sum_to_one_take_the_whole_area_with_them(oracle: SimpleNamespace) -> None:
    contract = load_contract("core/area_deprivation")
    good = oracle.good_row(contract)
    halves = [{**good, "lsoa_code": "E01000009", "part_lsoa_code": f"E0100000{n}", "share": share} for n, share in ((1, "0.5"), (2, "0.4"))]
    checked = check(as_table(contract, [good, *halves]), contract)
    assert checked.quarantined["_row"].to_pylist() == [2, 3]
    assert checked.counts == {"shares_sum_to_one": 2}
    halves[1]["share"] = "0.5"
    assert check(as_table(contract, [good, *halves]), contract).counts == {}
