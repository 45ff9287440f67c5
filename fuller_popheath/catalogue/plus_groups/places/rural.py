"""People who live in rural LSOAs.

What does not belong here: which LSOAs are rural (`reference/lsoa_classification`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.classified_places import COLUMNS, living_in
from fuller_popheath.specs import PlusGroupSpec

PLUS_GROUP = PlusGroupSpec(
    name="rural",
    title="Rural communities",
    columns=COLUMNS,
    assign=living_in("rural", "urban"),
    source="Core20PLUS5 leaves further groups to the ICS; that rural communities are one is a local choice.",
    limits=(
        "The site supplies which LSOAs are rural (reference/lsoa_classification). Without it, or where it says neither rural nor urban, the group is "
        "not recorded. Distance to a practice or hospital is not in it."
    ),
)
