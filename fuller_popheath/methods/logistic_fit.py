"""Maximum likelihood for a logistic model of a few columns, for any number of people.

Unpenalised, with standard errors; says so where there is no maximum instead of giving back wherever it stopped. What does not belong
here: prediction models of many columns, and what the columns mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# People taken at a time: one block of some columns stays in a processor's cache.
BLOCK = 1 << 15
# With columns scaled to a mean square of 1, a longer step than this only overshoots.
LONGEST_STEP = 5.0
MOST_STEPS = 60
# Sums over a million people agree to about this share of themselves.
ROUNDING = 1e-11
# Half a deviance below this: every outcome is told, so the columns separate the outcomes and the coefficients only grow.
CERTAIN = 1e-6


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients in the order of the columns, and their covariance (inverse of the observed information)."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]


def fit_logistic(columns: NDArray[np.float64], outcome: NDArray[np.bool_], offset: NDArray[np.float64] | None = None) -> LogisticFit | None:
    """Coefficients b that make the outcomes most likely where log-odds = columns @ b + offset; None where no finite b does.

    columns: people x columns, without an intercept of its own (give a column of ones). There is no maximum where one outcome is missing,
    where the columns separate the outcomes, or where columns depend on each other. Newton's method (Nelder and Wedderburn, J R Stat Soc A 135
    (1972) 370-384) with steps cut until the likelihood rises.
    """
    scale = np.sqrt(np.einsum("ij,ij->j", columns, columns) / max(len(columns), 1))
    if not (scale > 0).all():
        return None
    beta = np.zeros(columns.shape[1])
    deviance, slope, information = _likelihood(columns, outcome, offset, beta)
    for _ in range(MOST_STEPS):
        scaled = information / np.outer(scale, scale)
        if deviance < CERTAIN or not np.isfinite(scaled).all() or np.linalg.cond(scaled) > 1e12:
            return None
        step = np.linalg.solve(scaled, slope / scale)
        step *= min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-9:
            return LogisticFit(beta, np.linalg.inv(scaled) / np.outer(scale, scale))
        last = deviance
        for _ in range(30):
            deviance, slope, information = _likelihood(columns, outcome, offset, beta + step / scale)
            if deviance <= last * (1 + ROUNDING):
                break
            step /= 2
        else:
            return None
        beta = beta + step / scale
    return None


def _likelihood(
    columns: NDArray[np.float64], outcome: NDArray[np.bool_], offset: NDArray[np.float64] | None, beta: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Deviance / 2, the slope of the likelihood, and the information, summed over blocks of people."""
    deviance, slope, information = 0.0, np.zeros(beta.size), np.zeros((beta.size, beta.size))
    for start in range(0, len(columns), BLOCK):
        happened = outcome[start : start + BLOCK]
        # Column by column, and by einsum: BLAS takes a hundred times as long for a single column.
        block = np.ascontiguousarray(columns[start : start + BLOCK].T)
        log_odds = np.einsum("ip,i->p", block, beta)
        if offset is not None:
            log_odds += offset[start : start + BLOCK]
        small = np.exp(-np.abs(log_odds))
        probability = np.where(log_odds >= 0, 1.0, small) / (1 + small)
        # -log likelihood = log(1 + e^-|x|), plus |x| for who had what the sign of x speaks against.
        deviance += float(np.log1p(small).sum() + np.abs(log_odds[(log_odds > 0) != happened]).sum())
        slope += np.einsum("ip,p->i", block, happened - probability)
        information += np.einsum("ip,jp->ij", block * (small / np.square(1 + small)), block)
    return deviance, slope, information
