"""Group reference: published open data, as it arrived."""

import dagster as dg

from pipelines.steps import source_assets


@dg.definitions
def reference() -> dg.Definitions:
    """One asset for every layout with a contract in data_contracts/reference."""
    return dg.Definitions(assets=source_assets("reference"))
