"""Children's asthma: too many relievers, relievers without a preventer, and attacks that end in hospital.

What does not belong here: adults' asthma.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath.catalogue.indicator_rules import ADMISSION_REASONS, CONDITIONS, CORE20PLUS5_CHILDREN, MEDICINES, PERSON, aged
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

MANY, VERY_MANY = 3, 6
"""Issues of a short-acting reliever within 365 days. Core20PLUS5 states no number; both are in use, and the site may look at either."""
READ = {PERSON: ("age_years",), CONDITIONS: ("has_asthma",)}
REGISTER = "Children aged 6 to 17 on the asthma register (QOF: from 6 years on, with asthma medicine within 365 days)."
UNDER_SIX = "Under 6 years asthma is seldom certain and the register does not have it, so that young children are missing."


def relievers(least: int, values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children on the register; those with at least so many reliever issues within 365 days."""
    return aged(values, 0, 18) & values["has_asthma"], values["bronchodilator_saba.count_365"] >= least


def no_preventer(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children on the register with a reliever issued within 365 days; those without any preventer in that time."""
    on_relievers = aged(values, 0, 18) & values["has_asthma"] & (values["bronchodilator_saba.count_365"] > 0)
    return on_relievers, values["inhaled_corticosteroid.count_365"] == 0


def admitted(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children on the register; those with an emergency admission for asthma within 365 days."""
    return aged(values, 0, 18) & values["has_asthma"], values["asthma.emergency_count_365"] > 0


def _indicator(name: str, **told: Any) -> IndicatorSpec:
    source = f"{CORE20PLUS5_CHILDREN}: asthma, over-reliance on reliever medications, and fewer attacks"
    return IndicatorSpec(name=name, area="asthma", age_group="child", direction="lower_is_better", source=source, exclusions="None.", **told)


def _relievers(least: int, **more: Any) -> IndicatorSpec:
    return _indicator(
        f"child_asthma_relievers_{least}_plus",
        title=f"Asthma: {least} or more relievers a year",
        numerator=f"Those with {least} or more issues of a short-acting reliever within 365 days.",
        denominator=REGISTER,
        limits=f"{UNDER_SIX} An issue may be more than one inhaler; spares for school count too.",
        assign=partial(relievers, least),
        columns=READ,
        facts={MEDICINES: {"bronchodilator_saba": ("count_365",)}},
        **more,
    )


INDICATOR = (
    _relievers(MANY),
    _relievers(VERY_MANY, within=f"child_asthma_relievers_{MANY}_plus"),
    _indicator(
        "child_asthma_no_preventer",
        title="Asthma: reliever without a preventer",
        numerator="Those without any inhaled corticosteroid issued within 365 days.",
        denominator="Children aged 6 to 17 on the asthma register who were issued a short-acting reliever within 365 days.",
        limits=f"{UNDER_SIX} One inhaler that is both reliever and preventer counts as a preventer.",
        assign=no_preventer,
        columns=READ,
        facts={MEDICINES: {"bronchodilator_saba": ("count_365",), "inhaled_corticosteroid": ("count_365",)}},
    ),
    _indicator(
        "child_asthma_admission",
        title="Asthma: emergency admission",
        numerator="Those with an emergency admission whose primary diagnosis is asthma (ICD-10 J45, J46) within 365 days.",
        denominator=REGISTER,
        limits=f"{UNDER_SIX} Attacks that were treated without admission are not told.",
        assign=admitted,
        columns=READ,
        facts={ADMISSION_REASONS: {"asthma": ("emergency_count_365",)}},
    ),
)
