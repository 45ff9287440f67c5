"""Group delivery: what each recipient of the register is sent of the current release, and the receipts. Nothing where the register is empty."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from pipelines import describe
from pipelines.delivering import deliver_current
from pipelines.guard import guarded

if TYPE_CHECKING:
    from pipelines.tonight import Tonight

KEY = ["delivery", "receipts"]
ARRIVED = "every_recipient"
ROWS_SHOWN = 10


@dg.asset(
    key=KEY,
    group_name="delivery",
    description=(
        "Each recipient's own files of the current release in their folder, once, with a receipt for each. Who may be sent what stands in "
        "site.toml, [delivery]; where a recipient does not match the release, nobody is sent anything."
    ),
    owners=list(describe.OWNERS),
    kinds={"file"},
    tags={"purpose": "direct_care"},
    deps=[dg.AssetKey(["releases", "current"])],
    required_resource_keys={"night"},
    check_specs=[dg.AssetCheckSpec(ARRIVED, asset=KEY, description="Every recipient's folder could be written.")],
)
@guarded
def receipts(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Deliver the current release."""
    tonight: Tonight = context.resources.night.tonight()
    site, store = tonight.night.site, tonight.store
    plan, made = deliver_current(site, store, context.run_id)
    failed = made.failed if made else {}
    told = "; ".join(f"{name}: {why}" for name, why in sorted(failed.items())) or "every recipient's folder could be written"
    yield dg.AssetCheckResult(check_name=ARRIVED, passed=not failed, severity=dg.AssetCheckSeverity.ERROR, description=told)
    if plan is None or made is None:
        yield dg.MaterializeResult(metadata={"as of": tonight.as_of.isoformat(), "recipients": 0, "files sent": 0})
        return
    counted = Counter(receipt.recipient for receipt in made.receipts)
    rows = [dg.TableRecord({"recipient": name, "files sent": counted[name]}) for name in sorted(plan.folders)[:ROWS_SHOWN]]
    yield dg.MaterializeResult(
        metadata={
            "as of": plan.release.as_of.isoformat(),
            "release": plan.release.name,
            "recipients": len(plan.folders),
            "files sent": len(made.receipts),
            "files that were there": made.already_count,
            "by recipient": dg.MetadataValue.table(rows) if rows else dg.MetadataValue.text("nobody"),
        }
    )


@dg.definitions
def delivery() -> dg.Definitions:
    """What is sent after the release."""
    return dg.Definitions(assets=[receipts])
