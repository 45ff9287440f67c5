"""When nights start by themselves: once a day whatever the clocks do, never two at a time, not for what is seen already, and after days off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from pipelines.definitions import defs
from pipelines.defs import watch
from pipelines.defs.budget import over_budget
from pipelines.late_files import fingerprint, judge, remember, seen
from pipelines.time_limit import TAG
from tests.pipelines.conftest import ROOT, Place

HERE = ZoneInfo("Europe/London")
QUIET = timedelta(minutes=15)


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


def ticks(schedule: dg.ScheduleDefinition, first: date, days: int) -> list[datetime]:
    """What Dagster's own iterator gives for some days, in UTC."""
    begin = datetime(first.year, first.month, first.day, tzinfo=HERE)
    end = begin + timedelta(days=days)
    found = schedule_execution_time_iterator(begin.timestamp(), schedule.cron_schedule, schedule.execution_timezone, ascending=True)
    return [tick.astimezone(UTC) for tick in takewhile(lambda tick: tick < end, found)]


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)])
def test_every_schedule_ticks_once_a_day_when_the_clocks_change(repository: dg.RepositoryDefinition, change: date) -> None:
    first = change - timedelta(days=2)
    for name in ("every_night", "missed_days"):
        schedule = repository.get_schedule_def(name)
        found = ticks(schedule, first, 5)
        assert [tick.astimezone(HERE).date() for tick in found] == [first + timedelta(days=number) for number in range(5)]
        hour, minute = (int(part) for part in reversed(str(schedule.cron_schedule).split()[:2]))
        assert {(tick.astimezone(HERE).hour, tick.astimezone(HERE).minute) for tick in found} == {(hour, minute)}


def test_the_nights_of_the_changes_are_23_and_25_hours_apart(repository: dg.RepositoryDefinition) -> None:
    # The Summer Time Order 2002: clocks change at 01:00 GMT on the last Sundays of March and October.
    spring = ticks(repository.get_schedule_def("every_night"), date(2026, 3, 28), 2)
    autumn = ticks(repository.get_schedule_def("every_night"), date(2026, 10, 24), 2)
    assert spring == [datetime(2026, 3, 28, 2, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)]
    assert autumn == [datetime(2026, 10, 24, 1, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)]


def test_monthly_schedules_tick_once_a_month(repository: dg.RepositoryDefinition) -> None:
    for name in ("every_month_training", "every_month_scorecard", "every_month_housekeeping"):
        found = ticks(repository.get_schedule_def(name), date(2026, 1, 1), 365)
        assert [tick.astimezone(HERE).month for tick in found] == list(range(1, 13)), name


def test_nothing_starts_a_night_before_it_is_switched_on(repository: dg.RepositoryDefinition) -> None:
    assert {schedule.default_status for schedule in repository.schedule_defs} == {dg.DefaultScheduleStatus.STOPPED}
    on = {sensor.name for sensor in repository.sensor_defs if sensor.default_status == dg.DefaultSensorStatus.RUNNING}
    assert on == {"after_success", "after_failure", "after_cancellation"}


def asked(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, tick: datetime) -> dg.RunRequest | str:
    """What a schedule asks for at a tick: a run, or why none."""
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=tick) as context:
        told = schedule.evaluate_tick(context)
    return told.run_requests[0] if told.run_requests else str(told.skip_message)


