"""One fixed number for each person, by which people are dealt: the same on every day, in every table, whatever the order of the rows.

What does not belong here: what a number decides.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def person_share(ids: pa.Array | pa.ChunkedArray, seed: int, purpose: str) -> np.ndarray:
    """For each id a number from 0 up to, not including, 1; float64, evenly spread, and independent between purposes and between seeds.

    A keyed hash (SipHash, as pandas has it) of the id alone, so that nothing needs to be kept and nobody moves when others come or go.
    """
    import pandas as pd
    import pyarrow as pa

    whole = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    told = whole.cast(pa.string()).to_numpy(zero_copy_only=False)
    key = hashlib.sha256(f"{seed}|{purpose}".encode()).hexdigest()[:16]
    # The upper 53 bits are what a float holds exactly.
    return np.asarray(pd.util.hash_array(told, hash_key=key, categorize=False) >> np.uint64(11), dtype=np.float64) / 2.0**53
