"""Sharing whole people among categories so that nobody is lost or made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

REMAINDER_DECIMALS = 9


def largest_remainder(exact_shares: ArrayLike, totals: ArrayLike) -> NDArray[np.int64]:
    """Whole numbers nearest to exact shares, whose rows add up to their totals.

    `exact_shares` (groups x categories): how much each category of a group should get, in fractions of a person; each row adds up to
    its total. `totals` (groups): whole numbers. Returns groups x categories: the whole part of each share, and one more for the largest
    remainders until the row adds up. Remainders that agree to 9 decimals are equal, and the lower category index goes first; so every result is
    within 1 of its exact share. Raises ValueError where a share is negative or a row does not add up to its total.
    Source: the method of the largest remainder (Hamilton); the tie rule is the project's own.
    """
    import numpy as np

    shares = np.atleast_2d(np.asarray(exact_shares, dtype=np.float64))
    whole_totals = np.atleast_1d(np.asarray(totals, dtype=np.int64))
    if shares.shape[0] != whole_totals.shape[0]:
        raise ValueError(f"{shares.shape[0]} groups of shares were given with {whole_totals.shape[0]} totals")
    tolerance = 1e-6 * np.maximum(1.0, np.abs(whole_totals) / 1e6)
    wrong = (shares < 0).any(axis=1) | ~(np.abs(shares.sum(axis=1) - whole_totals) <= tolerance)
    if wrong.any():
        raise ValueError(f"the shares of {int(wrong.sum())} groups are negative or do not add up to their total")
    rounded = np.round(shares, REMAINDER_DECIMALS)
    whole = np.floor(rounded)
    remainder = np.round(rounded - whole, REMAINDER_DECIMALS)
    left = whole_totals - whole.sum(axis=1).astype(np.int64)
    order = np.argsort(-remainder, axis=1, kind="stable")
    place_in_queue = np.empty_like(order)
    np.put_along_axis(place_in_queue, order, np.broadcast_to(np.arange(shares.shape[1]), shares.shape), axis=1)
    return whole.astype(np.int64) + (place_in_queue < left[:, None])
