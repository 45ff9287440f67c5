"""Slope and relative index of inequality by regression on persons: their outcome on the rank of where they live among the people of the same area.

It needs no value a quantile, so that a quantile without any event does not stop it. What does not belong here: one published value a quantile
(inequality), and which rank a place has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.inequality_limits import DRAWS, Lines, back, indices, link_of, onto, steepness
from fuller_popheath.methods.keys import Keys, codes_of, key_columns

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ONE_RANK, ONE_OUTCOME, NO_LINE = "people at fewer than two ranks", "everybody or nobody has it", "no line fits"
STEPS, CLOSE_ENOUGH, FAR_OUT = 60, 1e-10, 30.0


@dataclass(frozen=True)
class _Cells:
    """Persons of one area and rank together: how many, their exposure, and the sums that a regression and its errors need."""

    area: NDArray[np.int64]
    ridit: Numbers
    people: Numbers
    exposure: Numbers
    outcome: Numbers
    outcome_squared: Numbers
    outcome_exposure: Numbers
    exposure_squared: Numbers


def slope_by_person(
    people: pd.DataFrame,
    kind: str,
    area: Keys = "area",
    rank: str = "rank",
    outcome: str = "outcome",
    exposure: str | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    multiplier: float = 1.0,
) -> pd.DataFrame:
    """The indices of each area from one row a person: deprivation rank (1 = most deprived), outcome, and for rates the time at risk.

    Each person stands at the ridit of their rank among the area's people: the share of them at more deprived ranks and half of those at their own.
    Means are fitted by least squares, proportions by logistic and rates by Poisson regression (`exposure` names the time at risk); errors are
    robust, so that several events of one person do not count as several persons. Returns the area's keys, population, count (sum of the outcome),
    what inequality_limits.indices returns, and `reason`, in the order of the sorted keys.

    Source: ridits, I. D. J. Bross, Biometrics 14 (1958) 18-38; regression on them, Moreno-Betancur and others, Epidemiology 26 (2015) 518-527;
    errors, H. White, Econometrica 50 (1982) 1-25. Raises ValueError where a key or number is missing, a proportion's outcome is neither 0 nor 1,
    a rate's is below 0 or has no time at risk above 0, and as indices does.
    """
    link = link_of(kind)
    y = _numbers(people, outcome)
    e = _numbers(people, exposure) if exposure and kind == "rate" else np.ones(len(y))
    _refuse_impossible(kind, y, e)
    areas, keys = codes_of(people, area)
    cell, found = codes_of(people, [*key_columns(area), rank])
    area_of_cell = np.zeros(len(found), dtype=np.int64)
    area_of_cell[cell] = areas
    parts = (np.ones(len(y)), e, y, y * y, y * e, e * e)
    sums = [np.asarray(np.bincount(cell, weights=part, minlength=len(found)), dtype=np.float64) for part in parts]
    cells = _Cells(area_of_cell, _ridits(area_of_cell, sums[0], len(keys)), *sums)
    return _told(cells, keys, link, confidence, draws, seed, multiplier)


def slope_of_counts(
    counts: pd.DataFrame,
    area: Keys = "area",
    quantile: str = "quantile",
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    multiplier: float = 1.0,
) -> pd.DataFrame:
    """The indices of each area for a proportion of people, from one row an area and quantile with `numerator` and `denominator`.

    The same as slope_by_person of a proportion whose ranks are the quantiles (1 = most deprived), and returned as there; a quantile with nobody in it
    is left out. Raises ValueError where a key is blank or stands twice, or a numerator is below 0 or above its denominator.
    """
    x, n = _numbers(counts, "numerator"), _numbers(counts, "denominator")
    if wrong := int(((x < 0) | (x > n)).sum()):
        raise ValueError(f"{wrong} numerators are below 0 or above their denominator")
    areas, keys = codes_of(counts, area)
    cell, found = codes_of(counts, [*key_columns(area), quantile])
    if twice := len(x) - len(found):
        raise ValueError(f"{twice} pairs of area and {quantile} stand in more than one row")
    order = np.empty(len(x), dtype=np.int64)
    order[cell] = np.arange(len(x))
    order = order[n[order] > 0]
    x, n, areas = x[order], n[order], areas[order]
    cells = _Cells(areas, _ridits(areas, n, len(keys)), n, n, x, x, x, n)
    return _told(cells, keys, "logit", confidence, draws, seed, multiplier)


def _numbers(frame: pd.DataFrame, column: str) -> Numbers:
    if column not in frame.columns:
        raise ValueError(f"the table has no column {column}")
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if missing := int(np.isnan(values).sum()):
        raise ValueError(f"{missing} rows have no number in {column}")
    return values


def _refuse_impossible(kind: str, y: Numbers, e: Numbers) -> None:
    wrong = np.zeros(len(y), dtype=bool)
    if kind == "proportion":
        wrong = (y != 0) & (y != 1)
    elif kind == "rate":
        wrong = (y < 0) | ~(e > 0)
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} outcomes or times at risk cannot be those of a {kind}")


def _ridits(area: NDArray[np.int64], people: Numbers, areas: int) -> Numbers:
    """Midpoint of the cumulative share of an area's people, cells in order of area and rank."""
    total = np.bincount(area, weights=people, minlength=areas)
    before = np.cumsum(people) - people
    start = np.concatenate([[0.0], np.cumsum(total)[:-1]]) if areas else total
    return np.asarray((before - start[area] + people / 2) / total[area], dtype=np.float64)


