"""Who is in a group because a practice recorded one of some codes. Absence of a code is taken for no: nobody records what somebody is not.

What does not belong here: any group by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

ADULT_FROM = 18


def any_coded(columns: Sequence[str]) -> Callable[[Mapping[str, np.ndarray], Site], np.ndarray]:
    """1 for whom any of these true-or-false columns is true, else 0."""

    def assign(values: Mapping[str, np.ndarray], site: Site) -> np.ndarray:
        import numpy as np

        return np.logical_or.reduce([values[name].astype(bool) for name in columns]).astype(np.int8)

    return assign


def coded_under_18(columns: Sequence[str]) -> Callable[[Mapping[str, np.ndarray], Site], np.ndarray]:
    """As `any_coded`, and nobody from 18 years on: a code of childhood stays in the record for life. Reads `age_years` too."""
    coded = any_coded(columns)

    def assign(values: Mapping[str, np.ndarray], site: Site) -> np.ndarray:
        import numpy as np

        return np.where(values["age_years"] < ADULT_FROM, coded(values, site), 0).astype(np.int8)

    return assign
