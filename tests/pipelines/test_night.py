"""Whole nights on a small make-believe place, each in a process of its own, in one place: a sound one, then one with everything broken."""

from __future__ import annotations

import csv
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import LIST_TABLES, MOVEMENT, PRACTICE_EXTRACT, REVIEW, SCORE_TABLES, extracts, facts, features, sources, tables
from fuller_popheath.synthetic import plant_fault
from tests.pipelines.conftest import AS_OF, Place, SoundNight, make_place

HEADERLESS = "practice_lists/headerless.csv"
FILES = {"core/landing_file", "pages/core20", "pages/atlas", "pages/profile", "lists/continuity", PRACTICE_EXTRACT}
LEAVING = {"releases/count_days", "releases/current", "delivery/receipts"}
FROM_STEPS = {*SCORE_TABLES, "risk/drift", *LIST_TABLES, REVIEW, MOVEMENT}
EVERYTHING = {
    *FILES,
    *LEAVING,
    *FROM_STEPS,
    *sources(),
    *tables(),
    *facts(),
    *features(),
    *(core for spec in extracts().values() for core in spec.becomes),
}
FAULTS = ("malformed_practice_list", "ragged_practice_list", "wrong_projection", "overlapping_membership")


@dataclass
class Night:
    """One night and what Dagster kept of it."""

    ended: subprocess.CompletedProcess[str]
    run: dg.DagsterRun
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: dict[tuple[str, str], Any] = field(default_factory=dict)


def night_of(place: Place, ended: subprocess.CompletedProcess[str]) -> Night:
    """Read back the newest run: metadata by asset, verdicts by asset and check."""
    with dg.DagsterInstance.from_config(str(place.folder)) as instance:
        run = instance.get_runs(limit=1)[0]
        night = Night(ended, run)
        for entry in instance.all_logs(run.run_id):
            event = entry.dagster_event
            if event is None:
                continue
            if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
                made = event.step_materialization_data.materialization
                night.told["/".join(made.asset_key.path)] = {name: value.value for name, value in made.metadata.items()}
            if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                verdict = event.asset_check_evaluation_data
                night.checks["/".join(verdict.asset_key.path), verdict.check_name] = verdict
        return night


@pytest.fixture(scope="module")
def home(sound_night: SoundNight) -> Place:
    """The place of the sound night itself, in which these nights go on."""
    return sound_night.place


@pytest.fixture(scope="module")
def sound(sound_night: SoundNight) -> Night:
    return night_of(sound_night.kept, sound_night.ended)


@pytest.fixture(scope="module")
def good_registered_count(home: Place, sound: Night) -> bytes:
    return (home.store / "core" / "registered_count" / f"as_of={AS_OF}" / "part.parquet").read_bytes()


