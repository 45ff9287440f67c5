"""The GP Patient Survey and the register of sites, in layouts of our own: what is read, spelt one way, quarantined and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fuller_popheath.arrival.landing import plan, read_and_check, survey
from fuller_popheath.arrival.reading import Arrived
from fuller_popheath.errors import InputMissing
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources import site_register
from fuller_popheath.sources.open_data import gp_patient_survey
from fuller_popheath.specs import SourceSpec
from fuller_popheath.synthetic.neighbourhood_files import neighbourhood_files
from fuller_popheath.synthetic.place import make_place

DAY = date(2026, 10, 1)


def _arrived(folder: Path, source: SourceSpec) -> Arrived:
    arrival = plan(survey(folder, {source.contract: source}), DAY)
    return read_and_check(arrival, source.contract, None, ArrivalLimits(max_quarantined_percent=90))


def test_the_survey_is_read_in_one_spelling(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    lines = [
        "Survey year,Practice code,Question,Favourable %,Favourable percent,Responses",
        '2026,a00001,Overall experience,x,74.5%,"1,204"',
        "2026,A00001,Preferred GP seen,x,,",
        "2026,A00002,Overall experience,x,101,90",
    ]
    write_csv("landing/survey.csv", lines)
    arrived = _arrived(tmp_path / "landing", gp_patient_survey.SOURCE)
    assert arrived.table.select(["survey_year", "practice_code", "measure", "favourable_percent", "answer_count"]).to_pylist() == [
        {"survey_year": 2026, "practice_code": "A00001", "measure": "overall_experience", "favourable_percent": 74.5, "answer_count": 1204},
        {"survey_year": 2026, "practice_code": "A00001", "measure": "preferred_gp_seen", "favourable_percent": None, "answer_count": None},
    ]
    assert arrived.rows_quarantined == 1


def test_sites_are_read_in_one_spelling(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    lines = [
        "Site code,Site name,Kind of site,Neighbourhood code,Postcode,Latitude,Longitude,Free rooms",
        "s1,Town Library,Library,u00001,zz11aa,54.01,-2.8,3",
        "s2,Old Hall,Ballroom,U00001,,,,",
        "s3,Far Hall,Community centre,U00001,,12.5,-2.8,",
    ]
    write_csv("landing/sites_2026-09-01.csv", lines)
    arrived = _arrived(tmp_path / "landing", site_register.SOURCE)
    (site,) = arrived.table.to_pylist()
    assert (site["site_code"], site["site_kind"], site["pcn_code"], site["postcode"]) == ("S1", "library", "U00001", "ZZ1 1AA")
    assert (site["latitude"], site["longitude"], site["free_room_count"]) == (54.01, -2.8, 3)
    assert arrived.rows_quarantined == 2, "a kind that is not known, and a place that is not in England"


@pytest.mark.parametrize("source", [gp_patient_survey.SOURCE, site_register.SOURCE], ids=lambda source: str(source.contract))
def test_a_file_without_a_needed_column_says_which(source: SourceSpec, write_csv: Callable[..., Path], tmp_path: Path) -> None:
    headers = {"reference/gp_patient_survey": "survey_year,measure,favourable_percent", "reference/community_site": "site_code,site_name,site_kind"}
    write_csv("landing/a.csv", [headers[source.contract], "2026,a_word,1"])
    arrival = plan(survey(tmp_path / "landing", {source.contract: source}), DAY)
    assert set(arrival.table["use"].to_pylist()) == {"refused"}
    missing = {"reference/gp_patient_survey": "practice_code", "reference/community_site": "pcn_code"}[source.contract]
    assert missing in arrival.table["reason"][0].as_py()
    with pytest.raises(InputMissing, match=f"needs the column {missing}"):
        read_and_check(arrival, source.contract, None, ArrivalLimits())


def test_the_make_believe_place_has_both_and_is_the_same_again() -> None:
    place = make_place(26, DAY, 12_000)
    files = neighbourhood_files(place, 26, DAY)
    again = neighbourhood_files(place, 26, DAY)
    assert all(table.equals(again[name]) for name, table in files.items())
    sites = files["community_sites.csv"].to_pandas()
    assert set(sites["pcn_code"]) == {pcn.code for pcn in place.organisations.pcns}
    assert sites["site_code"].is_unique
    west, south, east, north = place.lsoa21.total_bounds
    assert sites["longitude"].between(west, east).all()
    assert sites["latitude"].between(south, north).all()
