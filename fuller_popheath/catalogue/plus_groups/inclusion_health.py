"""People in inclusion health groups, as far as a practice's record tells.

What does not belong here: which codes stand for it (`codelists`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.coded_groups import any_coded
from fuller_popheath.specs import PlusGroupSpec

COLUMNS = ("has_homelessness", "has_alcohol_problems", "has_substance_misuse")

PLUS_GROUP = PlusGroupSpec(
    name="inclusion_health",
    title="Inclusion health",
    columns={"features/conditions": COLUMNS},
    assign=any_coded(COLUMNS),
    source="NHS England, Core20PLUS5: inclusion health groups (homelessness, drug and alcohol dependence among them).",
    limits=(
        "Gravely under-recorded: who has no code counts as no. Vulnerable migrants, Gypsy, Roma and Traveller people, sex workers, people in contact "
        "with the justice system and victims of modern slavery have no code list here; add them under [plus] local."
    ),
)
