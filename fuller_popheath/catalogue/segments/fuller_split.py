"""The split of the Fuller stocktake: who needs continuity, whom prevention serves, and who wants to be seen when something comes up.

The stocktake (NHS England, May 2022) names the three ways of being served and gives no rule for who is in which. What does not belong here: who
needs continuity; see `cohorts/need_rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import Group, SegmentSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

RISK_FACTORS = ("hypertension", "obesity", "non_diabetic_hyperglycaemia", "alcohol_problems")
GROUPS = (
    Group("continuity", "Continuity", "High or some need for continuity by the rule in site.toml, [continuity_need]."),
    Group(
        "prevention", "Prevention", "No such need, and a long-term condition, raised blood pressure or glucose, obesity, smoking or alcohol problems."
    ),
    Group("same_day_and_episodic", "Same-day and episodic care", "Everybody else."),
)
_RULES = (
    ("continuity", "need for continuity is high"),
    ("continuity", "need for continuity is some"),
    ("prevention", "a long-term condition, and no special need for continuity"),
    ("prevention", "raised blood pressure or glucose, obesity or alcohol problems, and no special need for continuity"),
    ("prevention", "smokes, and no special need for continuity"),
    ("same_day_and_episodic", "no special need for continuity, and no condition or risk factor is recorded"),
)


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Position of the group and of the first rule of `_RULES` that fits."""
    import numpy as np

    fits = (
        values["level"] == "high",
        values["level"] == "some",
        values["condition_count"] >= 1,
        np.any([values[f"has_{name}"] for name in RISK_FACTORS], axis=0),
        values["smoking_status"] == "current",
    )
    rule = np.select(fits, range(len(fits)), default=len(fits))
    names = [group.name for group in GROUPS]
    return np.array([names.index(name) for name, _ in _RULES])[rule], rule


SEGMENT = SegmentSpec(
    name="fuller_split",
    title="The Fuller split",
    groups=GROUPS,
    rules=tuple(words for _, words in _RULES),
    columns={
        "core/continuity_need": ("level",),
        "features/comorbidity": ("condition_count",),
        "features/conditions": tuple(f"has_{name}" for name in RISK_FACTORS),
        "features/measurements": ("smoking_status",),
    },
    assign=assign,
    limits=(
        "Our reading: the Fuller stocktake gives no rule. Need for continuity is a local choice and not validated. Everybody needs same-day care "
        "at times, and everybody is served by prevention: the group is what matters most. Smoking, weight and glucose are recorded of few under-18s."
    ),
)
