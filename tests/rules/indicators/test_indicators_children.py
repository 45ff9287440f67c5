"""Indicators of children: for each a small table of people and the expected answer (- not counted, no, yes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

Cases = Mapping[str, list[tuple[Mapping[str, Any], str]]]
SABA, ICS = "bronchodilator_saba.count_365", "inhaled_corticosteroid.count_365"
NURSE = "epilepsy_specialist_nurse.last_date"


def asthma(age: int = 9, **more: Any) -> dict[str, Any]:
    return {"age_years": age, "has_asthma": True, **more}


def epilepsy(age: int = 9, **more: Any) -> dict[str, Any]:
    return {"age_years": age, "epilepsy.is_current": True, **more}


CASES: Cases = {
    "child_asthma_relievers_3_plus": [(asthma(**{SABA: 3}), "yes"), (asthma(**{SABA: 2}), "no"), (asthma(), "no"), (asthma(18, **{SABA: 9}), "-")],
    "child_asthma_relievers_6_plus": [(asthma(**{SABA: 6}), "yes"), (asthma(**{SABA: 5}), "no"), ({"age_years": 9, SABA: 9}, "-")],
    "child_asthma_no_preventer": [
        (asthma(**{SABA: 1}), "yes"),
        (asthma(**{SABA: 1, ICS: 1}), "no"),
        (asthma(**{ICS: 4}), "-"),
        (asthma(18, **{SABA: 1}), "-"),
    ],
    "child_asthma_admission": [
        (asthma(**{"asthma.emergency_count_365": 1}), "yes"),
        (asthma(), "no"),
        ({"age_years": 4, "asthma.emergency_count_365": 1}, "-"),
    ],
    "child_diabetes_glucose_monitor": [
        ({"age_years": 0, "has_diabetes_type_1": True, "glucose_sensor.count_365": 1}, "yes"),
        ({"age_years": 17, "has_diabetes_type_1": True}, "no"),
        ({"age_years": 18, "has_diabetes_type_1": True, "glucose_sensor.count_365": 1}, "-"),
        ({"age_years": 10, "glucose_sensor.count_365": 1}, "-"),
    ],
    "child_diabetes_checks": [
        ({"age_years": 11, "has_diabetes_type_1": True, "days_since_hba1c": 365, "days_since_bmi": 365}, "yes"),
        ({"age_years": 12, "has_diabetes_type_1": True, "days_since_hba1c": 3, "days_since_bmi": 3}, "no"),
        ({"age_years": 12, "diabetes.is_current": True, "days_since_hba1c": 3, "days_since_bmi": 3, "days_since_systolic_bp": 9}, "yes"),
        ({"age_years": 9, "diabetes.is_current": True, "days_since_hba1c": 366, "days_since_bmi": 3}, "no"),
        ({"age_years": 9, "diabetes.is_current": True, "days_since_hba1c": 3}, "no"),
        ({"age_years": 9, "days_since_hba1c": 3, "days_since_bmi": 3}, "-"),
        ({"age_years": 18, "diabetes.is_current": True}, "-"),
    ],
    "child_epilepsy_specialist_nurse": [
        (epilepsy(**{NURSE: 365}), "yes"),
        (epilepsy(**{NURSE: 366}), "no"),
        (epilepsy(), "no"),
        ({"age_years": 9, NURSE: 3}, "-"),
        (epilepsy(18, **{NURSE: 3}), "-"),
    ],
    "child_epilepsy_specialist_nurse_disability": [
        (epilepsy(**{"epilepsy.first_date": 730, "has_autism": True, NURSE: 700}), "yes"),
        (epilepsy(**{"epilepsy.first_date": 100, "has_learning_disability": True}), "no"),
        (epilepsy(**{"epilepsy.first_date": 731, "has_autism": True, NURSE: 3}), "-"),
        (epilepsy(**{"epilepsy.first_date": 100, NURSE: 3}), "-"),
        (epilepsy(18, **{"epilepsy.first_date": 100, "has_autism": True}), "-"),
    ],
    "child_epilepsy_admission": [
        (epilepsy(**{"epilepsy.emergency_count_365": 2}), "yes"),
        (epilepsy(), "no"),
        ({"age_years": 9, "epilepsy.emergency_count_365": 1}, "-"),
    ],
    "child_dental_admission": [
        ({"age_years": 10, "dental_caries.count_365": 1}, "yes"),
        ({"age_years": 0}, "no"),
        ({"age_years": 11, "dental_caries.count_365": 1}, "-"),
    ],
    "child_mental_health_referral": [
        ({"age_years": 17, "child_mental_health_referral.count_365": 1}, "yes"),
        ({"age_years": 0}, "no"),
        ({"age_years": 18, "child_mental_health_referral.count_365": 1}, "-"),
    ],
    "child_six_in_one": [
        ({"age_years": 1, "six_in_one_vaccination.event_count": 3}, "yes"),
        ({"age_years": 1, "six_in_one_vaccination.event_count": 2}, "no"),
        ({"age_years": 0, "six_in_one_vaccination.event_count": 3}, "-"),
        ({"age_years": 2}, "-"),
    ],
    "child_mmr_two_doses": [
        ({"age_years": 5, "mmr_vaccination.event_count": 2}, "yes"),
        ({"age_years": 5, "mmr_vaccination.event_count": 1}, "no"),
        ({"age_years": 4, "mmr_vaccination.event_count": 2}, "-"),
        ({"age_years": 6}, "-"),
    ],
    "child_flu_vaccination": [
        ({"age_years": 2, "flu_vaccination.last_date": 365}, "yes"),
        ({"age_years": 3, "flu_vaccination.last_date": 366}, "no"),
        ({"age_years": 4, "flu_vaccination.last_date": 3}, "-"),
        ({"age_years": 1, "flu_vaccination.last_date": 3}, "-"),
    ],
}


@pytest.mark.parametrize("name", list(CASES))
def test_people_are_counted_as_the_rule_says(name: str, judge: Callable[..., list[str]]) -> None:
    people, expected = zip(*CASES[name], strict=True)
    assert judge(name, people) == list(expected)
