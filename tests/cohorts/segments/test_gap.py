"""The continuity gap: percentiles within strata of contacts, and its counts by area and quintile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from fuller_popheath.cohorts.continuity_gap import STRATA, received_percentile, strata

GAP, BY_PCN = "core/continuity_gap", "products/continuity_gap_by_pcn"


@pytest.mark.parametrize(
    ("contacts", "upc", "stratum"),
    [
        (0, np.nan, "too_few"),
        (2, 1.0, "too_few"),
        (3, 0.3333, "3"),
        (3, np.nan, "too_few"),
        (4, 0.5, "4"),
        (5, 0.4, "5-6"),
        (6, 0.5, "5-6"),
        (7, 0.5, "7-9"),
        (9, 0.5, "7-9"),
        (10, 0.5, "10+"),
        (80, 0.5, "10+"),
    ],
)
def test_which_stratum(contacts: int, upc: float, stratum: str) -> None:
    assert list(STRATA)[strata(np.array([float(contacts)]), np.array([upc]))[0]] == stratum


# A stratum of five: shares 1/3, 1/3, 2/3, 1, 1. Mid-ranks by hand: (0 + 2/2)/5, (2 + 1/2)/5, (3 + 2/2)/5.
def test_the_percentile_is_the_mid_rank_among_people_with_as_many_contacts() -> None:
    upc = np.array([1 / 3, 1.0, 2 / 3, 1.0, 1 / 3, 0.5, np.nan])
    stratum = np.array([1, 1, 1, 1, 1, 2, 0])
    assert received_percentile(upc, stratum)[:6].tolist() == pytest.approx([0.2, 0.8, 0.5, 0.8, 0.2, 0.5])
    assert np.isnan(received_percentile(upc, stratum)[6])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10)), min_size=1, max_size=60))
def test_percentiles_agree_with_ranks_made_elsewhere_and_their_mean_is_a_half(people: list[tuple[int, int]]) -> None:
    stratum, upc = np.array([s for s, _ in people]), np.array([u / 10 for _, u in people])
    received = received_percentile(upc, stratum)
    for number in range(1, len(STRATA)):
        rows = stratum == number
        if rows.any():
            # scipy's average rank r of n is the mid-rank percentile (r - 1/2) / n.
            np.testing.assert_allclose(received[rows], (rankdata(upc[rows]) - 0.5) / rows.sum())
            assert received[rows].mean() == pytest.approx(0.5)
    assert np.isnan(received[stratum == 0]).all()


def seen(contacts: int, share: float | None) -> dict[str, Any]:
    return {"continuity_contact_count": contacts, "continuity_upc": share, "usual_gp_share": share}


def test_need_times_what_is_missing(make: Callable[..., Any]) -> None:
    people = [
        {"name": "a", "has_dementia": True, **seen(4, 0.25)},
        {"name": "b", "has_housebound": True, **seen(4, 0.5)},
        {"name": "c", **seen(4, 0.75)},
        {"name": "d", "has_dementia": True, **seen(4, 1.0)},
        {"name": "e", "has_dementia": True, **seen(1, None)},
        {"name": "f", "has_dementia": True, **seen(12, 0.1)},
    ]
    rows = make(people, GAP)[GAP].to_pylist()
    assert [row["received_percentile"] for row in rows] == pytest.approx([0.125, 0.375, 0.625, 0.875, None, 0.5])
    # high need counts whole, some by half, none not at all; whose continuity is not known has no gap.
    assert [row["gap"] for row in rows] == pytest.approx([0.875, 0.3125, 0.0, 0.125, None, 0.5])
    assert [(row["need_level"], row["visit_stratum"]) for row in rows] == [
        ("high", "4"),
        ("some", "4"),
        ("none", "4"),
        ("high", "4"),
        ("high", "too_few"),
        ("high", "10+"),
    ]


def letters(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in f"{number:05d}")


@pytest.fixture(scope="module")
def two_pcns(make: Callable[..., Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """High need in two PCNs. North, quintile 1: 40 see many, 20 see one, 20 are seen too seldom. South, quintile 5: 10, 50, 20. And 100 others."""
    kinds = [("U00001", 1, 0.25, 40), ("U00001", 1, 1.0, 20), ("U00001", 1, None, 20), ("U00002", 5, 0.25, 10), ("U00002", 5, 1.0, 50)]
    people: list[dict[str, Any]] = []
    for area, quintile, share, number in (*kinds, ("U00002", 5, None, 20), ("U00001", 1, 0.5, 100)):
        contacts = 4 if share else 1
        own = {"usual_gp_code": "G1234567", "usual_gp_contact_count": round(4 * (share or 0)), "continuity_practice_contact_count": contacts}
        place = {"pcn_code": area, "practice_code": f"A0000{area[-1]}", "imd_2019_quintile": None, "imd_2025_quintile": quintile}
        one = {"has_dementia": number != 100, **seen(contacts, share), **own, **place}
        people += [{"name": letters(len(people) + n), **one} for n in range(number)]
    practices = [{"practice_code": f"A0000{n}", "pcn_code": f"U0000{n}", "icb_code": "QE1"} for n in (1, 2)]
    rows = make(people, BY_PCN, practices=practices)[BY_PCN].to_pylist()
    return {(row["area_code"], row["imd_edition"], row["imd_quintile"]): row for row in rows}


COUNTS = ("high_need_count", "received_known_count", "low_received_count")


def test_high_need_and_low_continuity_by_pcn_and_quintile(two_pcns: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    everybody, north, south = (two_pcns[area, "2025", "all"] for area in ("QE1", "U00001", "U00002"))
    assert [[row[name] for name in COUNTS] for row in (everybody, north, south)] == [[160, 120, 50], [80, 60, 40], [80, 60, 10]]
    assert [row["low_received_percent"] for row in (everybody, north, south)] == [41.7, 66.7, 16.7]
    # (40 x 0.25 + 20 x 1) / 60, and 40 x 1 + 20 x 4 of 60 x 4 + 20 contacts
    assert (north["mean_upc"], north["slicc"]) == (0.5, 0.462)
    assert [two_pcns["QE1", "2025", quintile]["high_need_count"] for quintile in "12345"] == [80, 0, 0, 0, 80]
    nobody = two_pcns["QE1", "2025", "3"]
    assert [nobody[name] for name in ("low_received_percent", "mean_upc", "slicc", "is_hidden")] == [None, None, None, False]


def test_a_share_that_tells_on_everybody_is_hidden_with_all_that_rests_on_it(make: Callable[..., Any]) -> None:
    low = [{"name": letters(n), "has_dementia": True, **seen(4, 0.25)} for n in range(30)]
    others = [{"name": letters(30 + n), "has_dementia": n < 10, **seen(4 if n > 10 else 1, 0.5 if n > 10 else None)} for n in range(60)]
    rows = {(row["area_type"], row["imd_edition"], row["imd_quintile"]): row for row in make([*low, *others], BY_PCN)[BY_PCN].to_pylist()}
    row = rows["icb", "2025", "3"]
    assert (row["high_need_count"], row["low_received_count"], row["is_hidden"]) == (40, None, True)
    assert (row["low_received_percent"], row["mean_upc"], row["slicc"]) == (None, None, None)


def test_an_edition_that_places_nobody_has_no_quintiles(two_pcns: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    assert {quintile for area, edition, quintile in two_pcns if (area, edition) == ("QE1", "2019")} == {"all"}
    assert two_pcns["QE1", "2019", "all"]["high_need_count"] == two_pcns["QE1", "2025", "all"]["high_need_count"]


def test_nobody_at_all_is_no_error(make: Callable[..., Any]) -> None:
    made = make([], BY_PCN)
    assert (made[GAP].num_rows, made[BY_PCN].num_rows) == (0, 0)