@pytest.fixture(scope="module")
def broken(home: Place, sound: Night, good_registered_count: bytes) -> Night:
    """The same place and day, with a fault in nearly every file that a night can do without."""
    for fault in FAULTS:
        plant_fault(home.landing, fault)
    lists = sorted((home.landing / "practice_lists").glob("*.csv"))
    (home.landing / HEADERLESS).write_text("".join(lists[-1].read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    population = home.landing / "lsoa21_population.csv"
    population.write_text(re.sub(r",\d+$", ",many", population.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    number = re.findall(r"(?<!\d)999\d{7}(?!\d)", lists[0].read_text(encoding="utf-8"))[0]
    with zipfile.ZipFile(home.landing / "named.zip", "w") as archive:
        archive.write(home.landing / "LSOA_2011_to_LSOA_2021_lookup.csv", f"about {number}.csv")
        archive.write(home.landing / "epraccur.csv", "another.csv")  # with two in it, the name of each is told
    (home.landing / "cut.zip").write_bytes(b"PK\x03\x04 and no more of it")
    return night_of(home, home.run_night("--as-of", AS_OF.isoformat()))


@pytest.fixture(scope="module")
def released(home: Place, broken: Night) -> dict[str, bytes]:
    """What people find before the failed night."""
    return {path.relative_to(home.products).as_posix(): path.read_bytes() for path in home.products.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def failed(home: Place, broken: Night, released: dict[str, bytes]) -> Night:
    """Then the one file that a night cannot do without has no column of counts."""
    plant_fault(home.landing, "missing_column")
    return night_of(home, home.run_night("--as-of", AS_OF.isoformat()))


def test_a_sound_night_ends_well(sound: Night) -> None:
    assert sound.ended.returncode == 0, sound.ended.stdout + sound.ended.stderr
    assert sound.ended.stderr == ""
    assert set(sound.told) == EVERYTHING
    failed = {name for name, verdict in sound.checks.items() if not verdict.passed}
    # Without a model nobody is scored, which is said as a warning.
    assert failed <= {("core/neighbourhood_practice", "practice_coverage"), ("risk/score", "models_in_use")}


def test_the_run_is_the_pages_own_job(sound: Night) -> None:
    assert sound.run.job_name == "nightly" and sound.run.status == dg.DagsterRunStatus.SUCCESS
    origin = sound.run.remote_job_origin
    assert origin is not None and origin.location_name == "fuller"
    assert origin.repository_origin.repository_name == "__repository__"
    assert sound.run.job_code_origin is not None and sound.run.asset_selection is None


def test_read_is_accepted_and_quarantined(sound: Night, broken: Night) -> None:
    for night in (sound, broken):
        arrived = {name: told for name, told in night.told.items() if "rows read" in told}
        assert len(arrived) > 5
        for told in arrived.values():
            assert told["rows read"] == told["rows accepted"] + told["rows quarantined"]
            if "files" in told:
                assert told["dagster/row_count"] == told["rows accepted"]
    assert all(spec.becomes[0] in arrived for spec in extracts().values())


def test_counts_from_lists_are_nearly_the_published_counts(sound: Night) -> None:
    verdict = sound.checks["core/listed_count", "lists_agree_with_published"]
    assert verdict.passed, verdict.description
    assert verdict.metadata["practices compared"].value > 2 and verdict.metadata["practices beyond the limit"].value == 0


def test_summary_tells_what_was_read_and_where_the_products_are(home: Place, sound: Night) -> None:
    said = sound.ended.stdout
    assert re.search(r"reference/imd_2019 .* 0 ", said)
    for product in (name for name in tables() if name.startswith("products/")):
        path = home.folder / "var" / "products" / load_contract(product).purpose / f"{product.partition('/')[2]}.csv"
        assert str(path) in said and path.is_file() and path.with_suffix(".parquet").is_file()
        if load_contract(product).purpose != "open":
            continue  # the broken night may list other people
        with path.open(encoding="utf-8", newline="") as lines:
            assert len(list(csv.reader(lines))) - 1 == sound.told[product]["dagster/row_count"]


def test_the_page_gets_numbers_rows_and_pictures(sound: Night) -> None:
    told = sound.told["products/core20_by_pcn"]
    shares = [value for name, value in told.items() if name.startswith("Core20 percent")]
    assert len(shares) == 2 and all(isinstance(share, float) and round(share, 2) == share for share in shares)
    assert told["first rows"].startswith("| pcn name | imd edition |") and len(told["first rows"]) < 1000
    pictures = {name: value for name, value in told.items() if isinstance(value, str) and value.startswith("![")}
    assert any(name.startswith("Map") and "data:image/png;base64," in value for name, value in pictures.items())
    assert sound.checks["products/core20_by_pcn", "picture"].passed


def test_what_practices_sent_is_the_owners_only_and_without_identifiers(home: Place, sound: Night) -> None:
    parts = [path for name in ("registration", "event", "contact") for path in (home.store / "core" / name / "parts").rglob("*.parquet")]
    assert len(parts) > 6
    for stored in parts:
        assert stored.stat().st_mode & 0o777 == 0o600
        assert not {"nhs_number", "patient_id", "postcode"} & set(pq.read_schema(stored).names)


def test_lists_name_people_for_direct_care_only(home: Place, sound: Night) -> None:
    care = home.products / "direct_care"
    assert sound.told["lists/continuity"]["people listed"] == sound.told["products/cohort_list"]["dagster/row_count"] > 20
    assert care.stat().st_mode & 0o777 == 0o700 and {path.stat().st_mode & 0o777 for path in care.iterdir()} == {0o600}
    with_numbers = [path for path in care.glob("list-*.csv") if "nhs_number" in path.read_text(encoding="utf-8").partition("\n")[0]]
    assert with_numbers and all(re.search(r"_Y9\d{4}_", path.name) for path in with_numbers), "numbers are with each practice"


def test_a_broken_night_says_so_and_loses_nothing_else(home: Place, broken: Night) -> None:
    assert broken.ended.returncode == 3, broken.ended.stdout + broken.ended.stderr
    assert set(broken.told) == EVERYTHING
    said = broken.ended.stdout
    for file in ("cut.zip", "lsoa21_boundaries.geojson", "headerless.csv"):
        assert file in said
    assert not broken.checks["core/landing_file", "files_readable"].passed
    assert not broken.checks["reference/lsoa_boundary", "contract"].passed
    assert not broken.checks["core/landing_file", "files_recognised"].passed
    assert not broken.checks["core/registration", "contract"].passed
    states = pq.read_table(home.store / "core" / "practice_extract" / f"as_of={AS_OF}" / "part.parquet").to_pylist()
    lists = [row for row in states if row["contract_id"] == "inbound/practice_list" and row["state"] != "never"]
    assert all(row["rows_in_use"] > 0 for row in lists), "a bad list costs the others nothing, and its own practice keeps its last good one"
    assert 0 < sum(row["state"] == "stale" for row in lists) < len(lists)
    assert broken.checks["reference/imd_2019", "contract"].passed


def test_a_refused_file_leaves_the_good_table(broken: Night) -> None:
    verdict = broken.checks["reference/lsoa_population", "contract"]
    assert not verdict.passed and verdict.severity == dg.AssetCheckSeverity.ERROR
    assert f"the table of {AS_OF} stands in" in verdict.description
    assert broken.told["reference/lsoa_population"]["stands in"] == AS_OF.isoformat()


def test_a_failed_night_leaves_yesterdays_products(home: Place, failed: Night, released: dict[str, bytes], good_registered_count: bytes) -> None:
    assert failed.ended.returncode == 3, failed.ended.stdout + failed.ended.stderr
    assert "gp-reg-pat-prac-lsoa-all.csv" in failed.ended.stdout
    assert not {"releases/current", "products/core20_by_pcn", "core/registered_count"} & set(failed.told)
    assert re.search(r"not made.*releases/current", failed.ended.stdout, re.DOTALL)
    found = {path.relative_to(home.products).as_posix(): path.read_bytes() for path in home.products.rglob("*") if path.is_file()}
    assert found == released and {"manifest.json", "open/core20.html", "open/map.png", "open/core20_by_pcn.csv"} <= set(found)
    assert len([path for path in (home.folder / "var" / "releases").iterdir() if path.is_dir()]) == 2
    assert (home.store / "core" / "registered_count" / f"as_of={AS_OF}" / "part.parquet").read_bytes() == good_registered_count


def test_no_nhs_number_is_stored_outside_landing_and_quarantine(home: Place, broken: Night, failed: Night) -> None:
    """Every number that any extract holds, in a sound column or a wrong one, against every byte and every stored value but those of direct care."""
    sent = b"".join(path.read_bytes() for folder in ("practice_lists", "extracts") for path in (home.landing / folder).rglob("*.csv"))
    numbers = {number for number in re.findall(rb"(?<!\d)9\d{9}(?!\d)", sent) if is_nhs_number(number)}
    assert len(numbers) > 1000
    searched = 0
    for path, content in home.stored_bytes():
        for found in (content, *values_in(path)):
            text = re.sub(rb"\.\d+", b"", found)  # decimal places are no number of anybody
            searched += len(text)
            assert not numbers & set(re.findall(rb"(?=(9\d{9}))", text)), path.relative_to(home.folder)
    assert searched > 1_000_000
    said = "".join(night.ended.stdout + night.ended.stderr for night in (broken, failed)).encode()
    assert not numbers & set(re.findall(rb"(?=(9\d{9}))", said))


def is_nhs_number(digits: bytes) -> bool:
    """Modulus 11 with weights 10 to 2 (NHS Data Dictionary)."""
    values = [int(digit) for digit in digits.decode()]
    check = 11 - sum(weight * value for weight, value in zip(range(10, 1, -1), values, strict=False)) % 11
    return check % 11 == values[9] and check != 10


def values_in(path: Path) -> Iterator[bytes]:
    """What a compressed or paged file holds, as text: a number in it need not stand in its bytes in one piece."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield "\n".join(str(value) for column in table.columns for value in column.to_pylist()).encode()
        yield str(table.schema.metadata).encode()
    if path.suffix == ".db":
        with sqlite3.connect(path) as database:
            for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
                yield "\n".join(str(row) for row in database.execute(f'select * from "{name}"')).encode()
        database.close()


def test_quarantine_keeps_the_rows_for_the_owner(home: Place, broken: Night) -> None:
    kept = list((home.folder / "var" / "quarantine").rglob("*.parquet"))
    assert any("practice_list" in path.parts for path in kept)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_night_that_was_killed_does_not_block_the_next(home: Place, failed: Night) -> None:
    from pipelines import launch

    with dg.DagsterInstance.from_config(str(home.folder)) as instance:
        killed = instance.create_run_for_job(defs_job(), tags={launch.STORE_TAG: launch.this_store(home.store)})
        elsewhere = instance.create_run_for_job(defs_job(), tags={launch.STORE_TAG: launch.this_store(home.folder)})
        from_the_page = instance.create_run_for_job(defs_job())
        launch.fail_what_was_killed(instance, home.store)
        statuses = [instance.get_run_by_id(run.run_id).status.value for run in (killed, elsewhere, from_the_page)]  # type: ignore[union-attr]
        assert statuses == ["FAILURE", "NOT_STARTED", "NOT_STARTED"]
        instance.report_run_failed(elsewhere)
        instance.report_run_failed(from_the_page)


def defs_job() -> dg.JobDefinition:
    from pipelines.definitions import defs

    return defs().get_repository_def().get_job("nightly")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--as-of", "1 August"), 2, "as_of is not a day written as YYYY-MM-DD"),
        (("--landing", "/nowhere/at/all"), 2, "the landing folder /nowhere/at/all is not there"),
    ],
)
def test_settings_that_cannot_be_used_end_the_night_at_once(tmp_path: Path, options: tuple[str, ...], code: int, words: str) -> None:
    ended = make_place(tmp_path / "place").run_night(*options)
    assert ended.returncode == code
    assert words in ended.stdout and "products/core20_by_pcn" in ended.stdout


def test_an_empty_landing_folder_is_an_input_missing(tmp_path: Path) -> None:
    ended = make_place(tmp_path / "place").run_night()
    assert ended.returncode == 5
    assert "no registrations" in ended.stdout


@pytest.mark.open_data
def test_the_nightly_job_on_the_published_files(open_data: Path, tmp_path: Path) -> None:
    """One ICB (QE1) as published for July 2022; the figures are those of shared/data/README.md, "End-to-end"."""
    place = make_place(tmp_path / "place")
    ended = place.run_night("--landing", str(open_data), "--icb", "QE1", "--as-of", "2022-07-01")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    made = pq.read_table(place.store / "products" / "core20_by_pcn" / "as_of=2022-07-01" / "part.parquet").to_pylist()
    by_pcn = [row for row in made if row["imd_edition"] == "2019"]
    assert len(by_pcn) == 41
    assert sum(row["practice_count"] for row in by_pcn) == 200
    assert sum(row["registered_count"] for row in by_pcn) == 1_818_958
    assert sum(row["q1_count"] for row in by_pcn) == 556_212
