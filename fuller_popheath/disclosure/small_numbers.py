"""Counts of people that are too small to be shown, and those of their siblings that would give them away.

The rule is that of NHS England for sub-national counts of HES and ECDS since September 2018: 1 to 7 are not shown, others to the nearest 5, nought is
nought, shares are made from rounded counts; it leaves the output of regressions without control, and relies on rounding to keep hidden counts from
being worked out. Ours hides more: a group in which (nearly) everybody has the outcome, because that tells on each of them, and siblings where
rounding alone would leave few possible counts. What does not belong here: differences between releases, and what a figure means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LARGEST_HIDDEN = 7
ROUNDED_TO = 5
LEAST_POSSIBLE = 4
"""Of a hidden count, whoever knows the total and the rounded others must be left with so many possible counts, or siblings are hidden too."""


def is_small(people: ArrayLike, outcomes: ArrayLike) -> NDArray[np.bool_]:
    """Whether a group of so many people, so many of whom have an outcome, must not be shown by itself: one answer an element.

    So it is with 1 to 7 people, with 1 to 7 who have the outcome, and where no more than 7 do not have it. A group of nobody is not small. Numbers
    may be fractions (ties at a cut are shared): what rounds to no more than 7 counts as 7.
    """
    n, d = np.asarray(people, np.float64), np.asarray(outcomes, np.float64)
    edge = LARGEST_HIDDEN + 0.5
    return (n > 0) & ((n < edge) | ((d > 0) & (d < edge)) | (n - d < edge))


def hidden_siblings(people: ArrayLike, outcomes: ArrayLike) -> NDArray[np.bool_]:
    """Which of the groups that together are a known total must be hidden: one answer a group, in their order.

    First those that are small, then the next smallest (by outcome, then by people; groups without the outcome last) for as long as the exact total
    less the rounded counts of those that are shown leaves fewer than LEAST_POSSIBLE small counts for what is hidden together. Nothing is
    hidden where nothing is small; everything is where the total is small. Groups of nobody neither help nor harm. That holds only where whatever else
    is told of the groups that are shown (ratios, their limits, fits) tells no more of their counts than rounding leaves.
    """
    n, d = np.asarray(people, np.float64), np.asarray(outcomes, np.float64)
    hidden = is_small(n, d)
    if bool(is_small(n.sum(), d.sum())):
        return n > 0
    for place in np.lexsort((n, d, d == 0)):
        if _cannot_be_told(n, hidden, 1) and _cannot_be_told(d, hidden, 0):
            break
        hidden[place] |= n[place] > 0
    return hidden


def _cannot_be_told(counts: NDArray[np.float64], hidden: NDArray[np.bool_], least: int) -> bool:
    """Whether what is hidden together is no small count, or enough small counts (from `least` on) remain possible."""
    shown = ~hidden & (counts > 0)
    if not hidden.any() or not shown.any() or counts[hidden].sum() > LARGEST_HIDDEN:
        return True
    middle = counts.sum() - rounded(counts[shown]).sum()
    reach = ROUNDED_TO // 2 * np.count_nonzero(shown)
    lowest, highest = max(middle - reach, least), min(middle + reach, LARGEST_HIDDEN)
    return bool(highest - lowest + 1 >= LEAST_POSSIBLE)


def hidden_overlapping(people: ArrayLike, outcomes: ArrayLike, all_people: float, all_outcomes: float) -> NDArray[np.bool_]:
    """Which of groups that may overlap must be hidden, beside a known total: those that are small, and those that leave a small rest of it."""
    n, d = np.asarray(people, np.float64), np.asarray(outcomes, np.float64)
    if bool(is_small(all_people, all_outcomes)):
        return n > 0
    return is_small(n, d) | ((n > 0) & is_small(all_people - n, all_outcomes - d))


def rounded(counts: ArrayLike) -> NDArray[np.int64]:
    """Counts to the nearest 5. Those that must be hidden are hidden before, by whoever calls: 1 and 2 would become 0."""
    whole = np.asarray(np.rint(np.asarray(counts, np.float64)), np.int64)
    return (whole + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO
