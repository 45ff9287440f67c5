"""One row a registered person: what is said of them, and that every registration is accounted for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fuller_popheath.arrival.plausible_people import person_attributes_of_the_day
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.people import person, registration_outcome

DAY = date(2024, 7, 1)


@pytest.fixture
def build(table: Any, night: Any) -> Any:
    def built(*registrations: dict[str, Any], practices: tuple[dict[str, Any], ...] = (), deprivation: tuple[dict[str, Any], ...] = ()) -> Any:
        inputs = {
            person.REGISTRATION: table("core/registration", *registrations),
            person.PRACTICES: table("core/neighbourhood_practice", *practices),
            person.DEPRIVATION: table("core/area_deprivation", *deprivation),
        }
        return refuse_if_broken(person.build(inputs, night()), load_contract("core/person"))

    return built


def test_a_person_is_described_by_the_registration_that_counts(build: Any) -> None:
    old = {"person_id": "b", "practice_code": "A00001", "registration_start_date": date(2010, 1, 1), "usual_gp_code": "G0000001"}
    new = {"person_id": "b", "practice_code": "A00002", "registration_start_date": date(2020, 1, 1), "usual_gp_code": "G0000002"}
    made = build(old, new, {"person_id": "a", "registration_type": "temporary", "is_linked": False, "extract_date": date(2024, 6, 21)}).to_pylist()
    assert [(row["person_id"][0], row["practice_code"], row["usual_gp_code"], row["settled_by"]) for row in made] == [
        ("a", "A00001", None, "only_registration"),
        ("b", "A00002", "G0000002", "later_start"),
    ]
    assert [(row["is_temporary"], row["is_linked"], row["extract_age_days"], row["age_years"]) for row in made] == [
        (True, False, 10, 74),
        (False, True, 0, 74),
    ]


def test_people_are_placed_by_their_practice_and_nobody_is_dropped_for_want_of_a_place(build: Any) -> None:
    known = {"practice_code": "A00001", "neighbourhood_code": "N01"}
    made = build({"person_id": "a"}, {"person_id": "b", "practice_code": "A00009"}, practices=(known,)).to_pylist()
    assert [(row["pcn_code"], row["neighbourhood_code"], row["place_code"]) for row in made] == [("U00001", "N01", "00Q"), ("U", "U", None)]


def test_an_extract_made_after_the_day_is_not_old_and_who_the_usual_gp_was_is_not_known(build: Any) -> None:
    same = {"usual_gp_code": "G0000001"}
    made = build({"person_id": "a", "extract_date": date(2024, 7, 2), **same}, {"person_id": "b", "extract_date": DAY, **same})
    assert [(row["extract_age_days"], row["is_from_later_extract"], row["usual_gp_code"]) for row in made.to_pylist()] == [
        (0, True, None),
        (0, False, "G0000001"),
    ]
    found = person_attributes_of_the_day(made)
    assert not found.is_as_expected
    assert found.numbers == {"people": 2, "people from later lists": 1}
    assert "1 of 2 people (50.0 %) stand with a list made after the day" in found.sentence
    assert person_attributes_of_the_day(made.slice(1)).is_as_expected
    assert person_attributes_of_the_day(made.slice(2)).is_as_expected


@pytest.mark.parametrize(
    ("parts", "quintile"),
    [
        ([(3, 1.0)], 3),
        ([(2, 0.4), (5, 0.6)], 5),  # the largest share
        ([(4, 0.5), (2, 0.5)], 2),  # of equal shares the more deprived quintile, as counts have it
        ([(4, 0.3), (4, 0.3), (1, 0.4)], 4),  # shares in one quintile belong together
        ([], None),
    ],
)
def test_the_quintile_of_a_code_is_that_of_most_of_its_people(build: Any, parts: list[tuple[int, float]], quintile: int | None) -> None:
    deprivation = tuple(
        {"imd_edition": "2025", "lsoa_code": "E01000001", "part_lsoa_code": f"E0100010{n}", "imd_quintile": q, "imd_decile": 2 * q, "share": share}
        for n, (q, share) in enumerate(parts)
    )
    made = build({"person_id": "a", "lsoa_code": "E01000001"}, deprivation=deprivation)
    assert made["imd_2025_quintile"].to_pylist() == [quintile]
    assert made["imd_2019_quintile"].to_pylist() == [None]


def test_people_without_an_english_lsoa_have_no_quintile_and_stay(build: Any) -> None:
    made = build({"person_id": "a", "lsoa_code": "W01000001"}, {"person_id": "b", "lsoa_code": "NO2011"}, {"person_id": "c"})
    assert made["imd_2025_quintile"].to_pylist() == [None, None, None]


def test_no_registrations_give_no_rows(build: Any) -> None:
    assert build().num_rows == 0


def test_every_registration_ends_in_one_outcome(table: Any, night: Any, rows_of: Any) -> None:
    registrations = table(
        "core/registration",
        {"person_id": "a"},
        {"person_id": "a", "practice_code": "A00002", "registration_start_date": date(2001, 1, 1)},
        {"person_id": "b", "death_date": date(2024, 6, 1)},
        {"person_id": "c", "registration_end_date": DAY},
        {"person_id": "d"},
    )
    made = refuse_if_broken(registration_outcome.build({person.REGISTRATION: registrations}, night()), load_contract("core/registration_outcome"))
    assert rows_of(made, "practice_code", "outcome", "registration_count") == [
        ("A00001", "died", 1),
        ("A00001", "left", 1),
        ("A00001", "person", 2),
        ("A00002", "double_registration", 1),
    ]
