"""Once a month: what the site keeps no longer goes."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from datetime import UTC, datetime

import dagster as dg

from fuller_popheath.night_records import status_folder
from fuller_popheath.site import load_site
from pipelines.defs.watch import HERE
from pipelines.guard import guarded
from pipelines.night_lock import one_night
from pipelines.retention import sweep, told
from pipelines.run_history import compact, forget_records, forget_runs
from pipelines.stores import Store


@dg.op(
    out=dg.Out(dg.Nothing),
    required_resource_keys={"night"},
    description="Remove old snapshots, and old runs after their counts are written down; how old, and what stays, says [retention] of site.toml.",
)
@guarded
def keep_house(context: dg.OpExecutionContext) -> None:
    """Remove it, while no night is at work. The counts are shown beside the step."""
    site, now = load_site(), datetime.now(UTC)
    with one_night(site.folder("store")):
        swept = sweep(Store(site.folder("store"), site.folder("products")), site.retention)
        context.log.info(f"removed from the store: {told(swept)}")
        runs = forget_runs(context.instance, status_folder(site), now, site.retention.run_days, context.instance.all_asset_keys())
        files = forget_records(status_folder(site), now, site.retention.run_days, site.retention.audit_years)
        context.log.info(f"removed: {runs:,} runs, {files:,} files of records")
        compact(context.instance)
    counts = {"days of tables": sum(swept.days.values()), "parts of extracts": swept.parts, "runs": runs, "records": files}
    context.add_output_metadata({**counts, "MB": round(swept.size_bytes / 1e6, 1)})


@dg.job(
    name="housekeeping", description="Remove what the site keeps no longer: old snapshots of the store, and old runs after a copy of their counts."
)
def housekeeping() -> None:
    """One step."""
    keep_house()


@dg.definitions
def house() -> dg.Definitions:
    """The job and its schedule."""
    monthly = dg.ScheduleDefinition(
        name="every_month_housekeeping",
        job_name="housekeeping",
        cron_schedule="0 6 3 * *",
        execution_timezone=HERE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Removes what the site keeps no longer, on the third of each month, once switched on.",
    )
    return dg.Definitions(jobs=[housekeeping], schedules=[monthly])
