"""How a code of the other census gets its deprivation: small tables with the answer worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.errors import InputMissing

if TYPE_CHECKING:
    import pandas as pd

P1, P2, P3 = "E01000001", "E01000002", "E01000003"  # 2011 codes that are gone in 2021
C1, C2, C3 = "E01099001", "E01099002", "E01099003"  # 2021 codes that are new
SAME = "E01000009"


@pytest.fixture
def imd(table: Any) -> Any:
    def make(edition: str, rows: Sequence[tuple[str, int, float | None, int | None]]) -> Any:
        code, lsoas = ("lsoa11_code", 32_844) if edition == "2019" else ("lsoa21_code", 33_755)
        return table(
            f"reference/imd_{edition}",
            [
                {code: lsoa, "imd_rank": rank, "imd_decile": -(-rank * 10 // lsoas), "imd_score": score, "population_count": people}
                for lsoa, rank, score, people in rows
            ],
        )

    return make


@pytest.fixture
def derive(table: Any, build: Any, night: Any) -> Any:
    def make(changes: Sequence[tuple[str, str, str]] = (), population: Sequence[tuple[str, int]] = (), **editions: Any) -> pd.DataFrame:
        lookup = [{"lsoa11_code": old, "lsoa21_code": new, "change_code": change} for old, new, change in changes]
        arrived = {f"reference/{name}": rows for name, rows in editions.items()}
        arrived["reference/lsoa_2011_2021"] = table("reference/lsoa_2011_2021", lookup)
        people = [{"lsoa21_code": code, "population_count": count} for code, count in population]
        arrived["reference/lsoa_population"] = table("reference/lsoa_population", people)
        return build(arrived, ["core/area_deprivation"], night())["core/area_deprivation"].to_pandas().set_index("lsoa_code")

    return make


def test_a_merged_code_takes_its_parents_mean_score_by_population(imd: Any, derive: Any) -> None:
    # (30 x 1,000 + 20 x 3,000) / 4,000 = 22.5, which lies between 25.0 (rank 8,000) and 22.0 (rank 10,000): it takes the place of rank 10,000.
    rows = [(P1, 5_000, 30.0, 1_000), (P2, 12_000, 20.0, 3_000), (SAME, 8_000, 25.0, 1_500), (P3, 10_000, 22.0, 1_500)]
    made = derive([(P1, C1, "M"), (P2, C1, "M"), (SAME, SAME, "U")], imd_2019=imd("2019", rows))
    row = made.loc[C1]
    assert (row["imd_score"], row["imd_rank"]) == (22.5, 10_000)
    assert row["imd_decile"] == 4  # 10,000 x 10 / 32,844 = 3.04
    assert row["imd_quintile"] == 2
    assert (row["derivation"], row["change_code"], row["part_lsoa_code"], row["share"]) == ("weighted_mean_score", "M", C1, 1.0)


def test_a_mean_score_that_is_a_published_one_takes_its_rank(imd: Any, derive: Any) -> None:
    rows = [(P1, 5_000, 30.0, 100), (P2, 12_000, 20.0, 100), (SAME, 8_000, 25.0, 100), (P3, 8_001, 25.0, 100)]
    assert derive([(P1, C1, "M"), (P2, C1, "M")], imd_2019=imd("2019", rows)).loc[C1, "imd_rank"] == 8_000


def test_without_scores_the_mean_rank_counts(imd: Any, derive: Any) -> None:
    rows = [(P1, 6_000, None, 1_000), (P2, 9_000, None, 3_000)]
    row = derive([(P1, C1, "M"), (P2, C1, "M")], imd_2019=imd("2019", rows)).loc[C1]
    assert (row["imd_rank"], row["derivation"]) == (8_250.0, "weighted_mean_rank")
    assert row["imd_quintile"] == 2
    assert row.isna()["imd_score"]


@pytest.mark.parametrize("people", [(None, None), (1_000, None), (0, 0)])
def test_without_every_parents_population_they_weigh_the_same(imd: Any, derive: Any, people: tuple[int | None, int | None]) -> None:
    rows = [(P1, 6_000, None, people[0]), (P2, 9_000, None, people[1])]
    assert derive([(P1, C1, "M"), (P2, C1, "M")], imd_2019=imd("2019", rows)).loc[C1, "imd_rank"] == 7_500


def test_split_children_are_their_parent_and_an_irregular_code_follows_its_number_of_parents(imd: Any, derive: Any) -> None:
    rows = [(P1, 3_000, 50.0, 1_000), (P2, 9_000, 20.0, 1_000), (P3, 20_000, 10.0, 1_000)]
    made = derive([(P1, C1, "S"), (P1, C2, "S"), (P2, C3, "X"), (P3, C3, "X"), (P3, "E01099004", "X")], imd_2019=imd("2019", rows))
    for child in (C1, C2):
        assert made.loc[child, ["part_lsoa_code", "imd_rank", "imd_score", "derivation", "change_code"]].tolist() == [
            P1,
            3_000,
            50.0,
            "inherited",
            "S",
        ]
    assert made.loc[C3, ["imd_score", "derivation", "change_code"]].tolist() == [15.0, "weighted_mean_score", "X"]
    assert made.loc["E01099004", ["part_lsoa_code", "derivation"]].tolist() == [P3, "inherited"]
    assert made.loc[P1, ["derivation", "change_code"]].tolist() == ["published", "S"]


def test_a_2011_code_is_shared_among_its_2021_children_by_people(imd: Any, derive: Any) -> None:
    rows = [(C1, 3_000, 50.0, 500), (C2, 9_000, 20.0, 500), (SAME, 100, 60.0, 500)]
    changes = [(P1, C1, "S"), (P1, C2, "S"), (SAME, SAME, "U")]
    by_file = derive(changes, [(C1, 900), (C2, 2_700)], imd_2025=imd("2025", rows)).loc[[P1]]
    assert by_file[["part_lsoa_code", "share", "imd_quintile", "derivation"]].values.tolist() == [
        [C1, 0.25, 1, "shared_by_population"],
        [C2, 0.75, 2, "shared_by_population"],
    ]
    by_edition = derive(changes, [(C1, 900)], imd_2025=imd("2025", rows)).loc[[P1]]  # the file does not know C2: the edition's denominators
    assert by_edition[["share", "derivation"]].values.tolist() == [[0.5, "shared_by_population"]] * 2
    unknown = [(code, rank, score, None) for code, rank, score, _ in rows]
    equally = derive(changes, imd_2025=imd("2025", unknown)).loc[[P1]]
    assert equally[["share", "derivation"]].values.tolist() == [[0.5, "shared_equally"]] * 2


def test_a_2011_code_that_was_merged_takes_the_merged_ones_rank(imd: Any, derive: Any) -> None:
    made = derive([(P1, C1, "M"), (P2, C1, "M")], imd_2025=imd("2025", [(C1, 3_000, 50.0, 500)]))
    assert made.loc[[P1, P2], ["part_lsoa_code", "imd_rank", "share", "derivation"]].values.tolist() == [[C1, 3_000, 1.0, "inherited"]] * 2


def test_a_code_is_left_out_where_the_file_holds_only_some_of_what_it_rests_on(imd: Any, derive: Any) -> None:
    made = derive([(P1, C1, "M"), (P2, C1, "M")], imd_2019=imd("2019", [(P1, 3_000, 50.0, 500)]))
    assert made.index.tolist() == [P1]
    made = derive([(P1, C1, "S"), (P1, C2, "S")], imd_2025=imd("2025", [(C1, 3_000, 50.0, 500)]))
    assert made.index.tolist() == [C1]


def test_a_file_of_one_icb_still_gives_national_quintiles(imd: Any, derive: Any) -> None:
    made = derive(imd_2019=imd("2019", [(P1, 6_568, None, None), (P2, 6_569, None, None), (P3, 32_844, None, None)]))
    assert made["imd_quintile"].tolist() == [1, 2, 5]
    assert made["change_code"].tolist() == ["none"] * 3


def test_both_editions_stand_side_by_side(imd: Any, derive: Any) -> None:
    made = derive([(SAME, SAME, "U")], imd_2019=imd("2019", [(SAME, 6_000, 1.0, 1)]), imd_2025=imd("2025", [(SAME, 7_000, 2.0, 1)])).loc[[SAME]]
    assert made[["imd_edition", "imd_quintile", "derivation", "change_code"]].values.tolist() == [
        ["2019", 1, "published", "U"],
        ["2025", 2, "published", "U"],
    ]


def test_without_any_imd_file_there_is_a_message(derive: Any) -> None:
    with pytest.raises(InputMissing, match="no IMD file has arrived"):
        derive([(P1, C1, "S")])
