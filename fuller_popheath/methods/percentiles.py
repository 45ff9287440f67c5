"""Where each number stands among others, as a share of them, equal numbers alike.

Source: the percentile rank of scores with ties counted by half (mid-rank); of n numbers whose average rank is r it is (r - 1/2) / n.
What does not belong here: ranks themselves (`ranks.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def mid_rank_percentile(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of lower numbers, and half of the share of those that are the same (itself too): between 0 and 1, 1/2 on average.

    `numbers`: floats, one dimension; none gives none. Raises ValueError where a number is missing (NaN).
    """
    import numpy as np

    if missing := int(np.isnan(numbers).sum()):
        raise ValueError(f"{missing} values have no percentile because they are not numbers")
    if not len(numbers):
        return np.zeros(0)
    _, which, alike = np.unique(numbers, return_inverse=True, return_counts=True)
    return np.asarray(((np.cumsum(alike) - alike / 2) / len(numbers))[which])
