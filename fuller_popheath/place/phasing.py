"""In which wave a neighbourhood starts, from its Core20 share as shown (board paper of 27 July 2022, section 2.9; thresholds in site.toml)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from fuller_popheath.methods.bands import percent_tenths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from fuller_popheath.site import Wave

NO_WAVE = "No wave"


def waves_as_shown(waves: Sequence[Wave], q1_counts: ArrayLike, registered_counts: ArrayLike) -> NDArray[np.int64]:
    """Index of the first wave whose threshold is not above the share as shown (half up, one decimal); len(waves) where there is none."""
    import numpy as np

    tenths = percent_tenths(q1_counts, registered_counts)
    return _first_wave(waves, tenths, np.full_like(tenths, 1000))


def waves_unrounded(waves: Sequence[Wave], q1_counts: ArrayLike, registered_counts: ArrayLike) -> NDArray[np.int64]:
    """The same for the share q1 / registered itself, compared in whole numbers so that a share equal to a threshold reaches it."""
    import numpy as np

    return _first_wave(waves, np.asarray(q1_counts, dtype=np.int64), np.asarray(registered_counts, dtype=np.int64))


def _first_wave(waves: Sequence[Wave], counts: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    import numpy as np

    reached = np.zeros((*counts.shape, len(waves) + 1), dtype=bool)
    reached[..., -1] = True
    for index, wave in enumerate(waves):
        # The threshold as it is written: 33.3 is 333 / 10, not the float beside it.
        numerator, denominator = Decimal(str(wave.core20_percent_at_least)).as_integer_ratio()
        reached[..., index] = 100 * counts * denominator >= numerator * totals
    return reached.argmax(axis=-1)
