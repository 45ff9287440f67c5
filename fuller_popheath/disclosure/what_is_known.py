"""What somebody who sees a controlled table knows of each cell, and what follows for the others: the attacker that control is made against.

Known of a cell that is shown: the counts that are rounded to it; nought is exact. Of one that is hidden because it is small: that it is small; of
one that is hidden for another's sake: that it is not (a real attacker does not know which is which, so that whoever is safe from this one is safe
from them). Of one that is never published: nothing. And every line adds up. What does not belong here: deciding what to hide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fuller_popheath.disclosure.cell_lines import Cells
    from fuller_popheath.disclosure.rules import Rule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

NO_LIMIT = 1e12
SWEEPS = 60


@dataclass(frozen=True)
class Bounds:
    """The smallest and the largest count that each cell can have, and the line that says so; -1 where the cell tells it by itself."""

    low: Floats
    high: Floats
    low_by: Numbers
    high_by: Numbers

    def possible(self, largest: int) -> Floats:
        """How many counts up to `largest` each cell can have."""
        return np.minimum(self.high, largest) - self.low + 1


def known_at_sight(cells: Cells, hidden: Flags, rule: Rule, may_be_nought: Flags) -> Bounds:
    """What each cell tells by itself. `may_be_nought`: hidden cells among which noughts are hidden too."""
    count, half_down, half_up = cells.count.astype(np.float64), rule.rounded_to // 2, (rule.rounded_to - 1) // 2
    shown = (cells.count + half_down) // rule.rounded_to * rule.rounded_to
    low = np.where(count == 0, 0, np.maximum(shown - half_down, rule.least_shown)).astype(np.float64)
    high = np.where(count == 0, 0, shown + half_up).astype(np.float64)
    is_small = cells.count <= rule.largest_hidden
    low[hidden & is_small] = 1
    low[hidden & is_small & (may_be_nought | (count == 0))] = 0
    high[hidden & is_small] = rule.largest_hidden
    low[hidden & ~is_small] = rule.least_shown
    high[hidden & ~is_small] = NO_LIMIT
    low[cells.published_count :], high[cells.published_count :] = 0, NO_LIMIT
    return Bounds(low, high, np.full(len(low), -1), np.full(len(low), -1))


def tightened(cells: Cells, bounds: Bounds) -> Bounds:
    """What follows when every line is used in turn until nothing new follows. Cheap; who has linear programming may know more (`auditing.py`)."""
    low, high, low_by, high_by = bounds.low.copy(), bounds.high.copy(), bounds.low_by.copy(), bounds.high_by.copy()
    total, line, part, lines = cells.total, cells.line, cells.part, len(cells.total)
    where, by = np.concatenate([part, total]), np.concatenate([line, np.arange(lines)])
    for _ in range(SWEEPS):
        low_sum, high_sum = np.bincount(line, weights=low[part], minlength=lines), np.bincount(line, weights=high[part], minlength=lines)
        new_high = np.concatenate([high[total][line] - (low_sum[line] - low[part]), high_sum])
        new_low = np.concatenate([low[total][line] - (high_sum[line] - high[part]), low_sum])
        less, more = np.flatnonzero(new_high < high[where]), np.flatnonzero(new_low > low[where])
        if not len(less) and not len(more):
            break
        np.minimum.at(high, where[less], new_high[less])
        np.maximum.at(low, where[more], new_low[more])
        less, more = less[new_high[less] == high[where[less]]], more[new_low[more] == low[where[more]]]
        high_by[where[less]], low_by[where[more]] = by[less], by[more]
    return Bounds(low, high, low_by, high_by)
