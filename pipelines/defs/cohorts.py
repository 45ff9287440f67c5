"""Groups cohorts and lists: who needs continuity and who is on a team's list and why, and the workbooks that teams open."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.audit_log import AuditLog, Head
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.lists import INPUTS as PUBLISHED
from fuller_popheath.registry import LIST_TABLES
from pipelines import describe
from pipelines.checks import checks_of
from pipelines.freshness import EVERY_MORNING
from pipelines.guard import guarded
from pipelines.list_steps import list_assets
from pipelines.steps import table_assets

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from pipelines.tonight import Tonight

DIRECT_CARE = "direct_care"
AUDIT = "audit log"
LIST, ACCOUNT = LIST_TABLES[:2]
OWN_PASSWORDS = "own_passwords"
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
    freshness_policy=EVERY_MORNING,
    tags={"purpose": DIRECT_CARE},
    deps=[*map(describe.key_of, PUBLISHED), describe.key_of("core/registration")],
    check_specs=[dg.AssetCheckSpec(OWN_PASSWORDS, asset=["lists", "continuity"], description="Practices' workbooks have passwords of their own.")],
    required_resource_keys={"night"},
)
@guarded
def continuity(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Write the lists from the store's tables of the night."""
    tonight: Tonight = context.resources.night.tonight()
    tables = {name: tonight.store.read(name, tonight.as_of) for name in PUBLISHED}
    log = AuditLog(tonight.night.site.folder("vault"))
    refuse_tampered(log, last_head(context.instance, log))
    files = write_files(tonight, tables, log, context.run_id)
    accounts = tables[ACCOUNT].select(["team_id", "neighbourhood_code"]).to_pylist()
    teams = {row["team_id"] for row in accounts if row["neighbourhood_code"] != NO_PCN}
    told: dict[str, Any] = {
        "people listed": tables[LIST]["state"].to_pylist().count("listed"),
        "teams": len(teams),
        "files": len(files),
        "recipients": ", ".join(sorted(teams | set(tables[LIST]["practice_code"].to_pylist()))),
        AUDIT: head_told(log),
    }
    yield _own_passwords(tonight, tables[LIST], teams)
    folder = tonight.store.page_folder("lists/continuity", tonight.as_of)
    yield dg.MaterializeResult(metadata={**told, "as of": tonight.as_of.isoformat(), "folder": dg.MetadataValue.path(str(folder))})


def _own_passwords(tonight: "Tonight", listed: "pa.Table", teams: set[str]) -> dg.AssetCheckResult:
    """Warns where a practice's workbook, with the NHS numbers of its people, opens with a password that others of its team have."""
    from fuller_popheath.publish.workbook_password import passwords, with_team_password

    site = tonight.night.site
    practices = set(zip(listed["team_id"].to_pylist(), listed["practice_code"].to_pylist(), strict=True))
    held = passwords(site, os.environ, teams) if site.lists.identities == "practice" else None
    shared = with_team_password(held, practices) if held else 0
    told = "no workbook of a practice needs a password of its own" if held is None else "every practice's workbook has a password of its own"
    if shared:
        told = (
            f"{shared} of {len(practices)} practices' workbooks lie in a folder that is not access-controlled and open with their team's password: "
            "whoever has that can read their people's NHS numbers: add a line team_id/practice_code=password each to lists.passwords_file"
        )
    return dg.AssetCheckResult(
        check_name=OWN_PASSWORDS,
        passed=not shared,
        severity=dg.AssetCheckSeverity.WARN,
        description=told,
        metadata={"practices' workbooks with their team's password": shared},
    )


def head_told(log: "AuditLog") -> dg.JsonMetadataValue:
    """Where the log ends now, for the run to keep."""
    return dg.MetadataValue.json({"of": _name_of(log), **asdict(log.head())})


def _name_of(log: "AuditLog") -> str:
    """Which log it is, without saying where it lies."""
    return hashlib.sha256(str(log.vault.resolve()).encode()).hexdigest()[:12]


def last_head(instance: dg.DagsterInstance, log: "AuditLog") -> "Head | None":
    """Where this log ended when lists were last written, as that run told Dagster: no writer of the vault can change it. None before the first."""
    event = instance.get_latest_materialization_event(dg.AssetKey(["lists", "continuity"]))
    told = event.asset_materialization.metadata if event and event.asset_materialization else {}
    kept = told[AUDIT].value if AUDIT in told else None
    if not isinstance(kept, dict) or kept["of"] != _name_of(log):
        return None
    return Head(kept["number"], kept["hash"], kept["size"])


def refuse_tampered(log: "AuditLog", last: "Head | None") -> None:
    """Raises ContractBroken where the audit log is not what it was when the last run ended, or was changed further back."""
    found = log.verify(last)
    if not found.is_sound:
        raise ContractBroken(f"the audit log of re-identifications was tampered with ({found.words}): no list is written; look into it first")


def write_files(tonight: "Tonight", tables: "Mapping[str, Any]", log: "AuditLog", run_id: str) -> "tuple[Path, ...]":
    """Write the files of these tables of lists into the day's folder of the store; the audit log has it first."""
    from fuller_popheath.people.audit_log import RunAudit
    from fuller_popheath.people.vault import Vault
    from fuller_popheath.publish.lists import publish_lists

    vault = tonight.night.site.folder("vault")
    audit = RunAudit(log, run_id, datetime.now(UTC).isoformat(timespec="seconds"))
    folder = tonight.store.fresh_folder("lists/continuity", tonight.as_of)
    return publish_lists(folder, tables, tonight.night, Vault(vault), audit, os.environ)


@dg.definitions
def cohorts() -> dg.Definitions:
    """One asset for every table declared in fuller_popheath/cohorts, the steps of lists, and the files."""
    return dg.Definitions(assets=[*table_assets("cohorts"), *list_assets(), continuity], asset_checks=checks_of("cohorts"))
