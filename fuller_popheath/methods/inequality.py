"""Slope and relative index of inequality from one value a quantile of deprivation, for rates, proportions and means.

Quantiles are ordered from the most deprived (the smallest) to the least, so that a slope above 0 means more among the least deprived.
What does not belong here: regression on persons (inequality_by_person), and which quantile a place is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import normal_deviate
from fuller_popheath.methods.inequality_limits import DRAWS, Lines, indices, link_of, onto
from fuller_popheath.methods.keys import Keys, codes_of, matrices

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ONE_QUANTILE, NO_VALUE, AT_THE_END = (
    "people in fewer than two quantiles",
    "a quantile without value or interval",
    "a value where the transform has an end",
)


def slope_by_quantile(
    quantiles: pd.DataFrame,
    kind: str,
    area: Keys = "area",
    quantile: str = "quantile",
    is_transformed: bool | None = None,
    confidence: float = 0.95,
    limits_confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    multiplier: float = 1.0,
) -> pd.DataFrame:
    """The indices of each area from one row an area and quantile: population, value, and standard_error or lower and upper.

    `kind`: mean, rate or proportion; rates are fitted on the log scale and proportions on the logit scale unless `is_transformed` is False,
    means as they are. A transformed fit needs lower and upper (of `limits_confidence`), which give the standard error on its scale: (U - L) / 2z.
    Returns the area's keys, population, what inequality_limits.indices returns, and `reason`, in the order of the sorted keys; everything is missing,
    and the reason says why, where fewer than two quantiles have people, a value or interval is missing, or a value lies at the end of the scale
    (a rate of 0).

    Source: PHEindicatormethods 2.1.0, phe_sii: with a the share of people and b the midpoint of their cumulative share, sqrt(a) Y is regressed on
    sqrt(a) and sqrt(a) b without intercept. Raises ValueError where a key is blank or stands twice or a population is missing or below 0, and as
    indices does.
    """
    link = link_of(kind, kind != "mean" if is_transformed is None else is_transformed and kind != "mean")
    has_limits = {"lower", "upper"} <= set(quantiles.columns)
    if not has_limits and (link != "identity" or "standard_error" not in quantiles.columns):
        raise ValueError("the table needs lower and upper" + (", or standard_error" if link == "identity" else ": the fit is on another scale"))
    uncertain = ["standard_error"] if link == "identity" and "standard_error" in quantiles.columns else ["lower", "upper"]
    areas, keys = codes_of(quantiles, area)
    steps, found = codes_of(quantiles, quantile)
    columns = ["population", "value", *uncertain]
    _, cells = matrices(quantiles, areas, steps, (len(keys), len(found)), columns, may_miss=columns[1:])
    if wrong := int((cells["population"] < 0).sum()):
        raise ValueError(f"{wrong} populations are below 0")
    value = onto(cells["value"], link)
    if uncertain == ["standard_error"]:
        error = cells["standard_error"]
    else:
        with np.errstate(invalid="ignore"):
            error = (onto(cells["upper"], link) - onto(cells["lower"], link)) / (2 * normal_deviate(limits_confidence))
    is_missing = np.isnan(sum(cells[name] for name in columns[1:]))
    reason = _reason(cells["population"], is_missing, np.isfinite(value) & np.isfinite(error))
    lines = _fit(cells["population"], value, error, reason == "", link)
    made = keys.assign(population=cells["population"].sum(axis=1), **indices(lines, confidence, draws, seed, multiplier))
    return made.assign(reason=reason)


def midpoints(population: Numbers) -> tuple[Numbers, Numbers]:
    """Share of each area's people in each quantile, and the midpoint of the cumulative share: [areas, quantiles] in, two of the same out."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = population / population.sum(axis=1, keepdims=True)
    return share, np.cumsum(share, axis=1) - share / 2


def _reason(population: Numbers, is_missing: NDArray[np.bool_], is_finite: NDArray[np.bool_]) -> NDArray[np.object_]:
    counts = population > 0
    reason = np.where((counts & ~is_finite).any(axis=1), AT_THE_END, "").astype(object)
    reason[(counts & is_missing).any(axis=1)] = NO_VALUE
    reason[counts.sum(axis=1) < 2] = ONE_QUANTILE
    return reason


def _fit(population: Numbers, value: Numbers, error: Numbers, is_fitted: NDArray[np.bool_], link: str) -> Lines:
    share, middle = midpoints(population)
    counts = population > 0
    a, b = np.where(counts, share, 0.0), np.where(counts, middle, 0.0)
    y, e = np.where(counts & is_fitted[:, None], value, 0.0), np.where(counts & is_fitted[:, None], error, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Weighted least squares with weights that add up to 1: the mean of b, its variance, and how each value moves slope and intercept.
        mean = (a * b).sum(axis=1, keepdims=True)
        spread = (a * (b - mean) ** 2).sum(axis=1, keepdims=True)
        to_slope = a * (b - mean) / spread
        to_intercept = a - to_slope * mean
        blank = np.where(is_fitted, 0.0, np.nan)
        return Lines(
            (to_intercept * y).sum(axis=1) + blank,
            (to_slope * y).sum(axis=1) + blank,
            (to_intercept**2 * e**2).sum(axis=1) + blank,
            (to_intercept * to_slope * e**2).sum(axis=1) + blank,
            (to_slope**2 * e**2).sum(axis=1) + blank,
            link,
        )
