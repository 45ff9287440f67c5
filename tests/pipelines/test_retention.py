"""What goes after a time and what stays: snapshots that something still reads, parts that a day names; runs go after their counts are kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.arrival.extract_store import ExtractStore, InUse
from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import features
from fuller_popheath.site_nights import Retention
from pipelines.retention import KEPT_WHOLE, sweep
from pipelines.run_history import forget_records, forget_runs
from pipelines.stores import LANDING_KEY, Store
from tests.pipelines.conftest import Place

LAST = date(2027, 6, 10)
RETENTION = Retention(days=30, scored_months=14)
ACCOUNT = load_contract("core/practice_extract").schema


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", tmp_path / "products")


def put(store: Store, contract_id: str, days: list[date], rows: int = 1, landing: str = "/in", **cells: object) -> None:
    """A table of some days, with so many rows of which nothing but the day (and `cells`) matters."""
    for day in days:
        table = pa.table({"as_of": [day] * rows, **{name: [value] * rows for name, value in cells.items()}}).replace_schema_metadata(
            {LANDING_KEY: landing}
        )
        path = store.path(contract_id, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)


def nights(first: date, last: date = LAST) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def test_tables_of_a_night_go_after_their_time(store: Store) -> None:
    days = nights(LAST - timedelta(days=80))
    put(store, "core/person_objection", days)
    put(store, "core/segment", days)
    swept = sweep(store, RETENTION)
    assert store.days("core/segment") == tuple(day for day in days if day >= LAST - timedelta(days=30))
    assert swept.days["core/segment"] == 50 and swept.size_bytes > 0
    assert not list(store.folder.rglob(".gone-*"))
    assert sweep(store, RETENTION).days == {}


def test_days_count_from_the_last_night_and_the_newest_three_always_stay(store: Store) -> None:
    put(store, "core/person_objection", [date(2020, 1, 1)])
    old = nights(date(2015, 1, 1), date(2015, 1, 10))
    put(store, "core/segment", old)
    sweep(store, RETENTION)
    assert store.days("core/segment") == tuple(old[-3:])
    put(store, "core/list_size_check", old)
    assert sweep(Store(store.folder / "nothing", store.products), RETENTION).days == {}, "no night, nothing to count from"


def test_what_lists_and_models_read_of_older_nights_stays_for_good(store: Store) -> None:
    days = [date(2019, 3, 4), date(2022, 1, 3), *nights(LAST - timedelta(days=5))]
    put(store, "core/person_objection", days)
    for name in sorted(KEPT_WHOLE):
        put(store, name, days, issued_on=date(2022, 1, 3))
    put(store, "core/list_candidate", days)
    sweep(store, RETENTION)
    assert all(store.days(name) == tuple(days) for name in KEPT_WHOLE)
    # Who could have been listed is asked of the days of issue.
    assert store.days("core/list_candidate") == tuple(days[1:])


def test_counts_that_left_stay_one_day_a_month_the_first_with_rows(store: Store) -> None:
    put(store, "core/person_objection", nights(date(2027, 1, 1)))
    put(store, "products/segment_count", nights(date(2027, 1, 1), date(2027, 1, 4)), rows=0)
    put(store, "products/segment_count", nights(date(2027, 1, 5)))
    sweep(store, RETENTION)
    kept = [day for day in store.days("products/segment_count") if day < LAST - timedelta(days=30)]
    assert kept == [date(2027, 1, 5), date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1), date(2027, 5, 1)]


def test_a_night_of_scores_a_month_stays_until_its_year_is_over(store: Store) -> None:
    days = nights(date(2026, 1, 1))
    put(store, "core/person_objection", days)
    tables = ("risk/score", "core/person", *features())
    for name in tables:
        put(store, name, [day for day in days if day.day in (1, 2)])
    sweep(store, RETENTION)
    firsts = [date(2026, month, 1) for month in range(5, 13)] + [date(2027, month, 1) for month in range(1, 6)]
    for name in tables:
        # Fourteen months back lies April 2026; the second of May is one of the newest three.
        assert [day for day in store.days(name) if day < LAST - timedelta(days=30)] == [*firsts, date(2027, 5, 2)], name


def test_the_last_good_file_of_each_folder_stands_in_for_ever(store: Store) -> None:
    put(store, "core/person_objection", nights(LAST - timedelta(days=60)))
    put(store, "reference/imd_2025", [date(2026, 1, 1)], landing="/in")
    put(store, "reference/imd_2025", [date(2026, 2, 1)], landing="/other")
    put(store, "reference/imd_2025", [date(2025, 1, 1)], landing="/in")
    put(store, "reference/imd_2025", nights(LAST - timedelta(days=60)), rows=0)
    sweep(store, RETENTION)
    assert store.days("reference/imd_2025")[:2] == (date(2026, 1, 1), date(2026, 2, 1))
    assert date(2025, 1, 1) not in store.days("reference/imd_2025")


def test_parts_of_extracts_go_with_the_last_day_that_names_them(store: Store) -> None:
    put(store, "core/person_objection", nights(LAST - timedelta(days=60)))
    extracts = ExtractStore(store.folder)
    for identity in ("old", "used", "aside"):
        extracts.write_part("core/registration", "A1", identity, pa.table({"x": [1]}))
        (store.folder / "inbound/practice_list/extracts").mkdir(parents=True, exist_ok=True)
        (store.folder / f"inbound/practice_list/extracts/{identity}.json").write_text("{}", encoding="utf-8")

    def night(day: date, identity: str, aside: str = "") -> None:
        set_aside = [InUse("A2", aside, None, {})] if aside else []
        extracts.write_night(
            "inbound/practice_list",
            ["core/registration"],
            day,
            [InUse("A1", identity, None, {"core/registration": 1})],
            ACCOUNT.empty_table(),
            set_aside,
        )

    for day in nights(LAST - timedelta(days=60), LAST - timedelta(days=40)):
        night(day, "old")
    for day in nights(LAST - timedelta(days=39)):
        night(day, "used", "aside")
    swept = sweep(store, RETENTION)
    assert (swept.parts, swept.accounts) == (1, 1)
    assert {path.stem for path in (store.folder / "core/registration/parts/A1").iterdir()} == {"used", "aside"}
    assert extracts.days("core/registration")[0] == LAST - timedelta(days=30) == extracts.days("inbound/practice_list")[0]
    assert extracts.parts("core/registration", LAST).paths[0].is_file()


def test_pages_and_lists_of_old_days_go_for_releases_have_their_own(store: Store) -> None:
    put(store, "core/person_objection", nights(LAST - timedelta(days=60)))
    for day in nights(LAST - timedelta(days=60)):
        for page in ("pages/atlas", "lists/continuity"):
            folder = store.page_folder(page, day)
            folder.mkdir(parents=True)
            (folder / "file.html").write_text("x", encoding="utf-8")
    sweep(store, RETENTION)
    for page in ("pages/atlas", "lists/continuity"):
        assert len(list((store.folder / page).iterdir())) == 31


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def a_run(instance: dg.DagsterInstance, name: str, rows: int) -> str:
    @dg.asset(name=name, check_specs=[dg.AssetCheckSpec("fine", asset=name)])
    def made() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        yield dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="words that are not kept")
        yield dg.MaterializeResult(metadata={"dagster/row_count": rows, "text": "not kept", "seconds": 1.5})

    return dg.materialize([made], instance=instance, run_config=QUIET, raise_on_error=False).run_id


def test_runs_go_after_their_counts_are_written_down(place: Place, instance: dg.DagsterInstance) -> None:
    status = place.folder / "status"
    first, second, alone = a_run(instance, "t", 10), a_run(instance, "t", 11), a_run(instance, "other", 5)
    later = datetime.now(UTC) + timedelta(days=200)
    keys = [dg.AssetKey("t"), dg.AssetKey("other")]
    assert forget_runs(instance, status, datetime.now(UTC), 14, keys) == 0
    assert forget_runs(instance, status, later, 180, keys) == 1
    assert instance.get_run_by_id(first) is None
    assert instance.get_run_by_id(second) and instance.get_run_by_id(alone), "they hold the newest word on an asset"
    (path,) = (status / "audit").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    (line,) = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (line["run"], line["status"]) == (first, "SUCCESS")
    assert line["assets"][0]["asset"] == "t" and line["assets"][0]["numbers"] == {"dagster/row_count": 10, "seconds": 1.5}
    assert line["checks"] == [{"asset": "t", "check": "fine", "passed": False, "severity": "WARN"}]
    assert "not kept" not in path.read_text(encoding="utf-8")
    latest = instance.get_latest_materialization_event(dg.AssetKey("t"))
    assert latest is not None and latest.run_id == second
    assert forget_runs(instance, status, later, 180, keys) == 0


def test_old_records_and_old_years_go(tmp_path: Path) -> None:
    for folder, names in (
        ("runs", ("20250101T020000_aaaaaaaa.json", "20270601T020000_bbbbbbbb.json")),
        ("audit", ("runs_2010.jsonl", "runs_2026.jsonl")),
    ):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text("{}", encoding="utf-8")
    (tmp_path / "told").mkdir()
    for name in ("aaaaaaaa-1.e-mail", "bbbbbbbb-1.e-mail"):
        (tmp_path / "told" / name).touch()
        os.utime(tmp_path / "told" / name, (0, 0))
    assert forget_records(tmp_path, datetime(2027, 6, 10, tzinfo=UTC), 180, 8) == 3
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "20270601T020000_bbbbbbbb.json",
        "bbbbbbbb-1.e-mail",
        "runs_2026.jsonl",
    ]


def test_the_job_keeps_house_and_says_what_went(place: Place, instance: dg.DagsterInstance) -> None:
    from pipelines.definitions import defs

    store = Store(place.store, place.products)
    put(store, "core/person_objection", [LAST - timedelta(days=200), *nights(LAST - timedelta(days=5))])
    job = defs().get_repository_def().get_job("housekeeping")
    ended = job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)
    assert ended.success
    told = next(event for event in ended.all_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT).event_specific_data.metadata  # type: ignore[union-attr]
    assert told["days of tables"].value == 1
    assert LAST - timedelta(days=200) not in store.days("core/person_objection")
