"""Cholesterol in cardiovascular and kidney disease: treated, measured, and treated to threshold. What does not belong here: who is at risk of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.catalogue.indicator_rules import (
    CARDIOVASCULAR,
    CONDITIONS,
    CVDPREVENT,
    MEASUREMENTS,
    NO_EXCLUSIONS,
    PERSON,
    READINGS,
    aged,
    any_register,
    within,
)
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

MEDICINES = "features/medicines"
HIGHEST_NON_HDL, HIGHEST_LDL = 2.6, 2.0
"""In mmol/L, at most (QOF CHOL004 of 2025/26)."""
REGISTERS = tuple(f"has_{name}" for name in CARDIOVASCULAR)


def _cardiovascular(values: Mapping[str, np.ndarray]) -> np.ndarray:
    return aged(values, 18) & any_register(values, *CARDIOVASCULAR)


def treated(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults with cardiovascular disease; those issued a statin within 365 days."""
    return _cardiovascular(values), values["has_statin_365"]


def kidney_treated(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults with kidney disease; those issued a statin within 365 days."""
    return aged(values, 18) & values["has_chronic_kidney_disease"], values["has_statin_365"]


def measured(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults with cardiovascular disease; those with a reading of any of the three within 365 days."""
    days = ("days_since_total_cholesterol", "days_since_non_hdl_cholesterol", "ldl_cholesterol.latest_date")
    lately = within(values, days[0]) | within(values, days[1]) | within(values, days[2])
    return _cardiovascular(values), lately


def on_target(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults with cardiovascular disease; those whose latest LDL or, without one, latest non-HDL of 365 days is at most the threshold."""
    import numpy as np

    has_ldl = within(values, "ldl_cholesterol.latest_date")
    by_ldl = values["ldl_cholesterol.latest_value"] <= HIGHEST_LDL
    by_other = within(values, "days_since_non_hdl_cholesterol") & (values["latest_non_hdl_cholesterol"] <= HIGHEST_NON_HDL)
    return _cardiovascular(values), np.where(has_ldl, by_ldl, by_other)


def _indicator(name: str, title: str, code: str, **told: Any) -> IndicatorSpec:
    denominator = "Adults on the register of coronary heart disease, stroke or TIA, or peripheral arterial disease."
    limits = "Aortic aneurysm, which CVDPREVENT counts too, has no code list here."
    return IndicatorSpec(
        name=name,
        title=title,
        area="hypertension",
        age_group="adult",
        direction="higher_is_better",
        exclusions=NO_EXCLUSIONS,
        source=f"{CVDPREVENT}: {code}",
        **{"denominator": denominator, "limits": limits, **told},
    )


INDICATOR = (
    _indicator(
        "cholesterol_cvd_treated",
        "Cardiovascular disease: statin",
        "CVDP009CHOL",
        numerator="Those issued a statin within 365 days.",
        limits="Other lipid-lowering medicines are not counted. Aortic aneurysm, which CVDPREVENT counts too, has no code list here.",
        assign=treated,
        columns={PERSON: ("age_years",), CONDITIONS: REGISTERS, MEDICINES: ("has_statin_365",)},
    ),
    _indicator(
        "cholesterol_cvd_measured",
        "Cardiovascular disease: cholesterol measured",
        "CVDP011CHOL",
        numerator="Those with total, non-HDL or LDL cholesterol recorded within 365 days.",
        assign=measured,
        columns={PERSON: ("age_years",), CONDITIONS: REGISTERS, READINGS: ("days_since_total_cholesterol", "days_since_non_hdl_cholesterol")},
        facts={MEASUREMENTS: {"ldl_cholesterol": ("latest_date",)}},
    ),
    _indicator(
        "cholesterol_cvd_on_target",
        "Cardiovascular disease: cholesterol on target",
        "CVDP012CHOL, thresholds of QOF CHOL004 (LDL at most 2.0, else non-HDL at most 2.6 mmol/L)",
        numerator="Those whose latest LDL is at most 2.0 mmol/L or, without one, whose non-HDL is at most 2.6 mmol/L, within 365 days.",
        assign=on_target,
        columns={PERSON: ("age_years",), CONDITIONS: REGISTERS, READINGS: ("days_since_non_hdl_cholesterol", "latest_non_hdl_cholesterol")},
        facts={MEASUREMENTS: {"ldl_cholesterol": ("latest_value", "latest_date")}},
        within="cholesterol_cvd_measured",
    ),
    _indicator(
        "cholesterol_ckd_treated",
        "Chronic kidney disease: statin",
        "CVDP010CHOL",
        numerator="Those issued a statin within 365 days.",
        denominator="Adults on the chronic kidney disease register.",
        limits="Other lipid-lowering medicines are not counted.",
        assign=kidney_treated,
        columns={PERSON: ("age_years",), CONDITIONS: ("has_chronic_kidney_disease",), MEDICINES: ("has_statin_365",)},
    ),
)
