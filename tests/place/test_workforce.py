"""Staff per 100,000: by hand on a small ICS, and Lancashire and South Cumbria from the published files against sums made without this library."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.catalogue.products import workforce_by_pcn
from fuller_popheath.contracts import refuse_if_broken
from fuller_popheath.contracts.loading import load_contract
from fuller_popheath.specs import Night

CONTRACT = "products/workforce_by_pcn"
CENSUS, GPS, SUPPLIED, PAYMENTS = "reference/pcn_workforce", "reference/gp_workforce", "inbound/workforce", "reference/practice_payment"
COUNTS, PRACTICES = "core/registered_count", "core/neighbourhood_practice"
Rows = list[Mapping[str, Any]]
Made = dict[tuple[str, ...], dict[str, Any]]

# Two PCNs of one ICB: U00001 with A and B, U00002 with C; D is in none. 10,000 + 10,000, 20,000 and 10,000 people.
ICS: Rows = [
    {"practice_code": "A00001", "pcn_code": "U00001", "place_code": "00Q"},
    {"practice_code": "A00002", "pcn_code": "U00001", "place_code": "00Q"},
    {"practice_code": "A00003", "pcn_code": "U00002", "place_code": "01A"},
    {"practice_code": "A00004", "pcn_code": "U", "place_code": "01A"},
]
PEOPLE = {"A00001": 10_000, "A00002": 10_000, "A00003": 20_000, "A00004": 10_000}


@pytest.fixture
def made(table: Callable[..., pa.Table], night: Callable[..., Night]) -> Callable[..., Made]:
    def build(census: Rows = (), gps: Rows = (), supplied: Rows = (), payments: Rows = ()) -> Made:  # type: ignore[assignment]
        names = {"icb_code": "QE1", "icb_name": "The ICB", "place_name": "A place", "pcn_name": "A PCN", "practice_name": "A practice"}
        inputs = {
            CENSUS: table(CENSUS, census, census_date=date(2022, 6, 30), employment="nwrs_staff", sub_icb_code="00Q", icb_code="QE1", headcount=None),
            GPS: table(GPS, gps),
            SUPPLIED: table(SUPPLIED, supplied, census_date=date(2022, 3, 31), area_type="practice"),
            PAYMENTS: table(PAYMENTS, payments, financial_year="2022-23"),
            COUNTS: table(COUNTS, [{"practice_code": p, "registered_count": n, "lsoa_code": "E01000001"} for p, n in PEOPLE.items()]),
            PRACTICES: table(PRACTICES, ICS, membership_snapshot="undated", membership_source="epcn", **names),
        }
        product = refuse_if_broken(workforce_by_pcn.build(inputs, night("QE1")), load_contract(CONTRACT))
        key = ("source", "census", "area_type", "area_code", "staff_group", "staff_role")
        return {tuple(row[name] for name in key): row for row in product.to_pylist()}

    return build


def test_who_did_not_report_is_not_a_nought(made: Callable[..., Made]) -> None:
    direct = {"staff_group": "direct_patient_care", "pcn_code": "U00001"}
    rows = made(
        census=[
            {**direct, "staff_role": "pharmacists", "post_count": 3, "headcount": 3, "fte": 2.0},
            {**direct, "staff_role": "paramedics", "post_count": 1, "fte": 1.0, "employment": "nwrs_contracted_services"},
        ]
    )
    pcn = rows["pcn_workforce", "2022-06-30", "pcn", "U00001", "direct_patient_care", "all"]
    # 3 FTE for 20,000 people: 15 per 100,000. Four posts: exact limits 1.0899 and 10.2416 (Garwood), at 0.75 FTE a post.
    assert (pcn["post_count"], pcn["headcount"], pcn["people_count"], pcn["covered_percent"]) == (4, 3, 20_000, 100)
    assert (pcn["fte_per_100k"], pcn["lower"], pcn["upper"]) == pytest.approx((15, 1.0899 * 0.75 * 5, 10.2416 * 0.75 * 5), rel=1e-4)
    assert rows["pcn_workforce", "2022-06-30", "pcn", "U00001", "direct_patient_care", "pharmacists"]["fte_per_100k"] == pytest.approx(10)
    # The other PCN reported nothing: it has no row, and its people and those in no PCN are not among the ICB's denominator.
    icb = rows["pcn_workforce", "2022-06-30", "icb", "QE1", "direct_patient_care", "all"]
    assert (icb["people_count"], icb["covered_percent"], icb["fte_per_100k"]) == pytest.approx((20_000, 40, 15))
    assert not any(key[3] == "U00002" for key in rows)


def test_a_pcn_that_reports_and_has_nobody_of_a_group_has_none(made: Callable[..., Made]) -> None:
    one = {"staff_role": "managers", "post_count": 2, "headcount": 2, "fte": 2.0}
    rows = made(
        census=[
            {**one, "pcn_code": "U00001", "staff_group": "admin_non_clinical"},
            {**one, "pcn_code": "U00002", "staff_group": "directors", "staff_role": "clinical_director"},
        ]
    )
    none = rows["pcn_workforce", "2022-06-30", "pcn", "U00002", "admin_non_clinical", "all"]
    # No post: exact upper limit 3.6889 posts, at the FTE a post of that group (1), for 20,000 people.
    assert (none["post_count"], none["fte"], none["fte_per_100k"], none["lower"]) == (0, 0, 0, 0)
    assert none["upper"] == pytest.approx(3.6889 * 5, rel=1e-4)
    assert rows["pcn_workforce", "2022-06-30", "icb", "QE1", "admin_non_clinical", "all"]["people_count"] == 40_000


def test_a_pcn_that_tonight_no_longer_has_still_counts_in_its_icb(made: Callable[..., Made]) -> None:
    one = {"staff_group": "directors", "staff_role": "managers", "post_count": 1, "headcount": 1, "fte": 1.0}
    rows = made(census=[{**one, "pcn_code": "U00001"}, {**one, "pcn_code": "U00009"}, {**one, "pcn_code": "U00008", "icb_code": "QQQ"}])
    assert rows["pcn_workforce", "2022-06-30", "icb", "QE1", "directors", "all"]["fte"] == 2
    assert rows["pcn_workforce", "2022-06-30", "place", "00Q", "directors", "all"]["fte"] == 2
    gone = rows["pcn_workforce", "2022-06-30", "pcn", "U00009", "directors", "all"]
    assert (gone["fte_per_100k"], gone["area_name"]) == (None, None)


def test_gps_are_held_against_the_list_of_their_own_year(made: Callable[..., Made]) -> None:
    rows = made(
        gps=[
            {"practice_code": "A00001", "year": 2021, "people_count": 8_000.0, "gp_headcount": 5, "gp_fte": 4.0},
            {"practice_code": "A00001", "year": 2022, "people_count": 10_000.0, "gp_headcount": 5, "gp_fte": 4.0},
            {"practice_code": "A00002", "year": 2022, "people_count": 10_000.0, "gp_headcount": None, "gp_fte": None},
            {"practice_code": "A00003", "year": 2022, "people_count": 20_000.0, "gp_headcount": 10, "gp_fte": 10.0},
            {"practice_code": "A00001", "year": 2023, "people_count": 10_000.0, "gp_headcount": 50, "gp_fte": 50.0},
        ],
        payments=[
            {"practice_code": "A00001", "registered_mean": 9_000.0, "weighted_mean": 10_800.0},
            {"practice_code": "A00003", "registered_mean": 21_000.0, "weighted_mean": 19_200.0},
        ],
    )
    by_year = {key[1]: row for key, row in rows.items() if key[2:4] == ("pcn", "U00001")}
    assert {year: (row["fte_per_100k"], row["is_newest"]) for year, row in by_year.items()} == {"2021": (50, False), "2022": (40, True)}
    # The practice that did not report takes its people out of the denominator: half of the PCN's people are covered.
    assert (by_year["2022"]["people_count"], by_year["2022"]["covered_percent"]) == (10_000, 50)
    assert by_year["2022"]["need_weight"] == pytest.approx(1.2) and by_year["2022"]["fte_per_100k_weighted"] == pytest.approx(40 / 1.2)
    icb = rows["gp_workforce", "2022", "icb", "QE1", "gp", "all"]
    # 14 FTE for 30,000 people, who weigh as many.
    assert (icb["fte_per_100k"], icb["need_weight"]) == pytest.approx((14 / 30_000 * 1e5, 1.0))


def test_the_share_aged_55_or_over_is_of_those_whose_age_is_known_and_not_of_a_few(made: Callable[..., Made]) -> None:
    nurses = {"staff_group": "nurse"}
    rows = made(
        supplied=[
            {**nurses, "area_code": "A00001", "headcount": 10, "fte": 7.0, "aged_55_plus_count": 3},
            {**nurses, "area_code": "A00002", "headcount": 90, "fte": 9.0, "aged_55_plus_count": None},
            {**nurses, "area_code": "A00003", "headcount": 7, "fte": 4.0, "aged_55_plus_count": 7},
        ]
    )
    first = rows["workforce", "2022-03-31", "pcn", "U00001", "nurse", "all"]
    assert (first["headcount"], first["aged_55_plus_percent"]) == (100, pytest.approx(30))
    # Wilson of 3 in 10 at 95 %: 0.1078 to 0.6032.
    assert (first["aged_55_plus_lower"], first["aged_55_plus_upper"]) == pytest.approx((10.78, 60.32), abs=0.01)
    assert rows["workforce", "2022-03-31", "pcn", "U00002", "nurse", "all"]["aged_55_plus_percent"] is None
    assert rows["workforce", "2022-03-31", "icb", "QE1", "nurse", "all"]["fte_per_100k"] == pytest.approx(20 / 40_000 * 1e5)


def test_without_files_of_staff_there_are_columns_and_no_rows(made: Callable[..., Made]) -> None:
    assert made() == {}


@pytest.fixture(scope="module")
def lancashire_staff(
    read_real: Callable[[str, str], pa.Table], real_files: dict[str, pa.Table], build: Any, night: Callable[..., Night]
) -> list[Any]:
    files = {
        CENSUS: "Primary_Care_Networks_June_2022_Individual_Level.csv.gz",
        GPS: "practice_gp_fte_by_year.csv.gz",
        PAYMENTS: "nhspaymentsgp-22-23-prac.csv.gz",
    }
    arrived = {**real_files, **{contract: read_real(contract, name) for contract, name in files.items()}}
    product = build(arrived, [CONTRACT], night("QE1"))
    rows: list[Any] = product[CONTRACT].to_pylist()
    return [rows, set(product[PRACTICES]["practice_code"].to_pylist()), set(product[PRACTICES]["pcn_code"].to_pylist())]


def _lines(path: Path, encoding: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode(encoding))))


@pytest.mark.open_data
def test_staff_of_the_pcns_of_lancashire_and_south_cumbria(lancashire_staff: list[Any], open_data: Path) -> None:
    rows, _, pcns = lancashire_staff
    lines = [line for line in _lines(open_data / "Primary_Care_Networks_June_2022_Individual_Level.csv.gz", "cp1252") if line["ICB_CODE"] == "QE1"]
    by_pcn: dict[str, float] = {}
    for line in lines:
        by_pcn[line["PCN_CODE"]] = by_pcn.get(line["PCN_CODE"], 0) + float(line["FTE"])
    all_staff = {row["area_code"]: row for row in rows if row["source"] == "pcn_workforce" and row["staff_group"] == "all"}
    shown = {code: row["fte"] for code, row in all_staff.items() if row["area_type"] == "pcn"}
    assert shown == pytest.approx(by_pcn)
    # 36 of the 41 PCNs reported: 450 lines, 383.3 FTE.
    icb = all_staff["QE1"]
    assert (len(shown), len(pcns - {"U"}), icb["post_count"], round(icb["fte"], 4)) == (36, 41, 450, 383.3104)
    assert icb["fte_per_100k"] == pytest.approx(383.310400014 / icb["people_count"] * 1e5)
    assert sum(row["people_count"] for code, row in all_staff.items() if code in shown) == icb["people_count"]
    roles = [row for row in rows if row["source"] == "pcn_workforce" and row["area_type"] == "pcn" and row["staff_role"] != "all"]
    assert sum(row["fte"] for row in roles) == pytest.approx(icb["fte"])


@pytest.mark.open_data
def test_gps_of_lancashire_and_south_cumbria(lancashire_staff: list[Any], open_data: Path) -> None:
    """The board paper of 27 July 2022 (its 2.15) says 750 and 42 per 100,000 against 45 in England; that counts locums too, as this file does not."""
    rows, practices, _ = lancashire_staff
    fte, people = 0.0, 0.0
    for line in _lines(open_data / "practice_gp_fte_by_year.csv.gz", "utf-8"):
        if line["Practice.Code"] in practices and line["Year"] == "2022" and line["TOTAL_GP_EXTGL_FTE"] not in ("", "NA"):
            fte, people = fte + float(line["TOTAL_GP_EXTGL_FTE"]), people + float(line["TOTAL_PATIENTS"])
    gps = {row["census"]: row for row in rows if row["source"] == "gp_workforce" and row["area_type"] == "icb"}
    assert (gps["2022"]["fte"], gps["2022"]["people_count"]) == pytest.approx((fte, people))
    assert fte == pytest.approx(715.0) and gps["2022"]["fte_per_100k"] == pytest.approx(39.54, abs=0.005)
    # Fewer GPs a head than in 2016, as the paper says, though the files' sum over tonight's practices has grown with their lists.
    assert gps["2016"]["fte_per_100k"] > gps["2022"]["fte_per_100k"] and gps["2016"]["fte"] < gps["2022"]["fte"]
    assert gps["2022"]["need_weight"] == pytest.approx(1.0605, abs=0.0001)
    assert set(gps) == {str(year) for year in range(2016, 2023)}, "what is later than the day is not known on it"
