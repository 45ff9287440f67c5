"""Makes a model's log-odds right at a later date than it was fitted at: a straight line with a positive slope, so that nobody changes places.

Two numbers and no steps (isotonic regression would leave a few dozen different scores among many thousand people). The line in use rests on everybody
at that date. Nobody is judged by it: each is judged by the line of the others (`CrossFitted`). What does not belong here: any figure that says how
good the result is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.methods.logistic_line import logistic_line
from fuller_popheath.risk.person_share import person_share

if TYPE_CHECKING:
    import pyarrow as pa

DIGITS = 10
"""Of intercept and slope: far beyond what any number of people can tell."""

GROUPS = 5
"""Into so many groups people are dealt, each judged by a line of the others: four fifths of the evidence instead of a part set aside."""

USE = "groups of recalibration"
"""What a person's number decides here; see `person_share`."""


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


@dataclass(frozen=True)
class CrossFitted:
    """Lines to judge by: `whole` of everybody, which is the one in use, and for each group of people the line of those in all other groups."""

    whole: Recalibration
    without: tuple[Recalibration, ...]

    def apply(self, log_odds: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Recalibrated log-odds of each, by the line that does not know what became of anybody in their group (`groups_of_people`)."""
        intercepts, slopes = (np.array([getattr(line, name) for line in self.without]) for name in ("intercept", "slope"))
        return np.asarray(intercepts[group] + slopes[group] * log_odds)

    def told(self) -> dict[str, Any]:
        """As a manifest keeps it."""
        return {**_told(self.whole), "without_group": [_told(line) for line in self.without]}


def groups_of_people(ids: pa.Array | pa.ChunkedArray, seed: int) -> np.ndarray:
    """The group of each person, from 0 to GROUPS - 1, for good: it rests on their id and the seed alone."""
    return np.asarray((person_share(ids, seed, USE) * GROUPS).astype(np.int8))


def recalibration_of(log_odds: np.ndarray, has_outcome: np.ndarray) -> Recalibration:
    """The line that makes `log_odds` fit what happened to people the model has not seen ("logistic recalibration").

    Raises ValueError for no people, or a log-odds that is not finite.
    """
    return _line(*_in_one_order(log_odds, has_outcome)[:2])


def cross_fitted(log_odds: np.ndarray, has_outcome: np.ndarray, group: np.ndarray) -> CrossFitted:
    """The line of everybody, and for each group that of everybody else. Where nobody else is there it is the line of everybody.

    Judged so, observed over expected of everybody together is close to 1 whatever the model (each group's level is that of the others); what such
    figures show is the spread of risks and the groups of people. How well the level lasts is seen before recalibration (`model_figures.as_fitted`).
    Errors as `recalibration_of`.
    """
    scores, outcomes, order = _in_one_order(log_odds, has_outcome)
    whole, of = _line(scores, outcomes), np.asarray(group)[order]
    others = [of != number for number in range(GROUPS)]
    return CrossFitted(whole, tuple(_line(scores[keep], outcomes[keep], whole) if keep.any() else whole for keep in others))


def lines_to_judge_by(in_use: Recalibration, manifest: Mapping[str, Any], index_date: date) -> CrossFitted:
    """By which lines a stored model is judged on people of an index date.

    By those of the other groups as long as follow-up from the validation date it was made with was not over on the index date, because the line in
    use knows what became of these people then; later by the line in use. So also where the manifest tells of no other.
    """
    told = manifest.get("recalibration", {}).get("without_group", ())
    made_at = manifest.get("validation_index_date")
    is_over = made_at is not None and date.fromisoformat(made_at) + timedelta(days=int(manifest["horizon_days"])) <= index_date
    if is_over or len(told) != GROUPS:
        return CrossFitted(in_use, (in_use,) * GROUPS)
    return CrossFitted(in_use, tuple(Recalibration(line["intercept"], line["slope"]) for line in told))


def _in_one_order(log_odds: np.ndarray, has_outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both by rising log-odds: sums come out the same whatever order the people came in. The last digit is part of a model's identity."""
    order = np.lexsort((has_outcome, log_odds))
    return np.asarray(log_odds)[order], np.asarray(has_outcome)[order], order


def _line(scores: np.ndarray, outcomes: np.ndarray, start: Recalibration | None = None) -> Recalibration:
    intercept, slope = logistic_line(scores, outcomes, None if start is None else (start.intercept, start.slope))
    return Recalibration(round(intercept, DIGITS), round(slope, DIGITS))


def _told(line: Recalibration) -> dict[str, float]:
    return {"intercept": line.intercept, "slope": line.slope}
