"""People with a learning disability and autistic people, by diagnosis.

What does not belong here: which codes stand for it (`codelists`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.coded_groups import any_coded
from fuller_popheath.specs import PlusGroupSpec

COLUMNS = ("has_learning_disability", "has_autism")

PLUS_GROUP = PlusGroupSpec(
    name="learning_disability_or_autism",
    title="Learning disability or autism",
    columns={"features/conditions": COLUMNS},
    assign=any_coded(COLUMNS),
    source="NHS England, Core20PLUS5: people with a learning disability and autistic people.",
    limits="Diagnoses only: autistic adults without a diagnosis count as no.",
)
