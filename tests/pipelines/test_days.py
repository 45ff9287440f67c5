"""Several days of one place: a file that stays away, the oldest file that stands in, an older night run again, and two nights at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.publish.release import INTERNAL, Part, release
from fuller_popheath.publish.release_limits import Figures
from fuller_popheath.publish.release_manifest import Statement, place_of
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.publish.rolling_back import FIGURES
from fuller_popheath.registry import sources
from pipelines.arrivals import take
from pipelines.night_lock import LOCK, one_night
from pipelines.steps import kept, referenced_tables, source_asset
from pipelines.stores import checked_on_arrival, parquet_store
from pipelines.tonight import NightSettings, Tonight
from tests.pipelines.conftest import AS_OF, ROOT, Place

LOOKUP, COUNTS = "reference/lsoa_2011_2021", "reference/practice_lsoa_count"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
HOLD = """
import sys
from pathlib import Path
from pipelines.night_lock import one_night

with one_night(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def day(number: int) -> date:
    return AS_OF + timedelta(days=number - 1)


def night(number: int) -> Tonight:
    return NightSettings(as_of=day(number).isoformat()).tonight()


def store(tonight: Tonight, contract_id: str) -> dict[str, object]:
    """What a layout's asset does with what it takes."""
    contract = load_contract(contract_id)
    taken = take(tonight, sources()[contract_id], contract)
    tonight.store.write(checked_on_arrival(taken.table, contract, taken.from_day), tonight.as_of, tonight.landing)
    return {"good": taken.is_good, "severity": taken.severity.value, "said": taken.sentence, "rows": taken.table.num_rows}


def test_on_the_third_day_it_still_says_from_which_day_a_file_is(landed: Place) -> None:
    first = store(night(1), LOOKUP)
    assert first["good"] and first["rows"]
    (landed.landing / "LSOA_2011_to_LSOA_2021_lookup.csv").unlink()
    for number, age in ((2, "1 day old"), (3, "2 days old")):
        told = store(night(number), LOOKUP)
        assert (told["good"], told["severity"], told["rows"]) == (False, "WARN", first["rows"])
        assert str(told["said"]).startswith("no file arrived") and str(told["said"]).endswith(f"the table of {AS_OF} stands in, {age}")


def test_a_file_that_never_came_is_no_warning(landed: Place) -> None:
    (landed.landing / "LSOA_2011_to_LSOA_2021_lookup.csv").unlink()
    for number in (1, 2, 3):
        told = store(night(number), LOOKUP)
        assert told["good"] and told["rows"] == 0 and "no file arrived" in str(told["said"])


def test_where_lists_came_the_last_registrations_stand_in(landed: Place) -> None:
    first = store(night(1), COUNTS)
    (landed.landing / "gp-reg-pat-prac-lsoa-all.csv").unlink()
    told = store(night(2), COUNTS)
    assert (told["good"], told["severity"], told["rows"]) == (False, "WARN", first["rows"])
    assert str(told["said"]).endswith(f"the table of {AS_OF} stands in, 1 day old")


def test_registrations_or_lists_are_needed_every_night(landed: Place, instance: dg.DagsterInstance) -> None:
    store(night(1), COUNTS)
    (landed.landing / "gp-reg-pat-prac-lsoa-all.csv").unlink()
    shutil.rmtree(landed.landing / "practice_lists")
    with pytest.raises(InputMissing, match=f"{COUNTS}: no file for it"):
        take(night(2), sources()[COUNTS], load_contract(COUNTS))
    config = {**QUIET, "resources": {"night": {"config": {"as_of": day(2).isoformat()}}}}
    resources = {"night": NightSettings(), "io_manager": parquet_store}
    ended = dg.materialize([source_asset(sources()[COUNTS])], instance=instance, resources=resources, raise_on_error=False, run_config=config)
    (failure,) = ended.get_step_failure_events()
    assert failure.step_failure_data.user_failure_data.metadata["error"].value == "InputMissing"  # type: ignore[union-attr]


def test_an_older_night_released_again_does_not_take_the_place_of_a_newer_one(after_a_night: Place) -> None:
    """What a whole night of the first day made, where the current release is of the second."""
    place, var = after_a_night, after_a_night.folder / "var"
    figures = Part(INTERNAL, FIGURES, lambda path: path.write_text(Figures({}, {}, (1, 1), {}).as_text(), encoding="utf-8"))
    newer = Statement(day(2), "newer", place=place_of("", place.landing))
    assert release(place.products, var / "releases", newer, [figures], signing_key(var / "vault")).is_current
    current = place.products.readlink()
    command = [sys.executable, "-m", "pipelines.releasing", "release", "--as-of", day(1).isoformat()]
    environment = {**os.environ, **place.environment, "COLUMNS": "200"}
    older = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert older.returncode == 0, older.stdout + older.stderr
    assert place.products.readlink() == current
    assert json.loads((place.products / "manifest.json").read_text(encoding="utf-8"))["as_of"] == day(2).isoformat()
    (aside,) = (path for path in (var / "releases").iterdir() if path.name.startswith(day(1).isoformat()))
    assert "releases/current" in older.stdout and f"the current release is of {day(2)}, which is later than {day(1)}" in older.stdout
    assert str(aside / "open" / "core20_by_pcn.csv") in older.stdout


@contextmanager
def another_process_holds(folder: Path) -> Iterator[None]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        yield
        holder.kill()


def test_a_second_night_fails_at_once_however_it_is_started(landed: Place, instance: dg.DagsterInstance) -> None:
    with another_process_holds(landed.store):
        ended = landed.run_night()
        assert ended.returncode == SettingsWrong.exit_code
        assert "another night is still running in this store (process " in ended.stdout and "core/landing_file" not in ended.stdout
        assert instance.get_runs_count() == 0
        from_the_page = source_run(instance)
        (failure,) = from_the_page.get_step_failure_events()
        assert "another night is still running" in str(failure.step_failure_data.user_failure_data)
        assert [path.name for path in landed.store.iterdir()] == [LOCK]
    assert source_run(instance).success, "a killed process holds nothing"
    with one_night(landed.store):
        assert source_run(instance).success, "the process that holds the lock is the night"


def source_run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    resources = {"night": NightSettings(), "io_manager": parquet_store}
    return dg.materialize([source_asset(sources()[LOOKUP])], instance=instance, resources=resources, raise_on_error=False, run_config=QUIET)


def test_a_check_counts_only_the_rules_it_could_judge() -> None:
    assert kept(30, 105, []) == "all 30 rules kept by 105 rows"
    assert kept(30, 105, ["pcn_code.reference"]) == "29 rules kept by 105 rows; 1 not judged: pcn_code.reference"


def test_a_table_comes_after_those_its_codes_refer_to(monkeypatch: pytest.MonkeyPatch) -> None:
    by_practice, by_pcn = load_contract("products/core20_by_practice"), load_contract("products/core20_by_pcn")
    assert referenced_tables(by_practice) == (by_pcn.id,) and referenced_tables(by_pcn) == ()


def test_codes_are_held_against_the_stored_table_of_the_day(landed: Place) -> None:
    from fuller_popheath.contracts import empty_table
    from pipelines.stores import Proven

    tonight = night(1)
    by_pcn = load_contract("products/core20_by_pcn")
    assert tonight.stored([by_pcn.id]) == {}
    tonight.store.write(Proven(empty_table(by_pcn), by_pcn), tonight.as_of, tonight.landing)
    found = tonight.stored([by_pcn.id])
    assert list(found) == [by_pcn.id] and isinstance(found[by_pcn.id], pa.Table)
    assert night(2).stored([by_pcn.id]) == {}


def test_a_day_that_has_not_come_is_not_the_newest_day_by_itself(landed: Place) -> None:
    lists = sorted((landed.landing / "practice_lists").glob("*.csv"))[0]
    text = lists.read_text(encoding="utf-8")
    lists.write_text(text.replace(AS_OF.isoformat(), "2199-01-01", 1), encoding="utf-8")
    with pytest.raises(SettingsWrong, match="2199-01-01, has not come yet"):
        NightSettings().tonight()
    assert night(1).as_of == day(1), "a day that is named is taken"


def test_a_file_that_is_refused_in_reading_is_no_source_of_the_page(landed: Place) -> None:
    lookup = landed.landing / "LSOA_2011_to_LSOA_2021_lookup.csv"
    rows = lookup.read_text(encoding="utf-8-sig").splitlines()
    lookup.write_text("\n".join([rows[0], *(row.replace(",E01", ",X01", 1) for row in rows[1:])]) + "\n", encoding="utf-8")
    tonight = night(1)
    assert lookup.name in tonight.files_used["file_name"].to_pylist()
    assert not store(tonight, LOOKUP)["good"]
    assert lookup.name not in tonight.files_used["file_name"].to_pylist()
    assert tonight.files_used.num_rows == tonight.arrival.table.num_rows - 1
