"""Restricted cubic splines: smooth curves that are straight lines beyond their outermost knots.

What does not belong here: fitting anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Harrell, Regression Modeling Strategies, 2nd ed. 2015, table 2.3: quantiles of a column at which its knots stand.
THREE_KNOTS = (0.10, 0.50, 0.90)
FOUR_KNOTS = (0.05, 0.35, 0.65, 0.95)
FIVE_KNOTS = (0.05, 0.275, 0.50, 0.725, 0.95)


def restricted_cubic_spline(values: ArrayLike, knots: ArrayLike) -> NDArray[np.float64]:
    """Columns of a restricted cubic spline in k rising knots: the values themselves, then k - 2 cubic columns; values x (k - 1).

    Without knots the values alone. Scaled by the square of the distance between the outermost knots, so that every column has the unit of
    the values. Raises ValueError for one or two knots, or knots that do not rise. Source: Devlin and Weeks, Proc 11th SAS Users Group
    (1986) 646-651; Harrell, Regression Modeling Strategies, 2nd ed. 2015, section 2.4.5.
    """
    x, t = np.asarray(values, dtype=np.float64), np.asarray(knots, dtype=np.float64)
    if t.size == 0:
        return x.reshape(-1, 1).copy()
    if t.size < 3 or (np.diff(t) <= 0).any():
        raise ValueError("a restricted cubic spline needs three knots at least, each above the last")
    columns = np.empty((x.size, t.size - 1), order="F")
    columns[:, 0] = x
    span = (t[-1] - t[0]) ** 2
    last, last_but_one = _cube_above(x, t[-1]), _cube_above(x, t[-2])
    for place, knot in enumerate(t[:-2]):
        to_end, to_next = t[-1] - knot, t[-2] - knot
        cubes = _cube_above(x, knot)
        cubes += (last * to_next - last_but_one * to_end) / (t[-1] - t[-2])
        columns[:, place + 1] = cubes / span
    return columns


def _cube_above(values: NDArray[np.float64], knot: float) -> NDArray[np.float64]:
    above = np.maximum(values - knot, 0.0)
    return above * above * above
