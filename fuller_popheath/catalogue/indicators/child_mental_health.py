"""Children's mental health: referrals to specialist services, by proxy of access. What does not belong here: what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, CORE20PLUS5_CHILDREN, PERSON, aged
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Everybody under 18; those referred within 365 days."""
    return aged(values, 0, 18), values["child_mental_health_referral.count_365"] > 0


INDICATOR = IndicatorSpec(
    name="child_mental_health_referral",
    title="Mental health: referred to children's services",
    area="mental_health",
    age_group="child",
    direction="higher_is_better",
    numerator="Those with a referral to children and young people's mental health services coded within 365 days.",
    denominator="Everybody under 18.",
    exclusions="None.",
    source=f"{CORE20PLUS5_CHILDREN}: mental health, access rates of 0 to 17 year olds",
    limits=(
        "A proxy: a referral is not care. Schools, parents and young people refer too, and such referrals are not in the GP record; contacts are in "
        "the Mental Health Services Data Set. More is called better because need is met too seldom, but need differs between areas."
    ),
    assign=assign,
    columns={PERSON: ("age_years",)},
    facts={CLUSTERS: {"child_mental_health_referral": ("count_365",)}},
    is_proxy=True,
)
