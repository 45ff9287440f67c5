"""Who belongs to which PCN, place and ICB on the day, and what a run about one ICB keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.errors import InputMissing
from fuller_popheath.place import neighbourhood_practice
from fuller_popheath.place.area_asked_for import LeftOut, codes_asked_for, left_out

if TYPE_CHECKING:
    import pandas as pd

DAY = date(2022, 7, 1)
Rows = Sequence[Mapping[str, Any]]
LONG_AGO = date(2019, 7, 1)


def member(practice: str, pcn: str, start: date = LONG_AGO, end: date | None = None, sub_icb: str = "00Q") -> dict[str, Any]:
    return {
        "practice_code": practice,
        "pcn_code": pcn,
        "start_date": start,
        "end_date": end,
        "practice_sub_icb_code": sub_icb,
        "pcn_sub_icb_code": sub_icb,
    }


def mapped(practice: str, pcn: str, sub_icb: str = "00Q", icb: str = "QE1") -> dict[str, Any]:
    return {
        "practice_code": practice,
        "pcn_code": pcn,
        "pcn_name": f"PCN {pcn}",
        "sub_icb_code": sub_icb,
        "sub_icb_name": f"NAME {sub_icb}",
        "icb_code": icb,
    }


@pytest.fixture
def belong(table: Any, build: Any) -> Any:
    def make(night: Any, members: Rows = (), lists: Sequence[str] = (), maps: Rows = (), organisations: Rows = ()) -> pd.DataFrame:
        arrived = {
            "reference/pcn_membership": table(
                "reference/pcn_membership", members, practice_name="A PRACTICE", pcn_name="A PCN", membership_snapshot="2022-04-27"
            ),
            "reference/practice_map": table(
                "reference/practice_map", maps, practice_name="A PRACTICE", icb_name="AN ICB", extract_date=date(2022, 1, 1)
            ),
            "reference/organisation": table(
                "reference/organisation", organisations, practice_name="A PRACTICE", status_code="A", prescribing_setting_code="4"
            ),
            "core/registered_count": table(
                "core/registered_count",
                [{"practice_code": code} for code in lists],
                practice_name="A PRACTICE",
                lsoa_code="E01000001",
                registered_count=5,
                registrations_extract=DAY,
            ),
        }
        made = build(arrived, ["core/neighbourhood_practice"], night)["core/neighbourhood_practice"]
        return made.to_pandas().set_index("practice_code")

    return make


@pytest.mark.parametrize(
    ("start", "end", "is_member"),
    [
        (DAY, None, True),
        (DAY + timedelta(days=1), None, False),
        (LONG_AGO, DAY, False),  # the end day itself is outside
        (LONG_AGO, DAY + timedelta(days=1), True),
        (LONG_AGO, None, True),
    ],
)
def test_a_member_on_the_day_has_started_and_not_ended(belong: Any, night: Any, start: date, end: date | None, is_member: bool) -> None:
    made = belong(night(), [member("A00001", "U00001", start, end), member("A00002", "U00002")], lists=["A00001"])
    assert made.loc["A00001", "pcn_code"] == ("U00001" if is_member else "U")


def test_of_two_open_memberships_the_later_start_counts(belong: Any, night: Any) -> None:
    made = belong(night(), [member("A00001", "U00002", date(2022, 1, 1)), member("A00001", "U00001")])
    assert made["pcn_code"].tolist() == ["U00002"]


def test_a_list_without_a_pcn_is_unallocated_as_a_value(belong: Any, night: Any) -> None:
    made = belong(night(), [member("A00001", "U00001")], lists=["A00001", "A00002"])
    assert made.loc["A00002", ["pcn_code", "pcn_name", "neighbourhood_code", "membership_snapshot"]].tolist() == [
        "U",
        "Unallocated",
        "U",
        "2022-04-27",
    ]
    assert not made[["pcn_code", "pcn_name", "neighbourhood_code", "neighbourhood_name"]].isna().any().any()


def test_a_dormant_practice_stays_a_member(belong: Any, night: Any) -> None:
    assert belong(night(), [member("A00001", "U00001")], lists=[])["pcn_code"].tolist() == ["U00001"]


def test_without_epcn_the_map_tells_and_u_stays_a_value(belong: Any, night: Any) -> None:
    made = belong(night(), maps=[mapped("A00001", "U00001"), mapped("A00002", "U")], lists=["A00001", "A00003"])
    assert made["pcn_code"].tolist() == ["U00001", "U", "U"]
    assert made["membership_source"].tolist() == ["practice_map"] * 3
    assert made["membership_snapshot"].tolist() == ["2022-01-01"] * 3
    assert made["icb_code"].tolist()[:2] == ["QE1", "QE1"]
    assert made["icb_code"].isna().tolist() == [False, False, True]


def test_a_pcn_lies_in_one_place_with_all_its_practices(belong: Any, night: Any) -> None:
    maps = [mapped("A00001", "U00001", "00X"), mapped("A00002", "U00001", "00R"), mapped("A00003", "U00001", "00R"), mapped("A00004", "U", "00X")]
    made = belong(night(), maps=maps)
    assert made["place_code"].tolist() == ["00R", "00R", "00R", "00X"]
    assert made["place_name"].tolist() == ["NAME 00R", "NAME 00R", "NAME 00R", "NAME 00X"]
    from_epcn = belong(night(), [{**member("A00001", "U00001"), "practice_sub_icb_code": "00X", "pcn_sub_icb_code": "00Q"}])
    assert from_epcn["place_code"].tolist() == ["00Q"]


def test_the_icb_comes_from_the_map_then_the_site_then_epraccur(belong: Any, night: Any) -> None:
    members = [member("A00001", "U00001", sub_icb="00Q"), member("A00002", "U00002", sub_icb="00R"), member("A00003", "U00003", sub_icb="00X")]
    organisations = [{"practice_code": f"B0000{n}", "sub_icb_code": code, "icb_code": "Q99"} for n, code in enumerate(("00Q", "00R", "00X"))]
    site = night(icb_of_sub_icb={"00Q": "Q98", "00R": "Q98"}, icb_names={"Q98": "BY SITE"})
    made = belong(site, members, maps=[mapped("C00001", "U", "00Q", "D7T5G")], organisations=organisations)
    assert made["icb_code"].tolist() == ["D7T5G", "Q98", "Q99"]
    assert made["icb_name"].tolist()[:2] == ["AN ICB", "BY SITE"]


def test_an_unallocated_practice_has_its_own_icb_where_a_file_knows_it(belong: Any, night: Any) -> None:
    organisations = [{"practice_code": "A00003", "sub_icb_code": "00R", "icb_code": "QE1"}]
    made = belong(night(), [member("A00001", "U00001")], ["A00002", "A00003", "A00004"], [mapped("A00002", "U")], organisations)
    assert made["icb_code"].tolist()[:3] == ["QE1"] * 3
    assert made["place_code"].tolist()[:3] == ["00Q", "00Q", "00R"]
    assert made.loc["A00004", ["icb_code", "place_code"]].isna().all()


def test_places_and_neighbourhoods_are_what_the_site_says(belong: Any, night: Any) -> None:
    site = night(
        place_of_sub_icb={"00Q": "EAST"},
        place_names={"EAST": "Pennine Lancashire"},
        neighbourhood_of_practice={"A00001": "N1"},
        neighbourhood_names={"N1": "Hyndburn"},
    )
    made = belong(site, [member("A00001", "U00001"), member("A00002", "U00001")])
    assert made[["place_code", "place_name"]].drop_duplicates().values.tolist() == [["EAST", "Pennine Lancashire"]]
    assert made["neighbourhood_code"].tolist() == ["N1", "U00001"]
    assert made["neighbourhood_name"].tolist() == ["Hyndburn", "A PCN"]
    assert made["pcn_code"].tolist() == ["U00001", "U00001"]


def test_a_run_about_one_icb_keeps_its_practices_only(belong: Any, night: Any) -> None:
    members = [member("A00001", "U00001", sub_icb="00Q"), member("A00002", "U00002", sub_icb="00R"), member("A00003", "U00003", sub_icb="99A")]
    maps = [mapped("C00001", "U", "00Q"), mapped("C00002", "U", "00R"), mapped("C00003", "U", "99A", "QYG")]
    assert belong(night("QE1"), members, ["A00009"], maps).index.tolist() == ["A00001", "A00002"]
    assert belong(night("00r, 00Q"), members, ["A00009"], maps).index.tolist() == ["A00001", "A00002"]
    assert belong(night("99A", place_of_sub_icb={"99A": "WEST"}), members).index.tolist() == ["A00003"]
    assert len(belong(night(), members, ["A00009"], maps)) == 4


@pytest.mark.parametrize("icb", ["QE1", "00Q,00Z", "00q , QXX"])
def test_an_area_that_no_file_knows_says_what_can_be_done(belong: Any, night: Any, icb: str) -> None:
    with pytest.raises(InputMissing, match=r"sub-ICBs, separated by commas; or a practice map .*site\.toml \[geography\.icb_of_sub_icb\]"):
        belong(night(icb), [member("A00001", "U00001")])


def test_without_any_membership_there_is_a_message(belong: Any, night: Any) -> None:
    with pytest.raises(InputMissing, match="ePCN workbook"):
        belong(night(), lists=["A00001"])
    with pytest.raises(InputMissing, match=r"none of the 1 memberships .* is open on 2022-07-01"):
        belong(night(), [member("A00001", "U00001", DAY + timedelta(days=1))])


def test_who_is_left_out_is_counted_and_who_may_belong_after_all(table: Any, night: Any) -> None:
    # A00001 is in QE1, A00002 in another ICB, A00003 in a PCN of a sub-ICB that is in no ICB we know of, A00004 in no PCN and no file but the counts.
    members = [member("A00001", "U00001", sub_icb="00Q"), member("A00002", "U00002", sub_icb="99A"), member("A00003", "U00003", sub_icb="00Z")]
    people = [
        ("A00001", "E01000001", 5),
        ("A00002", "E01000001", 7),
        ("A00003", "E01000001", 11),
        ("A00004", "E01000001", 13),
        ("A00004", "NO2011", 2),
        ("A00005", "E01000001", 0),
    ]
    rows = [{"practice_code": code, "lsoa_code": lsoa, "registered_count": n} for code, lsoa, n in people]
    counts = table("core/registered_count", rows, practice_name="A PRACTICE", registrations_extract=DAY)
    known_members = table("reference/pcn_membership", members, practice_name="A PRACTICE", pcn_name="A PCN", membership_snapshot="2022-04-27")
    empty = {name: table(name, []) for name in ("reference/practice_map", "reference/organisation")}
    inputs = {"core/registered_count": counts, "reference/pcn_membership": known_members, **empty}
    run = night("QE1", icb_of_sub_icb={"00Q": "QE1", "99A": "QYG"})
    everywhere = neighbourhood_practice.practices_everywhere(inputs, run)
    assert left_out(counts, everywhere, "QE1") == LeftOut(3, 7 + 11 + 15, 1, 15)
    assert left_out(counts, everywhere, "") == LeftOut(0, 0, 0, 0)
    assert neighbourhood_practice.build(inputs, run)["practice_code"].to_pylist() == ["A00001"]
    with pytest.raises(InputMissing, match="QXX is the code of no practice"):
        left_out(counts, everywhere, "QXX")


def test_codes_asked_for_are_a_code_or_a_list() -> None:
    assert codes_asked_for(" qe1 ") == ("QE1",)
    assert codes_asked_for("00Q,00R,, 00Q") == ("00Q", "00R")
    assert codes_asked_for("") == ()
