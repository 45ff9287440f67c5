"""Maternity, by proxy: smoking and flu vaccination in pregnancy. Continuity of carer, the aim itself, is not in the GP record (see supplied)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, CONDITIONS, CORE20PLUS5_ADULTS, PERSON, READINGS, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

LIMITS = (
    "A proxy: the aim of Core20PLUS5 is continuity of carer, which only the Maternity Services Data Set holds. Pregnancy is told by a code within "
    "308 days, so that it may go on after a birth or a loss."
)
SOURCE = f"{CORE20PLUS5_ADULTS}: maternity; the proxy is a choice of this project"
READ = {PERSON: ("age_years", "sex"), CONDITIONS: ("has_pregnancy",)}


def _pregnant(values: Mapping[str, np.ndarray]) -> np.ndarray:
    return aged(values, 18) & (values["sex"] == "female") & values["has_pregnancy"]


def smoking(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Pregnant women whose smoking status is known; those who smoke."""
    return _pregnant(values) & (values["smoking_status"] != ""), values["smoking_status"] == "current"


def flu(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Pregnant women; those vaccinated against flu within 365 days."""
    return _pregnant(values), within(values, "flu_vaccination.last_date")


INDICATOR = (
    IndicatorSpec(
        name="pregnancy_smoking",
        title="Smoking in pregnancy",
        area="maternity",
        age_group="adult",
        direction="lower_is_better",
        numerator="Those whose latest smoking status is current smoker.",
        denominator="Women aged 18 or over with a pregnancy coded within 308 days and a smoking status.",
        exclusions="Women without any smoking status.",
        source=SOURCE,
        limits=LIMITS + " Status may have been recorded before the pregnancy.",
        assign=smoking,
        columns={**READ, READINGS: ("smoking_status",)},
        is_proxy=True,
    ),
    IndicatorSpec(
        name="pregnancy_flu_vaccination",
        title="Flu vaccination in pregnancy",
        area="maternity",
        age_group="adult",
        direction="higher_is_better",
        numerator="Those with a flu vaccination recorded within 365 days.",
        denominator="Women aged 18 or over with a pregnancy coded within 308 days.",
        exclusions="None.",
        source=SOURCE,
        limits=LIMITS + " A vaccination of the year may have been before the pregnancy.",
        assign=flu,
        columns=READ,
        facts={CLUSTERS: {"flu_vaccination": ("last_date",)}},
        is_proxy=True,
    ),
)
