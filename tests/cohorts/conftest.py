"""A small neighbourhood with the people that a test needs: core/person, objections, features, and the practices' lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.catalogue.products import continuity_list, continuity_list_account
from fuller_popheath.cohorts import continuity_need
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2024, 7, 1)
PERSON = {
    "practice_code": "A00001",
    "pcn_code": "U00001",
    "neighbourhood_code": "U00001",
    "age_years": 74,
    "sex": "female",
    "is_linked": True,
    "is_temporary": False,
    "is_sensitive": False,
    "extract_date": DAY,
    "extract_age_days": 0,
    "is_from_later_extract": False,
}
OBJECTION = {
    "has_type_1_objection": False,
    "type_1_reason": "no_record",
    "has_national_objection": False,
    "excluded_from_rule_list": False,
    "excluded_from_score_list": False,
}
FEATURES = {
    "condition_count": 0,
    "efi_deficit_count": 0,
    "efi_category": None,
    "continuity_upc": None,
    "continuity_contact_count": 0,
    "continuity_clinician_count": 0,
    "emergency_admission_count_365": 0,
}
PRACTICES = (("A00001", "GREEN LANE SURGERY", "U00001"), ("A00002", "MILL HOUSE", "U00001"), ("A00003", "THE QUAY", "U00002"))
NAMES = {"U00001": "NORTH PCN", "U00002": "HARBOUR PCN"}


def a_table(contract_id: str, rows: list[Mapping[str, Any]]) -> pa.Table:
    """Rows of a contract; what is not said is empty."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    full = [{"as_of": DAY, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema}), contract)


def a_night(**first_list: Any) -> Night:
    return Night(as_of=DAY, site=Site(first_list=first_list))


SCORE = {"outcome": "emergency_admission_12m", "age_group": "adult", "is_demonstration": True}
"""What a scored person has besides; `risk_words` of a person makes them one."""


def pseudonym(name: str) -> str:
    return name.ljust(12, "a")


def made_of(people: list[Mapping[str, Any]], night: Night, states: Mapping[str, str] | None = None) -> dict[str, pa.Table]:
    """The need, the list and the account of people (columns of any input; `name` for a short person_id), each held against its contract."""
    people = sorted(({**row, "person_id": pseudonym(row["name"])} for row in people), key=lambda row: row["person_id"])
    made = {
        "core/person": a_table("core/person", [{**PERSON, **row} for row in people]),
        "core/person_objection": a_table("core/person_objection", [{**OBJECTION, **row} for row in people]),
        **{name: a_table(name, [{**FEATURES, **row} for row in people]) for name in continuity_need.FEATURES},
        "core/neighbourhood_practice": a_table(
            "core/neighbourhood_practice",
            [{"practice_code": c, "practice_name": n, "neighbourhood_code": area, "neighbourhood_name": NAMES[area]} for c, n, area in PRACTICES],
        ),
    }
    scored = [{**SCORE, **row} for row in people if row.get("risk_words")]
    made["risk/score"] = a_table("risk/score", scored)
    known = {code: (states or {}).get(code, "new") for code, _, _ in PRACTICES}
    made["core/list_size_check"] = a_table(
        "core/list_size_check",
        [
            {
                "practice_code": code,
                "neighbourhood_code": area,
                "list_state": known[code],
                "extract_age_days": {"stale": 12, "never": None}.get(known[code], 0),
            }
            for code, _, area in PRACTICES
        ],
    )
    for spec in (continuity_need.TABLE, continuity_list.TABLE, continuity_list_account.TABLE):
        built = spec.build({name: made[name] for name in spec.inputs}, night)
        made[spec.contract] = refuse_if_broken(built, load_contract(spec.contract))
    return made


@pytest.fixture(scope="session")
def make() -> Callable[..., dict[str, pa.Table]]:
    return lambda people, states=None, **first_list: made_of(people, a_night(**first_list), states)
