"""From a line over the ranks of deprivation to its two indices: the slope index and the relative index of inequality, with their intervals.

The line has a value at rank 0 (the most deprived end) and at rank 1 (the least deprived), on the scale it was fitted on, and the covariance of its
intercept and slope. What does not belong here: fitting the line (inequality, inequality_by_person).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import normal_deviate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

KINDS = ("mean", "rate", "proportion")
FEWEST_DRAWS = 1_000
DRAWS = 100_000
"""Draws of a simulated interval unless told otherwise. Source: PHEindicatormethods 2.1.0, phe_sii."""


@dataclass(frozen=True)
class Lines:
    """Fitted lines, one entry an area: intercept, slope, and the three numbers of their covariance; not-a-number where there is none.

    `link`: the scale of the line: identity (means), log (rates) or logit (proportions).
    """

    intercept: Numbers
    slope: Numbers
    intercept_variance: Numbers
    covariance: Numbers
    slope_variance: Numbers
    link: str


def link_of(kind: str, is_transformed: bool = True) -> str:
    """The scale on which values of a kind are fitted: log for rates, logit for proportions, else as they are. Raises ValueError for another kind."""
    if kind not in KINDS:
        raise ValueError(f"the kind must be one of {', '.join(KINDS)}")
    return {"mean": "identity", "rate": "log", "proportion": "logit"}[kind] if is_transformed else "identity"


def onto(values: Numbers, link: str) -> Numbers:
    """Values on the scale of the line; not finite at the ends of what a rate or proportion can be."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if link == "identity":
            return values
        return np.log(values) if link == "log" else np.log(values) - np.log1p(-values)


def back(values: Numbers, link: str) -> Numbers:
    """Values of the line on the scale of what is counted."""
    from scipy.special import expit

    if link == "identity":
        return values
    with np.errstate(over="ignore"):
        return np.exp(values) if link == "log" else expit(values)


def indices(lines: Lines, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0, multiplier: float = 1.0) -> dict[str, Numbers]:
    """Slope index (value at rank 1 minus value at rank 0) and relative index (their ratio) of each line, with two intervals each.

    Returns sii, rii, and of each `_lower`, `_upper` (simulated) and `_lower_analytic`, `_upper_analytic`. Simulated: percentiles of `draws` draws of
    intercept and slope from their normal distribution, the same draws for every line, so that the order of areas changes nothing; this is the
    distribution that drawing every quantile's value and fitting again gives. 0 draws: none. Analytic: normal limits, exact for an untransformed slope
    and the delta method otherwise (on the log scale for the ratio). A multiplier stretches the slope index; below 0 it also turns the
    relative index over (for what is better when it is lower). Raises ValueError for 1 to 999 draws, a multiplier of 0 or no confidence.
    Source: PHEindicatormethods 2.1.0, phe_sii (simulation); J. P. Mackenbach, A. E. Kunst, Soc Sci Med 44 (1997) 757-771 (the indices).
    """
    if 0 < draws < FEWEST_DRAWS or draws < 0:
        raise ValueError(f"an interval needs at least {FEWEST_DRAWS:,} draws, or 0 for none")
    if not multiplier:
        raise ValueError("a multiplier of 0 leaves no slope")
    made = {**_estimates(lines, normal_deviate(confidence)), **_simulated(lines, confidence, draws, seed)}
    return _multiplied(made, multiplier)


def _ends(intercept: Numbers, slope: Numbers, link: str) -> tuple[Numbers, Numbers]:
    return back(intercept, link), back(intercept + slope, link)


def steepness(values: Numbers, link: str) -> Numbers:
    """How fast values change with the line at each of them."""
    if link == "identity":
        return np.ones_like(values)
    return values if link == "log" else values * (1 - values)


def _estimates(lines: Lines, z: float) -> dict[str, Numbers]:
    low, high = _ends(lines.intercept, lines.slope, lines.link)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Derivative of each end by the line's own value there.
        at_low, at_high = steepness(low, lines.link), steepness(high, lines.link)
        v00, v01, v11 = lines.intercept_variance, lines.covariance, lines.slope_variance
        top_variance, between = v00 + 2 * v01 + v11, v00 + v01

        def reach(first: Numbers, second: Numbers) -> Numbers:
            return z * np.sqrt(np.maximum(second**2 * top_variance - 2 * first * second * between + first**2 * v00, 0.0))

        sii = high - low
        rii = np.where((low > 0) & (high > 0), high / low, np.nan)
        both = reach(at_low, at_high)
        ratio = reach(at_low / low, at_high / high)
        return {
            "sii": sii,
            "rii": rii,
            "sii_lower_analytic": sii - both,
            "sii_upper_analytic": sii + both,
            "rii_lower_analytic": rii * np.exp(-ratio),
            "rii_upper_analytic": rii * np.exp(ratio),
        }


def _simulated(lines: Lines, confidence: float, draws: int, seed: int) -> dict[str, Numbers]:
    names = ("sii_lower", "sii_upper", "rii_lower", "rii_upper")
    made = {name: np.full(lines.intercept.shape, np.nan) for name in names}
    if not draws:
        return made
    first, second = np.random.default_rng(seed).standard_normal((2, draws))
    quantiles = [(1 - confidence) / 2, (1 + confidence) / 2]
    # The lower triangle of each covariance: intercept = a u; slope = b u + c v.
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.sqrt(lines.intercept_variance)
        b = np.where(a > 0, lines.covariance / a, 0.0)
        c = np.sqrt(np.maximum(lines.slope_variance - b**2, 0.0))
    for i in np.flatnonzero(np.isfinite(lines.intercept + lines.slope + a + b + c)):
        low, high = _ends(lines.intercept[i] + a[i] * first, lines.slope[i] + b[i] * first + c[i] * second, lines.link)
        made["sii_lower"][i], made["sii_upper"][i] = np.quantile(high - low, quantiles)
        # A ratio of ends that a draw puts at or below nothing says nothing.
        if low.min() > 0 and high.min() > 0:
            made["rii_lower"][i], made["rii_upper"][i] = np.quantile(high / low, quantiles)
    return made


def _multiplied(made: dict[str, Numbers], multiplier: float) -> dict[str, Numbers]:
    result = {name: (multiplier * values if name.startswith("sii") else values) for name, values in made.items()}
    if multiplier > 0:
        return result
    for kind in ("", "_analytic"):
        lower, upper = f"sii_lower{kind}", f"sii_upper{kind}"
        result[lower], result[upper] = result[upper], result[lower]
        with np.errstate(divide="ignore"):
            result[f"rii_lower{kind}"], result[f"rii_upper{kind}"] = 1 / made[f"rii_upper{kind}"], 1 / made[f"rii_lower{kind}"]
    with np.errstate(divide="ignore"):
        result["rii"] = 1 / made["rii"]
    return result
