"""The audit of what is hidden: which small counts an attacker with linear programming could work out from everything that is shown.

Any table that agrees with what is shown is one that the attacker cannot rule out, and so is everything between it and the true one. So a few tables,
each found by pushing many small cells away from the truth at once, prove most cells safe; only those that are left are asked for one by one. The
intervals are those of the linear relaxation, as in the audits of statistical offices. What does not belong here: deciding what to hide (`hiding.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.what_is_known import NO_LIMIT

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from fuller_popheath.disclosure.cell_lines import Cells
    from fuller_popheath.disclosure.rules import Rule
    from fuller_popheath.disclosure.what_is_known import Bounds

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

TOGETHER, FEW = 16, 60
"""How many tables are tried at most before the cells that are left are asked for one by one, and how few are asked for at once."""
CHUNK = 2_000
"""Parts of the table that have no line in common are audited together up to so many cells."""
AMPLE = 30
"""A line with a rest of so many people that nobody publishes holds its cells so loosely that they can be audited apart."""
EXACT_UP_TO, PATIENCE = 6_000, 5
"""Cells that hang together, up to which each doubtful one is asked for among all at once; and how often it is asked for nearby before, in larger
tables."""
EXACT = 1e-5
LOW, HIGH = 0, 1
"""Which end of what is known of a cell."""


class Audit:
    """What has been shown to be possible for each target so far: hiding more cells never takes it back."""

    def __init__(self, cells: Cells, targets: Flags, rule: Rule) -> None:
        from scipy.sparse import csr_matrix

        self.cells, self.targets, self.rule = cells, np.flatnonzero(targets), rule
        count, lines = len(cells.count), len(cells.total)
        entries = np.concatenate([np.ones(len(cells.part)), -np.ones(lines)])
        where = (np.concatenate([cells.line, np.arange(lines)]), np.concatenate([cells.part, cells.total]))
        self.lines: csr_matrix = csr_matrix((entries, where), shape=(lines, count))
        self.by_cell: csr_matrix = self.lines.T.tocsr()
        self.ample = (np.arange(count) >= cells.published_count) & (cells.count >= AMPLE)
        self.is_loose = np.bincount(cells.line, weights=self.ample[cells.part], minlength=lines) > 0
        self.lowest = cells.count.astype(np.float64)
        self.highest = self.lowest.copy()
        self.last = np.zeros(count)
        self.asked: dict[int, int] = {}
        self.in_the_way: dict[int, list[tuple[int, int]]] = {}

    def unsafe(self, bounds: Bounds) -> Numbers:
        """Targets of which fewer than `rule.least_possible` small counts are possible. `bounds` as `what_is_known.tightened` gives them.

        Exact where no more than EXACT_UP_TO cells hang together; in larger tables a few may be among them that are safe (never the other way round),
        until they have been asked for PATIENCE times.
        """
        for chunk in self._chunks(self._left(self.targets)):
            self._push_together(self._left(self.targets[np.isin(self.targets, chunk)]), chunk, bounds)
        found = [int(cell) for cell in self._left(self.targets) if not self._is_safe(int(cell), bounds)]
        return np.array(found, np.int64)

    def _push_together(self, targets: Numbers, chunk: Numbers, bounds: Bounds) -> None:
        """Finds possible tables in which many targets differ from the truth, in ever wider surroundings, until few are left or nothing is gained."""
        reach = 3
        for turn in range(TOGETHER):
            if len(targets) <= FEW:
                return
            free = chunk if turn < 2 else self._near(targets, reach)
            self._push(free, targets, self._directions(targets, bounds, turn), bounds, turn)
            before, targets = len(targets), self._left(targets)
            if turn > 2 and len(targets) > 0.8 * before:
                return
            reach += len(targets) > 0.7 * before

    def _left(self, targets: Numbers) -> Numbers:
        """Those of the targets that are not yet shown to be safe."""
        highest = np.minimum(self.highest[targets], self.rule.largest_hidden)
        possible = np.floor(highest + EXACT) - np.ceil(self.lowest[targets] - EXACT) + 1
        return targets[possible < self.rule.least_possible]

    def _components(self, loose_too: bool) -> Numbers:
        """A number for each cell, the same for those that hang together by lines."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        count = len(self.cells.count)
        counted = loose_too | ~self.is_loose[self.cells.line]
        ends = self.cells.part[counted], self.cells.total[self.cells.line[counted]]
        numbers: Numbers = connected_components(csr_matrix((np.ones(len(ends[0])), ends), shape=(count, count)), directed=False)[1]
        return numbers

    def _chunks(self, targets: Numbers) -> Iterator[Numbers]:
        """Cells by the parts of the table that hang together and have a target, small ones taken together."""
        if not len(targets):
            return
        component = self._components(loose_too=False)
        wanted = np.isin(component, component[targets])
        order = np.flatnonzero(wanted)[np.argsort(component[wanted], kind="stable")]
        starts = np.flatnonzero(np.diff(component[order], prepend=-1))
        begin = 0
        for end in [*starts[1:], len(order)]:
            if end - begin >= CHUNK or end == len(order):
                yield self._with_rests(order[begin:end])
                begin = end

    def around(self, cell: int, steps: int) -> Numbers:
        """The cells that share a line with a cell, and with those, so many steps far."""
        return self._near(np.array([cell]), steps)

    def _near(self, targets: Numbers, steps: int) -> Numbers:
        """The targets and the cells that share a line with them, and with those, so many steps far; loose lines lead nowhere."""
        near = targets
        for _ in range(steps):
            lines = np.unique(self.by_cell[near].indices)
            near = np.union1d(near, self.lines[lines[~self.is_loose[lines]]].indices)
        return self._with_rests(near)

    def _with_rests(self, cells: Numbers) -> Numbers:
        """The cells and the ample rests of the lines that they stand in, which take up whatever their lines lose or gain."""
        lines = np.unique(self.by_cell[cells].indices)
        around = np.unique(self.lines[lines[self.is_loose[lines]]].indices)
        return np.union1d(cells, around[self.ample[around]]).astype(np.int64)

    def _directions(self, targets: Numbers, bounds: Bounds, turn: int) -> Floats:
        """Up or down for each target, so that the pushes in every line cancel out as far as they can: then totals need not move."""
        pushed = np.zeros(len(self.cells.total))
        direction = np.ones(len(targets))
        start, lines, signs = self.by_cell.indptr, self.by_cell.indices, self.by_cell.data
        for place in np.argsort(_spread(len(targets), turn)):
            cell = targets[place]
            own, sign = lines[start[cell] : start[cell + 1]], signs[start[cell] : start[cell + 1]]
            balance = float((pushed[own] * sign).sum())
            towards = -self.last[cell] if self.last[cell] and abs(balance) < 2 else 1.0 if balance <= 0 else -1.0
            if self.lowest[cell] <= bounds.low[cell] + EXACT:
                towards = 1.0
            elif self.highest[cell] >= min(bounds.high[cell], self.rule.largest_hidden) - EXACT:
                towards = -1.0
            pushed[own] += towards * sign
            direction[place] = self.last[cell] = towards
        return direction

    def _push(self, free: Numbers, targets: Numbers, direction: Floats, bounds: Bounds, turn: int = 0) -> None:
        """Finds a possible table in which the targets are pushed as far as they need, all cells but the `free` ones being as they are.

        For a target alone also which cells stop it from going further: those whose limits have a price in the linear programme.
        """
        from scipy.optimize import linprog

        truth = self.cells.count.astype(np.float64)
        low, high = bounds.low - truth, np.where(bounds.high >= NO_LIMIT / 2, np.inf, bounds.high - truth)
        enough = self.rule.least_possible - 1
        furthest = np.minimum(np.ceil(self.lowest[targets] - EXACT) + enough, self.rule.largest_hidden)
        nearest = np.floor(np.minimum(self.highest[targets], self.rule.largest_hidden) + EXACT) - enough
        high[targets] = np.where(direction > 0, np.minimum(high[targets], furthest - truth[targets]), high[targets])
        low[targets] = np.where(direction < 0, np.maximum(low[targets], nearest - truth[targets]), low[targets])
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        matrix = self.lines[:, free]
        matrix = matrix[np.flatnonzero(np.diff(matrix.indptr))]
        gain = np.zeros(len(truth))
        gain[targets] = -direction * (0.5 + _spread(len(targets), turn + 1))
        found = linprog(gain[free], A_eq=matrix, b_eq=np.zeros(matrix.shape[0]), bounds=np.column_stack([low[free], high[free]]), method="highs-ipm")
        if found.x is not None and found.status == 0:
            self.lowest[free] = np.minimum(self.lowest[free], truth[free] + found.x)
            self.highest[free] = np.maximum(self.highest[free], truth[free] + found.x)
            if len(targets) == 1:
                lower, upper = (free[np.abs(limit.marginals) > EXACT] for limit in (found.lower, found.upper))
                stops = self.in_the_way.setdefault(int(targets[0]), [])
                stops += [*((int(cell), LOW) for cell in lower), *((int(cell), HIGH) for cell in upper)]

    def _is_safe(self, cell: int, bounds: Bounds) -> bool:
        """Whether enough counts of one target are possible: asked of the cells near it first, then of all that hang together with it."""
        alone, component = np.array([cell]), self._components(loose_too=True)
        everything = np.flatnonzero(component == component[cell])
        self.asked[cell] = self.asked.get(cell, 0) + 1
        wider = [everything] if len(everything) <= EXACT_UP_TO or self.asked[cell] > PATIENCE else [self._near(alone, 2 + self.asked[cell])]
        for free in (self._near(alone, 2), *wider):
            self.in_the_way[cell] = []
            for direction in (1.0, -1.0):
                self._push(free, alone, np.array([direction]), bounds)
                if not len(self._left(alone)):
                    return True
        return False


def _spread(count: int, turn: int) -> Floats:
    """Numbers from 0 to 1, spread evenly and in no order; others at each turn, and the same in every run."""
    return (np.arange(1, count + 1) * (np.sqrt(5) - 1) / 2 + turn * (np.sqrt(2) - 1)) * (2 * turn + 1) % 1.0
