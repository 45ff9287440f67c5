"""Hypertension: measured within a year, and treated to the threshold of the person's age. What does not belong here: finding it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CONDITIONS, CVDPREVENT, MEASUREMENTS, NO_EXCLUSIONS, PERSON, READINGS, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

TARGETS = {"kidney": (130, 80), "from_80": (150, 90), "others": (140, 90)}
"""Systolic and diastolic pressure in mmHg below which treatment is on target, in clinic (NICE NG136; bp_thresholds.csv of the reference files)."""
OLD_FROM = 80
HIGH_ACR = 70
"""Albumin to creatinine ratio in mg/mmol from which kidney disease has the tighter target."""
READ = {
    PERSON: ("age_years",),
    CONDITIONS: ("has_hypertension", "has_chronic_kidney_disease"),
    READINGS: ("days_since_systolic_bp", "days_since_diastolic_bp", "latest_systolic_bp", "latest_diastolic_bp"),
}
LIMITS = (
    "The record does not tell where a reading was taken: all are held against the clinic threshold, so that home readings (5 mmHg lower) pass too "
    "easily. The tighter target of kidney disease applies where a urine ACR of 70 mg/mmol or more is recorded."
)


def _measured(values: Mapping[str, np.ndarray]) -> np.ndarray:
    return within(values, "days_since_systolic_bp") & within(values, "days_since_diastolic_bp")


def monitored(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults on the register; those with a reading within 365 days."""
    return aged(values, 18) & values["has_hypertension"], _measured(values)


def on_target(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults on the register; those whose latest reading, within 365 days, is below the threshold for them."""
    import numpy as np

    tight = values["has_chronic_kidney_disease"] & (values["urine_acr.latest_value"] >= HIGH_ACR)
    group = np.select([tight, values["age_years"] >= OLD_FROM], [0, 1], default=2)
    systolic, diastolic = np.array(list(TARGETS.values()))[group].T
    below_both = (values["latest_systolic_bp"] < systolic) & (values["latest_diastolic_bp"] < diastolic)
    return aged(values, 18) & values["has_hypertension"], _measured(values) & below_both


INDICATOR = (
    IndicatorSpec(
        name="hypertension_monitored",
        title="Hypertension: blood pressure measured",
        area="hypertension",
        age_group="adult",
        direction="higher_is_better",
        numerator="Those with a blood pressure reading within 365 days.",
        denominator="Adults on the hypertension register.",
        exclusions=NO_EXCLUSIONS,
        source=f"{CVDPREVENT}: CVDP004HYP",
        limits="Readings at home or in a pharmacy count once the practice has recorded them.",
        assign=monitored,
        columns={PERSON: READ[PERSON], CONDITIONS: ("has_hypertension",), READINGS: ("days_since_systolic_bp", "days_since_diastolic_bp")},
    ),
    IndicatorSpec(
        name="hypertension_on_target",
        title="Hypertension treated to threshold",
        area="hypertension",
        age_group="adult",
        direction="higher_is_better",
        numerator="Those whose latest reading, within 365 days, is below 140/90 mmHg (from 80 years 150/90; with heavy albuminuria 130/80).",
        denominator="Adults on the hypertension register. Those who were not measured are in it.",
        exclusions=NO_EXCLUSIONS,
        source=f"{CVDPREVENT}: CVDP007HYP; thresholds of NICE NG136",
        limits=LIMITS,
        assign=on_target,
        columns=READ,
        facts={MEASUREMENTS: {"urine_acr": ("latest_value",)}},
        within="hypertension_monitored",
    ),
)
