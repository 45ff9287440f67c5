"""A jump of the outcome at a cut-off that alone decided who got something: regression discontinuity with a local line on either side.

Close to the cut-off people are alike but for the side they stand on (D. Thistlethwaite, D. Campbell, J Educ Psychol 51 (1960) 309-317), so a jump
there is what the thing did to people at the cut-off, and to nobody else. What does not belong here: what the cut-off decides, and of what.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import normal_deviate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

KERNEL_CONSTANT = 3.4375
"""Of the triangular kernel, which weighs people less the further they are from the cut-off."""
LEAST_THIRD = 0.01
"""The square of the third derivative is taken as no smaller, with distances in standard deviations: a straight line would else ask for everybody."""
LINE, CURVE = 1, 2


@dataclass(frozen=True)
class Discontinuity:
    """The jump from below to above the cut-off, not-a-number where there are too few people to fit both sides.

    `value`, `lower`, `upper`: with the bias of the line taken out. `plain`: of the local lines alone. `bandwidth`: people within it of the cut-off
    count, in units of the distance; `below`, `above`: how many those are.
    """

    value: float
    lower: float
    upper: float
    plain: float
    bandwidth: float
    below: int
    above: int


def discontinuity(
    distance: ArrayLike, outcome: ArrayLike, is_above: ArrayLike, bandwidth: float | None = None, confidence: float = 0.95
) -> Discontinuity:
    """The jump of the mean outcome at distance 0.

    One element a person: distance from the cut-off (of either sign, 0 on either side), outcome (a number), side. `bandwidth`: None for
    `best_bandwidth`. The value and its limits are those of local quadratics with the triangular kernel and the bandwidth that is best for lines,
    which is the robust bias-corrected interval where the bias is estimated with the same bandwidth (S. Calonico, M. Cattaneo, R. Titiunik,
    Econometrica 82 (2014) 2295-2326, remark 7); variances by HC3 (J. MacKinnon, H. White, J Econometrics 29 (1985) 305-325). Raises ValueError
    where the three are not of one length, or somebody stands on the wrong side of the cut-off.
    """
    x, y, above = _checked(distance, outcome, is_above)
    width = best_bandwidth(x, y, above) if bandwidth is None else bandwidth
    near = np.abs(x) < width if width > 0 else np.zeros(len(x), np.bool_)
    sizes = int((near & ~above).sum()), int((near & above).sum())
    fits = {degree: [_at_cut_off(x[near & side], y[near & side], width, degree) for side in (~above, above)] for degree in (LINE, CURVE)}
    value, plain = (fits[degree][1][0] - fits[degree][0][0] for degree in (CURVE, LINE))
    reach = normal_deviate(confidence) * math.sqrt(fits[CURVE][0][1] + fits[CURVE][1][1])
    return Discontinuity(value, value - reach, value + reach, plain, width, *sizes)


def best_bandwidth(distance: ArrayLike, outcome: ArrayLike, is_above: ArrayLike) -> float:
    """The bandwidth with the smallest expected squared error of local lines at the cut-off, never beyond the farthest person; not-a-number where
    there are too few people to tell.

    Source: G. Imbens, K. Kalyanaraman, Rev Econ Stud 79 (2012) 933-959, the three steps of section 4.2, triangular kernel; distances are first
    divided by their standard deviation. Raises ValueError as `discontinuity`.
    """
    x, y, above = _checked(distance, outcome, is_above)
    spread = float(np.std(x, ddof=1)) if len(x) > 1 else 0.0
    if spread == 0:
        return math.nan
    x = x / spread
    sides = (~above, above)
    pilot = 1.84 * len(x) ** (-1 / 5)
    near = [side & (np.abs(x) <= pilot) for side in sides]
    if min(int(each.sum()) for each in near) < 2:
        return math.nan
    density = sum(int(each.sum()) for each in near) / (2 * len(x) * pilot)
    variances = [float(np.var(y[each], ddof=1)) for each in near]
    third = 6 * float(np.linalg.lstsq(np.column_stack([np.ones(len(x)), above, x, x**2, x**3]), y, rcond=None)[0][4])
    curvatures, penalty = [], 0.0
    for side, variance in zip(sides, variances, strict=True):
        wide = 3.56 * (variance / (density * max(third**2, LEAST_THIRD)) / side.sum()) ** (1 / 7)
        within = side & (np.abs(x) <= wide)
        if int(within.sum()) < CURVE + 2 or variance == 0:
            return math.nan
        curvatures.append(2 * float(np.polynomial.polynomial.polyfit(x[within], y[within], CURVE)[2]))
        penalty += 2160 * variance / (float(within.sum()) * wide**4)
    error = density * ((curvatures[1] - curvatures[0]) ** 2 + penalty) * len(x)
    return float(spread * min(KERNEL_CONSTANT * (sum(variances) / error) ** (1 / 5), float(np.abs(x).max()) * (1 + 1e-9)))


def _at_cut_off(x: Numbers, y: Numbers, width: float, degree: int) -> tuple[float, float]:
    """The value at distance 0 of a weighted polynomial, and its variance; not-a-number with fewer than two people more than coefficients."""
    if len(x) < degree + 3 or len(np.unique(x)) <= degree:
        return math.nan, math.nan
    root = np.sqrt(1 - np.abs(x) / width)
    design = np.vander(x / width, degree + 1, increasing=True) * root[:, None]
    inverse = np.linalg.pinv(design)
    coefficients = inverse @ (y * root)
    leverage = np.clip(np.einsum("ij,ji->i", design, inverse), 0.0, 1 - 1e-9)
    residual = (y * root - design @ coefficients) / (1 - leverage)
    return float(coefficients[0]), float(((inverse[0] * residual) ** 2).sum())


def _checked(distance: ArrayLike, outcome: ArrayLike, is_above: ArrayLike) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    x, y = (np.asarray(values, np.float64) for values in (distance, outcome))
    above = np.asarray(is_above, np.bool_)
    if not x.shape == y.shape == above.shape or x.ndim != 1:
        raise ValueError(f"there are {x.size} distances, {y.size} outcomes and {above.size} sides; one of each a person")
    wrong = int(np.where(above, x < 0, x > 0).sum())
    if wrong:
        raise ValueError(f"{wrong} people stand on the other side of the cut-off than their distance says")
    return x, y, above
