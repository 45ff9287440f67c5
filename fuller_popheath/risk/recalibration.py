"""Makes a model's log-odds right on people it was not fitted on: a straight line with a positive slope, so that nobody changes places.

Two numbers and no steps (isotonic regression would leave a few dozen different scores among many thousand people). What does not belong here: any
figure that says how good the result is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.methods.logistic_line import logistic_line

DIGITS = 10
"""Of intercept and slope: far beyond what any number of people can tell."""


@dataclass(frozen=True)
class Recalibration:
    """`intercept + slope * log_odds`; `slope` is above 0, so the order of people stays. Raises ValueError for another slope."""

    intercept: float = 0.0
    slope: float = 1.0

    def __post_init__(self) -> None:
        if not (self.slope > 0 and np.isfinite(self.slope) and np.isfinite(self.intercept)):
            raise ValueError("a recalibration has a finite intercept and a slope above 0")

    def apply(self, log_odds: np.ndarray) -> np.ndarray:
        """Recalibrated log-odds of each."""
        return self.intercept + self.slope * log_odds


def recalibration_of(log_odds: np.ndarray, has_outcome: np.ndarray) -> Recalibration:
    """The line that makes `log_odds` fit what happened to people the model has not seen ("logistic recalibration").

    Raises ValueError for no people, or a log-odds that is not finite.
    """
    # Sums in one order, whatever order the people came in: the last digit is part of a model's identity.
    order = np.lexsort((has_outcome, log_odds))
    intercept, slope = logistic_line(np.asarray(log_odds)[order], np.asarray(has_outcome)[order])
    return Recalibration(round(intercept, DIGITS), round(slope, DIGITS))
