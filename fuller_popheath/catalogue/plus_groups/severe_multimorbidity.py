"""People with many long-term conditions.

What does not belong here: which conditions count (`catalogue/features/comorbidity.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import PlusGroupSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

CONDITIONS = 4


def assign(values: Mapping[str, np.ndarray], site: Site) -> np.ndarray:
    """1 from four of the conditions that are counted, else 0."""
    import numpy as np

    return (values["condition_count"] >= CONDITIONS).astype(np.int8)


PLUS_GROUP = PlusGroupSpec(
    name="severe_multimorbidity",
    title="Four or more long-term conditions",
    columns={"features/comorbidity": ("condition_count",)},
    assign=assign,
    source="NHS England, Core20PLUS5: people with multi-morbidities. It gives no number of conditions.",
    limits="From four conditions on is a local choice. A condition that is not coded does not count.",
)
