"""Chronic obstructive pulmonary disease: who has had the flu, pneumococcal and COVID-19 vaccines. What does not belong here: vaccines of others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, CONDITIONS, CORE20PLUS5_ADULTS, NO_EXCLUSIONS, PERSON, YEAR, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

EVER = 200 * YEAR
VACCINES: Mapping[str, tuple[str, int, str, str]] = {
    "flu": ("flu_vaccination", YEAR, "within 365 days", "Seasons are not told apart: until autumn's vaccines are given, last autumn's count."),
    "pneumococcal": ("pneumococcal_vaccination", EVER, "ever", "A single dose counts for life; repeats for some conditions are not looked for."),
    "covid": (
        "covid_vaccination",
        YEAR,
        "within 365 days",
        "Who is offered a COVID-19 vaccine changes each season: a low share may be a season's rule and not a practice's failing.",
    ),
}
WORDS = {"flu": "flu", "pneumococcal": "pneumococcal", "covid": "COVID-19"}


def assign(vaccine: str, values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults on the COPD register; those of them with the vaccine in its window."""
    cluster, days, _, _ = VACCINES[vaccine]
    return aged(values, 18) & values["has_copd"], within(values, f"{cluster}.last_date", days)


INDICATOR = tuple(
    IndicatorSpec(
        name=f"copd_{name}_vaccination",
        title=f"COPD: {WORDS[name]} vaccination",
        area="respiratory",
        age_group="adult",
        direction="higher_is_better",
        numerator=f"Those with a {WORDS[name]} vaccination recorded {when}.",
        denominator="Adults on the COPD register.",
        exclusions=NO_EXCLUSIONS,
        source=f"{CORE20PLUS5_ADULTS}: COPD, uptake of COVID, flu and pneumonia vaccines",
        limits=f"{limits} Vaccines given elsewhere count once the practice has recorded them.",
        assign=partial(assign, name),
        columns={PERSON: ("age_years",), CONDITIONS: ("has_copd",)},
        facts={CLUSTERS: {cluster: ("last_date",)}},
    )
    for name, (cluster, _, when, limits) in VACCINES.items()
)
