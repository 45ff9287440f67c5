"""A scheme for under-18s, whom adult schemes miss: in North West London 75 % of those under 16 who use most care have no long-term condition.

Source of that figure: BMJ Open 2021, e050847. The groups and their order are ours. What does not belong here: adults, who are one group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import Group, SegmentSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

ADULT_FROM = 18
DISABILITIES = ("learning_disability", "autism", "hemiplegia", "visual_impairment", "hearing_loss")
MENTAL_HEALTH = ("anxiety", "eating_disorder", "severe_mental_illness", "substance_misuse", "alcohol_problems")
GROUPS = (
    Group("adult", "Adults", "Aged 18 or over."),
    Group("complex", "Complex needs", "End of life care, cancer, or four or more long-term conditions."),
    Group("looked_after", "Looked after", "In the care of the local authority."),
    Group("disability", "Disability", "Learning disability, autism, paralysis, low vision or hearing loss."),
    Group("mental_health", "Mental health", "Anxiety, an eating disorder, severe mental illness, or trouble with alcohol or drugs."),
    Group("long_term_condition", "Long-term condition", "One to three long-term conditions, such as asthma, diabetes or epilepsy."),
    Group("high_use", "High use without a condition", "Often seen, at the surgery or at emergency departments, without any of the above."),
    Group("generally_well", "Generally well", "None of the others."),
)
_RULES = (
    ("adult", "aged 18 or over"),
    ("complex", "on the palliative care register"),
    ("complex", "cancer is recorded"),
    ("complex", "four or more long-term conditions"),
    ("looked_after", "being a looked-after child is recorded"),
    ("disability", "learning disability, autism, paralysis, low vision or hearing loss is recorded"),
    ("mental_health", "anxiety, an eating disorder, severe mental illness, or trouble with alcohol or drugs is recorded"),
    ("long_term_condition", "one to three long-term conditions"),
    ("high_use", "no long-term condition, and contacts and ED attendances of a year reach child_high_use_from"),
    ("generally_well", "none of the other groups fits"),
)


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Position of the group and of the first rule of `_RULES` that fits."""
    import numpy as np

    def any_of(names: tuple[str, ...]) -> np.ndarray:
        return np.any([values[f"has_{name}"] for name in names], axis=0)

    fits = (
        values["age_years"] >= ADULT_FROM,
        values["has_palliative_care"],
        values["has_cancer"],
        values["condition_count"] >= 4,
        values["has_looked_after_child"],
        any_of(DISABILITIES),
        any_of(MENTAL_HEALTH),
        values["condition_count"] >= 1,
        values["contact_count_365"] + values["ed_attendance_count_365"] >= site.continuity_need.child_high_use_from,
    )
    rule = np.select(fits, range(len(fits)), default=len(fits))
    names = [group.name for group in GROUPS]
    return np.array([names.index(name) for name, _ in _RULES])[rule], rule


SEGMENT = SegmentSpec(
    name="children",
    title="Children and young people",
    groups=GROUPS,
    rules=tuple(words for _, words in _RULES),
    columns={
        "core/person": ("age_years",),
        "features/conditions": tuple(
            f"has_{name}" for name in dict.fromkeys(("palliative_care", "cancer", "looked_after_child", *DISABILITIES, *MENTAL_HEALTH))
        ),
        "features/comorbidity": ("condition_count",),
        "features/contacts": ("contact_count_365",),
        "features/hospital": ("ed_attendance_count_365",),
    },
    assign=assign,
    limits=(
        "The groups and their order are ours: no published scheme for children could be retrieved. From how many contacts use is high is a local "
        "choice (child_high_use_from in site.toml), the same at every age, so that infants, whom routine brings often, reach it soonest. "
        "Long-term conditions are counted by a list made for adults (Payne 2020), and depression only where it is coded or treated this year."
    ),
)
