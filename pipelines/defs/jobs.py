"""The nightly job, its schedule, and what every asset is given: the night's settings, the store, and one process for all steps."""

import dagster as dg

from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.stores import parquet_store
from pipelines.tonight import NightSettings


@dg.definitions
def jobs() -> dg.Definitions:
    """Steps run in the run's own process: a process a step costs seconds each, and tables of one night share what was read."""
    redact_whatever_is_not_guarded()
    nightly = dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        description="From the files in the landing folder to every product. Leave the settings empty for the newest day that arrived.",
        config={"resources": {"night": {"config": {"as_of": "", "landing": "", "edition": "both", "icb": ""}}}},
    )
    return dg.Definitions(
        jobs=[nightly],
        schedules=[
            dg.ScheduleDefinition(
                name="every_night",
                job=nightly,
                cron_schedule="0 2 * * *",
                execution_timezone="Europe/London",
                default_status=dg.DefaultScheduleStatus.STOPPED,
                description="Runs the nightly job at 02:00 UK time once it is switched on.",
            )
        ],
        resources={"night": NightSettings(), "io_manager": parquet_store},
        executor=dg.in_process_executor,
    )
