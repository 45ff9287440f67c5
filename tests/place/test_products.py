"""The products from a few practices: sums, ranks, reasons, waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.errors import ContractBroken
from fuller_popheath.site import Phasing, Site, Wave
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pandas as pd

DAY = date(2022, 7, 1)


def belonging(practice: str, pcn: str = "U00001", icb: str | None = "QE1", place: str | None = "00Q") -> dict[str, Any]:
    return {"practice_code": practice, "pcn_code": pcn, "icb_code": icb, "place_code": place, "neighbourhood_code": pcn}


def counted(
    practice: str, quintiles: Sequence[int], unmatched: int = 0, redrawn: int = 0, edition: str = "2019", score: float = 0.0
) -> dict[str, Any]:
    matched = sum(quintiles)
    return {
        "imd_edition": edition,
        "practice_code": practice,
        "registered_count": matched + unmatched,
        "matched_count": matched,
        "unmatched_count": unmatched,
        **{f"q{quintile}_count": people for quintile, people in enumerate(quintiles, start=1)},
        "redrawn_q1_count": redrawn,
        "imd_score_sum": score * matched,
        "scored_count": float(matched) if score else 0.0,
    }


@pytest.fixture
def product(table: Any, build: Any, night: Any) -> Any:
    def make(name: str, practices: Sequence[Mapping[str, Any]], counts: Sequence[Mapping[str, Any]], at: Night | None = None) -> pd.DataFrame:
        arrived = {
            "core/neighbourhood_practice": table(
                "core/neighbourhood_practice",
                practices,
                practice_name="A PRACTICE",
                pcn_name="A PCN",
                neighbourhood_name="A PCN",
                membership_snapshot="2022-04-27",
                membership_source="epcn",
            ),
            "core/practice_quintile": table("core/practice_quintile", counts, registrations_extract=DAY),
        }
        return build(arrived, [f"products/{name}"], at or night())[f"products/{name}"].to_pandas()

    return make


def test_a_pcn_is_the_sum_of_its_practices_with_a_list(product: Any) -> None:
    practices = [belonging("A00001"), belonging("A00002"), belonging("A00003"), belonging("A00004", "U")]
    counts = [counted("A00001", [30, 10, 0, 0, 0], 10, score=40.0), counted("A00002", [20, 0, 0, 0, 30], score=10.0)]
    counts += [counted("A00003", [0, 0, 0, 0, 0]), counted("A00004", [9, 0, 0, 0, 0])]  # a dormant one, and one in no PCN
    (row,) = product("core20_by_pcn", practices, counts).to_dict("records")
    assert (row["practice_count"], row["registered_count"], row["matched_count"], row["unmatched_count"]) == (2, 100, 90, 10)
    assert [row[f"q{quintile}_count"] for quintile in range(1, 6)] == [50, 10, 0, 0, 30]
    assert (row["core20_percent"], row["band"], row["rank_in_icb"]) == (50.0, "50.0% to 59.9%", 1)  # of everyone registered, not of the matched
    assert row["mean_imd_score"] == pytest.approx((40 * 40 + 50 * 10) / 90)
    by_practice = product("core20_by_practice", practices, counts)
    assert by_practice["practice_code"].tolist() == ["A00001", "A00002", "A00004"]
    assert by_practice["pcn_code"].tolist() == ["U00001", "U00001", "U"]
    assert by_practice["mean_imd_score"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("level", ["practice", "pcn", "place", "icb"])
def test_share_interval_and_probability_are_of_everyone_registered(product: Any, level: str) -> None:
    """300 of 1,000 registered, 50 of them without deprivation: a share of the 950 matched would be 31.6 %, and its band all but sure (0.86).

    Golden: low, high = scipy.stats.binomtest(300, 1000).proportion_ci(0.95, method="wilson");
    d = scipy.stats.beta(300.5, 700.5); probability = d.cdf(0.3995) - d.cdf(0.2995), the edges that round into 30.0 to 39.9 %.
    """
    (row,) = product(f"core20_by_{level}", [belonging("A00001")], [counted("A00001", [300, 400, 250, 0, 0], unmatched=50)]).to_dict("records")
    assert (row["registered_count"], row["matched_count"], row["unmatched_count"]) == (1000, 950, 50)
    assert (row["core20_percent"], row["band"]) == (30.0, "30.0% to 39.9%")
    assert row["core20_lower"] == pytest.approx(27.2406842477, abs=1e-9)
    assert row["core20_upper"] == pytest.approx(32.9123860917, abs=1e-9)
    assert row["band_probability"] == pytest.approx(0.5156055372, abs=1e-9)


def test_ranks_are_within_an_icb_and_equal_shares_have_equal_ranks(product: Any) -> None:
    practices = [belonging(f"A0000{n}", f"U0000{n}") for n in range(1, 5)] + [
        belonging("A00005", "U00005", "QYG"),
        belonging("A00006", "U00006", None),
    ]
    q1_of_30 = {"A00001": 10, "A00002": 20, "A00003": 10, "A00004": 5, "A00005": 1, "A00006": 2}
    made = product("core20_by_pcn", practices, [counted(code, [q1, 30 - q1, 0, 0, 0]) for code, q1 in q1_of_30.items()])
    ranks = made.set_index("pcn_code")["rank_in_icb"]
    assert ranks.isna().to_dict()["U00006"], "no rank among PCNs whose ICB nothing tells"
    assert ranks.drop("U00006").to_dict() == {
        "U00001": 2,
        "U00002": 1,
        "U00003": 2,
        "U00004": 4,
        "U00005": 1,
    }


def test_places_and_icbs_hold_pcn_practices_of_known_areas_only(product: Any) -> None:
    practices = [belonging("A00001"), belonging("A00002", "U00002"), belonging("A00003", "U"), belonging("A00004", "U00003", None, None)]
    counts = [counted(f"A0000{n}", [n, 10, 0, 0, 0]) for n in range(1, 5)]
    for name in ("core20_by_place", "core20_by_icb"):
        (row,) = product(name, practices, counts).to_dict("records")
        assert (row["icb_code"], row["pcn_count"], row["practice_count"], row["q1_count"], row["registered_count"]) == ("QE1", 2, 2, 3, 23)


def test_a_practice_that_stands_twice_is_refused_with_a_count_only(product: Any) -> None:
    with pytest.raises(ContractBroken, match="holds 1 practices more than once") as refusal:
        product("core20_by_pcn", [belonging("A00001"), belonging("A00001", "U00002")], [counted("A00001", [1, 0, 0, 0, 0])])
    assert "A00001" not in str(refusal.value)


@pytest.mark.parametrize(
    ("old_q1", "old_redrawn", "new_q1", "new_redrawn", "reason"),
    [
        (250, 0, 290, 0, "band unchanged"),
        (250, 0, 350, 0, "re-ranked LSOAs"),  # all of it on unchanged codes
        (250, 0, 350, 100, "re-drawn LSOAs"),  # all of it on split codes
        (250, 50, 350, 60, "re-ranked LSOAs"),  # +90 by ranks reaches 34 %, +10 by redrawing does not
        (250, 10, 350, 70, "re-drawn LSOAs"),  # +40 by ranks (29 %), +60 by redrawing (31 %)
        (250, 0, 350, 50, "both"),  # +50 and +50: each is enough alone
        (250, 0, 330, 40, "both"),  # +40 and +40: neither is enough alone
        (350, 100, 250, 0, "re-drawn LSOAs"),
        (295, 0, 296, 200, "band unchanged"),  # +200 and -199 make up for each other
    ],
)
def test_why_a_pcn_changes_band(product: Any, old_q1: int, old_redrawn: int, new_q1: int, new_redrawn: int, reason: str) -> None:
    counts = [
        counted("A00001", [old_q1, 1000 - old_q1, 0, 0, 0], redrawn=old_redrawn, edition="2019"),
        counted("A00001", [new_q1, 1000 - new_q1, 0, 0, 0], redrawn=new_redrawn, edition="2025"),
    ]
    (row,) = product("core20_edition_comparison", [belonging("A00001")], counts).to_dict("records")
    assert row["reason"] == reason
    assert row["band_changed"] == (reason != "band unchanged")
    assert row["redrawn_q1_change_count"] == new_redrawn - old_redrawn
    assert row["q1_2019_count"] + row["reranked_q1_change_count"] + row["redrawn_q1_change_count"] == row["q1_2025_count"]
    assert row["difference_points"] == pytest.approx((new_q1 - old_q1) / 10)


def test_one_edition_has_nothing_to_compare(product: Any) -> None:
    assert product("core20_edition_comparison", [belonging("A00001")], [counted("A00001", [1, 0, 0, 0, 0])]).empty


@pytest.mark.parametrize(
    ("q1", "wave", "hangs_on_rounding"),
    [
        (30_000, "Wave 1", False),
        (29_960, "Wave 1", True),  # 29.96 % is shown as 30.0
        (29_950, "Wave 1", True),
        (29_949, "Wave 2", False),
        (30_040, "Wave 1", False),
        (0, "Wave 2", False),
    ],
)
def test_the_wave_follows_what_is_shown(product: Any, q1: int, wave: str, hangs_on_rounding: bool) -> None:
    (row,) = product("core20_phasing", [belonging("A00001")], [counted("A00001", [q1, 100_000 - q1, 0, 0, 0])]).to_dict("records")
    assert (row["wave"], row["hangs_on_rounding"]) == (wave, hangs_on_rounding)
    assert row["wave_due_date"] == (date(2023, 4, 1) if wave == "Wave 1" else date(2024, 4, 1))
    assert row["hangs_on_edition"] is None


def test_a_wave_that_another_edition_would_change_is_marked(product: Any) -> None:
    practices = [belonging("A00001"), belonging("A00002", "U00002")]
    counts = [counted("A00001", [400, 600, 0, 0, 0], edition="2019"), counted("A00001", [200, 800, 0, 0, 0], edition="2025")]
    counts += [counted("A00002", [400, 600, 0, 0, 0], edition="2019"), counted("A00002", [310, 690, 0, 0, 0], edition="2025")]
    made = product("core20_phasing", practices, counts).set_index(["pcn_code", "imd_edition"])
    assert made["wave"].to_dict() == {
        ("U00001", "2019"): "Wave 1",
        ("U00001", "2025"): "Wave 2",
        ("U00002", "2019"): "Wave 1",
        ("U00002", "2025"): "Wave 1",
    }
    assert made.loc["U00001", "hangs_on_edition"].tolist() == [True, True]
    assert made.loc["U00002", "hangs_on_edition"].tolist() == [False, False]


def test_thresholds_are_the_sites_and_taken_as_they_are_written(product: Any) -> None:
    waves = (Wave(name="First", core20_percent_at_least=33.3), Wave(name="Second", core20_percent_at_least=10.0))
    at = Night(as_of=DAY, site=Site(phasing=Phasing(waves=waves)))
    practices = [belonging(f"A0000{n}", f"U0000{n}") for n in range(1, 4)]
    counts = [counted("A00001", [333, 667, 0, 0, 0]), counted("A00002", [100, 900, 0, 0, 0]), counted("A00003", [99, 901, 0, 0, 0])]
    made = product("core20_phasing", practices, counts, at)
    assert made["wave"].tolist() == ["First", "Second", "No wave"]
    assert made["hangs_on_rounding"].tolist() == [False, False, False]
    assert made["wave_due_date"].isna().all()


def test_everybody_is_placed_or_unplaced_for_one_reason(table: Any, build: Any, night: Any) -> None:
    registered = [
        ("A00001", "E01000001", 100),
        ("A00001", "NO2011", 1),
        ("A00001", "CLOSED", 2),
        ("A00001", "W01000001", 3),
        ("A00001", "S01000001", 4),
        ("A00001", "E01077777", 1),
        ("A00002", "E01000001", 20),  # in no PCN: that comes first, whatever the LSOA
        ("A00002", "NO2011", 5),
    ]
    practices = [belonging("A00001"), belonging("A00002", "U")]
    arrived = {
        "core/registered_count": table(
            "core/registered_count",
            [{"practice_code": p, "lsoa_code": lsoa, "registered_count": n} for p, lsoa, n in registered],
            practice_name="A PRACTICE",
            registrations_extract=DAY,
        ),
        "core/neighbourhood_practice": table(
            "core/neighbourhood_practice",
            practices,
            practice_name="A PRACTICE",
            pcn_name="A PCN",
            neighbourhood_name="A PCN",
            membership_snapshot="2022-04-27",
            membership_source="epcn",
        ),
        "reference/imd_2019": table("reference/imd_2019", [{"lsoa11_code": "E01000001", "imd_rank": 1, "imd_decile": 1}]),
    }
    made = build(arrived, ["products/core20_unplaced", "products/core20_by_pcn"], night())
    unplaced = made["products/core20_unplaced"].to_pandas()
    assert list(zip(unplaced["practice_code"], unplaced["lsoa_code"], unplaced["reason"], unplaced["registered_count"], strict=True)) == [
        ("A00001", "CLOSED", "closed_lsoa", 2),
        ("A00001", "E01077777", "unknown_lsoa", 1),
        ("A00001", "NO2011", "no_lsoa", 1),
        ("A00001", "S01000001", "scotland", 4),
        ("A00001", "W01000001", "wales", 3),
        ("A00002", "E01000001", "no_pcn", 20),
        ("A00002", "NO2011", "no_pcn", 5),
    ]
    matched = sum(made["products/core20_by_pcn"]["matched_count"].to_pylist())
    assert matched + int(unplaced["registered_count"].sum()) == sum(n for _, _, n in registered)
