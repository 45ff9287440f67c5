"""NHS numbers: which are one, where a made-up one is refused, and that a list without them loses nobody."""

from __future__ import annotations

import pyarrow as pa
import pytest

from fuller_popheath.contracts import Checked, check, load_contract, without_identifiers

CONTRACT = load_contract("inbound/practice_list")
IDENTIFIERS = {column.name for column in CONTRACT.columns if column.classification == "identifier"}
ROW = {
    "extract_date": "2026-08-01",
    "practice_code": "A81001",
    "date_of_birth": "1985-10-26",
    "sex": "female",
    "ethnic_category": "A",
    "lsoa_code": "E01000001",
    "registration_start_date": "2010-01-01",
    "registration_end_date": "",
    "usual_gp_code": "G1234567",
    "death_date": "",
}


def people(*changes: dict[str, str | None]) -> Checked:
    rows = [{"nhs_number": "9434765919", **ROW, **change} for change in changes]
    return check(pa.table({c.name: pa.array([row.get(c.name) for row in rows], pa.string()) for c in CONTRACT.columns}), CONTRACT)


def broken(**change: str | None) -> list[str]:
    found = people(change).quarantined["broken_rules"].to_pylist()
    return found[0] if found else []


# Verdicts by the algorithm of the NHS Data Dictionary (Modulus 11, weights 10 to 2), each worked by hand: the weighted sum stands beside it.
@pytest.mark.parametrize(
    "number",
    [
        "9434765919",  # 299, remainder 2, check digit 9
        "4000000004",  # 40
        "9876544322",  # 339
        "1234567881",  # 208
        "9990000018",  # 245; 999 is the test range
        "9991234578",  # 322
        "4000000020",  # 44 divides by 11: 11 - 0 = 11 counts as 0
    ],
)
def test_numbers_that_are_one(number: str) -> None:
    assert broken(nhs_number=number) == []


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("9434765918", "check_digit"),  # the check digit is 9
        ("4000000080", "check_digit"),  # weighted sum 56: the check digit would be 10, which is never issued
        ("9111111124", "check_digit"),  # listed publicly as valid, yet Modulus 11 refuses it
        ("9222222228", "check_digit"),  # the same
        *((digit * 10, "check_digit") for digit in "0123456789"),  # each passes Modulus 11 and is made up
        ("434765919", "pattern"),  # nine digits: a leading zero lost
        ("943 476 5919", "pattern"),  # a source takes blanks out before it comes here
        ("943476591X", "pattern"),
        ("٩٤٣٤٧٦٥٩١٩", "pattern"),  # digits, but not these ten
    ],
)
def test_numbers_that_are_none(number: str, why: str) -> None:
    assert broken(nhs_number=number) == [f"nhs_number.{why}"]


def test_people_without_a_number_are_kept_even_where_nothing_tells_them_apart() -> None:
    checked = people({"nhs_number": ""}, {"nhs_number": None}, {"nhs_number": " "}, {})
    assert checked.accepted["nhs_number"].to_pylist() == [None, None, None, "9434765919"]


@pytest.mark.parametrize("column", [c for c in CONTRACT.column_names if c not in IDENTIFIERS])
def test_a_number_in_any_other_column_is_refused(column: str) -> None:
    """With its row, or where a slip costs the cell alone with the cell."""
    checked = people({column: "9434765919"})
    if CONTRACT.column(column).blanks:
        assert checked.accepted[column].to_pylist() == [None] and sum(checked.cells_blanked.values()) > 0
    else:
        assert checked.accepted.num_rows == 0 and checked.quarantined["broken_rules"].to_pylist() != [[]]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"date_of_birth": "1900-01-01"}, "date_of_birth.range"),  # the placeholder for an unknown day
        ({"date_of_birth": "2026-08-02", "registration_start_date": "2026-08-02"}, "date_of_birth.not_after_extract_date"),
        ({"registration_end_date": "2009-12-31"}, "registration_start_not_after_end"),
        ({"death_date": "1985-10-25"}, "death_date.not_before_birth"),
        ({"ethnic_category": "99 "}, None),  # trimmed
    ],
)
def test_dates_and_codes(change: dict[str, str | None], rule: str | None) -> None:
    assert broken(**change) == ([rule] if rule else [])


def test_a_letter_that_was_never_given_a_meaning_costs_the_cell() -> None:
    checked = people({"ethnic_category": "I"})
    assert checked.accepted["ethnic_category"].to_pylist() == [None] and checked.cells_blanked == {"ethnic_category.allowed": 1}


def test_without_identifiers_nothing_else_is_lost() -> None:
    accepted = people({}).accepted
    assert without_identifiers(accepted, CONTRACT).column_names == [c for c in CONTRACT.column_names if c not in IDENTIFIERS]
    assert {"nhs_number", "patient_id", "postcode"} == IDENTIFIERS
