"""The nightly job, its schedule, and what every asset is given: the night's settings, the store, and one process for all steps."""

from typing import Any

import dagster as dg

from fuller_popheath.registry import LIST_TABLES
from pipelines import describe
from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.launch import FIRST_NIGHT
from pipelines.list_steps import MAKE_LISTS
from pipelines.risk_steps import SCORECARD, TRAINING_GROUP
from pipelines.stores import parquet_store
from pipelines.tonight import NightSettings


@dg.definitions
def jobs() -> dg.Definitions:
    """Steps run in the run's own process: a process a step costs seconds each, and tables of one night share what was read."""
    redact_whatever_is_not_guarded()
    night = {"resources": {"night": {"config": {"as_of": "", "landing": "", "edition": "both", "icb": ""}}}}
    training = dg.AssetSelection.groups(TRAINING_GROUP)
    scorecard = dg.AssetSelection.assets(describe.key_of(SCORECARD))
    nightly = dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all() - training - scorecard,
        description="From the files in the landing folder to every product. Leave the settings empty for the newest day that arrived.",
        config=night,
    )
    first_night = dg.define_asset_job(
        FIRST_NIGHT,
        selection=dg.AssetSelection.all(),
        description="A night in which models are trained too, so that there is something to score with: for make-believe data.",
    )
    monthly_training = dg.define_asset_job(
        "monthly_training",
        selection=training,
        description="Train and judge every model on what the last night left in the store. What scores changes in site.toml only, after review.",
    )
    monthly_scorecard = dg.define_asset_job(
        "monthly_scorecard", selection=scorecard, description="Hold a year-old prediction against what happened since, group by group.", config=night
    )
    remade = dg.AssetSelection.assets(*map(describe.key_of, (*LIST_TABLES, "lists/continuity", "releases/current")))
    team_lists = dg.define_asset_job(
        "team_lists",
        selection=remade,
        description=(
            f"Make the lists of some teams anew, with other places or floors (ops > {MAKE_LISTS}), from what the last night left in the store, and "
            "release them; everything else in the release stays as it is."
        ),
        config=night,
    )
    return dg.Definitions(
        jobs=[nightly, first_night, team_lists, monthly_training, monthly_scorecard],
        schedules=[
            _schedule("every_night", nightly, "0 2 * * *", "Runs the nightly job at 02:00 UK time once it is switched on."),
            _schedule("every_month_scorecard", monthly_scorecard, "0 5 2 * *", "Runs the scorecard on the second of each month, once switched on."),
            _schedule(
                "every_month_training", monthly_training, "30 5 2 * *", "Trains on the second of each month, after the night, once switched on."
            ),
        ],
        resources={"night": NightSettings(), "io_manager": parquet_store},
        executor=dg.in_process_executor,
    )


def _schedule(name: str, job: Any, cron: str, description: str) -> dg.ScheduleDefinition:
    stopped = dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=name, job=job, cron_schedule=cron, execution_timezone="Europe/London", default_status=stopped, description=description
    )
