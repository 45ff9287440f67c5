"""Group pages: what people open in a browser, made from the night's products."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Iterator

import dagster as dg

from fuller_popheath.core20_report import PAGE_TABLES, publish_pages
from fuller_popheath.publish.atlas import ATLAS_TABLES
from fuller_popheath.publish.profile_given import PROFILE_TABLES
from pipelines import describe
from pipelines.freshness import EVERY_MORNING
from pipelines.guard import guarded
from pipelines.release_days import COUNT_DAYS, SECONDARY_USE, day_released

MADE = "complete"
BY_PCN = "products/core20_by_pcn"
PAGES = {"pages/core20": "open", "pages/atlas": SECONDARY_USE, "pages/profile": SECONDARY_USE}
"""Every page and its purpose; a release takes all of them."""


@dg.asset(
    key=["pages", "core20"],
    group_name="pages",
    description="The Core20 page: one self-contained file with map, ranked list, tables, method and sources. Beside it the map as PNG and SVG.",
    owners=list(describe.OWNERS),
    kinds={"html"},
    freshness_policy=EVERY_MORNING,
    tags={"purpose": "open"},
    deps=[describe.key_of(name) for name in PAGE_TABLES],
    required_resource_keys={"night"},
    check_specs=[dg.AssetCheckSpec(MADE, asset=["pages", "core20"], description="The page has its map.")],
)
@guarded
def core20(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Write the page and the maps from the store's tables of the night."""
    tonight = context.resources.night.tonight()
    tables = {name: tonight.stored_or_empty(name) for name in PAGE_TABLES}
    if not any(table.num_rows for name, table in tables.items() if name.startswith("products/")):
        # Nor is there one of an earlier run of the day, which may have been another place's.
        tonight.store.fresh_folder("pages/core20", tonight.as_of)
        told = "there is no page: no Core20 product has a row, for want of published files"
        yield dg.AssetCheckResult(check_name=MADE, passed=False, severity=dg.AssetCheckSeverity.WARN, description=told)
        yield dg.MaterializeResult(metadata={"as of": tonight.as_of.isoformat()})
        return
    report = publish_pages(tonight.store.page_folder("pages/core20", tonight.as_of), tables, tonight.night, tonight.files_used)
    problems = "; ".join(report.problems)
    yield dg.AssetCheckResult(check_name=MADE, passed=not problems, severity=dg.AssetCheckSeverity.WARN, description=problems or "nothing is missing")
    files = {path.name: dg.MetadataValue.path(str(path)) for path in report.files}
    yield dg.MaterializeResult(metadata={**files, "as of": tonight.as_of.isoformat()})


@dg.asset(
    key=["pages", "atlas"],
    group_name="pages",
    description=(
        "The atlas: one self-contained file with maps of Core20 in both editions and of every indicator, rankings with intervals, slopes of "
        "inequality and the figures behind each picture. Its indicators are the month's, as they are released."
    ),
    owners=list(describe.OWNERS),
    kinds={"html"},
    freshness_policy=EVERY_MORNING,
    tags={"purpose": SECONDARY_USE},
    deps=[*(describe.key_of(name) for name in ATLAS_TABLES), COUNT_DAYS],
    required_resource_keys={"night"},
    check_specs=[dg.AssetCheckSpec(MADE, asset=["pages", "atlas"], description="The atlas could be made.")],
)
@guarded
def atlas(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Write the atlas from the store's tables, those that are released once a month as they were then."""
    from fuller_popheath.publish.atlas import publish_atlas

    tonight = context.resources.night.tonight()
    folder = tonight.store.fresh_folder("pages/atlas", tonight.as_of)
    tables = {name: tonight.stored_or_empty(name, day_released(tonight, name)) for name in ATLAS_TABLES}
    if not tables[BY_PCN].num_rows:
        told = "there is no atlas: no Core20 product has a row, for want of published files"
        yield dg.AssetCheckResult(check_name=MADE, passed=False, severity=dg.AssetCheckSeverity.WARN, description=told)
        yield dg.MaterializeResult(metadata={"as of": tonight.as_of.isoformat()})
        return
    folder.mkdir(parents=True, exist_ok=True)
    (written,) = publish_atlas(folder, tables, tonight.night)
    yield dg.AssetCheckResult(check_name=MADE, passed=True, description=f"{written.stat().st_size / 1e6:.1f} MB")
    shown = {"as of": tonight.as_of.isoformat(), "megabytes": round(written.stat().st_size / 1e6, 2)}
    yield dg.MaterializeResult(metadata={**shown, written.name: dg.MetadataValue.path(str(written))})


@dg.asset(
    key=["pages", "profile"],
    group_name="pages",
    description=(
        "Neighbourhood profiles: a self-contained file a PCN with who lives there, what they have, how they use care, the clinical areas, workforce, "
        "coverage and a sheet to plan by; and an index of them. What is made from records is the month's, as it is released."
    ),
    owners=list(describe.OWNERS),
    kinds={"html"},
    freshness_policy=EVERY_MORNING,
    tags={"purpose": SECONDARY_USE},
    deps=[*(describe.key_of(name) for name in PROFILE_TABLES), COUNT_DAYS],
    required_resource_keys={"night"},
    check_specs=[dg.AssetCheckSpec(MADE, asset=["pages", "profile"], description="Every PCN has a profile.")],
)
@guarded
def profile(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Write the profiles from the store's tables, those that are released once a month as they were then."""
    from fuller_popheath.publish.profile import publish_profiles

    tonight = context.resources.night.tonight()
    folder = tonight.store.fresh_folder("pages/profile", tonight.as_of)
    tables = {name: tonight.stored_or_empty(name, day_released(tonight, name)) for name in PROFILE_TABLES}
    if not tables[BY_PCN].num_rows:
        told = "there is no profile: no Core20 product has a row, for want of published files"
        yield dg.AssetCheckResult(check_name=MADE, passed=False, severity=dg.AssetCheckSeverity.WARN, description=told)
        yield dg.MaterializeResult(metadata={"as of": tonight.as_of.isoformat()})
        return
    index, *written = publish_profiles(folder, tables, tonight.night)
    megabytes = sum(path.stat().st_size for path in written) / 1e6
    yield dg.AssetCheckResult(check_name=MADE, passed=bool(written), description=f"{len(written)} profiles, {megabytes:.1f} MB together")
    shown = {"as of": tonight.as_of.isoformat(), "profiles": len(written), "megabytes": round(megabytes, 2)}
    yield dg.MaterializeResult(metadata={**shown, index.name: dg.MetadataValue.path(str(index))})


@dg.definitions
def pages() -> dg.Definitions:
    """The pages of the night."""
    return dg.Definitions(assets=[core20, atlas, profile])
