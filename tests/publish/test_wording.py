"""How figures and names are written."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import COLOURS, INK, PAPER, QUIET, contrast, ink_on, luminance


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(1399, 2000, "70.0%"), (13989, 20000, "69.9%"), (1, 2000, "0.1%"), (9, 20000, "0.0%"), (0, 5, "0.0%"), (5, 5, "100.0%"), (0, 0, "–")],
)
def test_a_share_is_rounded_half_up_in_whole_numbers(part: int, whole: int, shown: str) -> None:
    assert wording.share(part, whole) == shown


def test_a_displayed_decimal_is_half_up_where_python_rounds_to_even() -> None:
    assert (wording.decimals(0.25), wording.decimals(0.35), wording.decimals(12345.65)) == ("0.3", "0.4", "12,345.7")
    assert (wording.decimals(None), wording.decimals(float("nan"))) == ("–", "–")


def test_differences_carry_their_sign() -> None:
    assert [wording.signed(v) for v in (1.25, -0.45, 0.04, -0.04, 1234.5, None)] == ["+1.3", "−0.5", "0.0", "0.0", "+1,234.5", "–"]


def test_a_probability_is_never_shown_as_certain() -> None:
    assert [wording.chance(p) for p in (1.0, 0.994, 0.99, 0.505, 0.001, None)] == ["over 99%", "over 99%", "99%", "51%", "under 1%", "–"]


def test_dates_are_british() -> None:
    assert wording.day(date(2022, 7, 1)) == "1 July 2022"
    assert [wording.day_of_text(t) for t in ("2022-04-27", "undated", "")] == ["27 April 2022", "undated", "–"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("LYTHAM ST ANNE'S & ANSDELL (LSA) PCN", "Lytham St Anne's & Ansdell (LSA) PCN"),
        ("WYRE INTEGRATED NETWORK LTD PCN", "Wyre Integrated Network Ltd PCN"),
        ("BARROW AND MILLOM PCN", "Barrow and Millom PCN"),
        ("CENTRAL BMW PCN", "Central BMW PCN"),
        ("BARNET 1D PCN", "Barnet 1D PCN"),
        ("STOKE-ON-TRENT PCN", "Stoke-On-Trent PCN"),
        ("Already Mixed PCN", "Already Mixed PCN"),
        ("123", "123"),
    ],
)
def test_names_in_capitals_are_calmed(given: str, shown: str) -> None:
    assert wording.calm(given) == shown


def test_a_short_name_leaves_out_that_it_is_a_pcn() -> None:
    assert [wording.short_pcn(n) for n in ("BAY PCN", "Bay Primary Care Network", "PCN")] == ["Bay", "Bay", "PCN"]
    assert wording.cut("Wyre Rural Extended", 11) == "Wyre Rural…"


def test_colours_darken_evenly_towards_the_most_deprived() -> None:
    """Neighbours differ by at least 10 in CIE lightness L*, so that the order survives a grey print and any colour vision."""
    lightness = [116 * luminance(c) ** (1 / 3) - 16 if luminance(c) > 0.008856 else 903.3 * luminance(c) for c in COLOURS]
    assert all(paler - darker >= 10 for darker, paler in pairwise(lightness))


def test_text_on_colours_meets_wcag_aa() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert all(contrast(ink_on(c), c) >= 4.5 for c in COLOURS)
    assert contrast(INK, PAPER) >= 7
    assert contrast(QUIET, PAPER) >= 4.5
