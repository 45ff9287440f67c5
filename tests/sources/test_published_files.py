"""The published files themselves, with the rows and totals that ../shared/data/README.md gives for them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.sources.opening import heads

pytestmark = pytest.mark.open_data


def _read(path: Path, contract: str) -> pa.Table:
    spec = registry.sources()[contract]
    recognised = [(head, answer) for head in heads(path) if (answer := spec.recognise(head)) is not None]
    assert [answer.missing_columns for _, answer in recognised] == [()]
    table = spec.read(recognised[0][0])
    known = set(load_contract(contract).column_names)
    assert set(table.column_names) - {"_row"} <= known
    assert table["_row"].null_count == 0
    return table


def _total(table: pa.Table, column: str) -> int:
    return int(pc.sum(table[column].cast(pa.int64())).as_py())


def test_registrations_of_july_2022(open_data: Path) -> None:
    table = _read(open_data / "gp-reg-pat-prac-lsoa-all_2022-07.zip", "reference/practice_lsoa_count")
    assert (table.num_rows, _total(table, "registered_count"), pc.count_distinct(table["practice_code"]).as_py()) == (865_965, 61_768_942, 6_484)
    assert pc.unique(table["extract_date"]).to_pylist() == ["2022-07-01"]
    # Counted in the published file: 27,415 people have the code NO2011.
    assert _total(table.filter(pc.equal(table["lsoa_code"], "NO2011")), "registered_count") == 27_415


@pytest.mark.parametrize(
    ("name", "practices", "pcns"),
    [("gp-reg-pat-prac-map_2022-01.csv", 6_527, None), ("gp-reg-pat-prac-map_2026-08.zip", 6_129, 1_298)],
)
def test_practice_maps_old_and_new(open_data: Path, name: str, practices: int, pcns: int | None) -> None:
    table = _read(open_data / name, "reference/practice_map")
    assert table.num_rows == pc.count_distinct(table["practice_code"]).as_py() == practices
    codes = set(table["pcn_code"].to_pylist())
    assert "U" in codes and None not in codes
    if pcns is not None:
        assert len(codes - {"U"}) == pcns
        # 36 ICBs in August 2026, some of whose codes have five characters.
        assert pc.count_distinct(table["icb_code"]).as_py() == 36


@pytest.mark.parametrize(("name", "rows"), [("ePCN_2022-04-27.xlsx", 7_359), ("ePCN_2023-01-26.xlsx", 7_455)])
def test_epcn_workbooks(open_data: Path, name: str, rows: int) -> None:
    table = _read(open_data / name, "reference/pcn_membership")
    assert table.num_rows == rows
    assert set(table["membership_snapshot"].to_pylist()) == {name[5:15]}
    assert table["start_date"].null_count == 0


def test_epraccur_has_the_practices_of_the_registrations(open_data: Path) -> None:
    table = _read(open_data / "epraccur_2023-02.csv.gz", "reference/organisation")
    assert set(table["status_code"].to_pylist()) <= {"A", "C", "D", "P"}
    practices = table.filter(pc.equal(table["prescribing_setting_code"], "4"))
    registered = _read(open_data / "gp-reg-pat-prac-lsoa-all_2022-07.zip", "reference/practice_lsoa_count")
    lists = set(registered["practice_code"].to_pylist())
    # Not all: a few lists belong to other settings (urgent care, homeless services), and half a year lies between the files.
    assert len(lists & set(practices["practice_code"].to_pylist())) > 0.995 * len(lists)


IMD_FILES = [
    ("File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx", "2019", 32_844, False),
    ("File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_RECONSTRUCTED.zip", "2019", 32_844, True),
    ("File_1_IoD2025_Index_of_Multiple_Deprivation.xlsx", "2025", 33_755, False),
    ("File_3_IoD2025_Supplementary_Indices_IDACI_and_IDAOPI.xlsx", "2025", 33_755, False),
    ("File_7_IoD2025_All_Ranks_Scores_Deciles_RECONSTRUCTED.zip", "2025", 33_755, True),
]


@pytest.mark.parametrize(("name", "edition", "areas", "has_scores"), IMD_FILES)
def test_imd_files_of_both_editions(open_data: Path, name: str, edition: str, areas: int, has_scores: bool) -> None:
    table = _read(open_data / name, f"reference/imd_{edition}")
    assert table.num_rows == areas
    assert ("imd_score" in table.column_names) == has_scores
    rank, decile = table["imd_rank"].cast(pa.int64()), table["imd_decile"].cast(pa.int64())
    # decile = ceiling(10 x rank / N) for every LSOA; ranks of 2019 have 26 tied pairs, those of 2025 none.
    assert pc.all(pc.equal(decile, pc.divide(pc.add(pc.multiply(rank, 10), areas - 1), areas))).as_py()
    if edition == "2025":
        assert pc.count_distinct(rank).as_py() == areas


def test_imd_2019_has_26_tied_ranks_in_file_1(open_data: Path) -> None:
    table = _read(open_data / IMD_FILES[0][0], "reference/imd_2019")
    assert pc.count_distinct(table["imd_rank"]).as_py() == 32_844 - 26


def test_the_lsoa_lookup(open_data: Path) -> None:
    (path,) = open_data.glob("LSOA_(2011)_to_LSOA_(2021)*.csv.gz")
    table = _read(path, "reference/lsoa_2011_2021")
    assert table.num_rows == 35_796
    england = table.filter(pc.starts_with(table["lsoa11_code"], "E"))
    assert {each["values"]: each["counts"] for each in pc.value_counts(england["change_code"]).to_pylist()} == {
        "U": 31_810,
        "S": 1_842,
        "M": 194,
        "X": 10,
    }


@pytest.mark.parametrize(
    ("name", "vintage", "shapes"),
    # 35,672 LSOAs 2021 are England (33,755) and Wales (1,917).
    [("lsoa11_QE1.geojson", "2011", 1_058), ("lsoa21_QE1.geojson", "2021", 1_060), ("lsoa21.gpkg.gz", "2021", 33_755 + 1_917)],
)
def test_boundaries(open_data: Path, name: str, vintage: str, shapes: int) -> None:
    table = _read(open_data / name, "reference/lsoa_boundary")
    assert table.num_rows == pc.count_distinct(table["lsoa_code"]).as_py() == shapes
    assert set(table["lsoa_vintage"].to_pylist()) == {vintage}
    assert table["geometry"].null_count == 0


@pytest.mark.parametrize(
    "name",
    [
        "qof_PREVALENCE_2020-21.csv.gz",
        "gp-reg-pat-prac-sing-age-regions_2026-08.zip",
        "lookup_lsoa21_icb24.csv.gz",
        "LSOA11_LOC22_ICB22_LAD22.xlsx",
        "lsoa21_pwc_QE1.csv",
        "icb22_E54000048.geojson",
        "icb_QE1_dissolved_from_lsoa21.geojson",
    ],
)
def test_published_files_of_other_kinds_are_taken_for_nothing_that_they_are_not(open_data: Path, name: str) -> None:
    """One of them has a trap: its IMD_quintile runs the other way round. Quintiles are never read, they are made from ranks."""
    for head in heads(open_data / name):
        assert [contract for contract, spec in registry.sources().items() if spec.recognise(head) is not None] == []
