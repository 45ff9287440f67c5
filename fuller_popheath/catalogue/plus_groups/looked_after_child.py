"""Children, under 18 years old, whom a local authority looks after.

What does not belong here: which codes stand for it (`codelists`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.coded_groups import coded_under_18
from fuller_popheath.specs import PlusGroupSpec

COLUMNS = ("has_looked_after_child",)

PLUS_GROUP = PlusGroupSpec(
    name="looked_after_child",
    title="Looked-after children",
    columns={"features/conditions": COLUMNS, "features/demography": ("age_years",)},
    assign=coded_under_18(COLUMNS),
    source="NHS England, Core20PLUS5 for children and young people: looked-after children and care leavers.",
    limits=(
        "Coded in practices' records only, often late, and kept there: a child who is looked after no longer still counts until 18. Care leavers "
        "have no code list here."
    ),
)
