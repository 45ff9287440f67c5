"""The best selection of so many people with a floor under each of several groups: exact, however the groups overlap, and what each floor costs.

In: arrays with one entry a person. People who are in the same groups differ in nothing but score and draw, so that only how many of each
such cell are chosen is open: a small integer programme (HiGHS, by scipy), and where no floor binds a sort. Values are told to about 1e-10 of the
range of the scores. What does not belong here: where scores, floors and draws come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SPAN = 1e4
"""The range that scores are stretched to for HiGHS, whose absolute tolerances are 1e-6 and cannot be set."""

TOLERANCE = 1e-6
"""Within so much of a bound, in units of the stretched scores, is the bound."""

OPEN = (6, 40)
"""How many people of a cell are open on either side of the margin at first, and then."""


@dataclass(frozen=True)
class Selection:
    """Who is chosen. `value`: the sum of their scores. `by_score_alone`: who would be if nothing counted but score and draw; `threshold`: the lowest
    score among those (NaN where there is nobody)."""

    chosen: NDArray[np.bool_]
    value: float
    by_score_alone: NDArray[np.bool_]
    threshold: float


class Infeasible(Exception):
    """No selection meets every floor. `shortfall`: by how many people each is missed where all together are missed by as few as can be."""

    def __init__(self, shortfall: dict[str, int]) -> None:
        missed = ", ".join(f"{name} by {count}" for name, count in shortfall.items() if count)
        super().__init__(f"the floors cannot all be met; the nearest miss: {missed}")
        self.shortfall = shortfall


def select(
    score: ArrayLike,
    slots: int,
    groups: Mapping[str, ArrayLike],
    minimum: Mapping[str, int],
    keep: ArrayLike,
    draw: ArrayLike,
) -> Selection:
    """The `slots` people with the highest sum of scores, among them all of `keep` and at least `minimum[g]` of each group g; fewer people: all.

    `groups`: for each group who is in it; groups may overlap. Of equal scores the lowest draw goes first: nobody who is left out could take the place
    of somebody with the same score and a higher draw without breaking a floor. The order of people decides nothing. Raises Infeasible, and
    ValueError for a score that is not a number, arrays of different lengths, a floor without a group, or more people to keep than places.
    """
    problem = _problem(score, slots, groups, minimum, keep, draw)
    return problem.selection(problem.solved(problem.minimum))


def relaxed(
    score: ArrayLike,
    slots: int,
    groups: Mapping[str, ArrayLike],
    minimum: Mapping[str, int],
    keep: ArrayLike,
    draw: ArrayLike,
) -> dict[str, int]:
    """The nearest floors that can be met, as `minimum`: missed by as few people in total as can be, and of these the ones with the highest value.

    Floors that can be met come back as they are. Arguments and ValueError as for `select`.
    """
    problem = _problem(score, slots, groups, minimum, keep, draw)
    short = problem.shortfall(problem.minimum)
    return {name: count - short.get(name, 0) for name, count in minimum.items()}


def prices(
    score: ArrayLike,
    slots: int,
    groups: Mapping[str, ArrayLike],
    minimum: Mapping[str, int],
    keep: ArrayLike,
    draw: ArrayLike,
) -> dict[str, float]:
    """What each floor costs: the value of the best selection without it (and with the others) less the value with it; 0 where it binds nothing.

    Arguments and errors as for `select`.
    """
    problem = _problem(score, slots, groups, minimum, keep, draw)
    value = problem.value(problem.solved(problem.minimum))
    found = dict.fromkeys(minimum, 0.0)
    for name in problem.minimum:
        others = {other: count for other, count in problem.minimum.items() if other != name}
        found[name] = max(0.0, problem.value(problem.solved(others)) - value)
    return found


@dataclass(frozen=True)
class _Problem:
    """People in the order in which score and draw put them (`order`: their places as given), with what `select` was given."""

    order: NDArray[np.int64]
    score: NDArray[np.float64]
    draw: NDArray[np.float64]
    keep: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.bool_]]
    minimum: Mapping[str, int]
    places: int

    def solved(self, minimum: Mapping[str, int]) -> NDArray[np.bool_]:
        """Who is chosen, in our order, under some of the floors. Raises Infeasible."""
        plain = self._plain()
        if self._meets(plain, minimum):
            return plain
        cells = _Cells.of(self, minimum)
        counts = cells.best_counts(self, minimum)
        if counts is None:
            raise Infeasible(self.shortfall(minimum))
        return cells.with_lower_draws(self, minimum, counts)

    def _plain(self) -> NDArray[np.bool_]:
        """The best by score and draw, after those to keep."""
        plain = self.keep.copy()
        plain[np.flatnonzero(~self.keep)[: self.places - int(self.keep.sum())]] = True
        return plain

    def _meets(self, chosen: NDArray[np.bool_], minimum: Mapping[str, int]) -> bool:
        return all(np.count_nonzero(chosen & self.groups[name]) >= count for name, count in minimum.items())

    def shortfall(self, minimum: Mapping[str, int]) -> dict[str, int]:
        """By how many people each floor is missed by the nearest selection, of several such by the one with the highest value."""
        if self._meets(self._plain(), minimum):
            return dict.fromkeys(minimum, 0)
        cells = _Cells.of(self, minimum)
        fewest = cells.fewest_missed(minimum)
        counts = cells.best_counts(self, minimum, missed=fewest)
        assert counts is not None  # the fewest can be missed
        return {name: max(0, count - cells.inside(name, counts)) for name, count in minimum.items()}

    def value(self, chosen: NDArray[np.bool_]) -> float:
        return math.fsum(self.score[chosen].tolist())

    def selection(self, chosen: NDArray[np.bool_]) -> Selection:
        alone = np.arange(len(self.score)) < self.places
        back = np.empty_like(self.order)
        back[self.order] = np.arange(len(self.order))
        threshold = float(self.score[self.places - 1]) if self.places else math.nan
        return Selection(chosen[back], self.value(chosen), alone[back], threshold)


def _problem(score: ArrayLike, slots: int, groups: Mapping[str, ArrayLike], minimum: Mapping[str, int], keep: ArrayLike, draw: ArrayLike) -> _Problem:
    scores, draws, kept = np.asarray(score, np.float64), np.asarray(draw, np.float64), np.asarray(keep, np.bool_)
    floors = {name: int(count) for name, count in minimum.items() if count > 0}
    if unknown := sorted(set(floors) - set(groups)):
        raise ValueError(f"there is a floor and no group for {', '.join(unknown)}")
    members = {name: np.asarray(groups[name], np.bool_) for name in floors}
    if any(len(each) != len(scores) for each in (draws, kept, *members.values())):
        raise ValueError(f"scores are of {len(scores)} people, and draws, people to keep or groups of another number")
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} scores are not numbers")
    places = min(max(int(slots), 0), len(scores))
    if kept.sum() > places:
        raise ValueError(f"{int(kept.sum())} people are to be kept, and there are {places} places")
    order = np.lexsort((np.arange(len(scores)), draws, -scores))
    ordered = {name: mask[order] for name, mask in members.items()}
    return _Problem(order, scores[order], draws[order], kept[order], ordered, floors, places)


@dataclass(frozen=True)
class _Solution:
    """What HiGHS found: the count of each cell, the miss of each floor, the value; in fractions of people also what a person's share costs."""

    counts: NDArray[np.int64]
    misses: NDArray[np.float64]
    value: float
    reduced: NDArray[np.float64]


