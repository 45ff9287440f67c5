"""Who was seen how often, by whom and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fuller_popheath.contracts import load_contract

GROUP, CONTACT, PERSON = "features/contacts", "core/contact", "core/person"
COUNTS = [column.name for column in load_contract(GROUP).columns if column.absent == 0]


@pytest.fixture
def of(core_table: Callable[..., Any], persons: Callable[..., Any], night: Callable[..., Any], build: Callable[..., Any]) -> Callable[..., Any]:
    """The features of the persons 0 and 1 (1 has no appointment) from appointments of person 0."""

    def made(*appointments: dict[str, Any]) -> list[dict[str, Any]]:
        rows = core_table(CONTACT, [{"person": 0, **row} for row in appointments])
        return build(GROUP, {PERSON: persons(2), CONTACT: rows}, night()).to_pylist()

    return made


def test_windows_are_half_open_and_end_before_the_day(of: Callable[..., Any], ago: Callable[[int], Any]) -> None:
    seen = [{"contact_date": ago(days), "clinician_type": "gp", "mode": "telephone"} for days in (1, 90, 91, 365, 366, 730, 731)]
    person, _ = of(*seen)
    for name in ("contact_count", "gp_contact_count", "telephone_contact_count"):
        assert [person[f"{name}_{days}"] for days in (90, 365, 730)] == [2, 4, 6]


def test_what_is_neither_gp_nor_nurse_nor_known_is_other(of: Callable[..., Any], ago: Callable[[int], Any]) -> None:
    kinds = ("gp", "gp_locum", "nurse", "pharmacist", "physiotherapist", "healthcare_assistant", "other", "unknown")
    modes = ("face_to_face", "home_visit", "telephone", "video", "written", "unknown", "telephone", "face_to_face")
    person, _ = of(*({"contact_date": ago(10), "clinician_type": k, "mode": m} for k, m in zip(kinds, modes, strict=True)))
    by_kind = ("gp_contact_count_90", "nurse_contact_count_90", "other_clinician_contact_count_90")
    by_mode = ("face_to_face_contact_count_90", "telephone_contact_count_90", "other_mode_contact_count_90")
    assert [person[name] for name in by_kind] == [2, 1, 5]
    assert [person[name] for name in by_mode] == [3, 2, 3]
    assert person["contact_count_90"] == 8
    assert person["home_visit_count_365"] == 1


def test_only_attended_appointments_are_contacts(of: Callable[..., Any], ago: Callable[[int], Any]) -> None:
    person, _ = of(
        {"contact_date": ago(20), "status": "attended", "clinician_type": "nurse", "category": "general_consultation_acute"},
        {"contact_date": ago(10), "status": "did_not_attend", "clinician_type": "gp"},
        {"contact_date": ago(400), "status": "did_not_attend", "clinician_type": "gp"},
        {"contact_date": ago(5), "status": "cancelled", "clinician_type": "gp", "category": "general_consultation_acute"},
        {"contact_date": ago(4), "status": "booked", "clinician_type": "gp"},
    )
    assert (person["contact_count_730"], person["gp_contact_count_730"], person["urgent_contact_count_365"]) == (1, 0, 1)
    assert (person["did_not_attend_count_365"], person["did_not_attend_count_730"]) == (1, 2)
    assert (person["days_since_last_contact"], person["days_since_last_gp_contact"]) == (20, None)


def test_clinicians_are_counted_once_and_only_where_they_are_known(of: Callable[..., Any], ago: Callable[[int], Any]) -> None:
    seen = ("G1000001", "G1000001", "G1000002", None)
    person, _ = of(
        *({"contact_date": ago(30), "clinician_id": who, "clinician_type": "gp"} for who in seen),
        {"contact_date": ago(366), "clinician_id": "G1000003"},
        {"contact_date": ago(30), "clinician_id": "G1000004", "status": "did_not_attend"},
    )
    assert person["clinician_count_365"] == 2
    assert person["days_since_last_gp_contact"] == 30


def test_a_person_without_appointments_has_zeros_and_no_last_day(of: Callable[..., Any], ago: Callable[[int], Any]) -> None:
    for person in (of()[0], of({"contact_date": ago(3)})[1], of({"contact_date": ago(3), "status": "booked"})[0]):
        assert {person[name] for name in COUNTS} == {0}
        assert person["days_since_last_contact"] is None


def test_what_was_recorded_late_counts_from_the_day_it_was_recorded(of: Callable[..., Any], ago: Callable[[int], Any]) -> None:
    assert of({"contact_date": ago(30), "recorded_date": ago(0)})[0]["contact_count_365"] == 0
    assert of({"contact_date": ago(30), "recorded_date": ago(1)})[0]["contact_count_365"] == 1