def test_after_days_off_only_the_newest_night_runs(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
    now = datetime.now(HERE)
    newest = now.replace(hour=2, minute=0, second=0, microsecond=0)
    newest -= timedelta(days=newest > now)
    schedule = repository.get_schedule_def("every_night")
    told = [asked(schedule, instance, newest - timedelta(days=days)) for days in (4, 3, 2, 1, 0)]
    assert all(isinstance(each, str) and "missed" in each for each in told[:-1])
    last = told[-1]
    assert isinstance(last, dg.RunRequest) and last.run_key == f"night of {newest.date()}" and last.tags[TAG] == "21600"


def test_a_tick_counts_as_past_by_the_calendar_not_by_hours() -> None:
    on = datetime(2026, 10, 24, 2, tzinfo=HERE)
    assert not watch.is_past(on, on + timedelta(hours=23))
    # 25 hours lie between these two nights.
    assert not watch.is_past(on.astimezone(UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert watch.is_past(on.astimezone(UTC), datetime(2026, 10, 25, 2, 0, tzinfo=UTC))


def test_no_second_night_is_asked_for_while_one_is_waiting(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
    now = datetime.now(UTC)
    waiting = instance.create_run_for_job(repository.get_job("nightly"), status=dg.DagsterRunStatus.STARTED)
    schedule = repository.get_schedule_def("every_night")
    assert asked(schedule, instance, now) == "a night is waiting or at work"
    instance.report_run_canceled(waiting)
    assert isinstance(asked(schedule, instance, now), dg.RunRequest)


def test_the_queue_lets_one_run_work_at_a_time(instance: dg.DagsterInstance) -> None:
    assert instance.get_concurrency_config().run_queue_config is not None
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1  # type: ignore[union-attr]


def test_the_limit_of_a_run_is_the_sites(place: Place) -> None:
    (place.folder / "site.toml").write_text((place.folder / "site.toml").read_text() + "[nights]\nrun_minutes = 45\n", encoding="utf-8")
    assert watch.limits(watch.site_or_none()) == {TAG: "2700"}
    (place.folder / "site.toml").write_text("[nights]\nrun_minutes = 'long'\n", encoding="utf-8")
    assert watch.limits(watch.site_or_none()) == {}


def test_missed_days_make_tables_but_no_lists_and_no_release(repository: dg.RepositoryDefinition) -> None:
    made = {key.to_user_string() for key in repository.get_job("missed_day").asset_layer.executable_asset_keys}
    nightly = {key.to_user_string() for key in repository.get_job("nightly").asset_layer.executable_asset_keys}
    assert made < nightly
    assert "core/person" in made and "core/segment" in made and "risk/score" in made and "products/segment_count" in made
    assert not {"products/cohort_list", "core/selection_log", "releases/current", "lists/continuity", "pages/atlas"} & made


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "extracts").mkdir(parents=True)
    (folder / "extracts" / "A.csv").write_text("a\n", encoding="utf-8")
    return folder


def looks(landing: Path, status: Path, minutes: Iterator[int]) -> Iterator[tuple[bool, str]]:
    cursor, start = None, datetime(2026, 10, 25, 0, 55, tzinfo=UTC)
    for minute in minutes:
        judged = judge(fingerprint(landing), seen(status, landing), cursor, start + timedelta(minutes=minute), QUIET)
        cursor = judged.cursor
        yield judged.is_start, judged.words


def test_late_files_start_a_night_once_they_have_stood_still(landing: Path, tmp_path: Path) -> None:
    status = tmp_path / "status"
    remember(status, landing, fingerprint(landing))
    told = looks(landing, status, iter((0, 1, 10, 16, 20, 30, 36, 37)))
    assert next(told) == (False, "nothing has come since the last night")
    (landing / "late.csv").write_text("half of i", encoding="utf-8")
    assert next(told) == (False, "files have come or are coming")
    (landing / "late.csv").write_text("half of it, and the rest", encoding="utf-8")
    # Ten minutes after it came it has changed: the quiet time begins anew.
    assert next(told) == (False, "files have come or are coming")
    assert next(told)[0] is False and next(told)[0] is False
    assert next(told)[0] is True
    assert next(told)[0] is True
    remember(status, landing, fingerprint(landing))
    assert next(told) == (False, "nothing has come since the last night")


def test_a_file_of_the_same_size_and_a_later_time_is_another(landing: Path) -> None:
    before, path = fingerprint(landing), landing / "extracts" / "A.csv"
    held = path.stat()
    os.utime(path, ns=(held.st_atime_ns, held.st_mtime_ns + 1))
    assert fingerprint(landing) != before


def test_hidden_files_are_being_written_and_do_not_count(landing: Path) -> None:
    before = fingerprint(landing)
    (landing / ".A.csv.part").write_text("x", encoding="utf-8")
    (landing / ".copying").mkdir()
    (landing / ".copying" / "B.csv").write_text("x", encoding="utf-8")
    assert fingerprint(landing) == before
    assert fingerprint(landing / "nowhere") == ""


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"fingerprint": 3}', '{"fingerprint": "F", "since": "yesterday"}'])
def test_a_cursor_that_cannot_be_read_begins_the_quiet_time_anew(cursor: str) -> None:
    judged = judge("F", "another", cursor, datetime(2026, 1, 1, tzinfo=UTC), QUIET)
    assert not judged.is_start and "F" in judged.cursor


def test_the_sensor_starts_one_run_for_a_set_of_files(place: Place, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
    (place.landing / "A.csv").write_text("a\n", encoding="utf-8")
    sensor = repository.get_sensor_def("late_files")

    def look(cursor: str | None) -> dg.SensorResult:
        with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
            return sensor.evaluate_tick(context)  # type: ignore[return-value]

    first = look(None)
    assert first.skip_message == "files have come or are coming" and not first.run_requests  # type: ignore[attr-defined]
    long_ago = first.cursor.replace(str(datetime.now(UTC).year), "2020", 1) if first.cursor else ""
    (request,) = look(long_ago).run_requests or ()
    assert request.run_key == f"files {fingerprint(place.landing)}" and request.tags[TAG] == "21600"
    running = instance.create_run_for_job(repository.get_job("team_lists"), status=dg.DagsterRunStatus.STARTED)
    assert look(long_ago).skip_message == "a run is waiting or at work"  # type: ignore[attr-defined]
    instance.report_run_canceled(running)


def test_steps_over_budget_are_named_worst_first() -> None:
    found = over_budget({"risk": 300.0, "people": 61.0, "pages": 5.0, "own": 9e9}, {"risk": 100.0, "people": 60.0, "pages": 60.0})
    assert found == ["risk took 300 s of 100 s", "people took 61 s of 60 s"]


def test_only_steps_that_read_files_are_tried_again(repository: dg.RepositoryDefinition) -> None:
    again = {
        node.name: node.definition.retry_policy.max_retries  # type: ignore[attr-defined]
        for node in repository.get_job("nightly").graph.nodes
        if node.definition.retry_policy is not None  # type: ignore[attr-defined]
    }
    assert set(again.values()) == {2}
    assert {"core__landing_file", "reference__imd_2025", "inbound__practice_list"} <= set(again)
    assert not any(name.startswith(("core__person", "features", "products", "risk")) for name in again)


def test_only_an_error_of_reading_is_tried_again(instance: dg.DagsterInstance) -> None:
    from pipelines.guard import guarded

    tries: list[str] = []

    def step(name: str, error: Exception) -> dg.AssetsDefinition:
        @dg.asset(name=name, retry_policy=dg.RetryPolicy(max_retries=2))
        @guarded
        def read() -> Iterator[dg.MaterializeResult[None]]:
            tries.append(name)
            if tries.count(name) < 3:
                raise error
            yield dg.MaterializeResult()

        return read

    steps = [step("disk", OSError("a share that hiccups")), step("rule", ValueError("943 476 5919"))]
    ended = dg.materialize(steps, instance=instance, raise_on_error=False, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}})
    assert not ended.success
    assert tries.count("disk") == 3 and tries.count("rule") == 1


def test_everything_that_leaves_says_by_when_it_has_to_be_there(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    leaving = {key for key in graph.get_all_asset_keys() if key.path[0] in ("products", "pages", "lists") or key.path == ["releases", "current"]}
    assert len(leaving) > 20
    without = sorted(key.to_user_string() for key in leaving if graph.get(key).freshness_policy is None)
    assert without == []
    inside = [key for key in graph.get_all_asset_keys() - leaving if graph.get(key).freshness_policy is not None]
    assert [key for key in inside if key.path[0] not in ("delivery",)] == []
    scorecard = graph.get(dg.AssetKey(["products", "risk_scorecard"])).freshness_policy
    assert type(scorecard).__name__ == "TimeWindowFreshnessPolicy"


def with_settings(place: Place, text: str) -> None:
    settings = place.folder / "site.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.fixture
def days_off(place: Place, make_believe: Path) -> Place:
    """A place whose last night was of 1 August, and to which a practice has sent lists of the 2nd, the 3rd and the 5th since."""
    sent = sorted((make_believe / "practice_lists").glob("*.csv"))[0]
    for day in ("2026-08-01", "2026-08-02", "2026-08-03", "2026-08-05"):
        text = sent.read_text(encoding="utf-8").replace("\n2026-08-01,", f"\n{day},")
        (place.landing / f"{sent.stem}_{day}.csv").write_text(text, encoding="utf-8")
    kept = place.store / "core/person_objection/as_of=2026-08-01"
    kept.mkdir(parents=True)
    (kept / "part.parquet").touch()
    return place


def test_missed_days_are_those_on_which_files_came(
    days_off: Place, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, tmp_path: Path
) -> None:
    from fuller_popheath.site import load_site
    from pipelines.catch_up import missed_days

    schedule = repository.get_schedule_def("missed_days")
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=datetime.now(UTC)) as context:
        assert str(schedule.evaluate_tick(context).skip_message) == "the site wants the newest night alone"
    with_settings(days_off, '[nights]\ncatch_up = "every"\n')
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=datetime.now(UTC)) as context:
        asked_for = schedule.evaluate_tick(context).run_requests or []
    # The newest day is the night's own.
    assert [request.run_key for request in asked_for] == ["missed 2026-08-02", "missed 2026-08-03"]
    assert [request.run_config["resources"]["night"]["config"]["as_of"] for request in asked_for] == ["2026-08-02", "2026-08-03"]
    shutil.rmtree(days_off.store)
    assert missed_days(load_site(), days_off.landing) == (), "there has been no night yet"


