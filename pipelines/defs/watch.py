"""When a night starts by itself, and what is told when a run has ended: schedules and sensors."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import Site, load_site
from pipelines.guard import guarded
from pipelines.launch import JOB, MISSED_DAY
from pipelines.time_limit import TAG

HERE = "Europe/London"
NIGHT_CRON, MISSED_CRON = "0 2 * * *", "30 0 * * *"
"""Clocks change at 01:00 here: what lies between 01:00 and 02:00 is left out in March and comes twice in October. 02:00 comes once every day."""
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
ON, OFF = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED


def limits(site: Site | None) -> dict[str, str]:
    """The tags of a run that nobody watches. `site`: None where site.toml cannot be used; the run then says so."""
    return {TAG: str(site.nights.run_minutes * 60)} if site else {}


def site_or_none() -> Site | None:
    """The settings; None where they cannot be used."""
    try:
        return load_site()
    except SettingsWrong:
        return None


def is_under_way(instance: dg.DagsterInstance, *jobs: str) -> bool:
    """Whether a run is waiting or at work: of some jobs, or of any."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    return any(not jobs or run.job_name in jobs for run in runs)


def is_past(scheduled: datetime, now: datetime) -> bool:
    """Whether the same hour of a later day has come since: this tick was missed, and the later one does for it. By the calendar, not by hours."""
    zone = ZoneInfo(HERE)
    return now.astimezone(zone) >= scheduled.astimezone(zone) + timedelta(days=1)


@dg.schedule(
    name="every_night",
    job_name=JOB,
    cron_schedule=NIGHT_CRON,
    execution_timezone=HERE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Starts a night at 02:00 UK time once it is switched on. After days off only the newest one, and none while another is under way.",
)
@guarded
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for tonight's run."""
    scheduled = context.scheduled_execution_time
    if is_past(scheduled, datetime.now(UTC)):
        return dg.SkipReason("this night was missed; a later one takes in all that came")
    if is_under_way(context.instance, JOB):
        return dg.SkipReason("a night is waiting or at work")
    return dg.RunRequest(run_key=f"night of {scheduled.date().isoformat()}", tags=limits(site_or_none()))


@dg.schedule(
    name="missed_days",
    job_name=MISSED_DAY,
    cron_schedule=MISSED_CRON,
    execution_timezone=HERE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Before the night, where site.toml says catch_up = every: the tables of each day on which files came but no night was run.",
)
@guarded
def missed_days(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for a run for each missed day, oldest first."""
    from pipelines.catch_up import missed_days as find

    if is_past(context.scheduled_execution_time, datetime.now(UTC)):
        yield dg.SkipReason("this tick was missed; a later one looks for all days")
        return
    site = load_site()
    days = find(site, site.folder("landing"))
    if not days:
        yield dg.SkipReason("no day is missing" if site.nights.catch_up == "every" else "the site wants the newest night alone")
    for day in days:
        config = {"resources": {"night": {"config": {"as_of": day.isoformat()}}}}
        yield dg.RunRequest(run_key=f"missed {day.isoformat()}", run_config=config, tags=limits(site))


@dg.sensor(
    name="late_files",
    job_name=JOB,
    minimum_interval_seconds=60,
    default_status=OFF,
    description="Starts a night when files have come since the last one and the landing folder has stood still, once it is switched on.",
)
@guarded
def late_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Look at the landing folder."""
    from fuller_popheath.night_records import status_folder
    from pipelines.late_files import fingerprint, judge, seen

    site = load_site()
    if is_under_way(context.instance):
        return dg.SkipReason("a run is waiting or at work")
    landing = site.folder("landing")
    found = fingerprint(landing)
    quiet = timedelta(minutes=site.nights.late_quiet_minutes)
    judged = judge(found, seen(status_folder(site), landing), context.cursor, datetime.now(UTC), quiet)
    if not judged.is_start:
        return dg.SensorResult(skip_reason=judged.words, cursor=judged.cursor)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"files {found}", tags=limits(site))], cursor=judged.cursor)


@guarded
def _finished(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    from pipelines.after_night import WILL_RETRY, finish, groups_in

    run = context.dagster_run
    repository = context.repository_def
    groups = groups_in(repository) if repository else lambda _: ""
    _, failed = finish(context.instance, run.run_id, groups, is_retried=run.tags.get(WILL_RETRY) == "true")
    for words in failed:
        context.log.warning(words)
    return None


def _after(status: dg.DagsterRunStatus, name: str, told: str) -> dg.SensorDefinition:
    """A sensor that is on from the beginning: who has to switch it on finds out after the first night that failed."""

    @dg.run_status_sensor(run_status=status, name=name, minimum_interval_seconds=30, default_status=ON, description=told)
    def after(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        return _finished(context)

    return after


@dg.sensor(
    name="night_overdue",
    minimum_interval_seconds=1800,
    default_status=OFF,
    description="Tells people, once for each, when no night has ended for as long as site.toml says, once it is switched on.",
)
@guarded
def night_overdue(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Look when the last night ended."""
    from fuller_popheath.night_records import newest, status_folder
    from fuller_popheath.notices import overdue, send, ways
    from fuller_popheath.publish.status_page import newest_night
    from pipelines.after_night import write_page

    site, now = load_site(), datetime.now(UTC)
    last = newest_night(newest(status_folder(site)))
    since = last.ended if last else datetime.fromisoformat(context.cursor) if context.cursor and context.cursor[0] == "2" else now
    hours = int((now - since).total_seconds() // 3600)
    if hours < site.nights.overdue_hours:
        context.update_cursor(since.isoformat())
        return dg.SkipReason(f"the last night ended {hours} hours ago")
    known = f"told of {since.isoformat()}"
    if context.cursor == known:
        return dg.SkipReason(f"no night for {hours} hours; people have been told")
    write_page(site)
    failed = [words for way in ways(site.notices) if (words := send(overdue(hours, last, site.notices), site.notices, os.environ, way))]
    if failed:
        return dg.SkipReason(f"no night for {hours} hours; not everybody could be told: {'; '.join(failed)}")
    context.update_cursor(known)
    return dg.SkipReason(f"no night for {hours} hours; people are told")


@dg.definitions
def watch() -> dg.Definitions:
    """Everything that starts or ends a night without anybody at hand."""
    ended = (
        _after(dg.DagsterRunStatus.SUCCESS, "after_success", "Writes down a run that ended and makes the status page anew; tells people of errors."),
        _after(dg.DagsterRunStatus.FAILURE, "after_failure", "Writes down a run that failed, makes the status page anew and tells people."),
        _after(dg.DagsterRunStatus.CANCELED, "after_cancellation", "Writes down a run that was stopped, makes the status page anew, tells people."),
    )
    return dg.Definitions(schedules=[every_night, missed_days], sensors=[late_files, night_overdue, *ended])
