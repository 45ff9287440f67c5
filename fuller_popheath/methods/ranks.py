"""Ranks of places among each other, and the national quantile that a published rank falls in. The two are never mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def rank_from_largest(values: ArrayLike) -> NDArray[np.int64]:
    """Rank of each value, the largest first (1); equal values share the smallest of their ranks ("min") and the next one is skipped to.

    Raises ValueError where a value is not a number.
    """
    import numpy as np

    numbers = np.asarray(values, dtype=np.float64)
    if np.isnan(numbers).any():
        raise ValueError(f"{int(np.isnan(numbers).sum())} values have no rank because they are not numbers")
    return np.searchsorted(np.sort(-numbers), -numbers, side="left") + 1


def quantile_of_rank(ranks: ArrayLike, quantiles: int, ranked: int) -> NDArray[np.int64]:
    """The quantile (1 = the first ranks) of each of `ranked` ranks: ceil(rank x quantiles / ranked).

    Equals every published decile of the Indices of Deprivation 2019 and 2025 (checked in tests/place). Ranks may be fractions, as a
    mean of ranks is; those are taken to 9 decimals. Raises ValueError where a rank does not lie between 1 and `ranked`.
    """
    import numpy as np

    rank = np.asarray(ranks)
    if not ((rank >= 1) & (rank <= ranked)).all():
        raise ValueError(f"{int((~((rank >= 1) & (rank <= ranked))).sum())} ranks do not lie between 1 and {ranked:,}")
    if np.issubdtype(rank.dtype, np.integer):
        return -(-rank.astype(np.int64) * quantiles // ranked)
    return np.ceil(np.round(rank.astype(np.float64) * quantiles / ranked, 9)).astype(np.int64)