def test_people_are_told_once_of_a_missing_night(place: Place, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
    from fuller_popheath.night_records import RunRecord, keep

    sensor = repository.get_sensor_def("night_overdue")

    def look(cursor: str | None) -> tuple[str, str]:
        with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
            told = sensor.evaluate_tick(context)
        return str(told.skip_message), told.cursor or ""

    words, cursor = look(None)
    assert words == "the last night ended 0 hours ago", "counted from when it was switched on"
    now = datetime.now(UTC)
    keep(place.folder / "var" / "status", RunRecord("0a1b2c3d", "nightly", "success", now - timedelta(hours=30), now - timedelta(hours=29)))
    words, cursor = look(cursor)
    assert words == "no night for 29 hours; people are told"
    assert look(cursor)[0] == "no night for 29 hours; people have been told"
    assert "No night for 29 hours" in (place.folder / "var" / "status" / "index.html").read_text(encoding="utf-8")


def test_a_run_that_a_terminal_started_and_that_was_killed_is_told_of_by_the_next(place: Place, instance: dg.DagsterInstance) -> None:
    import io

    from rich.console import Console

    from fuller_popheath.night_records import newest
    from pipelines.launch import new_run
    from pipelines.night import _tell_of_killed

    _, run = new_run(instance, ROOT, place.store, {})
    _tell_of_killed(Console(file=io.StringIO()), instance, place.store)
    (record,) = newest(place.folder / "var" / "status")
    assert (record.run_id, record.job, record.status) == (run.run_id, "nightly", "failure")
    assert "ended before its end" in record.troubles[0].words