def _told(cells: _Cells, keys: pd.DataFrame, link: str, confidence: float, draws: int, seed: int, multiplier: float) -> pd.DataFrame:
    areas = len(keys)
    population, count, ranks = (
        np.bincount(cells.area, weights=part, minlength=areas) for part in (cells.people, cells.outcome, np.ones(len(cells.area)))
    )
    reason = np.full(areas, "", dtype=object)
    if link != "identity":
        reason[(count == 0) | ((link == "logit") & (count == population))] = ONE_OUTCOME
    reason[ranks < 2] = ONE_RANK
    lines, is_found = _fit(cells, areas, link, reason == "")
    reason[(reason == "") & ~is_found] = NO_LINE
    return keys.assign(population=population, count=count, **indices(lines, confidence, draws, seed, multiplier), reason=reason)


def _fit(cells: _Cells, areas: int, link: str, is_fitted: NDArray[np.bool_]) -> tuple[Lines, NDArray[np.bool_]]:
    def added(part: Numbers) -> Numbers:
        return np.asarray(np.bincount(cells.area, weights=part, minlength=areas), dtype=np.float64)

    def of_ridit(part: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        return added(part), added(part * cells.ridit), added(part * cells.ridit**2)

    with np.errstate(all="ignore"):
        intercept = np.where(is_fitted, onto(added(cells.outcome) / added(cells.exposure), link), 0.0)
        slope, is_settled = np.zeros(areas), ~is_fitted
        for _ in range(STEPS):
            mu = back(intercept[cells.area] + slope[cells.area] * cells.ridit, link)
            weight = steepness(mu, link) * cells.exposure
            left = cells.outcome - cells.exposure * mu
            h00, h01, h11 = of_ridit(weight)
            g0, g1, _ = of_ridit(left)
            determinant = h00 * h11 - h01**2
            steps = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
            # A step of more than 5 on the scale of logarithms would jump over the answer.
            most = np.inf if link == "identity" else 5.0
            moved = [np.where(is_settled, 0.0, np.clip(step, -most, most)) for step in steps]
            intercept, slope = intercept + moved[0], slope + moved[1]
            is_settled |= np.abs(moved[0]) + np.abs(moved[1]) <= CLOSE_ENOUGH * (1 + np.abs(intercept) + np.abs(slope))
            if is_settled.all():
                break
        residual = np.maximum(cells.outcome_squared - 2 * mu * cells.outcome_exposure + mu**2 * cells.exposure_squared, 0.0)
        m00, m01, m11 = of_ridit(residual)
        # The inverse of the information, either side of the persons' own squared residuals.
        i00, i01, i11 = h11 / determinant, -h01 / determinant, h00 / determinant
        v00 = i00**2 * m00 + 2 * i00 * i01 * m01 + i01**2 * m11
        v01 = i00 * i01 * m00 + (i00 * i11 + i01**2) * m01 + i01 * i11 * m11
        v11 = i01**2 * m00 + 2 * i01 * i11 * m01 + i11**2 * m11
        is_far = (link != "identity") & (np.abs(intercept) + np.abs(slope) > FAR_OUT)
        is_found = is_fitted & is_settled & np.isfinite(v00 + v01 + v11) & ~is_far
    blank = np.where(is_found, 0.0, np.nan)
    return Lines(intercept + blank, slope + blank, v00 + blank, v01 + blank, v11 + blank, link), is_found
