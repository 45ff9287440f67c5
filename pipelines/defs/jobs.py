"""The jobs, the schedules of the monthly ones, and what every asset is given: the night's settings, the store, and one process for all steps.

When a night starts, and who is told how it ended, stands in `watch.py`.
"""

from typing import Any

import dagster as dg

from fuller_popheath.registry import LIST_TABLES
from pipelines import describe
from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.launch import FIRST_NIGHT, JOB, MISSED_DAY
from pipelines.list_steps import MAKE_LISTS
from pipelines.risk_steps import SCORECARD, TRAINING_GROUP
from pipelines.stores import parquet_store
from pipelines.time_limit import TAG
from pipelines.tonight import NightSettings

LONGEST = {TAG: str(6 * 60 * 60)}
"""Seconds after which Dagster's daemon ends a run that was started from the page; what schedules and sensors start has the limit of site.toml."""
LEAVES = ("lists", "pages", "releases", "delivery")
NIGHT = {"resources": {"night": {"config": {"as_of": "", "landing": "", "edition": "both", "icb": ""}}}}


@dg.definitions
def jobs() -> dg.Definitions:
    """Steps run in the run's own process: a process a step costs seconds each, and tables of one night share what was read."""
    redact_whatever_is_not_guarded()
    monthly_training = _job(
        "monthly_training",
        training(),
        "Train and judge every model on what the last night left in the store. What scores changes in site.toml only, after review.",
        config=None,
    )
    monthly_scorecard = _job("monthly_scorecard", scorecard(), "Hold a year-old prediction against what happened since, group by group.")
    remade = dg.AssetSelection.assets(*map(describe.key_of, (*LIST_TABLES, "lists/continuity", "releases/current")))
    return dg.Definitions(
        jobs=[
            *_nights(),
            monthly_training,
            monthly_scorecard,
            _job(
                "team_lists",
                remade,
                f"Make the lists of some teams anew, with other places or floors (ops > {MAKE_LISTS}), from what the last night left in the store, "
                "and release them; everything else in the release stays as it is.",
            ),
        ],
        schedules=[
            _schedule("every_month_scorecard", monthly_scorecard, "0 5 2 * *", "Runs the scorecard on the second of each month, once switched on."),
            _schedule(
                "every_month_training", monthly_training, "30 5 2 * *", "Trains on the second of each month, after the night, once switched on."
            ),
        ],
        resources={"night": NightSettings(), "io_manager": parquet_store},
        executor=dg.in_process_executor,
    )


def training() -> dg.AssetSelection:
    """What is made once a month by training."""
    return dg.AssetSelection.groups(TRAINING_GROUP)


def scorecard() -> dg.AssetSelection:
    """What is made once a month by looking back."""
    return dg.AssetSelection.assets(describe.key_of(SCORECARD))


def _nights() -> list[Any]:
    nightly = dg.AssetSelection.all() - training() - scorecard()
    leaves = dg.AssetSelection.assets(*map(describe.key_of, LIST_TABLES)).downstream() | dg.AssetSelection.groups(*LEAVES)
    return [
        _job(JOB, nightly, "From the files in the landing folder to every product. Leave the settings empty for the newest day that arrived."),
        _job(
            FIRST_NIGHT,
            dg.AssetSelection.all(),
            "A night in which models are trained too, so that there is something to score with: for make-believe data.",
            config=None,
        ),
        _job(
            MISSED_DAY,
            nightly - leaves,
            "The tables of a day on which there was no night (as_of says which), without lists, pages and a release: these are the newest night's.",
        ),
    ]


def _job(name: str, selection: dg.AssetSelection, description: str, config: Any = NIGHT) -> Any:
    return dg.define_asset_job(name, selection=selection, description=description, config=config, tags=LONGEST)


def _schedule(name: str, job: Any, cron: str, description: str) -> dg.ScheduleDefinition:
    stopped = dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=name, job=job, cron_schedule=cron, execution_timezone="Europe/London", default_status=stopped, description=description
    )
