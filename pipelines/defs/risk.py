"""Groups training, risk and monitoring: models and their cards each month, scores each night, and whether they still hold."""

import dagster as dg

from pipelines.risk_steps import risk_assets


@dg.definitions
def risk() -> dg.Definitions:
    """The steps of risk."""
    return dg.Definitions(assets=risk_assets())
