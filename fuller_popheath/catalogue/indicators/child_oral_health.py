"""Children's oral health: stays in hospital for tooth decay, by proxy of extractions. What does not belong here: dentists, whom no feed tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import ADMISSION_REASONS, CORE20PLUS5_CHILDREN, PERSON, aged
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children of up to 10 years; those admitted for tooth decay within 365 days."""
    return aged(values, 0, 11), values["dental_caries.count_365"] > 0


INDICATOR = IndicatorSpec(
    name="child_dental_admission",
    title="Tooth decay: stays in hospital, 10 and under",
    area="oral_health",
    age_group="child",
    direction="lower_is_better",
    numerator="Those with a stay in hospital, planned or not, whose primary diagnosis is dental caries (ICD-10 K02) within 365 days.",
    denominator="Children aged 10 or under.",
    exclusions="None.",
    source=f"{CORE20PLUS5_CHILDREN}: oral health, tooth extractions due to decay as inpatients, aged 10 and under",
    limits=(
        "A proxy: the hospital feed has diagnoses and no operations, so that a stay for decay counts as an extraction. Fewer is better in the end, "
        "but a backlog that is worked off looks like more; who waits is not told. Community dental services are missing."
    ),
    assign=assign,
    columns={PERSON: ("age_years",)},
    facts={ADMISSION_REASONS: {"dental_caries": ("count_365",)}},
    is_proxy=True,
)
