"""People of ethnic minorities, by the category that their practice recorded.

What does not belong here: how an ethnic category is coded by a clinical system.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import PlusGroupSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

WHITE_BRITISH = "A"
NOT_RECORDED = ("", "Z", "99")


def assign(values: Mapping[str, np.ndarray], site: Site) -> np.ndarray:
    """1: any category but White British, 0: White British, -1: not stated, not known, or not recorded."""
    import numpy as np

    category = values["ethnic_category"]
    return np.select([np.isin(category, NOT_RECORDED), category == WHITE_BRITISH], [-1, 0], default=1)


PLUS_GROUP = PlusGroupSpec(
    name="ethnic_minority",
    title="Ethnic minorities",
    columns={"features/demography": ("ethnic_category",)},
    assign=assign,
    source="NHS England, Core20PLUS5 (adults; children and young people): ethnic minority communities. The categories are those of the 2001 census.",
    limits=(
        "That every category but White British counts is a local choice. Where recording is incomplete, the people without a category are not a "
        "random part of all: read the share beside how many are not recorded."
    ),
)
