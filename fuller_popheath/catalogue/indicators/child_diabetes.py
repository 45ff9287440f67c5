"""Children's diabetes: continuous glucose monitors in type 1, and the yearly checks that the record tells. What does not belong here: pumps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, CONDITIONS, CORE20PLUS5_CHILDREN, MEDICINES, PERSON, READINGS, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

PRESSURE_FROM = 12
"""From this age on a year's checks ask for blood pressure."""


def monitor(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children with type 1 diabetes; those issued sensors within 365 days."""
    return aged(values, 0, 18) & values["has_diabetes_type_1"], values["glucose_sensor.count_365"] > 0


def checked(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children with diabetes; those with HbA1c, body mass index and, from 12 years on, blood pressure within 365 days."""
    has_diabetes = values["diabetes.is_current"] | values["has_diabetes_type_1"]
    pressure = within(values, "days_since_systolic_bp") | (values["age_years"] < PRESSURE_FROM)
    return aged(values, 0, 18) & has_diabetes, within(values, "days_since_hba1c") & within(values, "days_since_bmi") & pressure


INDICATOR = (
    IndicatorSpec(
        name="child_diabetes_glucose_monitor",
        title="Type 1 diabetes: continuous glucose monitor",
        area="diabetes",
        age_group="child",
        direction="higher_is_better",
        numerator="Those issued sensors of a continuous glucose monitor within 365 days.",
        denominator="Children under 18 on the type 1 diabetes register.",
        exclusions="None.",
        source=f"{CORE20PLUS5_CHILDREN}: diabetes, access to continuous glucose monitors and insulin pumps",
        limits=(
            "A proxy: sensors that a hospital supplies are not in the GP record, nor are pumps, which only the National Paediatric Diabetes Audit "
            "has."
        ),
        assign=monitor,
        columns={PERSON: ("age_years",), CONDITIONS: ("has_diabetes_type_1",)},
        facts={MEDICINES: {"glucose_sensor": ("count_365",)}},
        is_proxy=True,
    ),
    IndicatorSpec(
        name="child_diabetes_checks",
        title="Diabetes: yearly checks",
        area="diabetes",
        age_group="child",
        direction="higher_is_better",
        numerator="Those with HbA1c, body mass index and, from 12 years on, blood pressure recorded within 365 days.",
        denominator="Children under 18 with diabetes of any type.",
        exclusions="None.",
        source=f"{CORE20PLUS5_CHILDREN}: diabetes, recommended care processes; which of them the record tells is our choice",
        limits=(
            "A proxy: the aim is about type 2, which is too rare among children to tell by neighbourhood, so that all types count; checks in "
            "hospital clinics reach the record late or not at all; eye and foot checks are not looked for."
        ),
        assign=checked,
        columns={
            PERSON: ("age_years",),
            CONDITIONS: ("has_diabetes_type_1",),
            READINGS: ("days_since_hba1c", "days_since_bmi", "days_since_systolic_bp"),
        },
        facts={CLUSTERS: {"diabetes": ("is_current",)}},
        is_proxy=True,
    ),
)
