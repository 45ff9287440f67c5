"""How single figures, groups and counts are written on a model card."""

from __future__ import annotations

import pytest

from fuller_popheath.publish.card_facts import count_text
from fuller_popheath.publish.card_figures import Figure
from fuller_popheath.publish.card_words import group_name, slope_text


def test_a_slope_is_not_told_where_predictions_hardly_vary() -> None:
    def slope(value: float, reach: float) -> Figure:
        return Figure(value, value - reach, value + reach, people=5_000, outcomes=100)

    # For a spread of 1 the standard error is about 1 / sqrt(5,000 x 0.02 x 0.98) = 0.101: reaches of 0.2 and of 20 are spreads of 1 and of 0.01.
    assert slope_text(slope(0.98, 0.2)) == "0.98 (0.78 to 1.18)"
    assert slope_text(slope(17.29, 20)) == slope_text(slope(1_424.02, 900)) == "–"
    assert slope_text(Figure(is_hidden=True)) == "hidden"


def test_practices_in_no_pcn_are_called_so() -> None:
    assert (group_name("pcn", "U"), group_name("pcn", "U12345"), group_name("pcn", "not_recorded")) == ("in no PCN", "U12345", "not recorded")


@pytest.mark.parametrize(("number", "told"), [(None, "–"), (0, "0"), (1, "1 to 7"), (7, "1 to 7"), (8, "10"), (12, "10"), (1_203, "1,205")])
def test_a_count_is_told_rounded_or_not_at_all(number: int | None, told: str) -> None:
    assert count_text(number) == told
