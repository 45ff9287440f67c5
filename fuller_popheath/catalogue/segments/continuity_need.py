"""Continuity need: everybody by how much they need to see the same clinician, by the site's own rule.

What does not belong here: the rule itself, which is `cohorts/need_rules.py` with [continuity_need] of site.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import Group, SegmentSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

GROUPS = (
    Group("high", "High need", "Reasons of at least as many points as [continuity_need] high_from in site.toml."),
    Group("some", "Some need", "Reasons of at least as many points as [continuity_need] some_from in site.toml."),
    Group("none", "No special need", "Fewer points, or none."),
)


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Position of the level, and of the rule, which is the same."""
    import numpy as np

    level = np.select([values["level"] == group.name for group in GROUPS[:-1]], range(len(GROUPS) - 1), default=len(GROUPS) - 1)
    return level, level


SEGMENT = SegmentSpec(
    name="continuity_need",
    title="Need for continuity",
    groups=GROUPS,
    rules=(
        "the points of the reasons that hold reach high_from",
        "the points of the reasons that hold reach some_from",
        "the points of the reasons that hold stay below some_from",
    ),
    columns={"core/continuity_need": ("level",)},
    assign=assign,
    limits=(
        "A local choice, not validated: no published source gives a scored rule for who needs continuity of care. Reasons are only as good as "
        "coding: what is not coded counts as absent."
    ),
)
