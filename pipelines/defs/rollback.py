"""The job that goes back to an earlier release: a new release of the earlier one's files, in which lists know today's deaths, departures, objections
and reviews. Its step is no asset: it is run by hand, and leaves the tables of lists and the release as the assets that they are."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from fuller_popheath.errors import SettingsWrong
from pipelines import describe
from pipelines.defs.releases import KEY, RUN_LETTERS
from pipelines.guard import guarded

if TYPE_CHECKING:
    from pipelines.rolling_back import Rollback
    from pipelines.tonight import Tonight

ROLLBACK, GO_BACK = "rollback", "go_back"
AUDIT_LISTS = ["lists", "continuity"]


class RollbackChoice(dg.Config):
    """To which release, and why."""

    to: str = Field(default="", description="Name of the release, as `fuller releases` shows it. Empty: the one before the current one.")
    because: str = Field(default="", description="Why: it stands in the manifest of the new release. No names of people.")


@dg.op(name=GO_BACK, required_resource_keys={"night"}, out=dg.Out(dg.Nothing))
@guarded
def go_back(context: dg.OpExecutionContext, config: RollbackChoice) -> Iterator[Any]:
    """Make the earlier release current again, without anybody who is not to be on a list today."""
    from fuller_popheath.people.audit_log import AuditLog
    from pipelines.defs.cohorts import AUDIT, head_told, last_head, refuse_tampered, write_files
    from pipelines.rolling_back import prepare, publish

    if not config.because.strip():
        raise SettingsWrong('say why you go back: fuller rollback --because "..." (ops > go_back > config > because)')
    tonight: Tonight = context.resources.night.tonight()
    asked = prepare(tonight, config.to.strip(), config.because.strip())
    log = AuditLog(tonight.night.site.folder("vault"))
    if asked.lists:
        refuse_tampered(log, last_head(context.instance, log))
        asked.store_lists(tonight)
        files = write_files(tonight, asked.to_publish(tonight), log, context.run_id)
        for name, table in asked.lists.items():
            yield dg.AssetMaterialization(describe.key_of(name), metadata={"dagster/row_count": table.num_rows, **_about(tonight, asked)})
        yield dg.AssetMaterialization(AUDIT_LISTS, metadata={"files": len(files), AUDIT: head_told(log), **_about(tonight, asked)})
    made = publish(tonight, asked, context.run_id[:RUN_LETTERS], datetime.now(UTC).isoformat(timespec="seconds"))
    told: dict[str, Any] = {
        "release": dg.MetadataValue.path(str(made.folder)),
        "files": len(made.files),
        "people taken off since": asked.taken_off,
        "not in it": ", ".join(asked.left_out) or "nothing",
    }
    yield dg.AssetMaterialization(dg.AssetKey(KEY), metadata={**told, **_about(tonight, asked)})
    yield dg.Output(None)


def _about(tonight: "Tonight", asked: "Rollback") -> dict[str, Any]:
    return {"as of": tonight.as_of.isoformat(), "rolled back to": asked.folder.name, "because": asked.because}


@dg.job(
    name=ROLLBACK,
    description="Go back to an earlier release. Nobody comes back who died, left, objected or was reviewed since (ops > go_back > config).",
    config={
        "resources": {"night": {"config": {"as_of": "", "landing": "", "edition": "both", "icb": ""}}},
        "ops": {GO_BACK: {"config": {"to": "", "because": ""}}},
    },
)
def rollback() -> None:
    """One step."""
    go_back()


@dg.definitions
def definitions() -> dg.Definitions:
    """The job."""
    return dg.Definitions(jobs=[rollback])
