"""People who live in coastal LSOAs.

What does not belong here: which LSOAs are coastal (`reference/lsoa_classification`).
"""

from __future__ import annotations

from fuller_popheath.catalogue.classified_places import COLUMNS, living_in
from fuller_popheath.specs import PlusGroupSpec

PLUS_GROUP = PlusGroupSpec(
    name="coastal",
    title="Coastal communities",
    columns=COLUMNS,
    assign=living_in("coastal", "inland"),
    source="NHS England, Core20PLUS5: coastal communities with pockets of deprivation hidden among relative affluence.",
    limits=(
        "No national list of coastal LSOAs was found: the site supplies one (reference/lsoa_classification). Without it, or where it says neither "
        "coastal nor inland, the group is not recorded."
    ),
)
