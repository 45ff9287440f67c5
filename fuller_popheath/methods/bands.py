"""Percentages shown to one decimal, the band that such a percentage falls in, and how sure that band is.

The edges of the bands are arguments: this file knows no published band.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def percent_tenths(counts: ArrayLike, totals: ArrayLike) -> NDArray[np.int64]:
    """Each percentage counts / totals in tenths of a percent, half up: 69.95 % is 700. In integers only, so no edge depends on a float.

    Raises ValueError where a total is not above 0 or a count is below 0.
    """
    import numpy as np

    x, n = (np.asarray(values, dtype=np.int64) for values in (counts, totals))
    if ((n <= 0) | (x < 0)).any():
        raise ValueError(f"{int(((n <= 0) | (x < 0)).sum())} percentages have a total of 0 or a negative count")
    return (2000 * x + n) // (2 * n)


def band_of_tenths(tenths: ArrayLike, lower_edges_tenths: Sequence[int]) -> NDArray[np.int64]:
    """Index of the first band whose lower edge (in tenths of a percent, descending) is not above the percentage.

    Raises ValueError where the edges do not descend or a percentage lies below the last of them.
    """
    import numpy as np

    edges = np.asarray(lower_edges_tenths, dtype=np.int64)
    if (np.diff(edges) >= 0).any():
        raise ValueError("the lower edges must descend")
    below = np.asarray(tenths, dtype=np.int64)[..., None] < edges
    if below.all(axis=-1).any():
        raise ValueError(f"{int(below.all(axis=-1).sum())} percentages lie below the lowest band")
    return below.sum(axis=-1)


def band_probability(counts: ArrayLike, totals: ArrayLike, lower_edges_tenths: Sequence[int]) -> NDArray[np.float64]:
    """How probable it is that the band a percentage is shown in is the band of the proportion behind it, 0 to 1.

    The proportion is taken as Beta(x + 1/2, n - x + 1/2), Jeffreys' posterior for x of n (H. Jeffreys, Theory of Probability, 3rd ed., 1961; L. D.
    Brown, T. T. Cai, A. DasGupta, Stat Sci 16 (2001) 101-133); the band covers what is rounded into it, e.g. 0.5995 to 0.6995 for 60.0 to 69.9 %.
    The first band reaches up to 1 and the last one down to 0. Raises as percent_tenths and band_of_tenths do.
    """
    import numpy as np
    from scipy.special import betainc

    x, n = (np.asarray(values, dtype=np.int64) for values in (counts, totals))
    band = band_of_tenths(percent_tenths(x, n), lower_edges_tenths)
    edges = (2 * np.asarray(lower_edges_tenths, dtype=np.float64) - 1) / 2000
    lower = np.where(band == len(edges) - 1, 0.0, edges[band])
    upper = np.where(band == 0, 1.0, edges[np.maximum(band - 1, 0)])
    a, b = x + 0.5, n - x + 0.5
    return betainc(a, b, upper) - betainc(a, b, lower)
