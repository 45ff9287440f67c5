"""Risk tiers: everybody by the band of their predicted risk of an emergency admission within a year; who has no score is a group of its own.

What does not belong here: how a risk is predicted, and where the bands of a risk begin ([risk] bands in site.toml).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import Group, SegmentSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

TIERS = 5
ORDINALS = ("highest", "second", "third", "fourth", "fifth")
GROUPS = (
    *(
        Group(f"tier_{n + 1}", f"Tier {n + 1}{'' if n else ' (highest)'}", f"The {ORDINALS[n]} band of risk in site.toml, [risk] bands.")
        for n in range(TIERS)
    ),
    Group("not_scored", "Not scored", "No score: objects to being scored, cannot have the outcome, or no model is in use."),
)
"""A site may name and set its bands otherwise: tier 1 is its highest band, whatever it is called; as shipped, "very high"."""


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Position of the tier, and of the rule, which is the same. Raises SettingsWrong for more bands than tiers, and scores in bands of old."""
    import numpy as np

    bands = tuple(site.risk.bands)
    if len(bands) > TIERS:
        raise SettingsWrong(f"risk.bands has {len(bands)} bands, and risk_tier has {TIERS} tiers: join some")
    tier = np.select([values["band"] == name for name in (*bands, "")], [*range(len(bands)), TIERS], default=-1)
    if unknown := int((tier < 0).sum()):
        raise SettingsWrong(f"risk/score has {unknown:,} people in bands that risk.bands does not name (any more): score again")
    return tier, tier


SEGMENT = SegmentSpec(
    name="risk_tier",
    title="Risk of an emergency admission",
    groups=GROUPS,
    rules=(
        *(f"the predicted risk of an emergency admission within a year is in the {ORDINALS[n]} band" for n in range(TIERS)),
        "there is no score that may be used",
    ),
    columns={"risk/score": ("band",)},
    assign=assign,
    limits=(
        "Where bands begin is a local choice ([risk] bands in site.toml); no source gives it. A risk says nothing about who would gain from care. "
        "Adults and under-18s have models of their own, and their risks are on one scale. Who objects to being scored is among the not scored."
    ),
)
