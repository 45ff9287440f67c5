"""Group arrival: what lies in the landing folder. Group inbound: what practices sent."""

import dagster as dg

from pipelines.steps import landing_asset, source_assets


@dg.definitions
def arrival() -> dg.Definitions:
    """The first asset, and one for every layout with a contract in data_contracts/inbound."""
    return dg.Definitions(assets=[landing_asset(), *source_assets("inbound")])
