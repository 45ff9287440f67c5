"""Group people: who is registered where."""

import dagster as dg

from pipelines.checks import checks_of
from pipelines.steps import table_assets


@dg.definitions
def people() -> dg.Definitions:
    """One asset for every table declared in fuller_popheath/people, with its statistical checks."""
    return dg.Definitions(assets=table_assets("people"), asset_checks=checks_of("people"))
