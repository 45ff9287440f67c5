"""Which cells are hidden: those that are small, and others beside them until what remains tells nothing of the small ones.

What does not belong here: how cells hang together (`cell_lines.py`), and what an attacker makes of them (`what_is_known.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.auditing import HIGH, LOW, Audit
from fuller_popheath.disclosure.what_is_known import Bounds, known_at_sight, tightened
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fuller_popheath.disclosure.cell_lines import Cells
    from fuller_popheath.disclosure.rules import Rule

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]
    Limits = list[tuple[int, int]]


AUDITED_UP_TO = 500
"""Tables of so many published cells are audited by linear programming besides. In larger ones every line is used in turn, until nothing new follows:
that finds what adding and taking away can find, and costs seconds where linear programmes cost hours."""


@dataclass(frozen=True)
class Hiding:
    """What is hidden so far. `targets`: the small cells that nobody may work out, published or not; `may_be_nought`: hidden among noughts."""

    hidden: Flags
    targets: Flags
    may_be_nought: Flags


def hidden_cells(cells: Cells, rule: Rule, hidden_elsewhere: Flags | None = None, shown_elsewhere: Flags | None = None) -> Flags:
    """One answer a cell: whether it must not be shown. Raises ContractBroken where no table can be shown without giving somebody away.

    `hidden_elsewhere`, `shown_elsewhere`: cells that another table tells of, as it does there. To hide what is shown there would help nobody, so
    others are hidden in its place, as far as there are any.
    """
    start = first_hidden(cells, rule)
    hidden = start.hidden.copy()
    if hidden_elsewhere is not None:
        hidden |= hidden_elsewhere
    if not rule.largest_hidden:
        return hidden
    audit = Audit(cells, start.targets, rule)
    loosening = Loosening(cells, rule, audit, shown_elsewhere)
    while True:
        bounds = tightened(cells, known_at_sight(cells, hidden, rule, start.may_be_nought))
        unsafe = np.flatnonzero(start.targets & (bounds.possible(rule.largest_hidden) < rule.least_possible))
        is_plain = len(unsafe) > 0
        unsafe = unsafe if is_plain or cells.published_count > AUDITED_UP_TO else audit.unsafe(bounds)
        if not len(unsafe):
            return hidden
        more = loosening.to_hide(unsafe, hidden, bounds, {} if is_plain else audit.in_the_way)
        if not len(more):
            raise ContractBroken(f"{len(unsafe)} small counts can be worked out although everything beside them is hidden: publish fewer rows")
        hidden[more] = True


def first_hidden(cells: Cells, rule: Rule) -> Hiding:
    """What is hidden for its own sake: small counts, all that is told of few people, and numerators close to their denominators."""
    count, published = cells.count, np.arange(len(cells.count)) < cells.published_count
    limit, least = rule.largest_hidden, 0 if rule.hides_nought else 1
    hidden = published & (count >= least) & (count <= limit)
    few = (count >= 1) & (count <= limit)
    may_be_nought = np.zeros(len(count), bool)
    may_be_nought[cells.part[few[cells.total][cells.line]]] = True
    may_be_nought[cells.numerator[few[cells.whole]]] = True
    if limit:
        left = count[cells.whole] - count[cells.numerator]
        hidden[cells.numerator[(count[cells.whole] > 0) & (left <= limit)]] = True
    hidden |= may_be_nought & published
    told_rest = np.zeros(len(count), bool)
    told_rest[cells.part[cells.is_rest[cells.part]]] = count[cells.total][cells.line[cells.is_rest[cells.part]]] > 0
    targets = few | (told_rest & (count <= limit))
    return Hiding(hidden, targets, may_be_nought | np.full(len(count), rule.hides_nought))


class Loosening:
    """Finds what to hide next for cells that can be worked out: of the cells whose figures let them be, the one with fewest people that helps."""

    def __init__(self, cells: Cells, rule: Rule, audit: Audit, shown_elsewhere: Flags | None = None) -> None:
        self.cells, self.rule, self.audit = cells, rule, audit
        self.elsewhere = np.zeros(len(cells.count), bool) if shown_elsewhere is None else shown_elsewhere
        self.asked: dict[int, int] = {}
        order = np.argsort(cells.line, kind="stable")
        self.parts_of = cells.part[order]
        self.first_part = np.searchsorted(cells.line[order], np.arange(len(cells.total) + 1))

    def to_hide(self, unsafe: Numbers, hidden: Flags, bounds: Bounds, in_the_way: Mapping[int, Limits]) -> Numbers:
        """The cells to hide now: one for each that can be worked out, two for one that still can after that, and so on.

        `in_the_way`: by cell, what an audit found instead of the bounds.
        """
        found = set()
        for cell in (int(cell) for cell in unsafe):
            stops = in_the_way.get(cell) or [(cell, LOW), (cell, HIGH)]
            limits = [limit for stop, way in stops for limit in self._limits(stop, way, bounds)]
            self.asked[cell] = self.asked.get(cell, 0) + 1
            need = self.rule.least_possible - bounds.possible(self.rule.largest_hidden)[cell]
            # What another table shows is hidden here at last, where nothing else is left.
            helps = (self._helpful(limits, hidden | self.elsewhere, bounds, need) or self._around(cell, hidden | self.elsewhere)) or (
                self._helpful(limits, hidden, bounds, need) or self._around(cell, hidden)
            )
            found.update(helps[: self.asked[cell]])
        return np.array(sorted(found), np.int64)

    def _limits(self, cell: int, side: int, bounds: Bounds) -> Limits:
        """Which cells, by what they tell at sight, are why a cell cannot be less (LOW) or more (HIGH) than its bound."""
        found: Limits = []
        seen, ahead = {(cell, side)}, [(cell, side)]
        while ahead:
            one, way = ahead.pop()
            line = int((bounds.low_by if way == LOW else bounds.high_by)[one])
            if line < 0:
                found.append((one, way))
                continue
            parts, total = self.parts_of[self.first_part[line] : self.first_part[line + 1]], int(self.cells.total[line])
            if one == total:
                reasons = [(int(part), way) for part in parts]
            else:
                reasons = [(total, way), *((int(part), HIGH if way == LOW else LOW) for part in parts if part != one)]
            ahead += [reason for reason in reasons if reason not in seen]
            seen.update(reasons)
        return found

    def _helpful(self, limits: Limits, hidden: Flags, bounds: Bounds, need: float) -> list[int]:
        """The shown cells whose hiding gives room, best first: those that give enough, by fewest people; then those that give some; then nought."""
        choices = set()
        for cell, way in limits:
            if cell >= self.cells.published_count or hidden[cell]:
                continue
            count = int(self.cells.count[cell])
            room = np.inf if way == HIGH else bounds.low[cell] - self.rule.least_shown
            if count == 0:
                choices.add((2, count, cell))
            elif room > 0:
                choices.add((0 if room >= need else 1, count, cell))
        return [cell for _, _, cell in sorted(choices)]

    def _around(self, cell: int, hidden: Flags) -> list[int]:
        """The shown cells as near as there are any, by fewest people, noughts last; none where everything around the cell is hidden."""
        for steps in range(1, 6):
            near = self.audit.around(cell, steps)
            near = near[near < self.cells.published_count]
            shown = near[~hidden[near] & (self.cells.count[near] > 0)]
            if len(shown):
                return [int(one) for one in shown[np.argsort(self.cells.count[shown], kind="stable")]]
        # Where only noughts are left, they go too: each of them may then be a small count.
        near = self.audit.around(cell, 2)
        return [int(one) for one in near[(near < self.cells.published_count) & ~hidden[near]]]
