"""Aims of Core20PLUS5 that no record here can tell: whoever has the counts of areas hands them in (inbound/indicator_supplement).

What does not belong here: proxies from the record, which stand beside these under names of their own.
"""

from __future__ import annotations

from typing import Any

from fuller_popheath.catalogue.indicator_rules import CORE20PLUS5_ADULTS, CORE20PLUS5_CHILDREN
from fuller_popheath.specs import IndicatorSpec

CANCER_TARGET = 0.75
"""75 % of cases diagnosed at stage 1 or 2 by 2028."""


def _indicator(name: str, title: str, area: str, age_group: str, held_by: str, **told: Any) -> IndicatorSpec:
    aims = CORE20PLUS5_ADULTS if age_group == "adult" else CORE20PLUS5_CHILDREN
    return IndicatorSpec(
        name=name,
        title=title,
        area=area,
        age_group=age_group,
        direction="higher_is_better",
        exclusions="As supplied.",
        source=f"{aims}; counts from {held_by}",
        limits=f"There only where a site supplies it from {held_by}; who and when are as told there.",
        assign=None,
        **told,
    )


INDICATOR = (
    _indicator(
        "maternity_continuity_of_carer",
        "Continuity of carer in maternity",
        "maternity",
        "adult",
        "the Maternity Services Data Set",
        numerator="Women placed on a continuity of carer pathway who received it.",
        denominator="Women booked, from Black, Asian and minority ethnic communities and the most deprived groups.",
    ),
    _indicator(
        "cancer_stage_1_or_2",
        "Cancers diagnosed at stage 1 or 2",
        "cancer",
        "adult",
        "the National Disease Registration Service",
        numerator="Cancers at stage 1 or 2.",
        denominator="Cancers diagnosed with a known stage.",
        target=CANCER_TARGET,
        is_target_published=True,
        unit="cancers",
    ),
    _indicator(
        "child_insulin_pump",
        "Type 1 diabetes: insulin pump",
        "diabetes",
        "child",
        "the National Paediatric Diabetes Audit",
        numerator="Those using an insulin pump.",
        denominator="Children with type 1 diabetes.",
    ),
    _indicator(
        "child_mental_health_access",
        "Mental health: access to children's services",
        "mental_health",
        "child",
        "the Mental Health Services Data Set",
        numerator="Those with at least one contact within 12 months.",
        denominator="Everybody under 18.",
    ),
)
