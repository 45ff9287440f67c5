"""Mid-rank percentiles: by hand, and against ranks made elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from fuller_popheath.methods.percentiles import mid_rank_percentile


def test_equal_numbers_share_the_middle_of_their_places() -> None:
    # By hand: 1 is at (0 + 2/2)/5, 2 at (2 + 1/2)/5, 3 at (3 + 2/2)/5.
    assert mid_rank_percentile(np.array([1.0, 3.0, 2.0, 3.0, 1.0])).tolist() == pytest.approx([0.2, 0.8, 0.5, 0.8, 0.2])
    assert mid_rank_percentile(np.array([0.7])).tolist() == [0.5]
    assert mid_rank_percentile(np.zeros(0)).shape == (0,)


def test_a_missing_number_has_no_place() -> None:
    with pytest.raises(ValueError, match="1 values have no percentile"):
        mid_rank_percentile(np.array([1.0, np.nan]))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=50))
def test_they_are_average_ranks_less_a_half_as_a_share(numbers: list[float]) -> None:
    values = np.array(numbers)
    np.testing.assert_allclose(mid_rank_percentile(values), (rankdata(values) - 0.5) / len(values))
