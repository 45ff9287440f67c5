"""Smoking, the thread through the five areas: who smokes, and who of them was offered help. What does not belong here: smoking in pregnancy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, CVDPREVENT, PERSON, READINGS, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site


def current(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults whose status is known; those who smoke."""
    return aged(values, 18) & (values["smoking_status"] != ""), values["smoking_status"] == "current"


def support(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults who smoke; those with advice or referral within 365 days."""
    return aged(values, 18) & (values["smoking_status"] == "current"), within(values, "smoking_cessation_advice.last_date")


INDICATOR = (
    IndicatorSpec(
        name="smoking_current",
        title="Smoking",
        area="smoking",
        age_group="adult",
        direction="lower_is_better",
        numerator="Those whose latest status is current smoker.",
        denominator="Adults with a smoking status.",
        exclusions="People without any smoking status.",
        source=f"{CVDPREVENT}: CVDP001SMOK",
        limits="The latest status may be old, and people who are asked are not everybody.",
        assign=current,
        columns={PERSON: ("age_years",), READINGS: ("smoking_status",)},
    ),
    IndicatorSpec(
        name="smoking_support",
        title="Smokers offered support",
        area="smoking",
        age_group="adult",
        direction="higher_is_better",
        numerator="Those with smoking cessation advice or a referral recorded within 365 days.",
        denominator="Adults whose latest status is current smoker.",
        exclusions="None.",
        source=f"{CVDPREVENT}: CVDP002SMOK",
        limits="An offer is not help taken; medicines for stopping are not counted.",
        assign=support,
        columns={PERSON: ("age_years",), READINGS: ("smoking_status",)},
        facts={CLUSTERS: {"smoking_cessation_advice": ("last_date",)}},
    ),
)
