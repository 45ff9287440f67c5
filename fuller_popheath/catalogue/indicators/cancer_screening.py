"""Early cancer: bowel, breast and cervical screening, as proxies for the stage at diagnosis, which no GP record holds.

What does not belong here: stage itself (cancer_stage), and referrals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, CORE20PLUS5_ADULTS, PERSON, UNVERIFIED, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

BOWEL_DAYS, BREAST_DAYS = 913, 1096
"""Two and a half years, and three."""
CERVICAL_DAYS = {(25, 50): 1278, (50, 65): 2009}
"""By age: three and a half years, and five and a half."""
LIMITS = (
    "A proxy: what Core20PLUS5 aims at is the share of cancers found at stage 1 or 2, which only the national registry knows. Screening counts where "
    "a result has reached the GP record. Sex is as the practice recorded it: men with a cervix or breasts are missing."
)
SOURCE = f"{CORE20PLUS5_ADULTS}: early cancer diagnosis; ages and rounds as in the national coverage measures ({UNVERIFIED})"


def bowel(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """People of 60 to 74; those screened within two and a half years."""
    return aged(values, 60, 75), within(values, "bowel_screening.last_date", BOWEL_DAYS)


def breast(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Women of 53 to 70; those screened within three years."""
    return aged(values, 53, 71) & (values["sex"] == "female"), within(values, "breast_screening.last_date", BREAST_DAYS)


def cervical(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Women of 25 to 64 without a code that they need none; those screened within the time of their age."""
    import numpy as np

    of_age = [aged(values, *ages) for ages in CERVICAL_DAYS]
    on_time = [within(values, "cervical_screening.last_date", days) for days in CERVICAL_DAYS.values()]
    needed = ~values["cervical_screening_not_needed.is_current"]
    return np.any(of_age, axis=0) & (values["sex"] == "female") & needed, np.select(of_age, on_time, default=False)


def _indicator(name: str, **told: Any) -> IndicatorSpec:
    return IndicatorSpec(
        name=f"{name}_screening",
        title=f"{name.capitalize()} screening",
        area="cancer",
        age_group="adult",
        direction="higher_is_better",
        source=SOURCE,
        limits=LIMITS,
        is_proxy=True,
        **told,
    )


INDICATOR = (
    _indicator(
        "bowel",
        numerator="Those with a bowel screening result within 913 days (two and a half years).",
        denominator="People aged 60 to 74.",
        exclusions="None.",
        assign=bowel,
        columns={PERSON: ("age_years",)},
        facts={CLUSTERS: {"bowel_screening": ("last_date",)}},
    ),
    _indicator(
        "breast",
        numerator="Those with a breast screening result within 1,096 days (three years).",
        denominator="Women aged 53 to 70.",
        exclusions="None: mastectomy on both sides is not looked for.",
        assign=breast,
        columns={PERSON: ("age_years", "sex")},
        facts={CLUSTERS: {"breast_screening": ("last_date",)}},
    ),
    _indicator(
        "cervical",
        numerator="Those screened within 1,278 days (three and a half years) under 50, within 2,009 days (five and a half) from 50 on.",
        denominator="Women aged 25 to 64.",
        exclusions="Women with a code that screening is not needed (no cervix).",
        assign=cervical,
        columns={PERSON: ("age_years", "sex")},
        facts={CLUSTERS: {"cervical_screening": ("last_date",), "cervical_screening_not_needed": ("is_current",)}},
    ),
)
