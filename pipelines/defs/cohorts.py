"""Groups cohorts and lists: who is on a neighbourhood's list and why, and the workbooks that teams open."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Iterator

import dagster as dg

from pipelines import describe
from pipelines.checks import checks_of
from pipelines.guard import guarded
from pipelines.steps import table_assets

DIRECT_CARE = "direct_care"
LIST, ACCOUNT = "products/continuity_list", "products/continuity_list_account"
LISTS = {"lists/continuity": DIRECT_CARE}
"""Every kind of list and its purpose; a release takes the files of all of them."""


@dg.asset(
    key=["lists", "continuity"],
    group_name="lists",
    description=(
        "The continuity list of every neighbourhood: a workbook for the team without NHS numbers, and one with them for each practice, unless the "
        "site chose otherwise. People are re-identified here and nowhere else; files are readable by their owner only."
    ),
    owners=list(describe.OWNERS),
    kinds={"excel", "csv"},
    tags={"purpose": DIRECT_CARE},
    deps=[describe.key_of(LIST), describe.key_of(ACCOUNT), describe.key_of("core/registration")],
    required_resource_keys={"night"},
)
@guarded
def continuity(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Write the lists from the store's tables of the night."""
    from fuller_popheath.people.vault import Vault
    from fuller_popheath.publish.lists import publish_lists

    tonight = context.resources.night.tonight()
    tables = {name: tonight.store.read(name, tonight.as_of) for name in (LIST, ACCOUNT)}
    folder = tonight.store.fresh_folder("lists/continuity", tonight.as_of)
    files = publish_lists(folder, tables, tonight.night, Vault(tonight.night.site.folder("vault")))
    told = {"people listed": tables[LIST].num_rows, "neighbourhoods": tables[ACCOUNT].num_rows, "files": len(files)}
    yield dg.MaterializeResult(metadata={**told, "as of": tonight.as_of.isoformat(), "folder": dg.MetadataValue.path(str(folder))})


@dg.definitions
def cohorts() -> dg.Definitions:
    """One asset for every table declared in fuller_popheath/cohorts, and the lists."""
    return dg.Definitions(assets=[*table_assets("cohorts"), continuity], asset_checks=checks_of("cohorts"))
