"""Indicators of adults: for each a small table of people and the expected answer (- not counted, no, yes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

Cases = Mapping[str, list[tuple[Mapping[str, Any], str]]]


def smi(**more: Any) -> dict[str, Any]:
    return {"age_years": 45, "has_severe_mental_illness": True, **more}


SIX = {
    "days_since_systolic_bp": 10,
    "days_since_bmi": 10,
    "alcohol_recorded.last_date": 365,
    "days_since_total_cholesterol": 300,
    "days_since_hba1c": 1,
    "days_since_smoking": 200,
}


def of_smi(day: str) -> list[tuple[Mapping[str, Any], str]]:
    """A check within 365 days, a day too late, never; somebody of 17, and somebody not on the register."""
    ages = [({**smi(), day: 365}, "yes"), ({**smi(), day: 366}, "no"), (smi(), "no"), ({**smi(age_years=17), day: 5}, "-")]
    return [*ages, ({"age_years": 45, day: 5}, "-")]


def copd(**more: Any) -> dict[str, Any]:
    return {"age_years": 70, "has_copd": True, **more}


def pressure(age: int, systolic: float, diastolic: float, days: float = 100, **more: Any) -> dict[str, Any]:
    told = {"latest_systolic_bp": systolic, "latest_diastolic_bp": diastolic, "days_since_systolic_bp": days, "days_since_diastolic_bp": days}
    return {"age_years": age, "has_hypertension": True, **told, **more}


def heart(**more: Any) -> dict[str, Any]:
    return {"age_years": 66, "has_coronary_heart_disease": True, **more}


KIDNEY = {"has_chronic_kidney_disease": True}
CASES: Cases = {
    **{
        f"smi_{name}": of_smi(day)
        for name, day in zip(("blood_pressure", "body_mass_index", "alcohol", "lipids", "glucose", "smoking"), SIX, strict=True)
    },
    "smi_all_six_checks": [
        (smi(**SIX), "yes"),
        *((smi(**{**SIX, day: 366}), "no") for day in SIX),
        (smi(), "no"),
        ({"age_years": 45, **SIX}, "-"),
    ],
    "copd_flu_vaccination": [(copd(**{"flu_vaccination.last_date": 365}), "yes"), (copd(**{"flu_vaccination.last_date": 366}), "no"), (copd(), "no")],
    "copd_pneumococcal_vaccination": [
        (copd(**{"pneumococcal_vaccination.last_date": 9_000}), "yes"),
        (copd(), "no"),
        ({"age_years": 70, "pneumococcal_vaccination.last_date": 9}, "-"),
    ],
    "copd_covid_vaccination": [
        (copd(**{"covid_vaccination.last_date": 30}), "yes"),
        (copd(**{"covid_vaccination.last_date": 400}), "no"),
        (copd(age_years=17), "-"),
    ],
    "bowel_screening": [
        ({"age_years": 60, "bowel_screening.last_date": 913}, "yes"),
        ({"age_years": 74, "bowel_screening.last_date": 914}, "no"),
        ({"age_years": 74}, "no"),
        ({"age_years": 59, "bowel_screening.last_date": 9}, "-"),
        ({"age_years": 75, "bowel_screening.last_date": 9}, "-"),
    ],
    "breast_screening": [
        ({"age_years": 53, "sex": "female", "breast_screening.last_date": 1096}, "yes"),
        ({"age_years": 70, "sex": "female", "breast_screening.last_date": 1097}, "no"),
        ({"age_years": 71, "sex": "female", "breast_screening.last_date": 9}, "-"),
        ({"age_years": 60, "sex": "male", "breast_screening.last_date": 9}, "-"),
        ({"age_years": 60, "sex": "unknown"}, "-"),
    ],
    "cervical_screening": [
        ({"age_years": 25, "sex": "female", "cervical_screening.last_date": 1278}, "yes"),
        ({"age_years": 49, "sex": "female", "cervical_screening.last_date": 1279}, "no"),
        ({"age_years": 50, "sex": "female", "cervical_screening.last_date": 1279}, "yes"),
        ({"age_years": 64, "sex": "female", "cervical_screening.last_date": 2010}, "no"),
        ({"age_years": 40, "sex": "female", "cervical_screening_not_needed.is_current": True}, "-"),
        ({"age_years": 24, "sex": "female"}, "-"),
        ({"age_years": 65, "sex": "female"}, "-"),
        ({"age_years": 40, "sex": "male"}, "-"),
    ],
    "pregnancy_smoking": [
        ({"age_years": 30, "sex": "female", "has_pregnancy": True, "smoking_status": "current"}, "yes"),
        ({"age_years": 30, "sex": "female", "has_pregnancy": True, "smoking_status": "former"}, "no"),
        ({"age_years": 30, "sex": "female", "has_pregnancy": True}, "-"),
        ({"age_years": 17, "sex": "female", "has_pregnancy": True, "smoking_status": "current"}, "-"),
        ({"age_years": 30, "sex": "female", "smoking_status": "current"}, "-"),
    ],
    "pregnancy_flu_vaccination": [
        ({"age_years": 30, "sex": "female", "has_pregnancy": True, "flu_vaccination.last_date": 365}, "yes"),
        ({"age_years": 30, "sex": "female", "has_pregnancy": True}, "no"),
        ({"age_years": 30, "sex": "male", "has_pregnancy": True}, "-"),
    ],
    "hypertension_blood_pressure_measured": [
        ({"age_years": 45, "days_since_systolic_bp": 1826}, "yes"),
        ({"age_years": 45, "days_since_systolic_bp": 1827}, "no"),
        ({"age_years": 90}, "no"),
        ({"age_years": 44, "days_since_systolic_bp": 3}, "-"),
    ],
    "hypertension_high_reading_without_diagnosis": [
        (pressure(30, 140, 70, has_hypertension=False), "yes"),
        (pressure(30, 120, 90, has_hypertension=False), "yes"),
        (pressure(30, 139, 89, has_hypertension=False), "no"),
        (pressure(30, 180, 110, days=366, has_hypertension=False), "-"),
        (pressure(30, 180, 110), "-"),
        (pressure(17, 180, 110, has_hypertension=False), "-"),
    ],
    "hypertension_monitored": [
        ({"age_years": 50, "has_hypertension": True, "days_since_systolic_bp": 365, "days_since_diastolic_bp": 365}, "yes"),
        ({"age_years": 50, "has_hypertension": True, "days_since_systolic_bp": 3}, "no"),
        ({"age_years": 50, "has_hypertension": True}, "no"),
        ({"age_years": 50, "days_since_systolic_bp": 3, "days_since_diastolic_bp": 3}, "-"),
    ],
    # NICE NG136: below 140/90, from 80 below 150/90, kidney disease with a high ACR below 130/80; not measured within a year is not on target.
    "hypertension_on_target": [
        (pressure(50, 139, 89), "yes"),
        (pressure(50, 140, 80), "no"),
        (pressure(50, 130, 90), "no"),
        (pressure(79, 145, 80), "no"),
        (pressure(80, 149, 89), "yes"),
        (pressure(80, 150, 80), "no"),
        (pressure(50, 135, 70, **KIDNEY), "yes"),
        (pressure(50, 135, 70, **KIDNEY, **{"urine_acr.latest_value": 70.0}), "no"),
        (pressure(85, 129, 79, **KIDNEY, **{"urine_acr.latest_value": 90.0}), "yes"),
        (pressure(50, 135, 70, **{"urine_acr.latest_value": 70.0}), "yes"),
        (pressure(50, 120, 70, days=366), "no"),
        ({"age_years": 50, "has_hypertension": True}, "no"),
        (pressure(50, 120, 70, has_hypertension=False), "-"),
        (pressure(17, 120, 70), "-"),
    ],
    "cholesterol_cvd_treated": [
        (heart(has_statin_365=True), "yes"),
        ({"age_years": 66, "has_stroke_tia": True}, "no"),
        ({"age_years": 66, "has_peripheral_arterial_disease": True, "has_statin_365": True}, "yes"),
        ({"age_years": 66, "has_statin_365": True}, "-"),
    ],
    "cholesterol_cvd_measured": [
        (heart(days_since_total_cholesterol=365), "yes"),
        (heart(days_since_non_hdl_cholesterol=3), "yes"),
        (heart(**{"ldl_cholesterol.latest_date": 3}), "yes"),
        (heart(days_since_total_cholesterol=366), "no"),
        (heart(), "no"),
        ({"age_years": 66, "days_since_total_cholesterol": 3}, "-"),
    ],
    # QOF CHOL004: LDL at most 2.0 or, without LDL, non-HDL at most 2.6 mmol/L.
    "cholesterol_cvd_on_target": [
        (heart(latest_non_hdl_cholesterol=2.6, days_since_non_hdl_cholesterol=365), "yes"),
        (heart(latest_non_hdl_cholesterol=2.7, days_since_non_hdl_cholesterol=3), "no"),
        (heart(latest_non_hdl_cholesterol=2.0, days_since_non_hdl_cholesterol=366), "no"),
        (heart(**{"ldl_cholesterol.latest_value": 2.0, "ldl_cholesterol.latest_date": 3}), "yes"),
        (
            heart(
                latest_non_hdl_cholesterol=2.5,
                days_since_non_hdl_cholesterol=3,
                **{"ldl_cholesterol.latest_value": 2.1, "ldl_cholesterol.latest_date": 3},
            ),
            "no",
        ),
        (
            heart(
                latest_non_hdl_cholesterol=2.5,
                days_since_non_hdl_cholesterol=3,
                **{"ldl_cholesterol.latest_value": 2.1, "ldl_cholesterol.latest_date": 400},
            ),
            "yes",
        ),
        (heart(), "no"),
        ({"age_years": 66, "latest_non_hdl_cholesterol": 2.0, "days_since_non_hdl_cholesterol": 3}, "-"),
    ],
    "cholesterol_ckd_treated": [
        ({"age_years": 66, "has_chronic_kidney_disease": True, "has_statin_365": True}, "yes"),
        ({"age_years": 66, "has_chronic_kidney_disease": True}, "no"),
        ({"age_years": 66, "has_statin_365": True}, "-"),
    ],
    "smoking_current": [
        ({"age_years": 18, "smoking_status": "current"}, "yes"),
        ({"age_years": 18, "smoking_status": "never"}, "no"),
        ({"age_years": 18}, "-"),
        ({"age_years": 17, "smoking_status": "current"}, "-"),
    ],
    "smoking_support": [
        ({"age_years": 40, "smoking_status": "current", "smoking_cessation_advice.last_date": 365}, "yes"),
        ({"age_years": 40, "smoking_status": "current", "smoking_cessation_advice.last_date": 366}, "no"),
        ({"age_years": 40, "smoking_status": "former", "smoking_cessation_advice.last_date": 3}, "-"),
    ],
    "nhs_health_check": [
        ({"age_years": 40, "health_check.last_date": 1826}, "yes"),
        ({"age_years": 74, "health_check.last_date": 1827}, "no"),
        ({"age_years": 75}, "-"),
        ({"age_years": 39}, "-"),
        ({"age_years": 50, "has_hypertension": True, "health_check.last_date": 3}, "-"),
        ({"age_years": 50, "has_stroke_tia": True}, "-"),
    ],
    "learning_disability_health_check": [
        ({"age_years": 18, "has_learning_disability": True, "learning_disability_health_check.last_date": 365}, "yes"),
        ({"age_years": 18, "has_learning_disability": True, "learning_disability_health_check.last_date": 366}, "no"),
        ({"age_years": 17, "has_learning_disability": True}, "-"),
        ({"age_years": 18, "learning_disability_health_check.last_date": 3}, "-"),
    ],
    "flu_vaccination_65_plus": [
        ({"age_years": 65, "flu_vaccination.last_date": 365}, "yes"),
        ({"age_years": 65, "flu_vaccination.last_date": 366}, "no"),
        ({"age_years": 64, "flu_vaccination.last_date": 3}, "-"),
    ],
    "pneumococcal_vaccination_65_plus": [
        ({"age_years": 65, "pneumococcal_vaccination.last_date": 7_000}, "yes"),
        ({"age_years": 65}, "no"),
        ({"age_years": 64, "pneumococcal_vaccination.last_date": 3}, "-"),
    ],
}


@pytest.mark.parametrize("name", list(CASES))
def test_people_are_counted_as_the_rule_says(name: str, judge: Callable[..., list[str]]) -> None:
    people, expected = zip(*CASES[name], strict=True)
    assert judge(name, people) == list(expected)
