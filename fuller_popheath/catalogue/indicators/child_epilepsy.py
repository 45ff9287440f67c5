"""Children's epilepsy: contact with a specialist nurse, also with a learning disability or autism, and emergency admissions.

What does not belong here: adults' epilepsy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.catalogue.indicator_rules import ADMISSION_REASONS, CLUSTERS, CONDITIONS, CORE20PLUS5_CHILDREN, PERSON, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

FIRST_YEAR = 730
"""Days since the first code: who was diagnosed within two years has had most of their first year of care."""
READ = {PERSON: ("age_years",)}
NURSE = {"epilepsy": ("is_current", "first_date"), "epilepsy_specialist_nurse": ("last_date",)}
LIMITS = (
    "A proxy: specialist nurses work in hospitals, and their contacts are in the GP record only where a letter was coded. Epilepsy is told by an "
    "unresolved code, with or without medicine."
)


def nurse(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children with epilepsy; those with a specialist nurse's contact coded within 365 days."""
    return aged(values, 0, 18) & values["epilepsy.is_current"], within(values, "epilepsy_specialist_nurse.last_date")


def nurse_in_first_years(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children with a learning disability or autism whose epilepsy was first coded within two years; those with such a contact since."""
    lately = values["epilepsy.is_current"] & within(values, "epilepsy.first_date", FIRST_YEAR)
    disabled = values["has_learning_disability"] | values["has_autism"]
    return aged(values, 0, 18) & lately & disabled, within(values, "epilepsy_specialist_nurse.last_date", FIRST_YEAR)


def admitted(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children with epilepsy; those with an emergency admission for it within 365 days."""
    return aged(values, 0, 18) & values["epilepsy.is_current"], values["epilepsy.emergency_count_365"] > 0


def _indicator(name: str, **told: Any) -> IndicatorSpec:
    source = f"{CORE20PLUS5_CHILDREN}: epilepsy, specialist nurses, and in the first year with a learning disability or autism"
    return IndicatorSpec(name=name, area="epilepsy", age_group="child", source=source, exclusions="None.", **told)


INDICATOR = (
    _indicator(
        "child_epilepsy_specialist_nurse",
        title="Epilepsy: specialist nurse",
        direction="higher_is_better",
        numerator="Those with a contact with an epilepsy specialist nurse coded within 365 days.",
        denominator="Children under 18 with epilepsy coded and not resolved.",
        limits=LIMITS,
        assign=nurse,
        columns=READ,
        facts={CLUSTERS: {**NURSE, "epilepsy": ("is_current",)}},
        is_proxy=True,
    ),
    _indicator(
        "child_epilepsy_specialist_nurse_disability",
        title="Epilepsy with a learning disability or autism: specialist nurse early",
        direction="higher_is_better",
        numerator="Those with a contact with an epilepsy specialist nurse coded within 730 days.",
        denominator="Children under 18 with a learning disability or autism whose epilepsy was first coded within 730 days.",
        limits=f"{LIMITS} Few children: below an ICB almost always hidden.",
        assign=nurse_in_first_years,
        columns={**READ, CONDITIONS: ("has_learning_disability", "has_autism")},
        facts={CLUSTERS: NURSE},
        is_proxy=True,
    ),
    _indicator(
        "child_epilepsy_admission",
        title="Epilepsy: emergency admission",
        direction="lower_is_better",
        numerator="Those with an emergency admission whose primary diagnosis is epilepsy (ICD-10 G40, G41) within 365 days.",
        denominator="Children under 18 with epilepsy coded and not resolved.",
        limits="Seizures that were treated without admission are not told.",
        assign=admitted,
        columns=READ,
        # The name of a cluster and of a reason for admission: the two tables do not share a column.
        facts={CLUSTERS: {"epilepsy": ("is_current",)}, ADMISSION_REASONS: {"epilepsy": ("emergency_count_365",)}},
    ),
)
