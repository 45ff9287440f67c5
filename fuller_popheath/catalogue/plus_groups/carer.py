"""People who care for somebody, adults and young carers.

What does not belong here: which codes stand for it (`codelists`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.coded_groups import any_coded
from fuller_popheath.specs import PlusGroupSpec

COLUMNS = ("has_carer",)

PLUS_GROUP = PlusGroupSpec(
    name="carer",
    title="Unpaid carers",
    columns={"features/conditions": COLUMNS},
    assign=any_coded(COLUMNS),
    source="NHS England, Core20PLUS5 for children and young people: young carers; adult carers are a local choice.",
    limits="Recorded for a small part of carers: who has no code counts as no.",
)
