"""Children whom a local authority looks after.

What does not belong here: which codes stand for it (`codelists`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.coded_groups import any_coded
from fuller_popheath.specs import PlusGroupSpec

COLUMNS = ("has_looked_after_child",)

PLUS_GROUP = PlusGroupSpec(
    name="looked_after_child",
    title="Looked-after children",
    columns={"features/conditions": COLUMNS},
    assign=any_coded(COLUMNS),
    source="NHS England, Core20PLUS5 for children and young people: looked-after children and care leavers.",
    limits="Coded in practices' records only, often late. Care leavers have no code list here.",
)
