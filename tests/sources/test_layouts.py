"""Each published layout, old and new, written small: recognised, read into its contract's columns, and told apart from its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.heads import OpenedHead, columns_shown
from fuller_popheath.sources.opening import heads
from fuller_popheath.sources.own_layout import LAYOUTS, as_source
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

CsvWriter = Callable[..., Path]


def _one(path: Path) -> OpenedHead:
    (head,) = heads(path)
    return head


def _source(contract: str) -> SourceSpec:
    return as_source(contract) if contract in LAYOUTS else registry.sources()[contract]


def _recognise(contract: str, head: FileHead) -> Recognised:
    answer = _source(contract).recognise(head)
    assert answer is not None
    return answer


def _read(contract: str, head: FileHead) -> list[dict[str, object]]:
    return _source(contract).read(head).to_pylist()


def test_every_source_fills_a_contract_of_its_own_name() -> None:
    for contract_id, spec in registry.sources().items():
        assert load_contract(contract_id).id == spec.contract
        assert spec.expects and not spec.expects.endswith(".")


@pytest.mark.parametrize("count_header", ["NUMBER_OF_PATIENTS", "Number of Patients"])
def test_registrations_with_old_and_new_headers(write_csv: CsvWriter, count_header: str) -> None:
    header = f"PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,LSOA_CODE,SEX,{count_header}"
    rows = ["GP,01APR2020,A81001,THE DENSHAM SURGERY,E01011959,ALL,7", 'GP,01APR2020,A81001,THE DENSHAM SURGERY,NO2011,ALL,"1,204"']
    head = _one(write_csv("gp-reg-pat-prac-lsoa-all.csv", [header, *rows]))
    answer = _recognise("reference/practice_lsoa_count", head)
    assert (answer.variant, answer.extract_date, answer.missing_columns) == ("ALL", date(2020, 4, 1), ())
    read = _read("reference/practice_lsoa_count", head)
    assert read[0] == {
        "extract_date": "2020-04-01",
        "practice_code": "A81001",
        "practice_name": "THE DENSHAM SURGERY",
        "lsoa_code": "E01011959",
        "sex": "ALL",
        "registered_count": "7",
        "_row": 2,
    }
    assert (read[1]["lsoa_code"], read[1]["registered_count"]) == ("NO2011", "1204")


def test_a_file_of_one_sex_says_so_and_one_with_both_is_whole(write_csv: CsvWriter, registration_header: str) -> None:
    """SEX is ALL, MALE or FEMALE, in one file or in three."""

    def variant(name: str, *sexes: str) -> str:
        rows = [f"GP,01Jul2022,A81001,S,E0101195{at},{sex},7" for at, sex in enumerate(sexes)]
        return _recognise("reference/practice_lsoa_count", _one(write_csv(name, [registration_header, *rows]))).variant

    assert variant("men.csv", "MALE", "MALE") == "MALE"
    assert variant("women.csv", "FEMALE") == "FEMALE"
    assert variant("both.csv", "FEMALE", "MALE", "FEMALE") == "ALL"
    assert variant("three.csv", "FEMALE", "MALE", "ALL") == "ALL"


def test_the_practice_map_of_ccgs_and_of_sub_icbs_gives_the_same_columns(write_csv: CsvWriter) -> None:
    """Traps 4 and 5: U is a value; ICB codes may have five characters."""
    start, end = "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,PCN_CODE,PCN_NAME", "ONS_COMM_REGION_CODE,COMM_REGION_CODE"
    old = f"{start},ONS_CCG_CODE,CCG_CODE,CCG_NAME,ONS_STP_CODE,STP_CODE,STP_NAME,{end},COMM_REGION_NAME"
    new = f"{start},ONS_SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_NAME,ONS_ICB_CODE,ICB_CODE,ICB_NAME,{end},COMM_REGION_NAME"
    new += ",SUPPLIER_NAME"
    rest = "A81001,THE SURGERY,TS18 1HU,U,UNALLOCATED,E38000247,16C,Place,E54000050"
    old_head = _one(write_csv("old.csv", [old, f"GP,01Jan2022,{rest},QHM,Old,E40000009,Y63,North"]))
    new_head = _one(write_csv("new.csv", [new, f"GP,2026-08-01,{rest},D7T5G,New,E40000012,Y63,North,TPP"]))
    for head, day, icb in ((old_head, "2022-01-01", "QHM"), (new_head, "2026-08-01", "D7T5G")):
        assert _recognise("reference/practice_map", head).extract_date == date.fromisoformat(day)
        (row,) = _read("reference/practice_map", head)
        assert (row["extract_date"], row["icb_code"], row["sub_icb_code"], row["pcn_code"]) == (day, icb, "16C", "U")
        assert (row["region_code"], row["region_name"]) == ("Y63", "North")


CORE_PARTNER = {
    "2022": ["Practice\nParent\nCCG Code", "Practice\nParent\nCCG Name", "PCN Parent\nCCG Code", "PCN Parent\nCCG Name"],
    "2023": [
        "Practice\nParent\nSub ICB Loc Code",
        "Practice\nParent\nSub ICB Loc Name",
        "PCN Parent\nSub ICB Loc Code",
        "PCN Parent\nSub ICB Loc Name",
    ],
}


@pytest.mark.parametrize("vintage", ["2022", "2023"])
@pytest.mark.parametrize(("name", "snapshot"), [("ePCN_2022-04-27.xlsx", "2022-04-27"), ("ePCN.xlsx", "2021-10-11")])
def test_both_epcn_vintages_carry_the_day_they_were_saved(write_workbook: CsvWriter, vintage: str, name: str, snapshot: str) -> None:
    """Traps 3 and 7: the snapshot stands in every row; headers hold line breaks and a trailing blank."""
    code, title, pcn_code, pcn_title = CORE_PARTNER[vintage]
    days = ["Practice to PCN\nRelationship\nStart Date", "Practice to PCN\nRelationship\nEnd Date", "Match "]
    header = ["Partner\nOrganisation\nCode", "Partner\nName", code, title, "PCN Code", "PCN Name", pcn_code, pcn_title, *days]
    rows = [
        ["F82001", "A SURGERY", "16C", "Place", "U12345", "NORTH PCN", "16C", "Place", "20191001", "20200831", True],
        ["F82001", "A SURGERY", "16C", "Place", "U54321", "NORTH PCN", "16C", "Place", 20200831, "", True],
    ]
    details = [["PCN Code", "PCN Name", "Open Date"], ["U12345", "NORTH PCN", "20191001"]]
    path = write_workbook(name, {"PCNDetails": details, "PCN Core Partner Details": [header, *rows]}, datetime(2021, 10, 11, 14, 25, tzinfo=UTC))
    found = [(head, registry.sources()["reference/pcn_membership"].recognise(head)) for head in heads(path)]
    assert [head.member for head, answer in found if answer] == ["PCN Core Partner Details"]
    assert [answer.extract_date for _, answer in found if answer] == [date.fromisoformat(snapshot)]
    read = _read("reference/pcn_membership", found[1][0])
    assert [row["membership_snapshot"] for row in read] == [snapshot, snapshot]
    assert [(row["start_date"], row["end_date"]) for row in read] == [("2019-10-01", "2020-08-31"), ("2020-08-31", None)]
    assert [row["_row"] for row in read] == [2, 3]


def test_membership_without_any_date_is_called_undated(write_csv: CsvWriter) -> None:
    lines = [
        "Partner Organisation Code,Partner Name,Practice Parent CCG Code,PCN Code,PCN Name,PCN Parent CCG Code,"
        "Practice to PCN Relationship Start Date,Practice to PCN Relationship End Date",
        "F82001,A SURGERY,16C,U12345,NORTH PCN,16C,20191001,",
    ]
    (row,) = _read("reference/pcn_membership", _one(write_csv("membership.csv", lines)))
    assert row["membership_snapshot"] == "undated"


def _epraccur(code: str, setting: str, status: str = "A", closed: str = "") -> str:
    fields = [""] * 27
    fields[0:4] = [code, "THE SURGERY, LONDON", "Y63", "QHM"]
    fields[9:13] = ["TS18 1HU", "19740401", closed, status]
    fields[14], fields[25] = "16C", setting
    return ",".join(f'"{field}"' for field in fields)


def test_epraccur_is_told_by_its_shape_and_its_first_row_is_a_row(write_csv: CsvWriter) -> None:
    head = _one(write_csv("epraccur.csv.gz", [_epraccur("A81001", "4"), _epraccur("Y00001", "0", "C", "20171031")]))
    assert _recognise("reference/organisation", head).missing_columns == ()
    read = _read("reference/organisation", head)
    assert [row["_row"] for row in read] == [1, 2]
    assert [(row["practice_code"], row["prescribing_setting_code"], row["close_date"]) for row in read] == [
        ("A81001", "4", None),
        ("Y00001", "0", "2017-10-31"),
    ]
    assert read[0]["practice_name"] == "THE SURGERY, LONDON"


def test_another_file_of_27_fields_is_not_epraccur(write_csv: CsvWriter) -> None:
    head = _one(write_csv("other.csv", [",".join(f"COLUMN_{at}" for at in range(27)), ",".join("1" * 27)]))
    assert registry.sources()["reference/organisation"].recognise(head) is None


RANK, DECILE = "Index of Multiple Deprivation (IMD) Rank", "Index of Multiple Deprivation (IMD) Decile"


def _imd_header(lsoa: str, authority: str, more: str = "", tail: str = " (where 1 is most deprived 10% of LSOAs)") -> list[str]:
    codes = [f"LSOA code ({lsoa})", f"LSOA name ({lsoa})", f"Local Authority District code ({authority})"]
    return [*codes, *([more] if more else []), f"{RANK} (where 1 is most deprived)", f"{DECILE}{tail}"]


@pytest.mark.parametrize(("edition", "lsoa", "authority", "code"), [("2019", "2011", "2019", "lsoa11_code"), ("2025", "2021", "2024", "lsoa21_code")])
def test_the_imd_edition_is_told_by_its_headers(write_workbook: CsvWriter, edition: str, lsoa: str, authority: str, code: str) -> None:
    # Workbook cells are floats; the decile header of File 1 (2025) is cut off at 80 characters.
    header = _imd_header(lsoa, authority, tail=" (where 1 is most deprived 10% of LSOA")
    head = _one(write_workbook("File_1.xlsx", {"IMD": [header, ["E01000001", "City of London 001A", "E09000001", 29199.0, 9.0]]}))
    others = {"2019": "reference/imd_2025", "2025": "reference/imd_2019"}
    assert registry.sources()[others[edition]].recognise(head) is None
    assert _recognise(f"reference/imd_{edition}", head).missing_columns == ()
    (row,) = _read(f"reference/imd_{edition}", head)
    assert (row[code], row["imd_rank"], row["imd_decile"]) == ("E01000001", "29199", "9")


def test_thousands_separators_in_ranks_are_dropped(write_csv: CsvWriter) -> None:
    """The CSV copy of File 1 (2019) writes "29,199" and starts with a byte-order mark."""
    header = ",".join(f'"{name}"' for name in _imd_header("2011", "2019"))
    head = _one(write_csv("imd.csv", ["\ufeff" + header, 'E01000001,City of London 001A,E09000001,"29,199",9']))
    (row,) = _read("reference/imd_2019", head)
    assert (row["lsoa11_code"], row["imd_rank"]) == ("E01000001", "29199")


def test_file_7_is_richer_than_file_1(write_csv: CsvWriter) -> None:
    small = _imd_header("2021", "2024")
    large = [
        *_imd_header("2021", "2024", "Index of Multiple Deprivation (IMD) Score"),
        "Income Decile (where 1 is most deprived)",
        "Total population: mid 2022",
    ]
    richness = [
        _recognise("reference/imd_2025", _one(write_csv(f"{len(header)}.csv", [",".join(header), "x" + "," * (len(header) - 1)]))).richness
        for header in (small, large)
    ]
    assert richness == [5, 8]


def test_imd_2015_is_refused_by_name(write_csv: CsvWriter) -> None:
    head = _one(write_csv("imd.csv", [",".join(_imd_header("2011", "2013")), "E01000001,City,E09000001,1,1"]))
    with pytest.raises(FileRefused, match=r"^imd\.csv: looks like IMD 2015 .*expected IMD 2019"):
        registry.sources()["reference/imd_2019"].recognise(head)


def test_an_imd_file_on_2011_codes_that_hides_its_edition_is_not_taken_for_2019(write_csv: CsvWriter) -> None:
    header = [name for name in _imd_header("2011", "2019") if not name.startswith("Local")]
    head = _one(write_csv("imd.csv", [",".join(header), "E01000001,City,1,1"]))
    assert _recognise("reference/imd_2019", head).missing_columns == ("Local Authority District code (2019)",)


def test_the_lsoa_lookup_in_any_order_of_columns(write_csv: CsvWriter) -> None:
    for name, header, row in (
        ("a.csv", "\ufeffLSOA11CD,LSOA11NM,LSOA21CD,LSOA21NM,CHGIND,LAD22CD,LAD22NM,LAD22NMW,ObjectId", "E01000001,A,E01000002,B,S,E09000001,C,,1"),
        ("b.csv", "LSOA21CD,CHGIND,LSOA11CD", "E01000002,s,E01000001"),
    ):
        (read,) = _read("reference/lsoa_2011_2021", _one(write_csv(name, [header, row])))
        assert (read["lsoa11_code"], read["lsoa21_code"], read["change_code"]) == ("E01000001", "E01000002", "S")


def test_population_with_lines_above_the_header_knows_its_year(write_workbook: CsvWriter) -> None:
    above = [["Mid-2022 population estimates"], ["This sheet contains one table"], []]
    table = [["LAD 2023 Code", "LSOA 2021 Code", "LSOA 2021 Name", "Total", "F0"], ["E06000001", "E01011950", "Hartlepool 009A", 1234, 6]]
    head = _one(write_workbook("sape.xlsx", {"Mid-2022 LSOA 2021": [*above, *table]}))
    answer = _recognise("reference/lsoa_population", head)
    assert answer.extract_date == date(2022, 6, 30)
    assert _read("reference/lsoa_population", head) == [{"lsoa21_code": "E01011950", "population_count": "1234", "_row": 5}]


LIST_HEADER = (
    "extract_date,practice_code,nhs_number,date_of_birth,sex,ethnic_category,lsoa_code,registration_start_date,registration_end_date,"
    "usual_gp_code,death_date"
)


def test_a_practice_list_is_read_whatever_the_case_of_its_headers(write_csv: CsvWriter) -> None:
    row = "01Aug2026,P81001,999 000 0018,12/05/1950,F,a,E01012345,2001-01-01,,G1234567,"
    head = _one(write_csv("P81001.csv", [LIST_HEADER.upper().replace("_", " "), row]))
    answer = _recognise("inbound/practice_list", head)
    assert (answer.variant, answer.extract_date) == ("P81001", date(2026, 8, 1))
    assert _read("inbound/practice_list", head) == [
        {
            "extract_date": "2026-08-01",
            "practice_code": "P81001",
            "nhs_number": "9990000018",
            "date_of_birth": "1950-05-12",
            "sex": "female",
            "ethnic_category": "A",
            "lsoa_code": "E01012345",
            "registration_start_date": "2001-01-01",
            "registration_end_date": None,
            "usual_gp_code": "G1234567",
            "death_date": None,
            "_row": 2,
        }
    ]


def test_a_column_that_stands_twice_is_refused(write_csv: CsvWriter) -> None:
    head = _one(write_csv("P81001.csv", [LIST_HEADER + ",NHS_number", "2026-08-01,P81001" + "," * 10]))
    with pytest.raises(FileRefused, match=r"P81001\.csv: the column nhs_number stands twice"):
        _source("inbound/practice_list").read(head)


def test_a_practice_list_without_its_end_dates_is_a_near_miss(write_csv: CsvWriter) -> None:
    header = LIST_HEADER.replace(",registration_end_date", "")
    answer = _recognise("inbound/practice_list", _one(write_csv("P81001.csv", [header, "2026-08-01,P81001" + "," * 8])))
    assert answer.missing_columns == ("registration_end_date",)


def test_an_nhs_number_in_the_practice_column_never_becomes_a_variant(write_csv: CsvWriter) -> None:
    answer = _recognise("inbound/practice_list", _one(write_csv("list.csv", [LIST_HEADER, "2026-08-01,9434765919" + "," * 9])))
    assert answer.variant == ""


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (("PRACTICE_CODE", "GROUP_CODE", "REGISTER"), "3 columns: PRACTICE_CODE, GROUP_CODE, REGISTER"),
        (("2026-08-01", "P81001", "9434765919", "1950-05-12", "female"), "5 columns without column names that are known"),
        (("A81001", "VICTORIA MEDICAL PRACTICE", "Y54", "Q74"), "4 columns without column names that are known"),
        (("SMITH", "JANE", "F", "12 HIGH STREET"), "4 columns without column names that are known"),
        (("9434765919",), "1 column without column names that are known"),
        # first rows of headerless files, and headings somebody typed a person into
        (("999 123 4560;SMITH Mary;12/08/1937;F;GP Jones;12 Health Road",), "1 column without column names that are known"),
        (("999-652-8634", "1931-04-09", "female patient", "Usual GP JONES"), "4 columns without column names that are known"),
        (("NHS no. 999 699 7367", "dob 12/08/1937", "practice_code"), "3 columns: practice_code and 2 more"),
        (("LSOA code (2011)", "LSOA11CD", "Total population: mid 2022"), "3 columns: LSOA code (2011), LSOA11CD and 1 more"),
    ],
)
def test_a_message_shows_a_header_and_never_a_first_row_of_data(columns: tuple[str, ...], shown: str) -> None:
    assert columns_shown(columns) == shown
