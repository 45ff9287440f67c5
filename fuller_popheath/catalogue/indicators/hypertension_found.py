"""Finding hypertension: blood pressure measured from 45 on, and high readings that no diagnosis followed. What does not belong here: treatment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CONDITIONS, CORE20PLUS5_ADULTS, CVDPREVENT, PERSON, READINGS, UNVERIFIED, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

FIVE_YEARS = 1826
HIGH_SYSTOLIC, HIGH_DIASTOLIC = 140, 90
"""A clinic reading at or above either prompts confirmation (NICE NG136, stage 1)."""


def measured(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """People of 45 or over; those with a reading within five years."""
    return aged(values, 45), within(values, "days_since_systolic_bp", FIVE_YEARS)


def high_without_diagnosis(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults without hypertension who were measured within 365 days; those whose latest reading is high."""
    lately = within(values, "days_since_systolic_bp") & within(values, "days_since_diastolic_bp")
    high = (values["latest_systolic_bp"] >= HIGH_SYSTOLIC) | (values["latest_diastolic_bp"] >= HIGH_DIASTOLIC)
    return aged(values, 18) & ~values["has_hypertension"] & lately, high


INDICATOR = (
    IndicatorSpec(
        name="hypertension_blood_pressure_measured",
        title="Blood pressure measured in five years, 45 and over",
        area="hypertension",
        age_group="adult",
        direction="higher_is_better",
        numerator="Those with a blood pressure reading within 1,826 days (five years).",
        denominator="People aged 45 or over.",
        exclusions="None.",
        source=f"{CORE20PLUS5_ADULTS}: hypertension case-finding; QOF BP002 ({UNVERIFIED})",
        limits="Readings at home, in a pharmacy or at a health check count once the practice has recorded them.",
        assign=measured,
        columns={PERSON: ("age_years",), READINGS: ("days_since_systolic_bp",)},
    ),
    IndicatorSpec(
        name="hypertension_high_reading_without_diagnosis",
        title="High blood pressure reading and no diagnosis",
        area="hypertension",
        age_group="adult",
        direction="lower_is_better",
        numerator="Those whose latest reading is 140 mmHg systolic or 90 mmHg diastolic or above.",
        denominator="Adults not on the hypertension register with a reading within 365 days.",
        exclusions="None.",
        source=f"{CVDPREVENT}: CVDP005HYP; threshold of NICE NG136, stage 1 in clinic",
        limits=(
            "One high reading is no hypertension. Readings at home have a lower threshold (135/85), and the record does not tell where one was taken."
        ),
        assign=high_without_diagnosis,
        columns={
            PERSON: ("age_years",),
            CONDITIONS: ("has_hypertension",),
            READINGS: ("days_since_systolic_bp", "days_since_diastolic_bp", "latest_systolic_bp", "latest_diastolic_bp"),
        },
    ),
)
