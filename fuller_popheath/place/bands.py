"""The eight bands of the board paper: the share of a PCN's registered people who live in the most deprived national quintile.

Source: Lancashire and South Cumbria ICB, board paper of 27 July 2022 on the Fuller Stocktake, Appendix 2. The printed bands leave what lies
between two of them (69.95 %) open: here a share is first rounded half up to one decimal, and 70.0 belongs to the top band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.methods.bands import band_of_tenths, band_probability, percent_tenths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Band:
    """A printed band and the smallest share that is shown in it, in tenths of a percent."""

    label: str
    lower_tenths: int


BANDS = (
    Band("Above 70.0%", 700),
    Band("60.0% to 69.9%", 600),
    Band("50.0% to 59.9%", 500),
    Band("40.0% to 49.9%", 400),
    Band("30.0% to 39.9%", 300),
    Band("20.0% to 29.9%", 200),
    Band("10.0% to 19.9%", 100),
    Band("Up to 9.9%", 0),
)
BAND_LABELS = tuple(band.label for band in BANDS)
LOWER_EDGES_TENTHS = tuple(band.lower_tenths for band in BANDS)


def band_labels(q1_counts: ArrayLike, registered_counts: ArrayLike) -> NDArray[np.object_]:
    """The band of each share q1 / registered. Raises ValueError where nobody is registered."""
    import numpy as np

    return np.array(BAND_LABELS, dtype=object)[band_of_tenths(percent_tenths(q1_counts, registered_counts), LOWER_EDGES_TENTHS)]


def band_probabilities(q1_counts: ArrayLike, registered_counts: ArrayLike) -> NDArray[np.float64]:
    """How probable the shown band is, 0 to 1, by chance alone: edition and membership are not in it. See methods.bands.band_probability."""
    return band_probability(q1_counts, registered_counts, LOWER_EDGES_TENTHS)
