"""Group products: what leaves the house, each with its purpose."""

import dagster as dg

from pipelines.checks import checks_of
from pipelines.steps import table_assets


@dg.definitions
def products() -> dg.Definitions:
    """One asset for every product declared in fuller_popheath/catalogue/products."""
    return dg.Definitions(assets=table_assets("products"), asset_checks=checks_of("products"))
