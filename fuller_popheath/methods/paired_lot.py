"""What a thing did that a lot gave to one of each pair of people: the mean effect with an exact interval, from the lot alone.

What does not belong here: how pairs are made, and what is given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.estimates import UNDEFINED, Estimate, checked_outcome

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def effect_of_lot(drawn_in: ArrayLike, drawn_out: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The mean effect on the people of all pairs: the share with the outcome among those drawn in less that among those drawn out, with limits.

    One element a pair in both, in the same order: whether the outcome happened. The standard error is that of paired differences; the limits are
    exact whatever the effect on each person, since they rest on the lot alone: for either half, every count of outcomes that its people would have
    had on the other side is kept for which the lot need not have been uncommonly lucky (a sign test over pairs, at the least favourable arrangement
    into pairs), at half the error each. Source: attributable effects (P. Rosenbaum, Biometrika 88 (2001) 219-231), both halves joined as in J.
    Rigdon, M. Hudgens, Stat Med 34 (2015) 924-935, with the pairs' own lot in place of theirs. Nobody: not-a-number. Raises ValueError where one
    side is longer, for outcomes that are neither 0 nor 1, and for a confidence that does not lie between 0 and 1.
    """
    ins, outs = checked_outcome(drawn_in), checked_outcome(drawn_out)
    if ins.shape != outs.shape:
        raise ValueError(f"{ins.size} people were drawn in and {outs.size} out; a pair has one of each")
    if not 0 < confidence < 1:
        raise ValueError("the confidence must lie between 0 and 1")
    pairs = len(ins)
    if not pairs:
        return UNDEFINED
    difference = ins.astype(np.float64) - outs
    error = float(np.std(difference, ddof=1)) / math.sqrt(pairs) if pairs > 1 else math.nan
    in_count, out_count = int(ins.sum()), int(outs.sum())
    # Half of the error to each half of the people, and half of that to each end.
    tail = (1 - confidence) / 4
    without, with_it = _counts_not_refuted(out_count, pairs, tail), _counts_not_refuted(in_count, pairs, tail)
    lower = (in_count - without[1]) + (with_it[0] - out_count)
    upper = (in_count - without[0]) + (with_it[1] - out_count)
    return Estimate(float(difference.mean()), lower / (2 * pairs), upper / (2 * pairs), error)


def _counts_not_refuted(count: int, pairs: int, tail: float) -> tuple[int, int]:
    """The least and most of the other half's people who could have had the outcome on this side, where `count` of this half have it.

    With both on one side, the lot alone decides who of a pair that differs stands in which half. Pairs of two with the outcome say nothing; the
    fewer of them there are, the more room there is for luck.
    """
    from scipy.special import bdtr, bdtrc

    others = np.arange(pairs + 1)
    alike = np.maximum(0, others + count - pairs)
    mine, theirs = count - alike, others - alike
    differ = mine + theirs
    at_most = np.where(theirs >= differ, 1.0, bdtr(theirs, differ, 0.5))
    at_least = np.where(theirs <= 0, 1.0, bdtrc(np.maximum(theirs - 1, 0), differ, 0.5))
    kept = others[(at_most > tail) & (at_least > tail)]
    return int(kept[0]), int(kept[-1])
