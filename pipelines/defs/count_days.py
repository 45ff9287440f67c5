"""The asset that says of which day counts of people leave: after all products of counts, before every page and release that shows them."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Iterator

import dagster as dg

from pipelines import describe
from pipelines.guard import guarded
from pipelines.release_days import COUNT_DAYS, counts_products, day_released, decide

SAFE = "differ_safely"


@dg.asset(
    key=COUNT_DAYS,
    group_name="releases",
    description=(
        "Of which day counts of people leave. Monthly, unless site.toml says otherwise; with [disclosure] release = nightly a night's counts leave "
        "only where nothing can be worked out from them beside those that left before, and the last ones stand on all other nights."
    ),
    owners=list(describe.OWNERS),
    kinds={"python"},
    deps=[describe.key_of(name) for name in counts_products()],
    required_resource_keys={"night"},
    check_specs=[dg.AssetCheckSpec(SAFE, asset=COUNT_DAYS, description="Tonight's counts can stand beside those that left before.")],
)
@guarded
def count_days(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Decide for tonight, and write it down."""
    tonight = context.resources.night.tonight()
    made = decide(tonight.store, tonight.as_of, tonight.night.site)
    yield dg.AssetCheckResult(check_name=SAFE, passed=made.leaves, severity=dg.AssetCheckSeverity.WARN, description=made.words)
    days = {name: day_released(tonight, name).isoformat() for name in counts_products()}
    shown = {"as of": tonight.as_of.isoformat(), "days": dg.MetadataValue.json(days), "cells given away": sum(made.given_away.values())}
    yield dg.MaterializeResult(metadata=shown)


@dg.definitions
def count_day_definitions() -> dg.Definitions:
    """The day of the night's counts."""
    return dg.Definitions(assets=[count_days])
