"""Group place: deprivation, neighbourhoods and counts by place."""

import dagster as dg

from pipelines.checks import checks_of
from pipelines.steps import table_assets


@dg.definitions
def place() -> dg.Definitions:
    """One asset for every table declared in fuller_popheath/place, with its statistical checks."""
    return dg.Definitions(assets=table_assets("place"), asset_checks=checks_of("place"))
