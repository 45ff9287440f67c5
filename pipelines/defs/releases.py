"""Group releases: the last asset of a night. Every product and page of the day in one folder, and the pointer var/products moved to it."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken, InputMissing
from fuller_popheath.publish.csv_files import write_csv
from fuller_popheath.publish.list_identities import may_be_named
from fuller_popheath.publish.release import OPEN, Part, release
from fuller_popheath.publish.release_manifest import BY_HAND, NIGHT
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.registry import LIST_TABLES, MOVEMENT, tables
from pipelines import describe
from pipelines.defs.cohorts import LIST, LISTS
from pipelines.defs.pages import PAGES
from pipelines.freshness import EVERY_MORNING
from pipelines.guard import guarded
from pipelines.release_days import day_released
from pipelines.release_facts import figures, internal_parts, judge, refuse_no_reason, stamps, statement
from pipelines.risk_steps import SCORECARD
from pipelines.steps import group_of
from pipelines.stores import prove, with_columns_of, write_parquet
from pipelines.summary import PRODUCTS

if TYPE_CHECKING:
    from datetime import date

    from pipelines.release_facts import Judgement
    from pipelines.tonight import Tonight

FILES = {**PAGES, **LISTS}
"""What leaves as files: every page and every kind of list, and its purpose."""

KEY = ["releases", "current"]
GAP_LIST = "products/care_gap_list"
CURRENT, LIMITS = "is_current", "within_limits"
RUN_LETTERS = 8
RELEASE = "release"
"""The job that releases what the store has, without making anything."""
WHAT_TO_DO = (
    "Yesterday's release stays. Look at what changed; if it is right, materialise releases/current again with accept_changes and a reason "
    '(ops > releases__current > config), or: fuller release --accept-changes --because "..."'
)


class ReleaseChoice(dg.Config):
    """Let changes beyond the limits through, and say why; everything may be left as it is."""

    accept_changes: bool = Field(default=False, description="Release although something differs by more than site.toml, [releases], allows.")
    reason: str = Field(default="", description="Why: it stands in the manifest of the release. No names of people.")


def released_tables() -> tuple[str, ...]:
    """Every product of a night, by contract id: those that one file declares, and those that the steps of lists make."""
    declared = (spec.contract for spec in tables().values() if group_of(spec) == "products")
    return (*declared, *(name for name in (*LIST_TABLES, MOVEMENT) if name.startswith("products/")))


def product_parts(tonight: "Tonight", contract_id: str, day: "date | None" = None) -> Iterator[Part]:
    """A product of the night (or of another day) as a CSV for people and Parquet for programs. Raises InputMissing where the store has none,
    ContractBroken where it does not keep its contract any more.

    Of people on a list, those who may no longer be named are left out; where others can look into the folder there are workbooks only.
    """
    contract = load_contract(contract_id)
    table = prove(with_columns_of(tonight.store.read(contract_id, day or day_released(tonight, contract_id)), contract), contract).table
    if contract_id in (LIST, GAP_LIST) and not tonight.night.site.lists.folder_is_access_controlled:
        # Workbooks are encrypted there; the table would lie open beside them.
        return
    if contract_id == LIST:
        table = may_be_named(table)
    for ending, write in (("csv", write_csv), ("parquet", write_parquet)):
        yield Part(contract.purpose, f"{contract_id.rpartition('/')[2]}.{ending}", partial(write, table), table.num_rows, contract_id)


def monthly_parts(tonight: "Tonight") -> Iterator[Part]:
    """The newest scorecard up to the day, which is made each month; none before the first."""
    day = max((day for day in tonight.store.days(SCORECARD) if day <= tonight.as_of), default=None)
    if day is not None:
        yield from product_parts(tonight, SCORECARD, day)


def leaving(tonight: "Tonight") -> tuple[str, ...]:
    """The products that are released: all, but no open one where none has a row (a night of practice lists alone, without published files).

    Raises InputMissing for a product that the store does not have.
    """
    purposes = {name: load_contract(name).purpose for name in released_tables()}
    rows = {name: tonight.store.read(name, tonight.as_of).num_rows for name in purposes}
    has_open = any(rows[name] for name, purpose in purposes.items() if purpose == OPEN)
    return tuple(name for name, purpose in purposes.items() if has_open or purpose != OPEN)


def pages_leaving(tables: tuple[str, ...]) -> dict[str, str]:
    """The pages and lists that are released beside these products, and their purposes: every page is made of open products, among others."""
    purposes = {load_contract(name).purpose for name in tables}
    return {page: purpose for page, purpose in FILES.items() if page not in PAGES or OPEN in purposes}


def file_parts(tonight: "Tonight", page: str) -> Iterator[Part]:
    """The files of a page or list of the day, as they stand in the store. Raises InputMissing for a page without any."""
    folder = tonight.store.page_folder(page, tonight.as_of)
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    if not files and page in PAGES:
        raise InputMissing(f"{page} is not in the store for {tonight.as_of}; materialise it for that day first")
    for path in files:
        yield Part(FILES[page], path.name, partial(shutil.copyfile, path), made_of=page)


def _made_files(tonight: "Tonight", current: Path, tables: tuple[str, ...]) -> dict[str, str]:
    """Where people find each product and page."""
    made = pages_leaving(tables)
    pages = {page: next(part for part in file_parts(tonight, page) if part.name.endswith(".html")) for page in PAGES if page in made}
    found = {name: current / load_contract(name).purpose / f"{name.rpartition('/')[2]}.csv" for name in tables}
    found |= {page: current / part.purpose / part.name for page, part in pages.items()}
    found |= {name: current / purpose for name, purpose in LISTS.items() if any(file_parts(tonight, name))}
    return {name: str(path) for name, path in found.items()}


@dg.asset(
    key=KEY,
    group_name="releases",
    description=(
        "Everything that leaves, published whole: one folder with every product and page of the day, each under its purpose, and a manifest with "
        "rows and hashes, signed. When all of it stands, the pointer `products` moves to it; if anything before it failed, or something differs "
        "from the last release by more than site.toml allows, yesterday's stays. It never goes back to an older day."
    ),
    owners=list(describe.OWNERS),
    kinds={"csv", "parquet", "html"},
    freshness_policy=EVERY_MORNING,
    deps=[*map(describe.key_of, released_tables()), *map(describe.key_of, FILES)],
    required_resource_keys={"night"},
    check_specs=[
        dg.AssetCheckSpec(
            LIMITS,
            asset=KEY,
            description="Registered people, rows and practices are within the limits of site.toml, [releases], beside the last release.",
            blocking=True,
        ),
        dg.AssetCheckSpec(CURRENT, asset=KEY, description="The release of the night is the one that people find."),
    ],
)
@guarded
def current(context: dg.AssetExecutionContext, config: ReleaseChoice) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Release the store's products and pages of the day."""
    refuse_no_reason(config.accept_changes, config.reason)
    tonight: Tonight = context.resources.night.tonight()
    store = tonight.store
    tables = leaving(tonight)
    parts = [part for name in tables for part in product_parts(tonight, name)]
    parts += monthly_parts(tonight)
    parts += [part for page in pages_leaving(tables) for part in file_parts(tonight, page)]
    key, now = signing_key(tonight.night.site.folder("vault")), figures(tonight, parts)
    judged = judge(tonight, now, key)
    yield _within(judged, config.accept_changes)
    if judged.broken and not config.accept_changes:
        raise ContractBroken(_refusal(judged))
    said = statement(tonight, context.run_id[:RUN_LETTERS], datetime.now(UTC).isoformat(timespec="seconds"), parts)
    said = replace(said, kind=BY_HAND if context.job_name == RELEASE else NIGHT, accepted=config.reason.strip(), changes=judged.broken)
    made = release(
        store.products, store.releases, said, [*parts, *stamps(tonight, parts), *internal_parts(tonight, now)], key, tonight.night.site.releases.keep
    )
    told = f"{made.folder.name} is current" + ("" if len(tables) == len(released_tables()) else "; no open product has a row, so none is in it")
    if not made.is_current:
        told = f"the current release is of {made.current_as_of}, which is later than {tonight.as_of}, so it stays; this one lies in {made.folder}"
    yield dg.AssetCheckResult(check_name=CURRENT, passed=made.is_current, severity=dg.AssetCheckSeverity.WARN, description=told)
    yield dg.MaterializeResult(
        metadata={
            "as of": tonight.as_of.isoformat(),
            "release": dg.MetadataValue.path(str(made.folder)),
            "signed by": key.public.name,
            "accepted": config.reason.strip() or "nothing had to be",
            "current": told,
            PRODUCTS: dg.MetadataValue.json(_made_files(tonight, store.products if made.is_current else made.folder, tables)),
            "files": len(made.files),
            "older releases removed": len(made.removed),
        }
    )


