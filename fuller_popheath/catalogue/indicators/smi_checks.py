"""Severe mental illness: the six yearly physical checks, each by itself and all together.

What does not belong here: what was done about a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import (
    CLUSTERS,
    CONDITIONS,
    CORE20PLUS5_ADULTS,
    NO_EXCLUSIONS,
    PERSON,
    READINGS,
    UNVERIFIED,
    aged,
    within,
)
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

ADULT = 18
CHECKS: Mapping[str, tuple[str, str, str]] = {
    "blood_pressure": ("blood pressure", "days_since_systolic_bp", "QOF MH003"),
    "body_mass_index": ("body mass index", "days_since_bmi", "QOF MH006"),
    "alcohol": ("alcohol use", "alcohol_recorded.last_date", "QOF MH007"),
    "lipids": ("blood lipids", "days_since_total_cholesterol", "QOF MH011"),
    "glucose": ("HbA1c", "days_since_hba1c", "QOF MH012"),
    "smoking": ("smoking status", "days_since_smoking", "the sixth of the physical checks"),
}
"""What is checked: its words, the day it is told by, and the indicator it follows."""
TARGET = 0.60
"""Annual health checks for 60 % of people with severe mental illness: the one number that Core20PLUS5 states."""
READ = {
    PERSON: ("age_years",),
    CONDITIONS: ("has_severe_mental_illness",),
    READINGS: tuple(day for _, day, _ in CHECKS.values() if "." not in day),
}
LIMITS = (
    "A check counts where its result is recorded, by whomever; checks by mental health trusts that do not reach the GP record are missing. "
    "Glucose is told by HbA1c alone, and lipids by total cholesterol."
)


def assign(wanted: tuple[str, ...], values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults on the register; those of them who had all the wanted checks within 365 days."""
    import numpy as np

    on_register = aged(values, ADULT) & values["has_severe_mental_illness"]
    return on_register, np.all([within(values, CHECKS[name][1]) for name in wanted], axis=0)


def _indicator(name: str, title: str, numerator: str, source: str, wanted: tuple[str, ...], target: float | None, within: str = "") -> IndicatorSpec:
    return IndicatorSpec(
        name=name,
        title=title,
        area="severe_mental_illness",
        age_group="adult",
        direction="higher_is_better",
        numerator=numerator,
        denominator="Adults on the severe mental illness register (not in remission, or issued lithium within 183 days).",
        exclusions=NO_EXCLUSIONS,
        source=source,
        limits=LIMITS,
        assign=partial(assign, wanted),
        columns=READ,
        facts={CLUSTERS: {"alcohol_recorded": ("last_date",)}},
        target=target,
        is_target_published=target is not None,
        within=within,
    )


INDICATOR = (
    *(
        _indicator(f"smi_{name}", f"SMI: {words} checked", f"Those with {words} recorded within 365 days.", f"{source} ({UNVERIFIED})", (name,), None)
        for name, (words, _, source) in CHECKS.items()
    ),
    _indicator(
        "smi_all_six_checks",
        "SMI: all six physical checks",
        "Those with blood pressure, body mass index, alcohol use, lipids, HbA1c and smoking status all recorded within 365 days.",
        f"{CORE20PLUS5_ADULTS}: annual health checks for 60 % of people with SMI; the six checks as in QOF MH021 ({UNVERIFIED})",
        tuple(CHECKS),
        TARGET,
        "smi_blood_pressure",
    ),
)
