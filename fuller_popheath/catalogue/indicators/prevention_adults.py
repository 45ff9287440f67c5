"""Prevention where it is recorded: NHS Health Checks, health checks for people with a learning disability, flu and pneumococcal vaccines at 65.

What does not belong here: screening for cancer (cancer_screening) and what children are given (prevention_children).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath.catalogue.indicator_rules import CARDIOVASCULAR, CLUSTERS, CONDITIONS, PERSON, UNVERIFIED, YEAR, aged, any_register, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

FIVE_YEARS = 1826
KNOWN_ALREADY = (*CARDIOVASCULAR, "hypertension", "diabetes", "chronic_kidney_disease", "atrial_fibrillation", "heart_failure")


def nhs_health_check(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """People of 40 to 74 without a condition that it looks for; those checked within five years."""
    return aged(values, 40, 75) & ~any_register(values, *KNOWN_ALREADY), within(values, "health_check.last_date", FIVE_YEARS)


def learning_disability(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Adults with a learning disability; those checked within 365 days."""
    return aged(values, 18) & values["has_learning_disability"], within(values, "learning_disability_health_check.last_date")


def vaccinated(cluster: str, days: int, values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """People of 65 or over; those vaccinated within so many days."""
    return aged(values, 65), within(values, f"{cluster}.last_date", days)


def _indicator(name: str, **told: Any) -> IndicatorSpec:
    return IndicatorSpec(name=name, area="prevention", age_group="adult", direction="higher_is_better", **told)


INDICATOR = (
    _indicator(
        "nhs_health_check",
        title="NHS Health Check",
        numerator="Those with a health check recorded within 1,826 days (five years).",
        denominator="People aged 40 to 74 without hypertension, diabetes, kidney, heart or other cardiovascular disease on record.",
        exclusions="People on one of those registers, who are seen for that.",
        source=f"NHS Health Check programme: ages, interval and exclusions ({UNVERIFIED})",
        limits="People on statins, who are not invited either, are in the denominator.",
        assign=nhs_health_check,
        columns={PERSON: ("age_years",), CONDITIONS: tuple(f"has_{name}" for name in KNOWN_ALREADY)},
        facts={CLUSTERS: {"health_check": ("last_date",)}},
    ),
    _indicator(
        "learning_disability_health_check",
        title="Learning disability: annual health check",
        numerator="Those with a learning disability health check recorded within 365 days.",
        denominator="Adults on the learning disability register.",
        exclusions="None. The check is offered from 14 years on; younger people are not in this indicator.",
        source=f"Annual health check scheme for people with a learning disability ({UNVERIFIED})",
        limits="Whether the check was complete, or led to a plan, is not told.",
        assign=learning_disability,
        columns={PERSON: ("age_years",), CONDITIONS: ("has_learning_disability",)},
        facts={CLUSTERS: {"learning_disability_health_check": ("last_date",)}},
    ),
    _indicator(
        "flu_vaccination_65_plus",
        title="Flu vaccination, 65 and over",
        numerator="Those with a flu vaccination recorded within 365 days.",
        denominator="People aged 65 or over.",
        exclusions="None.",
        source=f"National seasonal flu programme ({UNVERIFIED})",
        limits="Seasons are not told apart: until autumn's vaccines are given, last autumn's count.",
        assign=partial(vaccinated, "flu_vaccination", YEAR),
        columns={PERSON: ("age_years",)},
        facts={CLUSTERS: {"flu_vaccination": ("last_date",)}},
    ),
    _indicator(
        "pneumococcal_vaccination_65_plus",
        title="Pneumococcal vaccination, 65 and over",
        numerator="Those with a pneumococcal vaccination ever recorded.",
        denominator="People aged 65 or over.",
        exclusions="None.",
        source=f"National pneumococcal programme ({UNVERIFIED})",
        limits="Vaccines given before somebody joined the practice count only where the record came along.",
        assign=partial(vaccinated, "pneumococcal_vaccination", 200 * YEAR),
        columns={PERSON: ("age_years",)},
        facts={CLUSTERS: {"pneumococcal_vaccination": ("last_date",)}},
    ),
)