def _within(judged: "Judgement", is_accepted: bool) -> dg.AssetCheckResult:
    """The verdict on limits: an error that blocks, or a warning where somebody has looked and let it through."""
    return dg.AssetCheckResult(
        check_name=LIMITS,
        passed=not judged.broken,
        severity=dg.AssetCheckSeverity.WARN if is_accepted else dg.AssetCheckSeverity.ERROR,
        description=judged.words if not judged.broken else f"let through with a reason: {judged.words}" if is_accepted else _refusal(judged),
        metadata={"limits broken": len(judged.broken), **({} if is_accepted or not judged.broken else {"error": ContractBroken.__name__})},
    )


def _refusal(judged: "Judgement") -> str:
    return f"{judged.words}. {WHAT_TO_DO}"


@dg.definitions
def releases() -> dg.Definitions:
    """The release of the night, and the job that releases what was made by hand."""
    job = dg.define_asset_job(
        RELEASE,
        selection=dg.AssetSelection.assets(dg.AssetKey(KEY)),
        description="Release what the store has for the last night, or another day: what was materialised by hand stays there until then.",
        config={"resources": {"night": {"config": {"as_of": "", "landing": "", "edition": "both", "icb": ""}}}},
    )
    return dg.Definitions(assets=[current], jobs=[job])