def _matrix(parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], float]], columns: int) -> Any:
    """A sparse matrix of (row, column, weight) parts."""
    from scipy.sparse import coo_array

    at, column = (np.concatenate([part[place] for part in parts]).astype(np.int32) for place in (0, 1))
    weight = np.concatenate([np.full(len(part[0]), float(part[2])) for part in parts])
    return coo_array((weight, (at, column)), shape=(int(at.max(initial=0)) + 1, columns)).tocsr()


@dataclass(frozen=True)
class _Cells:
    """People who may yet be chosen, by the groups they are in: for each such combination their places in the problem's order, the best first, and no
    more than there are places left; `kept`: how many to keep there are in each group."""

    patterns: tuple[int, ...]
    people: tuple[NDArray[np.int64], ...]
    names: tuple[str, ...]
    kept: Mapping[str, int]
    free: int

    @classmethod
    def of(cls, problem: _Problem, minimum: Mapping[str, int]) -> _Cells:
        names = tuple(minimum)
        pattern = np.zeros(len(problem.score), np.int64)
        for bit, name in enumerate(names):
            pattern |= problem.groups[name].astype(np.int64) << bit
        free = problem.places - int(problem.keep.sum())
        open_to_all = np.where(problem.keep, -1, pattern)
        found = tuple(int(each) for each in np.unique(open_to_all) if each >= 0)
        people = tuple(np.flatnonzero(open_to_all == each)[:free] for each in found)
        kept = {name: int(np.count_nonzero(problem.keep & problem.groups[name])) for name in names}
        return cls(found, people, names, kept, free)

    def inside(self, name: str, counts: NDArray[np.int64]) -> int:
        """How many of a group are chosen, with so many of each cell and those to keep."""
        bit = self.names.index(name)
        return self.kept[name] + sum(int(count) for pattern, count in zip(self.patterns, counts, strict=True) if pattern >> bit & 1)

    def fewest_missed(self, minimum: Mapping[str, int]) -> int:
        """By how few people in total the floors can be missed."""
        nobody = [np.zeros(0, np.int64)] * len(self.people)
        sizes = np.array([len(each) for each in self.people], np.int64)
        found = self._programme(nobody, sizes, np.zeros(0), minimum, None, is_whole=True)
        assert found is not None  # everything may be missed
        return round(float(found.misses.sum()))

    def best_counts(self, problem: _Problem, minimum: Mapping[str, int], missed: int = 0) -> NDArray[np.int64] | None:
        """How many of each cell the best selection has; None where the floors are missed by more than `missed` in total whatever is chosen.

        First with fractions of people, which is quick and an upper bound. Then in whole people, with only a few of each cell open, those about
        the count it had in fractions. To take in or leave out anybody who is not open would cost `cost` at least by that bound, so that a selection
        within it of the bound is the best of all; else more are opened.
        """
        scores = np.concatenate([problem.score[each] for each in self.people]) if self.people else np.zeros(0)
        span = float(np.ptp(scores)) if len(scores) else 0.0
        scaled = (scores - scores.min()) * (SPAN / span) if span > 0 else np.zeros_like(scores)
        sizes = np.array([len(each) for each in self.people], np.int64)
        cells = np.split(np.arange(len(scores)), np.cumsum(sizes)[:-1]) if len(sizes) else []
        bound = self._programme(cells, 0 * sizes, scaled, minimum, missed, is_whole=False)
        if bound is None:
            return None
        for about in (*OPEN, len(scores)):
            ahead, until = np.maximum(bound.counts - about, 0), np.minimum(bound.counts + about, sizes)
            window = [each[start:end] for each, start, end in zip(cells, ahead, until, strict=True)]
            cost = np.abs(np.delete(bound.reduced, np.concatenate([*window, np.zeros(0, np.int64)])))
            found = self._programme(window, ahead, scaled, minimum, missed, is_whole=True)
            if found is not None:
                value = sum(float(scaled[each[:count]].sum()) for each, count in zip(cells, found.counts, strict=True))
                if bound.value - value <= cost.min(initial=math.inf) + TOLERANCE:
                    return found.counts
        return None

    def _programme(
        self,
        window: Sequence[NDArray[np.int64]],
        ahead: NDArray[np.int64],
        scores: NDArray[np.float64],
        minimum: Mapping[str, int],
        missed: int | None,
        is_whole: bool,
    ) -> _Solution | None:
        """The highest score with the floors missed by at most `missed` in total; None: the fewest missed, whatever the score.

        In: of each cell the people who are open (places in `scores`), and how many before them are chosen already (where none are open: may be).
        Variables: the share of each open person, the count of each cell, the miss of each floor. As scores fall within a cell, its best are taken
        first, and whole where the counts are. Returns None where nothing is allowed.
        """
        from scipy.optimize import linprog

        open_people = np.concatenate([*window, np.zeros(0, np.int64)])
        n, cells, floors = len(open_people), len(window), len(self.names)
        cell_of = np.repeat(np.arange(cells), [len(each) for each in window])
        count, miss = n + np.arange(cells), n + cells + np.arange(floors)
        inside = np.array([[pattern >> bit & 1 for pattern in self.patterns] for bit in range(floors)], np.float64).reshape(floors, cells)
        floor, cell = np.nonzero(inside)
        tied = cells if missed is not None else 0  # a count is that of the people ahead and of the open ones
        equal = _matrix([(np.arange(tied), count[:tied], 1), (cell_of, np.arange(n), -1), (np.full(cells, tied), count, 1)], n + cells + floors)
        below = [(floor, count[cell], -1), (np.arange(floors), miss, -1), (np.full(floors, floors), miss, 1)]
        needed = np.array([minimum[name] - self.kept[name] for name in self.names], np.float64)
        most = np.concatenate([np.ones(n), ahead + [len(each) for each in window], np.maximum(needed, 0) if missed != 0 else 0 * needed])
        found = linprog(
            np.concatenate([-scores[open_people], np.zeros(cells), np.ones(floors) if missed is None else np.zeros(floors)]),
            A_eq=equal,
            b_eq=np.concatenate([ahead[:tied], [self.free]]),
            A_ub=_matrix(below, n + cells + floors),
            b_ub=np.concatenate([-needed, [np.maximum(needed, 0).sum() if missed is None else missed]]),
            bounds=np.column_stack([np.zeros_like(most), most]),
            integrality=np.repeat([0, 1 if is_whole else 0], [n, cells + floors]),
            options={"mip_rel_gap": 0.0} if is_whole else {},
        )
        if found.status == 2:
            return None
        if not found.success:
            raise RuntimeError(f"HiGHS stopped without a solution (status {found.status})")
        reduced = np.zeros(0) if is_whole else found.lower.marginals[:n] + found.upper.marginals[:n]
        counts, misses = np.rint(found.x[count]).astype(np.int64), np.rint(found.x[miss])
        return _Solution(counts, misses, -float(found.fun), reduced)

    def with_lower_draws(self, problem: _Problem, minimum: Mapping[str, int], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Who is chosen with so many of each cell, after every exchange of two people with the same score that lowers a draw and breaks no floor."""
        counts = counts.copy()
        spare = {name: self.inside(name, counts) - count for name, count in minimum.items()}
        while (exchange := self._exchange(problem, counts, spare)) is not None:
            out, into = exchange
            counts[out] -= 1
            counts[into] += 1
            for bit, name in enumerate(self.names):
                spare[name] += (self.patterns[into] >> bit & 1) - (self.patterns[out] >> bit & 1)
        chosen = problem.keep.copy()
        for each, count in zip(self.people, counts, strict=True):
            chosen[each[:count]] = True
        return chosen

    def _exchange(self, problem: _Problem, counts: NDArray[np.int64], spare: Mapping[str, int]) -> tuple[int, int] | None:
        """The cell to take one fewer of and the cell to take one more of: of all exchanges the one that lowers the draw most."""
        best, found = 0.0, None
        for out, people in enumerate(self.people):
            last = people[counts[out] - 1] if counts[out] else None
            for into, others in enumerate(self.people):
                if last is None or into == out or counts[into] == len(others):
                    continue
                first = others[counts[into]]
                gain = float(problem.draw[last] - problem.draw[first])
                lost = [name for bit, name in enumerate(self.names) if self.patterns[out] & ~self.patterns[into] & (1 << bit)]
                if problem.score[last] == problem.score[first] and gain > best and all(spare[name] > 0 for name in lost):
                    best, found = gain, (out, into)
        return found
