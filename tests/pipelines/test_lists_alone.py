"""A landing folder with practice lists and no published file: the night makes what can be made of persons, and says what is missing for the rest."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.errors import NothingArrived
from fuller_popheath.registry import facts, features, sources, tables
from fuller_popheath.site import Site
from fuller_popheath.specs import Night
from fuller_popheath.synthetic import plant_fault, write_landing
from pipelines.arrivals import take
from pipelines.tonight import NightSettings
from tests.pipelines.conftest import AS_OF, Place, make_place

COUNTS, PEOPLE = "reference/practice_lsoa_count", 2_000
NEEDING = ("core/registered_count", "core/area_deprivation", "core/neighbourhood_practice")
"""The tables that are made of published files, each of which another table of persons rests on or is held against."""


@pytest.fixture(scope="module")
def omop_alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, str]:
    """A place with one OMOP extract and nothing else, and what a night there said. Extracts without NHS numbers have to be declared make-believe."""
    place = make_place(tmp_path_factory.mktemp("omop_alone") / "place")
    written = tmp_path_factory.mktemp("written") / "landing"
    write_landing(written, seed=3, as_of=AS_OF, people=PEOPLE, records=True, years=2, layout="omop", workers=1)
    shutil.copytree(written / "extracts" / "omop", place.landing, dirs_exist_ok=True)
    sites = next(place.landing.rglob("CARE_SITE.csv")).read_text(encoding="utf-8")
    with (place.folder / "site.toml").open("a", encoding="utf-8") as settings:
        settings.write("[pseudonyms]\ndata_is_synthetic = true\n[geography.neighbourhood_of_practice]\n")
        settings.writelines(f'{code} = "N1"\n' for code in sorted(set(re.findall(r"Y9\d{4}", sites)))[::2])
    ended = place.run_night()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place, " ".join(ended.stdout.split())


def rows(place: Place, contract: str) -> int:
    return pq.read_metadata(place.store / contract / f"as_of={AS_OF}" / "part.parquet").num_rows


def test_everything_about_persons_is_made(omop_alone: tuple[Place, str]) -> None:
    place, _ = omop_alone
    persons = rows(place, "core/person")
    assert persons > 0.9 * PEOPLE
    assert {contract: rows(place, contract) for contract in features()} == dict.fromkeys(features(), persons)
    assert {contract for contract in facts() if not rows(place, contract)} == {"core/person_booking"}, "OMOP does not tell when somebody booked"


def test_practices_that_the_site_gives_a_neighbourhood_have_a_list(omop_alone: tuple[Place, str]) -> None:
    place, _ = omop_alone
    (account, without_team) = pq.read_table(place.products / "direct_care" / "cohort_list_account.parquet").to_pylist()
    assert (account["neighbourhood_code"], without_team["neighbourhood_code"]) == ("N1", "U")
    assert account["listed_count"] == rows(place, "products/cohort_list") > 0
    assert account["registered_count"] + without_team["registered_count"] == rows(place, "core/person")
    assert account["practice_count"] > 0 and "All are up to date." in account["coverage"]


def test_the_lists_are_released_and_no_core20_is(omop_alone: tuple[Place, str]) -> None:
    place, said = omop_alone
    assert sorted(path.name for path in place.products.iterdir()) == ["direct_care", "internal", "manifest.json", "manifest.sig", "secondary_use"]
    listed = {path.name for path in (place.products / "direct_care").iterdir()}
    assert {"cohort_list.csv", "cohort_list_account.csv"} < listed
    assert "core20_by_pcn.csv" not in said and "cohort_list.csv" in said


def test_it_says_which_files_are_missing_and_what_they_would_give(omop_alone: tuple[Place, str]) -> None:
    _, said = omop_alone
    for contract in NEEDING:
        with pytest.raises(NothingArrived) as nothing:
            tables()[contract].build({name: empty_table(load_contract(name)) for name in tables()[contract].inputs}, Night(AS_OF, Site()))
        assert set(nothing.value.missing) <= set(sources())
        assert f"warning {contract} · contract: {nothing.value}; without it there is no {nothing.value.gives}" in said
        assert "Core20" in nothing.value.gives
    assert "there is no page" in said
    assert "error" not in said.partition("What needs looking at")[2]


def settings(place: Place) -> NightSettings:
    return NightSettings(as_of=AS_OF.isoformat(), landing=str(place.landing))


def test_only_a_file_that_did_not_come_can_be_done_without(landed: Place) -> None:
    assert not settings(landed).tonight().can_do_without([COUNTS])  # it is there
    (landed.landing / "gp-reg-pat-prac-lsoa-all.csv").rename(landed.folder / "aside.csv")
    tonight = settings(landed).tonight()
    assert tonight.can_do_without([COUNTS]) and not tonight.can_do_without([COUNTS, "reference/imd_2019"])
    assert take(tonight, sources()[COUNTS], load_contract(COUNTS)).table.num_rows == 0
    shutil.rmtree(landed.landing / "practice_lists")
    assert not settings(landed).tonight().can_do_without([COUNTS])  # nothing else says who is registered


@pytest.mark.parametrize("fault", ["missing_column", "truncated_zip"])
def test_a_damaged_file_is_not_one_that_did_not_come(landed: Place, fault: str) -> None:
    """A zip that cannot be opened may be any file, so it may be this one."""
    plant_fault(landed.landing, fault)
    assert not settings(landed).tonight().can_do_without([COUNTS])


def test_published_files_alone_are_not_enough_without_counts(place: Place, make_believe: Path) -> None:
    for path in make_believe.glob("File_7_*.csv"):
        shutil.copy(path, place.landing)
    ended = place.run_night()
    assert ended.returncode == 5, ended.stdout + ended.stderr
    assert "no registrations (practice x LSOA counts or practice lists)" in " ".join(ended.stdout.split())
