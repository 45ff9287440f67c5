"""People gathered by equal score: what every statistic of ranks needs, whoever came first in the file.

Ties are never broken by the order of the rows: people of equal score stand together. What does not belong here: any statistic itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DistinctScores:
    """The distinct scores from the lowest, how many people have each and how many of those had the outcome; and people by rising score."""

    score: NDArray[np.float64]
    people: NDArray[np.int64]
    events: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def others(self) -> NDArray[np.int64]:
        """How many people of each score did not have the outcome."""
        return self.people - self.events

    @property
    def place(self) -> NDArray[np.int64]:
        """Which distinct score each person has, in the order the people were given."""
        place = np.empty(self.order.size, dtype=np.int64)
        place[self.order] = np.repeat(np.arange(self.score.size), self.people)
        return place


def distinct_scores(outcome: NDArray[np.bool_], score: NDArray[np.float64]) -> DistinctScores:
    """Gather people by score: n log n, one sort. The order among people of one score means nothing, and no statistic may use it."""
    order = np.argsort(score)
    ordered = score[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if score.size else np.empty(0, dtype=np.int64)
    found = np.concatenate([[0], np.cumsum(outcome[order])])
    ends = np.append(starts, score.size)
    return DistinctScores(ordered[starts], np.diff(ends), np.diff(found[ends]), order)
