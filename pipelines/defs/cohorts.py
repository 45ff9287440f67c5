"""Groups cohorts and lists: who needs continuity and who is on a team's list and why, and the workbooks that teams open."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.publish.lists import INPUTS as PUBLISHED
from fuller_popheath.registry import LIST_TABLES
from pipelines import describe
from pipelines.checks import checks_of
from pipelines.guard import guarded
from pipelines.list_steps import list_assets
from pipelines.steps import table_assets

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.tonight import Tonight

DIRECT_CARE = "direct_care"
LIST, ACCOUNT = LIST_TABLES[:2]
LISTS = {"lists/continuity": DIRECT_CARE}
"""Every kind of list and its purpose; a release takes the files of all of them."""


@dg.asset(
    key=["lists", "continuity"],
    group_name="lists",
    description=(
        "The list of every team: a workbook for the team without NHS numbers, and one with them for each practice, unless the site chose otherwise. "
        "People are re-identified here and nowhere else, and each time is written to the audit log; files are readable by their owner only."
    ),
    owners=list(describe.OWNERS),
    kinds={"excel", "csv"},
    tags={"purpose": DIRECT_CARE},
    deps=[*map(describe.key_of, PUBLISHED), describe.key_of("core/registration")],
    required_resource_keys={"night"},
)
@guarded
def continuity(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Write the lists from the store's tables of the night."""
    tonight: Tonight = context.resources.night.tonight()
    tables = {name: tonight.store.read(name, tonight.as_of) for name in PUBLISHED}
    files = _written(tonight, tables, context.run_id)
    teams = [team for team in tables[ACCOUNT]["team_id"].to_pylist() if team]
    told = {"people listed": tables[LIST].num_rows, "teams": len(teams), "files": len(files), "recipients": ", ".join(teams[:60])}
    folder = tonight.store.page_folder("lists/continuity", tonight.as_of)
    yield dg.MaterializeResult(metadata={**told, "as of": tonight.as_of.isoformat(), "folder": dg.MetadataValue.path(str(folder))})


def _written(tonight: "Tonight", tables: dict[str, Any], run_id: str) -> "tuple[Path, ...]":
    from fuller_popheath.people.audit_log import AuditLog, RunAudit
    from fuller_popheath.people.vault import Vault
    from fuller_popheath.publish.lists import publish_lists

    vault = tonight.night.site.folder("vault")
    audit = RunAudit(AuditLog(vault), run_id, datetime.now(UTC).isoformat(timespec="seconds"))
    folder = tonight.store.fresh_folder("lists/continuity", tonight.as_of)
    return publish_lists(folder, tables, tonight.night, Vault(vault), audit, os.environ)


@dg.definitions
def cohorts() -> dg.Definitions:
    """One asset for every table declared in fuller_popheath/cohorts, the steps of lists, and the files."""
    return dg.Definitions(assets=[*table_assets("cohorts"), *list_assets(), continuity], asset_checks=checks_of("cohorts"))
