"""Intervals for a proportion of people.

What does not belong here: rates over time, and anything that knows what is being counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def wilson_interval(counts: ArrayLike, totals: ArrayLike, confidence: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score interval of each proportion counts / totals, as proportions between 0 and 1; not-a-number where the total is 0.

    Grain: one interval per element, in the order given. Raises ValueError where a count is below 0 or above its total, or the confidence
    does not lie between 0 and 1. Source: E. B. Wilson, J Am Stat Assoc 22 (1927) 209-212, in the form that the public-health indicator
    methods of England use (PHEindicatormethods, phe_proportion): (2x + z^2 -+ z sqrt(z^2 + 4x(1 - x/n))) / (2(n + z^2)).
    """
    import numpy as np
    from scipy.special import ndtri

    if not 0 < confidence < 1:
        raise ValueError("the confidence must lie between 0 and 1")
    x, n = (np.asarray(values, dtype=np.float64) for values in (counts, totals))
    if ((x < 0) | (x > n)).any():
        raise ValueError(f"{int(((x < 0) | (x > n)).sum())} counts are below 0 or above their total")
    z = float(ndtri(0.5 + confidence / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        proportion = np.where(n > 0, x / n, np.nan)
        half_width = z * np.sqrt(z**2 + 4 * x * (1 - proportion))
        lower = (2 * x + z**2 - half_width) / (2 * (n + z**2))
        upper = (2 * x + z**2 + half_width) / (2 * (n + z**2))
    # Nobody and everybody have an exact end, which the formula only reaches up to a rounding error.
    lower = np.where((n > 0) & (x == 0), 0.0, lower)
    upper = np.where((n > 0) & (x == n), 1.0, upper)
    return lower, upper
