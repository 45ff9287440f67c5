"""Files of staff: a census with one line a person is counted and forgotten; GPs by year, payments, and what is supplied."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fuller_popheath.arrival.landing import plan, read_and_check, survey
from fuller_popheath.arrival.reading import Arrived, read_file
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources import workforce
from fuller_popheath.sources.open_data import gp_workforce, pcn_workforce, practice_payment
from fuller_popheath.specs import SourceSpec

CENSUS_HEADER = (
    "Data_source,CENSUS_YEAR,CENSUS_MONTH,PCN_CODE,PCN_NAME,SUB_ICB_CODE,SUB_ICB_NAME,ICB_CODE,ICB_NAME,COMM_REGION_CODE,COMM_REGION_NAME,"
    "STAFF_GROUP,STAFF_ROLE,DETAILED_STAFF_ROLE,FTE,UNIQUE_IDENTIFIER"
)
DIRECT = "Other Direct Patient Care staff"
REAL_CENSUS = "Primary_Care_Networks_June_2022_Individual_Level.csv.gz"


def _line(pcn: str = "U00001", role: str = "Pharmacists", fte: str = "1", who: str = "", group: str = DIRECT, source: str = "NWRS Staff") -> str:
    return f'{source},2022,6,{pcn},NORTH PCN,00Q,"NHS X, ICB - 00Q",QE1,NHS X ICB,Y62,North West,{group},{role},A ROLE \u2013 IN FULL,{fte},{who}'


def _arrived(folder: Path, source: SourceSpec, day: date, quarantine: Path | None = None) -> Arrived:
    arrival = plan(survey(folder, {source.contract: source}), day)
    return read_and_check(arrival, source.contract, quarantine, ArrivalLimits(max_quarantined_percent=90))


def test_the_census_is_counted_and_its_pseudonyms_end_there(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    lines = [
        _line(fte="0.1", who="771"),
        _line(fte="0.2", who="771"),  # one person in two posts of a PCN and role
        _line(fte="1", who="772"),
        _line(fte="0.533333333", source="NWRS contracted services"),
        _line(pcn="U00002", role="Paramedics", fte="-0.026666667", source="NWRS contracted services"),
        _line(fte="part time", who="773"),
        _line(fte="1", who="774") + ",one field too many",
        _line(fte="1", who="775", group="Astronauts"),
    ]
    write_csv("landing/census.csv", [CENSUS_HEADER, *lines], encoding="cp1252")
    arrived = _arrived(tmp_path / "landing", pcn_workforce.SOURCE, date(2022, 7, 1), tmp_path / "quarantine")
    told = arrived.table.select(["census_date", "pcn_code", "staff_group", "staff_role", "employment", "post_count", "headcount", "fte"]).to_pylist()
    # 0.1 + 0.2 + 1 as decimals are 1.3 and nothing else.
    assert [tuple(row.values()) for row in told] == [
        (date(2022, 6, 30), "U00001", "direct_patient_care", "pharmacists", "nwrs_staff", 3, 2, 1.3),
        (date(2022, 6, 30), "U00001", "direct_patient_care", "pharmacists", "nwrs_contracted_services", 1, None, 0.533333333),
        (date(2022, 6, 30), "U00002", "direct_patient_care", "paramedics", "nwrs_contracted_services", 1, None, -0.026666667),
    ]
    assert arrived.rows_quarantined == 3
    assert "member_of_staff" not in arrived.table.column_names
    kept = b"".join(path.read_bytes() for path in (tmp_path / "quarantine").rglob("*") if path.is_file())
    assert not any(number in kept for number in (b"771", b"772"))


@pytest.mark.parametrize(
    ("year", "month", "day"), [("2024", "02", "2024-02-29"), ("2022", "6", "2022-06-30"), ("2022", "13", "2022-13"), ("", "6", "-6")]
)
def test_the_day_of_a_census_is_the_last_of_its_month(year: str, month: str, day: str) -> None:
    assert pcn_workforce.census_day(year, month) == day


def test_gps_that_were_not_reported_are_missing_and_not_none(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    header = '"Practice.Code","Year","TOTAL_PATIENTS","TOTAL_GP_EXTGL_HC","TOTAL_GP_EXTGL_FTE","IMD","IMD_quintile"'
    write_csv("landing/gps.csv", [header, '"A81001","2021",4000.5,2,2.1,29.9,"4"', '"A81002","2021",9000,NA,,NA,NA', '"A81003","2021",,1,1,,'])
    arrived = _arrived(tmp_path / "landing", gp_workforce.SOURCE, date(2022, 7, 1))
    assert [tuple(row.values()) for row in arrived.table.to_pylist()] == [("A81001", 2021, 4000.5, 2, 2.1), ("A81002", 2021, 9000.0, None, None)]
    assert arrived.rows_quarantined == 1, "a practice without a list of that year"


def test_payments_are_of_the_year_in_the_name(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    registered, weighted = (f"Number of {kind} Patients (Last Known Figure)" for kind in ("Registered", "Weighted"))
    header = f"CCG Code,Code,Practice Code,Practice Name,Contract Type,{registered},{weighted},Average payments per weighted patient"
    write_csv("landing/nhspaymentsgp-22-23-prac.csv", [header, '16C,U1,A81001,THE SURGERY,GMS,"4,029.25",4579.78,157.31'], encoding="utf-8-sig")
    arrived = _arrived(tmp_path / "landing", practice_payment.SOURCE, date(2023, 7, 1))
    (row,) = arrived.table.to_pylist()
    assert (row["financial_year"], row["practice_code"], row["registered_mean"], row["weighted_mean"]) == ("2022-23", "A81001", 4029.25, 4579.78)
    assert arrived.files[0].file.extract_date == date(2023, 3, 31)


@pytest.mark.parametrize("name", ["nhspaymentsgp-prac.csv", "payments-22-24.csv", "payments-2022-07-01.csv"])
def test_a_name_without_a_financial_year_gives_none(name: str) -> None:
    assert practice_payment.financial_year(name) == ("not_said", None)


def test_what_is_supplied_is_read_in_the_words_of_publications(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    lines = [
        "Census date,Area type,Area code,Staff group,Headcount,FTE,Aged 55+",
        '30/06/2022,Practice,a81001,Nurses,12,"8.5",3',
        "2022-06-30,pcn,U00001,Other Admin/Non-clinical staff,4,3,",
        "2022-06-30,practice,A81002,Nurses,2,1.5,3",
        "2022-06-30,practice,A81003,Astronauts,2,1.5,1",
    ]
    write_csv("landing/workforce_2022-07-01.csv", lines)
    arrived = _arrived(tmp_path / "landing", workforce.SOURCE, date(2022, 7, 2))
    assert [tuple(row.values()) for row in arrived.table.to_pylist()] == [
        (date(2022, 6, 30), "practice", "A81001", "nurse", 12, 8.5, 3),
        (date(2022, 6, 30), "pcn", "U00001", "admin_non_clinical", 4, 3.0, None),
    ]
    assert arrived.counts["aged_within_all"] == 1 and arrived.rows_quarantined == 2


@pytest.mark.open_data
def test_the_census_of_june_2022(open_data: Path) -> None:
    arrived = read_file(open_data / REAL_CENSUS, "reference/pcn_workforce")
    table = arrived.table
    # 15,787 lines, says the readme beside the file; the rest is counted here in another way.
    lines = list(csv.DictReader(io.StringIO(gzip.decompress((open_data / REAL_CENSUS).read_bytes()).decode("cp1252"))))
    assert arrived.rows_quarantined == 0
    assert sum(table["post_count"].to_pylist()) == len(lines) == 15_787
    assert sum(table["fte"].to_pylist()) == pytest.approx(float(sum(Decimal(line["FTE"]) for line in lines)), abs=1e-6)
    assert len({*zip(table["pcn_code"].to_pylist(), table["staff_role"].to_pylist(), strict=True)}) == len(
        {(line["PCN_CODE"], line["STAFF_ROLE"]) for line in lines}
    )


@pytest.mark.open_data
@pytest.mark.parametrize(
    ("name", "contract", "rows"),
    [("practice_gp_fte_by_year.csv.gz", "reference/gp_workforce", 62_673), ("nhspaymentsgp-22-23-prac.csv.gz", "reference/practice_payment", 6_669)],
)
def test_no_row_of_the_published_files_breaks_its_contract(open_data: Path, name: str, contract: str, rows: int) -> None:
    arrived = read_file(open_data / name, contract)
    assert (arrived.rows_accepted, arrived.rows_quarantined) == (rows, 0)
