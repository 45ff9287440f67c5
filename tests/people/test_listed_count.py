"""Who is on a list on the day; and patient-level lists give the same quintiles as the published counts of the same people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.arrival.plausible import lists_agree
from fuller_popheath.contracts import check, conform, load_contract
from fuller_popheath.people import listed_count
from fuller_popheath.place import area_deprivation, registered_count
from fuller_popheath.place.quintile_counts import quintile_counts
from fuller_popheath.site import ArrivalLimits, Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2022, 7, 1)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
LONG_AGO = date(2010, 1, 1)
NIGHT = Night(as_of=DAY, site=Site())


def a_table(contract_id: str, rows: Sequence[dict[str, Any]], **same: Any) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(contract_id)
    return conform(pa.table({f.name: pa.array([{**same, **row}.get(f.name) for row in rows], f.type) for f in contract.schema}), contract)


def listed(*rows: dict[str, Any]) -> list[tuple[str, str, int]]:
    defaults = {"extract_date": DAY, "practice_code": "A00001", "lsoa_code": "E01000001", "sex": "female", "registration_start_date": LONG_AGO}
    table = a_table("core/registration", rows, **defaults)
    made = listed_count.build({"core/registration": table}, NIGHT)
    assert set(made["extract_date"].to_pylist()) <= {DAY}
    return list(zip(*(made[name].to_pylist() for name in ("practice_code", "lsoa_code", "listed_count")), strict=True))


@pytest.mark.parametrize(
    ("registration", "counts"),
    [
        ({}, True),
        ({"registration_start_date": DAY}, True),
        ({"registration_start_date": AFTER}, False),
        ({"registration_end_date": DAY}, False),  # registered: start <= day < end
        ({"registration_end_date": AFTER}, True),
        ({"death_date": DAY}, False),  # alive: day < date of death
        ({"death_date": AFTER}, True),
        ({"death_date": BEFORE, "registration_end_date": AFTER}, False),
        ({"registration_type": "regular"}, True),
        ({"registration_type": "temporary"}, False),  # as in the published counts
    ],
)
def test_registered_and_alive_on_the_day(registration: dict[str, Any], counts: bool) -> None:
    assert listed({"person_id": "a" * 12, **registration}) == ([("A00001", "E01000001", 1)] if counts else [])


def test_of_two_open_registrations_in_a_practice_the_later_start_holds_and_the_other_is_quarantined() -> None:
    old = {"nhs_number": "9434765919", "registration_start_date": LONG_AGO, "lsoa_code": "E01000001"}
    new = {"nhs_number": "9434765919", "registration_start_date": BEFORE, "lsoa_code": "E01000002"}
    assert accepted(old, new) == (["E01000002"], {"no_overlap": 1})
    assert accepted({**old, "registration_end_date": BEFORE}, new) == (["E01000001", "E01000002"], {})
    assert accepted(old, {**new, "practice_code": "A00002"}) == (["E01000001", "E01000002"], {})
    assert accepted({**old, "nhs_number": None}, {**new, "nhs_number": None}) == (["E01000001", "E01000002"], {})


def accepted(*rows: dict[str, Any]) -> tuple[list[str], dict[str, int]]:
    same = {"extract_date": DAY, "practice_code": "A00001", "sex": "female", "date_of_birth": LONG_AGO}
    checked = check(a_table("inbound/practice_list", rows, **same), load_contract("inbound/practice_list"))
    return checked.accepted["lsoa_code"].to_pylist(), dict(checked.counts)


def test_people_without_an_nhs_number_are_kept_each() -> None:
    assert listed(*({"person_id": letter * 12, "is_linked": letter == "c"} for letter in "abc")) == [("A00001", "E01000001", 3)]


def test_people_without_an_lsoa_are_written_as_the_published_counts_write_them() -> None:
    assert listed({"person_id": "a" * 12, "lsoa_code": None}) == [("A00001", "NO2011", 1)]


def test_no_lists_give_no_rows() -> None:
    assert listed() == []


def test_lists_and_published_counts_of_the_same_people_agree() -> None:
    # Codes that are shared, whole, without LSOA, Welsh: 37 people in two practices, as single persons and as published counts.
    people = {
        ("A00001", "E01000001"): 7,
        ("A00001", "E01000002"): 5,
        ("A00001", None): 2,
        ("A00002", "E01000001"): 11,
        ("A00002", "E01000009"): 9,
        ("A00002", "W01000001"): 3,
    }
    lists = a_table(
        "core/registration",
        [{"practice_code": practice, "lsoa_code": lsoa} for (practice, lsoa), count in people.items() for _ in range(count)],
        extract_date=DAY,
        sex="male",
        registration_start_date=LONG_AGO,
    )
    published = a_table(
        "reference/practice_lsoa_count",
        [{"practice_code": practice, "lsoa_code": lsoa or "NO2011", "registered_count": count} for (practice, lsoa), count in people.items()],
        practice_name="A PRACTICE",
        sex="ALL",
        extract_date=DAY,
    )
    ranks = {"E01000009": 20_000, "E01099001": 3_000, "E01099002": 9_000, "E01099003": 15_000, "E01099004": 30_000}
    changes = [("E01000001", "E01099001"), ("E01000001", "E01099002"), ("E01000002", "E01099003"), ("E01000002", "E01099004")]
    deprivation = area_deprivation.build(
        {
            "reference/imd_2019": a_table("reference/imd_2019", []),
            "reference/imd_2025": a_table(
                "reference/imd_2025",
                [{"lsoa21_code": code, "imd_rank": rank, "imd_score": 60 - rank / 600, "imd_decile": 1} for code, rank in ranks.items()],
            ),
            "reference/lsoa_2011_2021": a_table(
                "reference/lsoa_2011_2021", [{"lsoa11_code": old, "lsoa21_code": new, "change_code": "S"} for old, new in changes]
            ),
            "reference/lsoa_population": a_table("reference/lsoa_population", []),
        },
        NIGHT,
    )
    counted = listed_count.build({"core/registration": lists}, NIGHT)
    registered = registered_count.build({"reference/practice_lsoa_count": published}, NIGHT)
    found = lists_agree(counted, registered, ArrivalLimits())
    assert found.is_as_expected and found.numbers["practices that differ"] == 0
    as_published = {"listed_count": "registered_count", "extract_date": "registrations_extract"}
    by_lists = quintile_counts(counted.rename_columns([as_published.get(name, name) for name in counted.column_names]), deprivation)
    assert by_lists.equals(quintile_counts(registered, deprivation)), "lists that agree cell by cell agree in every quintile"
    assert by_lists["q1_count"].tolist() == [4, 6]  # 3.5 of 7 and 5.5 of 11, ties to the lower quintile
    assert by_lists["unmatched_count"].tolist() == [2, 3]
