"""Counts by practice and quintile: whole people, once per practice, nobody lost; and a wrong vintage is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.errors import InputMissing
from fuller_popheath.place.quintile_counts import Q_COLUMNS, quintile_counts

if TYPE_CHECKING:
    import pandas as pd

DAY = date(2022, 7, 1)
RANK_OF_QUINTILE = {1: 3_000, 2: 9_000, 3: 15_000, 4: 22_000, 5: 30_000}


def deprivation_rows(
    codes: Mapping[str, Sequence[tuple[int, float]]], change_code: str = "S", edition: str = "2025", score: float | None = 10.0
) -> list[dict]:
    """A code -> the quintiles of what it rests on, each with its share."""
    return [
        {
            "imd_edition": edition,
            "lsoa_code": code,
            "part_lsoa_code": f"E0109{quintile}{at}{len(parts)}{code[-1]}",
            "share": share,
            "imd_rank": float(RANK_OF_QUINTILE[quintile]),
            "imd_decile": 2 * quintile,
            "imd_quintile": quintile,
            "imd_score": score,
            "derivation": "published" if len(parts) == 1 else "shared_equally",
            "change_code": change_code,
        }
        for code, parts in codes.items()
        for at, (quintile, share) in enumerate(parts)
    ]


@pytest.fixture
def count(table: Any) -> Any:
    def make(people: Sequence[tuple[str, str, int]], rows: Sequence[dict]) -> pd.DataFrame:
        registered = [{"practice_code": practice, "lsoa_code": lsoa, "registered_count": n} for practice, lsoa, n in people]
        counts = table("core/registered_count", registered, practice_name="A PRACTICE", registrations_extract=DAY)
        made = quintile_counts(counts, table("core/area_deprivation", rows))
        return made.set_index(["imd_edition", "practice_code"])

    return make


def test_shared_people_are_made_whole_once_per_practice(count: Any) -> None:
    # 3 + 3 + 3 people on three codes, each half in quintile 1 and half in 4: 4.5 and 4.5, so 5 and 4, not three times 2 and 1.
    halves = {f"E0100000{n}": [(1, 0.5), (4, 0.5)] for n in (1, 2, 3)}
    row = count([("A00001", code, 3) for code in halves], deprivation_rows(halves)).loc[("2025", "A00001")]
    assert row[list(Q_COLUMNS)].tolist() == [5, 0, 0, 4, 0]
    assert (row["registered_count"], row["matched_count"], row["unmatched_count"], row["redrawn_q1_count"]) == (9, 9, 0, 5)


def test_codes_in_one_quintile_count_whole_and_leave_the_sharing_alone(count: Any) -> None:
    codes = {"E01000001": [(2, 1.0)], "E01000002": [(3, 1 / 3), (3, 2 / 3)], "E01000003": [(1, 0.25), (2, 0.75)]}
    row = count([("A00001", "E01000001", 7), ("A00001", "E01000002", 2), ("A00001", "E01000003", 3)], deprivation_rows(codes)).loc[("2025", "A00001")]
    assert row[list(Q_COLUMNS)].tolist() == [1, 7 + 2, 2, 0, 0]  # 0.75 and 2.25 of three people: 1 and 2


def test_a_child_where_nobody_lives_takes_nobody(count: Any) -> None:
    row = count([("A00001", "E01000001", 5)], deprivation_rows({"E01000001": [(1, 0.0), (5, 1.0)]})).loc[("2025", "A00001")]
    assert row[list(Q_COLUMNS)].tolist() == [0, 0, 0, 0, 5]
    assert (row["matched_count"], row["scored_count"], row["imd_score_sum"]) == (5, 5.0, 50.0)


def test_people_without_deprivation_are_unmatched_not_lost(count: Any) -> None:
    people = [("A00001", "E01000001", 10), ("A00001", "NO2011", 2), ("A00001", "W01000001", 3), ("A00002", "NO2011", 4)]
    made = count(people, deprivation_rows({"E01000001": [(1, 1.0)]}, change_code="U"))
    assert made[["registered_count", "matched_count", "unmatched_count", "english_count"]].values.tolist() == [[15, 10, 5, 10], [4, 0, 4, 0]]
    assert made["redrawn_q1_count"].tolist() == [0, 0]


def test_editions_do_not_mix(count: Any) -> None:
    rows = deprivation_rows({"E01000001": [(1, 1.0)]}, "U", "2019", 40.0) + deprivation_rows({"E01000001": [(2, 0.5), (3, 0.5)]}, "S", "2025", None)
    made = count([("A00001", "E01000001", 3)], rows)
    assert made.loc[("2019", "A00001"), list(Q_COLUMNS)].tolist() == [3, 0, 0, 0, 0]
    assert made.loc[("2025", "A00001"), list(Q_COLUMNS)].tolist() == [0, 2, 1, 0, 0]
    assert made[["imd_score_sum", "scored_count"]].values.tolist() == [[120.0, 3.0], [0.0, 0.0]]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_every_practice_keeps_its_total(table: Any, data: st.DataObject) -> None:
    weights = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 50)), min_size=1, max_size=5)
    codes = {f"E0100000{n}": data.draw(weights) for n in range(5)}
    shares = {code: [(quintile, weight / sum(w for _, w in parts)) for quintile, weight in parts] for code, parts in codes.items()}
    people = [(f"A0000{p}", code, data.draw(st.integers(0, 9))) for p in range(3) for code in codes]
    registered = [{"practice_code": practice, "lsoa_code": lsoa, "registered_count": n} for practice, lsoa, n in people]
    counts = table("core/registered_count", registered, practice_name="A PRACTICE", registrations_extract=DAY)
    made = quintile_counts(counts, table("core/area_deprivation", deprivation_rows(shares)))
    assert (made[list(Q_COLUMNS)].sum(axis=1) == made["registered_count"]).all()
    for _, row in made.iterrows():
        own = [(code, n) for practice, code, n in people if practice == row["practice_code"]]
        for quintile, name in enumerate(Q_COLUMNS, start=1):
            exact = sum(n * sum(share for q, share in shares[code] if q == quintile) for code, n in own)
            assert abs(row[name] - exact) < 1 + 1e-9


def _arrived(table: Any, people: Sequence[tuple[str, str, int]], change_code: str) -> dict:
    practices = {practice for practice, _, _ in people}
    belongs = {"pcn_code": "U00001", "pcn_name": "A PCN", "neighbourhood_code": "U00001", "neighbourhood_name": "A PCN"}
    return {
        "core/registered_count": table(
            "core/registered_count",
            [{"practice_code": p, "lsoa_code": code, "registered_count": n} for p, code, n in people],
            practice_name="A PRACTICE",
            registrations_extract=DAY,
        ),
        "core/area_deprivation": table("core/area_deprivation", deprivation_rows({"E01000001": [(1, 1.0)]}, change_code, "2019")),
        "core/neighbourhood_practice": table(
            "core/neighbourhood_practice",
            [{"practice_code": code, "practice_name": "A PRACTICE", **belongs} for code in sorted(practices)],
            membership_snapshot="2022-04-27",
            membership_source="epcn",
        ),
    }


@pytest.mark.parametrize(
    ("unknown", "lookup", "refused"),
    [
        (2, False, r"holds 1 of 32,844 LSOAs.* 2 of 100 registered people \(2\.0 %\).*without a lookup \(at most 1 %.*--lsoa-lookup"),
        (1, False, ""),
        (5, True, ""),
        (6, True, r"holds 1 of 32,844 LSOAs.* 6 of 100 registered people \(6\.0 %\).*with a lookup \(at most 5 %.*: give an IMD file of the whole"),
        (10, True, "10 of 100"),
    ],
)
def test_an_edition_that_does_not_know_the_codes_is_refused(table: Any, build: Any, night: Any, unknown: int, lookup: bool, refused: str) -> None:
    # Limits of site.toml: 1 % without a lookup, 5 % with one. People in Wales do not count as a wrong vintage.
    people = [("A00001", "E01000001", 90), ("A00001", "E01077777", unknown), ("A00001", "W01000001", 10 - unknown)]
    arrived = _arrived(table, people, "U" if lookup else "none")
    if refused:
        with pytest.raises(InputMissing, match=refused) as refusal:
            build(arrived, ["core/practice_quintile"], night())
        assert "E01" not in str(refusal.value)
    else:
        made = build(arrived, ["core/practice_quintile"], night())["core/practice_quintile"].to_pylist()
        assert [(row["matched_count"], row["unmatched_count"]) for row in made] == [(90, 10)]


def test_a_file_of_thirty_lsoas_is_refused_although_a_lookup_is_there(real_files: Any, build: Any, night: Any) -> None:
    """Without the refusal every PCN of England would have a share of about 0.0 %."""
    few = {**real_files, "reference/imd_2019": real_files["reference/imd_2019"].slice(0, 30)}
    few = {name: table for name, table in few.items() if name != "reference/imd_2025"}
    with pytest.raises(InputMissing, match=r"holds 30 of 32,844 LSOAs.*with a lookup"):
        build(few, ["core/practice_quintile"], night())
